// SPDX-License-Identifier: Apache-2.0
#include "server/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "event/explanation.h"
#include "table/image_objects.h"
#include "table/text_at.h"

namespace vigie::server {
namespace {

constexpr std::size_t kLongestKey = 100;

// The rows as a body has them that is nothing but them, each on a line of its own.
std::optional<std::string_view> as_they_came(const table::JsonRows& rows) {
  const char* end = nullptr;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
    const auto text = rows.text_of(row);
    if (end && (*end != '\n' || end + 1 != text.data())) return {};
    if (text.find('\n') != std::string_view::npos) return {};
    end = text.data() + text.size();
  }
  const auto* from = rows.text_of(0).data();
  return std::string_view(from, static_cast<std::size_t>(end - from));
}

// The accepted rows, one a line. Outside of its strings a record may be broken into lines, in them it cannot.
std::string in_lines(const table::JsonRows& rows, std::span<const std::uint32_t> accepted) {
  std::string out;
  for (auto row : accepted) {
    const auto from = out.size();
    out += rows.text_of(row);
    std::replace(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), '\n', ' ');
    out += '\n';
  }
  return out;
}

bool is_object(std::string_view record, const char* key) {
  const auto json = parse_json(record);
  return json.is_object() && json.contains(key) && json[key].is_object();
}

}  // namespace

std::string Ingest::Reject::text() const {
  return line > 0 ? fmt::format("line {}: {}", line, error) : error;
}

void Ingest::add(event::Kind kind, std::string_view model, std::string_view body,
                 std::move_only_function<void(Result<Reply>)> done, table::JsonForm form) {
  if (auto named = event::check_model(model); !named) return done(named.error());
  {
    std::lock_guard lock(mutex_);
    if (elsewhere_.contains(model))
      return done(fail(Code::kUsage, fmt::format("{} is watched in an index, where its rows are counted: it takes no "
                                                 "others",
                                                 quoted(model))));
  }
  thread_local table::JsonRows plain;
  thread_local event::ExplanationRows explanations;
  const bool explains = kind == event::Kind::kExplanations;
  const bool any_boxes = !explains && event::speaks_of_boxes(body);
  if (!explains)
    plain.read(body, event::keys_of(kind, table::OtherKeys::kChecked, any_boxes), form);
  else if (auto read = explanations.read(body, form); !read)
    return done(read.error());
  auto& rows = explains ? explanations.rows() : plain;
  Reply reply;
  for (const auto& reject : rows.rejected()) reply.rejected.push_back({reject.record, reject.reason, reject.line});

  // What a record must have: an id, by which a repeated one is told from a new one and what comes later finds its
  // prediction.
  const auto id = *rows.column(0), time = *rows.column(1);
  const bool labels = kind == event::Kind::kLabels;
  const auto label = labels ? *rows.column(event::kLabelValue) : table::Column{};
  const auto of_boxes = [&](std::size_t of_label, std::size_t of_prediction) {
    return any_boxes ? *rows.column(labels ? of_label : of_prediction) : table::Column{};
  };
  const auto boxes = of_boxes(event::kLabelBoxes, event::kPredictionBoxes);
  const auto sizes = of_boxes(event::kLabelSize, event::kPredictionSize);
  Few<std::uint32_t> good;
  std::size_t misfit = 0;
  auto may_cross = table::kMostCrossedAtOnce;
  for (std::uint32_t row = 0; row < static_cast<std::uint32_t>(rows.rows()); ++row) {
    std::string wrong;
    if (explains) wrong = explanations.wrong(row);
    if (misfit < time.misfits.size() && time.misfits[misfit] == row) {
      ++misfit;
      wrong = "\"timestamp\" is no time: ISO 8601 or epoch numbers";
    }
    if (id.codes[row] < 0) wrong = "\"id\" is missing";
    const auto objects = text_at(boxes, row);
    // An object where a list is wanted is no cell.
    if (wrong.empty() && any_boxes && objects.empty() && is_object(rows.text_of(row), "boxes"))
      wrong = "boxes: expected a list of objects with \"bbox\" and \"category\", got an object";
    if (wrong.empty() && !objects.empty())
      if (auto read = table::read_objects(objects, labels ? table::ObjectsOf::kLabel : table::ObjectsOf::kPrediction,
                                          text_at(sizes, row), &may_cross);
          !read)
        wrong = std::move(read.error().message);
    if (labels && wrong.empty() && label.codes[row] < 0 && objects.empty()) wrong = "\"label\" is missing";
    if (!wrong.empty()) {
      reply.rejected.push_back({rows.record_of(row), std::move(wrong)});
    } else {
      good.push_back(row);
    }
  }
  std::sort(reply.rejected.begin(), reply.rejected.end(),
            [](const Reject& a, const Reject& b) { return a.index < b.index; });
  if (good.empty()) return count(kind, reply), done(std::move(reply));

  const bool once = kind != event::Kind::kLabels;
  if (once && behind())
    return done(fail(Code::kUnavailable, "what was accepted is not yet counted; send it again later"));
  const auto number = models_.number_of(model);
  if (!number) return done(fail(Code::kUnavailable, fmt::format("{} would be one model too many", quoted(model))));
  if (kind == event::Kind::kPredictions) reply.unknown_keys = look(*number, rows.text_of(good.front()));
  Few<Key> claimed;
  Few<std::uint32_t> accepted;
  if (once) {
    Few<std::string_view> ids;
    for (auto row : good) ids.push_back(id.dictionary[static_cast<std::size_t>(id.codes[row])]);
    Few<Known> known;
    if (auto looked = claim(explains ? State::explained(*number) : *number, ids, known, claimed); !looked)
      return done(looked.error());
    for (std::size_t i = 0; i < good.size(); ++i) {
      reply.duplicates += known[i] != Known::kNew;
      // What is under way may fail: it is written again, lest this answer promise what is not there.
      if (known[i] != Known::kLasting) accepted.push_back(good[i]);
    }
    reply.accepted = good.size() - reply.duplicates;
  } else {
    accepted = std::move(good);
    reply.accepted = accepted.size();
  }
  if (accepted.empty()) return count(kind, reply), done(std::move(reply));

  journal::Records records;
  const auto all = accepted.size() == static_cast<std::size_t>(rows.rows()) ? as_they_came(rows) : std::nullopt;
  const auto put = [&](std::string_view lines) { records.add(event::encode_head(kind, model, lines.size()), lines); };
  put(all ? *all : std::string_view(in_lines(rows, accepted)));
  journal_.append(std::move(records), [this, kind, claimed = std::move(claimed), reply = std::move(reply),
                                       done = std::move(done)](Result<journal::Sequence> written) mutable {
    settle(written, std::move(claimed), kind, reply);
    written ? done(std::move(reply)) : done(std::move(written.error()));
  });
}

std::vector<std::string> Ingest::look(std::uint32_t model, std::string_view record) {
  {
    const std::lock_guard lock(mutex_);
    const auto request = ++looked_[model].requests;
    if (request > kLooked && request % kLookedEach != 0) return {};
  }
  std::vector<std::string> out;
  const auto json = parse_json(record);
  if (!json.is_object()) return out;
  const auto known = event::record_keys();
  for (const auto& [key, value] : json.items())
    if (key != "features" && std::ranges::find(known, key) == known.end() && out.size() < kUnknownKeys)
      out.push_back(key.substr(0, kLongestKey));
  const std::lock_guard lock(mutex_);
  auto& unknown = looked_[model].unknown;
  for (const auto& key : out)
    if (unknown.size() < kUnknownKeys) unknown.insert(key);
  return out;
}

std::vector<std::string> Ingest::unknown_keys(std::uint32_t model) const {
  const std::lock_guard lock(mutex_);
  const auto found = looked_.find(model);
  if (found == looked_.end()) return {};
  return {found->second.unknown.begin(), found->second.unknown.end()};
}

Ingest::Count& Ingest::of(event::Kind kind) {
  return counts_[kind == event::Kind::kLabels         ? kLabels
                 : kind == event::Kind::kExplanations ? kExplanations
                                                      : kPredictions];
}

void Ingest::tally(event::Kind kind, const Reply& reply) {
  auto& all = of(kind);
  all.accepted += reply.accepted, all.duplicates += reply.duplicates, all.rejected += reply.rejected.size();
}

void Ingest::count(event::Kind kind, const Reply& reply) {
  std::lock_guard lock(mutex_);
  tally(kind, reply);
}

void Ingest::counted_elsewhere(std::set<std::string, std::less<>> models) {
  std::lock_guard lock(mutex_);
  elsewhere_ = std::move(models);
}

void Ingest::count_rejected(event::Kind kind, std::uint64_t records) {
  std::lock_guard lock(mutex_);
  of(kind).rejected += records;
}

Ingest::Counts Ingest::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

bool Ingest::behind() {
  std::lock_guard lock(mutex_);
  return waiting_.size() > kMostWaiting;
}

Status Ingest::claim(std::uint32_t model, std::span<const std::string_view> ids, Few<Known>& known, Few<Key>& claimed) {
  Few<Key> keys, others;
  // Seeds that lie far apart: of short texts XXH3 says the same for two ids where their difference is that of the
  // seeds.
  const auto one = mix64(2 * std::uint64_t{model}), other = mix64(2 * std::uint64_t{model} + 1);
  for (auto id : ids) keys.emplace_back(hash64(id, one), hash64(id, other));
  known.resize(ids.size());
  {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto [it, fresh] = waiting_.try_emplace(keys[i], Known::kUnderWay);
      known[i] = fresh ? Known::kNew : it->second;
    }
  }
  // Only then: what was committed meanwhile has left waiting_ and is found there.
  std::vector<std::uint8_t> counted;
  auto looked = state_.known(model, ids, counted);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (known[i] != Known::kNew) continue;
    const bool mine = looked && !counted[i];
    (mine ? claimed : others).push_back(keys[i]);
    if (!mine) known[i] = Known::kLasting;
  }
  if (others.empty()) return looked;
  std::lock_guard lock(mutex_);
  for (const auto& key : others) waiting_.erase(key);
  return looked;
}

void Ingest::settle(const Result<journal::Sequence>& written, Few<Key> claimed, event::Kind kind, const Reply& reply) {
  std::lock_guard lock(mutex_);
  if (written) tally(kind, reply);
  if (written && *written >= committed_) {
    for (const auto& key : claimed) waiting_[key] = Known::kLasting;
    if (!claimed.empty()) by_record_.emplace_back(*written, std::move(claimed));
    return;
  }
  for (const auto& key : claimed) waiting_.erase(key);
}

void Ingest::committed(journal::Sequence offset) {
  std::lock_guard lock(mutex_);
  committed_ = offset;
  for (; !by_record_.empty() && by_record_.front().first < offset; by_record_.pop_front())
    for (const auto& key : by_record_.front().second) waiting_.erase(key);
}

}  // namespace vigie::server

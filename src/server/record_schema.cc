// SPDX-License-Identifier: Apache-2.0
#include "server/record_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/bytes.h"
#include "base/iso_time.h"
#include "base/text.h"

namespace vigie::server {
namespace {

using Kind = RecordSchema::Kind;
using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kNames{"number", "text", "boolean", "time", "list"};
constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kHour = 3'600'000'000;  // µs
constexpr std::int64_t kSurely = 20;           // rows that would have had a column by now, of which none had
constexpr std::size_t kLongest = 500;          // bytes of a name
constexpr std::size_t kMostNamed = 5;          // of each sort, in a sentence
constexpr std::string_view kFeatures = "features.";

Kind kind_of(table::Type type) {
  switch (type) {
    case table::Type::kBoolean:
      return Kind::kBoolean;
    case table::Type::kInteger:
    case table::Type::kFloat:
      return Kind::kNumber;
    case table::Type::kTimestamp:
      return Kind::kTime;
    case table::Type::kList:
      return Kind::kList;
    default:
      return Kind::kText;
  }
}

bool of_answer(std::string_view name) {
  return name == "prediction" || name == "score";
}
bool of_group(std::string_view name) {
  return name.starts_with("tags.") || name.starts_with("scores.");
}

RecordSchema::Change difference(const RecordSchema::Columns& before, const RecordSchema::Columns& after) {
  RecordSchema::Change out;
  for (const auto& [name, kind] : after) {
    const auto had = before.find(name);
    if (had == before.end())
      out.added[name] = kind;
    else if (had->second != kind)
      out.changed[name] = {had->second, kind};
  }
  for (const auto& [name, kind] : before)
    if (!after.contains(name)) out.gone.push_back(name);
  return out;
}

// What a key of a record is called; empty: it is of no column.
std::string name_of(const table::JsonShape::Key& key) {
  const auto& name = key.field.name;
  if (key.path.size() == 1) return of_answer(name) ? name : std::string();
  if (of_group(name)) return name;
  if (!name.starts_with(kFeatures)) return {};
  auto own = name.substr(kFeatures.size());
  // One that is called as something else is.
  return of_answer(own) || of_group(own) ? name : own;
}

// Of which group people say something by a name.
std::string_view group_of(std::string_view name) {
  if (of_answer(name)) return "answer";
  if (of_group(name)) return name.substr(0, name.find('.'));
  return "features";
}

template <class List, class Say>
void add_words(std::string& out, const List& list, Say say) {
  std::size_t named = 0;
  for (const auto& one : list) {
    if (named++ == kMostNamed) break;
    out.append(out.empty() ? "" : "; ").append(say(one));
  }
  if (list.size() > kMostNamed) out += fmt::format("; and {} more", list.size() - kMostNamed);
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}
std::span<const std::string_view> all_kinds() {
  return kNames;
}
std::optional<Kind> kind_of(std::string_view name) {
  const auto* at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return {};
  return static_cast<Kind>(at - kNames.begin());
}

std::string in_words(const RecordSchema::Change& change) {
  std::string out;
  add_words(out, change.added, [](const auto& one) {
    return fmt::format("{} is new ({})", vigie::quoted(one.first), to_string(one.second));
  });
  add_words(out, change.gone, [](const auto& one) { return vigie::quoted(one) + " comes no more"; });
  add_words(out, change.changed, [](const auto& one) {
    return fmt::format("{} is {}, was {}", vigie::quoted(one.first), to_string(one.second.second),
                       to_string(one.second.first));
  });
  if (change.left_out)
    out += fmt::format("{}names beyond the first {} are left out", out.empty() ? "" : "; ",
                       with_commas(static_cast<std::int64_t>(RecordSchema::kMost)));
  return out;
}

Kind RecordSchema::Seen::most() const {
  return static_cast<Kind>(std::ranges::max_element(kinds) - kinds.begin());
}

void RecordSchema::take(const table::JsonRows& row) {
  ++looked_;
  for (const auto& key : row.unknown()) {
    const auto name = server::name_of(key);
    if (name.empty()) continue;
    auto at = seen_.find(name);
    if (at == seen_.end()) {
      if (seen_.size() >= kMost || name.size() > kLongest) {
        left_out_ = true;
        continue;
      }
      at = seen_.try_emplace(name).first;
      at->second.first = looked_;
    }
    auto& seen = at->second;
    ++seen.rows, seen.last = looked_;
    ++seen.kinds.at(static_cast<std::size_t>(kind_of(key.field.type)));
  }
}

std::optional<RecordSchema::Change> RecordSchema::look(const table::JsonRows& rows, std::span<const std::size_t> which,
                                                       std::int64_t arrived, table::JsonRows& scratch) {
  static const table::JsonShape any({});
  constexpr std::int64_t kMicro = 1'000'000;
  if (first_ == 0) first_ = last_came_ = arrived;
  room_ = std::min(kLearnt * kMicro, room_ + kEach * std::clamp(arrived - last_came_, std::int64_t{0}, kHour));
  last_came_ = std::max(last_came_, arrived);
  const auto room = learning() ? kLearnt - looked_ : room_ / kMicro;
  const auto take_of = std::min(std::ssize(which), room);
  if (take_of <= 0) return {};
  altered_ = true;
  if (!learning()) room_ -= take_of * kMicro;
  for (std::int64_t i = 0; i < take_of; ++i) {
    scratch.read(rows.text_of(which[static_cast<std::size_t>(i * std::ssize(which) / take_of)]), any);
    take(scratch);
  }
  if (learning()) {
    const bool enough = looked_ >= kLearnt || (looked_ >= kFew && arrived - first_ >= kHour);
    return enough ? tell(settle(), arrived) : std::nullopt;
  }
  if (looked_ - evaluated_ < kNew) return {};
  return tell(evaluate(), arrived);
}

// What was learnt is the first version; it is news where people said something else.
RecordSchema::Change RecordSchema::settle() {
  learnt_ = evaluated_ = looked_;
  for (auto& [name, seen] : seen_) seen.kind = seen.most(), seen.known = true, seen.kinds = {};
  return said_ ? departures() : Change{};
}

RecordSchema::Change RecordSchema::evaluate() {
  Change out;
  evaluated_ = looked_;
  for (auto it = seen_.begin(); it != seen_.end();) {
    auto& [name, seen] = *it;
    const auto since = looked_ - seen.last;
    const auto values = std::accumulate(seen.kinds.begin(), seen.kinds.end(), std::int64_t{0});
    // One that is rare may be there nevertheless.
    const auto usual = seen.known ? std::max(learnt_, kSurely * (seen.last - seen.first + 1) / seen.rows) : kLearnt;
    if (since >= usual) {
      if (seen.known) out.gone.push_back(name);
      it = seen_.erase(it);
      continue;
    }
    if (!seen.known && seen.rows >= kNew) {
      seen.kind = out.added[name] = seen.most(), seen.known = true, seen.kinds = {};
    } else if (seen.known && values >= kValues) {
      const auto most = seen.most();
      if (most != seen.kind && 2 * seen.kinds.at(static_cast<std::size_t>(most)) > values)
        out.changed[name] = {std::exchange(seen.kind, most), most};
      seen.kinds = {};
    }
    ++it;
  }
  return out;
}

std::optional<RecordSchema::Change> RecordSchema::tell(Change change, std::int64_t arrived) {
  change.left_out = left_out_ && !std::exchange(told_left_out_, left_out_);
  const bool first = version_ == 0;
  if (first) version_ = 1, since_ = arrived;
  if (change.empty() || (first && !change.left_out)) return {};
  change.from = version_;
  const bool moved = !change.added.empty() || !change.gone.empty() || !change.changed.empty();
  if (!said_ && moved) ++version_, since_ = arrived;
  change.to = version_;
  last_ = {in_words(change), arrived};
  return change;
}

std::optional<RecordSchema::Change> RecordSchema::say(std::optional<Columns> said, std::int64_t arrived) {
  if (said == said_) return {};
  const auto before = columns();
  said_ = std::move(said), altered_ = true;
  const auto after = columns();
  if (before == after && version_ > 0) return {};
  auto change = difference(before, after);
  change.said = true, change.from = version_;
  change.to = ++version_, since_ = arrived;
  if (change.from == 0) return {};
  last_ = {in_words(change), arrived};
  return change;
}

RecordSchema::Columns RecordSchema::met() const {
  Columns out;
  for (const auto& [name, seen] : seen_)
    if (seen.known) out[name] = seen.kind;
  return out;
}

RecordSchema::Columns RecordSchema::columns() const {
  auto out = met();
  if (!said_) return out;
  const auto speaks_of = [&](std::string_view name) {
    return std::ranges::any_of(*said_, [&](const auto& one) { return group_of(one.first) == group_of(name); });
  };
  std::erase_if(out, [&](const auto& one) { return speaks_of(one.first); });
  out.insert(said_->begin(), said_->end());
  return out;
}

// How records differ from what people said.
RecordSchema::Change RecordSchema::departures() const {
  return difference(columns(), met());
}

std::string RecordSchema::to_json() const {
  if (version_ == 0) return {};
  Json columns = Json::object(), departs = Json::object();
  for (const auto& [name, kind] : this->columns()) columns[name] = to_string(kind);
  if (said_ && !learning()) {
    const auto other = departures();
    for (const auto& [name, kind] : other.added) departs[name] = fmt::format("new: {}", to_string(kind));
    for (const auto& name : other.gone) departs[name] = "not there";
    for (const auto& [name, kinds] : other.changed) departs[name] = to_string(kinds.second);
  }
  Json out{{"version", version_},
           {"since", iso_time(static_cast<double>(since_))},
           {"said", said_.has_value()},
           {"columns", std::move(columns)}};
  if (!departs.empty()) out["departs"] = std::move(departs);
  if (left_out_) out["left_out"] = true;
  if (!last_.first.empty())
    out["last_change"] = {{"time", iso_time(static_cast<double>(last_.second))}, {"what", last_.first}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string RecordSchema::save() const {
  ByteWriter out;
  out.fixed(kVersion);
  for (auto number : {version_, since_, first_, looked_, evaluated_, learnt_, room_, last_came_, last_.second})
    out.fixed(number);
  out.string(last_.first);
  for (bool flag : {left_out_, told_left_out_, said_.has_value()}) out.fixed(std::uint8_t{flag});
  if (said_) {
    out.varint(said_->size());
    for (const auto& [name, kind] : *said_) out.string(name), out.fixed(static_cast<std::uint8_t>(kind));
  }
  out.varint(seen_.size());
  for (const auto& [name, seen] : seen_) {
    out.string(name), out.fixed(static_cast<std::uint8_t>(seen.kind)), out.fixed(std::uint8_t{seen.known});
    for (auto number : {seen.rows, seen.first, seen.last}) out.varint(static_cast<std::uint64_t>(number));
    for (auto number : seen.kinds) out.varint(static_cast<std::uint64_t>(number));
  }
  return out.take();
}

Status RecordSchema::load(std::string_view bytes) {
  ByteReader in(bytes);
  RecordSchema read;
  const auto version = in.fixed<std::uint8_t>();
  for (auto* number : {&read.version_, &read.since_, &read.first_, &read.looked_, &read.evaluated_, &read.learnt_,
                       &read.room_, &read.last_came_, &read.last_.second})
    *number = in.fixed<std::int64_t>();
  read.last_.first = in.string();
  bool said = false;
  for (auto* flag : {&read.left_out_, &read.told_left_out_, &said}) *flag = in.fixed<std::uint8_t>() != 0;
  const auto kind = [&] {
    const auto number = in.fixed<std::uint8_t>();
    if (number >= kNames.size()) in.fail();
    return static_cast<Kind>(number);
  };
  if (said) {
    auto& columns = read.said_.emplace();
    for (auto left = in.count(2); left > 0 && in.ok(); --left) {
      const std::string name(in.string());
      columns[name] = kind();
    }
  }
  for (auto left = in.count(10); left > 0 && in.ok(); --left) {
    const std::string name(in.string());
    auto& seen = read.seen_[name];
    seen.kind = kind(), seen.known = in.fixed<std::uint8_t>() != 0;
    for (auto* number : {&seen.rows, &seen.first, &seen.last}) *number = static_cast<std::int64_t>(in.varint());
    for (auto& number : seen.kinds) number = static_cast<std::int64_t>(in.varint());
    if (seen.rows < 1) in.fail();
  }
  if (!in.ok() || version != kVersion) return fail(Code::kCorrupt, "what was kept of a model's schema cannot be read");
  *this = std::move(read);
  return {};
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "server/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <tuple>

#include "base/bytes.h"
#include "base/clock.h"
#include "elastic/session.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;

constexpr auto kLives = std::chrono::seconds(10);  // since its last sign, as far as this one listened
constexpr auto kLeft = std::chrono::minutes(5);    // that windows wait for their reference
constexpr std::int64_t kRecent = 3'600'000'000;    // µs: of a sign, after this one was away
constexpr std::int64_t kSettle = 500'000;          // µs: what somebody sent to another one meanwhile has arrived there
constexpr std::int64_t kMostWait = 300'000'000;    // µs for others that live
constexpr std::int64_t kEach = 1 << 20;            // messages of one record
constexpr std::size_t kMostLines = 4 << 20;        // bytes of lines in a message, but for the last one
constexpr std::size_t kAtOnce = 20;                // documents that are asked for, …
constexpr std::size_t kMostBytes = 32 << 20;       // … and bytes after which the rest is left for the next time

const std::string kMessages = "heard messages", kParts = "heard parts";

std::map<std::string, std::int64_t, std::less<>> numbers_of(std::string_view bytes) {
  std::map<std::string, std::int64_t, std::less<>> out;
  ByteReader in(bytes);
  for (auto left = in.count(9); left > 0; --left) {
    const auto name = in.string();
    out[std::string(name)] = in.fixed<std::int64_t>();
  }
  return out;
}

std::string bytes_of(const std::map<std::string, std::int64_t, std::less<>>& numbers) {
  ByteWriter out;
  out.varint(numbers.size());
  for (const auto& [name, number] : numbers) out.string(name), out.fixed(number);
  return out.take();
}

// Of the first message of a record.
std::int64_t number_of(journal::Sequence place) {
  return (static_cast<std::int64_t>(place) + 1) * kEach;
}

std::string to_json(const Peers::Sign& sign) {
  Json models = Json::object();
  for (const auto& [name, counted] : sign.models) models[name] = {counted.predictions, counted.last_seen};
  const Json out{{"read_until", sign.read_until},
                 {"open", sign.open},
                 {"heard", sign.heard},
                 {"leaves", sign.leaves},
                 {"models", std::move(models)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Peers::Sign sign_of(const std::string& text) {
  Peers::Sign sign;
  const auto json = Json::parse(text, nullptr, false);
  sign.read_until = elastic::whole_of(json, "read_until");
  const auto& leaves = elastic::member(json, "leaves");
  sign.leaves = leaves.is_boolean() && leaves.get<bool>();
  const auto read = [&](const char* name, auto& numbers) {
    if (const auto& all = elastic::member(json, name); all.is_object())
      for (const auto& [of, number] : all.items())
        if (number.is_number_integer()) numbers[of] = number.template get<std::int64_t>();
  };
  read("open", sign.open), read("heard", sign.heard);
  if (const auto& models = elastic::member(json, "models"); models.is_object())
    for (const auto& [name, counted] : models.items())
      if (counted.is_array() && counted.size() == 2 && counted[0].is_number_integer() && counted[1].is_number_integer())
        sign.models[name] = {counted[0].get<std::int64_t>(), counted[1].get<std::int64_t>()};
  return sign;
}

// All at once; where one of them is too much for the store, the others.
template <class T, class Put>
Status put_all(std::vector<T>& all, Put put, std::string_view what, const std::function<void(std::string why)>& lost) {
  if (auto done = put(std::span<const T>(all)); !done) {
    if (done.error().code != Code::kIo) return done;
    for (const auto& one : all) {
      auto alone = put(std::span<const T>(&one, 1));
      if (!alone && alone.error().code != Code::kIo) return alone;
      if (!alone) lost(fmt::format("other services are not told of {}: {}", what, alone.error().message));
    }
  }
  all.clear();
  return {};
}

}  // namespace

Status Peers::load(const State& state, journal::Sequence offset) {
  VIGIE_ASSIGN(const auto messages, state.get(kMessages));
  VIGIE_ASSIGN(const auto parts, state.get(kParts));
  read_ = numbers_of(messages.value_or(""));
  auto counted = numbers_of(parts.value_or(""));
  // A clock may have been set back.
  last_part_ = std::max({last_part_, counted[name()], system_now()});
  counted.erase(name());
  for (auto& [name, peer] : peers_) peer.message = peer.kept_message, peer.part = peer.kept_part = 0;
  for (const auto& [name, number] : read_) peers_[name].message = std::max(peers_[name].kept_message, number);
  for (const auto& [name, number] : counted) peers_[name].part = peers_[name].kept_part = number;
  messages_.clear(), parts_.clear(), left_.clear();
  last_message_ = number_of(offset) - 1;  // all before is told
  listened_ = {};
  return {};
}

// The same record has the same numbers when it is read again. Lines go in parts that any cluster takes.
void Peers::say(const event::Record& record, journal::Sequence place, std::int64_t stamp) {
  using enum event::Kind;
  const bool lines = record.kind == kLabels || record.kind == kExplanations;
  const bool lasts = record.kind == kReference || record.kind == kModel || record.kind == kImportances;
  for (auto rest = record.body; !rest.empty();) {
    auto end = rest.size();
    if (lines && end > kMostLines) {
      const auto line = rest.rfind('\n', kMostLines);
      end = line != rest.npos ? line + 1 : std::min(rest.find('\n'), rest.size() - 1) + 1;
    }
    last_message_ = std::max(last_message_ + 1, number_of(place));
    ByteWriter out;
    out.fixed(stamp);
    auto& message = messages_.emplace_back(last_message_);
    message.body = out.take().append(event::encode({record.kind, record.model, rest.substr(0, end)}));
    if (lasts) message.lasts = fmt::format("{} {}", static_cast<int>(record.kind), record.model);
    rest.remove_prefix(end);
  }
}

void Peers::say_before(const event::Record& record, journal::Sequence offset, std::int64_t stamp) {
  const auto last = std::exchange(last_message_, std::max(before_, number_of(offset) - kEach / 2));
  say(record, offset - 1, stamp);
  before_ = std::exchange(last_message_, last);
}

void Peers::count(const std::string& model, std::int64_t window, std::string part) {
  last_part_ = std::max(last_part_ + 1, system_now());
  parts_.push_back({model, window, last_part_, std::move(part)});
}

Status Peers::tell(const std::function<void(std::string why)>& lost) {
  VIGIE_TRY(put_all(messages_, [&](auto some) { return exchange_->say(some); }, "a record", lost));
  return put_all(parts_, [&](auto some) { return exchange_->put(some); }, "a window", lost);
}

Status Peers::sign(Sign sign) {
  signs_ = std::max(signs_ + 1, system_now());
  unsure_.push_back(signs_);
  sign.heard = read_;
  VIGIE_TRY(exchange_->put(store::Exchange::Sign{name(), signs_, last_message_, last_part_, to_json(sign)}));
  signed_ = signs_, unsure_.clear();
  signed_read_ = read_;
  return {};
}

journal::Sequence Peers::known_below() const {
  auto known = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, peer] : peers_) {
    if (!lives(peer)) continue;
    const auto heard = peer.sign.heard.find(this->name());
    known = std::min(known, heard == peer.sign.heard.end() ? 0 : heard->second);
  }
  return static_cast<journal::Sequence>(known / kEach);
}

bool Peers::lives(const Peer& peer) const {
  return !peer.sign.leaves && listened_ - peer.lived <= kLives;
}

Result<Peers::Heard> Peers::hear() {
  Heard out;
  VIGIE_ASSIGN(const auto signs, exchange_->signs());
  const auto now = Clock::now();
  const bool first = listened_ == Clock::time_point();
  std::vector<std::pair<std::int64_t, std::string>> records;  // by when they were said
  for (const auto& sign : signs) {
    if (sign.name == name()) {
      // A sign that was refused, or had no answer, may be there or not; an older one may have come late.
      const bool mine = signs_ == 0 || sign.count <= signed_ || std::ranges::find(unsure_, sign.count) != unsure_.end();
      if (!mine) copied_ = now;
      signs_ = std::max(signs_, sign.count), signed_ = std::max(signed_, sign.count);
      continue;
    }
    auto& peer = peers_[sign.name];
    // Whoever did not hear for a while gives all some time to be heard of.
    if (sign.count != peer.count || (first && system_now() - sign.at < kRecent)) peer.lived = now;
    peer.count = sign.count;
    VIGIE_TRY(hear(sign, peer, records, out));
  }
  if (copied_ != Clock::time_point() && now - copied_ < kLives)
    return fail(Code::kUnavailable,
                "another service has a copy of this one's data folder: remove node.id from one of them");
  // Whoever said something of what another one said did so later.
  std::ranges::stable_sort(records, {}, &std::pair<std::int64_t, std::string>::first);
  for (auto& [at, record] : records) out.records.push_back(std::move(record));
  for (auto& part : left_) out.parts.push_back(std::move(part));
  left_.clear();
  listened_ = now;
  return out;
}

Status Peers::hear(const store::Exchange::Sign& sign, Peer& peer,
                   std::vector<std::pair<std::int64_t, std::string>>& records, Heard& out) {
  // Windows first: the references that they were counted by were there before them.
  bool all = true;
  std::size_t bytes = 0;
  bool found = false;
  while (sign.part > peer.part) {
    VIGIE_ASSIGN(auto parts, exchange_->parts(sign.name, peer.part, kAtOnce));
    for (auto& part : parts) {
      peer.part = std::max(peer.part, part.number), bytes += part.body.size(), found = true;
      out.parts.push_back({sign.name, part.model, part.window, std::move(part.body), Clock::now()});
    }
    if (parts.size() < kAtOnce) break;
    if (bytes > kMostBytes) {
      all = false;
      break;
    }
  }
  bytes = 0;
  auto at = std::numeric_limits<std::int64_t>::min();
  while (sign.message > peer.message) {
    VIGIE_ASSIGN(const auto said, exchange_->said(sign.name, peer.message, kAtOnce));
    for (const auto& message : said) {
      peer.message = std::max(peer.message, message.number), bytes += message.body.size(), found = true;
      at = std::max(at, message.at);
      ByteReader in(message.body);
      HeardRecord heard{.by = sign.name, .number = message.number, .stamp = in.fixed<std::int64_t>(), .record = {}};
      if (!in.ok()) continue;
      heard.record = std::string_view(message.body).substr(sizeof heard.stamp);
      if (const auto record = event::decode(heard.record)) records.emplace_back(at, encode(heard, record->model));
    }
    if (said.size() < kAtOnce) break;
    if (bytes > kMostBytes) {
      all = false;
      break;
    }
  }
  // What it signed for and is not there is too old, or another one took its place.
  const bool lacks = sign.part > peer.part || sign.message > peer.message;
  peer.missed = all && lacks && !found ? peer.missed + 1 : 0;
  if (peer.missed > 1) peer.part = std::max(peer.part, sign.part), peer.message = std::max(peer.message, sign.message);
  if (all) peer.sign = sign_of(sign.body), peer.is_signed = true;
  return {};
}

void Peers::kept() {
  for (auto& [name, peer] : peers_) peer.kept_message = peer.message;
}

void Peers::heard(std::vector<Part> left) {
  const auto now = Clock::now();
  // Of each window the latest.
  std::map<std::tuple<std::string, std::string, std::int64_t>, Part> latest;
  for (auto& part : left)
    if (now - part.came < kLeft) latest[{part.by, part.model, part.window}] = std::move(part);
  std::size_t bytes = 0;
  for (auto& [of, part] : latest)
    if ((bytes += part.body.size()) < kMostBytes) left_.push_back(std::move(part));
  std::set<std::string_view> wait;
  for (const auto& part : left_) wait.insert(part.by);
  for (auto& [name, peer] : peers_)
    if (!wait.contains(name)) peer.kept_part = peer.part;
}

Result<bool> Peers::first(const HeardRecord& heard, State& state) {
  auto& last = read_.try_emplace(std::string(heard.by)).first->second;
  if (heard.number <= last) return false;
  last = heard.number;
  // Of what was in the journal when the service was started.
  auto& peer = peers_[std::string(heard.by)];
  peer.message = std::max(peer.message, heard.number), peer.kept_message = std::max(peer.kept_message, heard.number);
  VIGIE_TRY(state.put(kMessages, bytes_of(read_)));
  return true;
}

Result<bool> Peers::newer(const event::Record& record, std::string_view by, std::int64_t& stamp, State& state) {
  const auto what = fmt::format("stamp {} {}", static_cast<int>(record.kind), record.model);
  VIGIE_ASSIGN(const auto had, state.get(what));
  ByteReader in(had.value_or(""));
  const auto last = in.fixed<std::int64_t>();
  const auto who = in.string();
  if (by == name()) stamp = std::max(stamp, last + 1);
  if (std::pair(stamp, by) <= std::pair(last, who)) return false;
  ByteWriter out;
  out.fixed(stamp), out.string(by);
  VIGIE_TRY(state.put(what, out.bytes()));
  return true;
}

Status Peers::save(State& state) {
  std::map<std::string, std::int64_t, std::less<>> numbers{{name(), last_part_}};
  for (const auto& [name, peer] : peers_) numbers[name] = peer.kept_part;
  return state.put(kParts, bytes_of(numbers));
}

Peers::Counts Peers::counted() const {
  Counts all;
  for (const auto& [name, peer] : peers_) {
    for (const auto& [model, counted] : peer.sign.models) {
      auto& sum = all[model];
      sum.predictions += counted.predictions, sum.last_seen = std::max(sum.last_seen, counted.last_seen);
    }
  }
  return all;
}

bool Peers::complete(std::string_view model, std::int64_t window, std::int64_t since) const {
  if (listened_ == Clock::time_point()) return false;
  const auto waited = system_now() - since;
  bool alone = true;
  for (const auto& [name, peer] : peers_) {
    if (!lives(peer)) continue;
    alone = false;
    if (!peer.is_signed) return false;
    if (waited > kMostWait) continue;
    if (peer.sign.read_until < since + kSettle) return false;
    if (const auto open = peer.sign.open.find(model); open != peer.sign.open.end() && open->second <= window)
      return false;
  }
  return alone || waited >= kSettle;
}

std::string encode(const HeardRecord& heard, std::string_view model) {
  ByteWriter body;
  body.string(heard.by), body.fixed(heard.number), body.fixed(heard.stamp);
  return event::encode({event::Kind::kHeard, model, body.take().append(heard.record)});
}

Result<HeardRecord> heard_of(std::string_view body) {
  ByteReader in(body);
  HeardRecord heard;
  heard.by = in.string(), heard.number = in.fixed<std::int64_t>(), heard.stamp = in.fixed<std::int64_t>();
  if (!in.ok()) return fail(Code::kCorrupt, "what another service told cannot be read");
  heard.record = body.substr(body.size() - in.remaining());
  return heard;
}

std::string encode(const ScoredRows& rows) {
  ByteWriter out;
  out.fixed(rows.reference), out.varint(rows.lines.size());
  for (const auto& [window, lines] : rows.lines) out.fixed(window), out.string(lines);
  return out.take();
}

Result<ScoredRows> scored_rows_of(std::string_view body) {
  ByteReader in(body);
  ScoredRows rows;
  rows.reference = in.fixed<std::uint64_t>();
  for (auto left = in.count(9); left > 0; --left) {
    auto& lines = rows.lines[in.fixed<std::int64_t>()];
    lines = in.string();
  }
  if (!in.ok()) return fail(Code::kCorrupt, "what another service told cannot be read");
  return rows;
}

}  // namespace vigie::server

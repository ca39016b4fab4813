// SPDX-License-Identifier: Apache-2.0
#include "server/peers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "elastic/session.h"

namespace vigie::server {
namespace {

using std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr auto kLives = std::chrono::seconds(10);  // since its last sign
constexpr std::int64_t kSettle = 500'000;          // µs: what somebody sent to another one meanwhile has arrived there
constexpr std::int64_t kMostWait = 300'000'000;    // µs for others that live
constexpr std::int64_t kEach = 8;                  // messages of one record
constexpr std::size_t kMostAtOnce = 500;           // that are asked for
constexpr std::size_t kMostLeft = 10'000;          // windows that wait for a reference

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

std::string to_json(const Peers::Sign& sign) {
  Json models = Json::object();
  for (const auto& [name, counted] : sign.models) models[name] = {counted.predictions, counted.last_seen};
  const Json out{
      {"read_until", sign.read_until}, {"open", sign.open}, {"leaves", sign.leaves}, {"models", std::move(models)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Peers::Sign sign_of(const std::string& text) {
  Peers::Sign sign;
  const auto json = Json::parse(text, nullptr, false);
  sign.read_until = elastic::whole_of(json, "read_until");
  const auto& leaves = elastic::member(json, "leaves");
  sign.leaves = leaves.is_boolean() && leaves.get<bool>();
  if (const auto& open = elastic::member(json, "open"); open.is_object())
    for (const auto& [model, window] : open.items())
      if (window.is_number_integer()) sign.open[model] = window.get<std::int64_t>();
  if (const auto& models = elastic::member(json, "models"); models.is_object())
    for (const auto& [name, counted] : models.items())
      if (counted.is_array() && counted.size() == 2 && counted[0].is_number_integer() && counted[1].is_number_integer())
        sign.models[name] = {counted[0].get<std::int64_t>(), counted[1].get<std::int64_t>()};
  return sign;
}

}  // namespace

Status Peers::load(const State& state) {
  VIGIE_ASSIGN(const auto messages, state.get(kMessages));
  VIGIE_ASSIGN(const auto parts, state.get(kParts));
  read_ = numbers_of(messages.value_or(""));
  for (auto& [name, peer] : peers_) peer.message = peer.part = peer.kept_part = 0;
  for (const auto& [name, number] : read_) peers_[name].message = number;
  const auto counted = numbers_of(parts.value_or(""));
  for (const auto& [name, number] : counted) peers_[name].part = peers_[name].kept_part = number;
  messages_.clear(), parts_.clear(), left_.clear();
  last_message_ = 0, listened_ = false;
  return {};
}

void Peers::say(const event::Record& record, journal::Sequence place) {
  // The same record has the same number when it is read again.
  last_message_ = std::max(last_message_ + 1, static_cast<std::int64_t>(place) * kEach);
  messages_.push_back({last_message_, event::encode(record)});
}

void Peers::count(const std::string& model, std::int64_t window, std::string part) {
  // Greater than those before a start anew.
  last_part_ = std::max(last_part_ + 1, system_now());
  parts_.push_back({model, window, last_part_, std::move(part)});
}

Status Peers::tell() {
  VIGIE_TRY(exchange_->say(messages_));
  messages_.clear();
  VIGIE_TRY(exchange_->put(parts_));
  parts_.clear();
  return {};
}

Status Peers::sign(const Sign& sign) {
  signs_ = std::max(signs_ + 1, system_now());
  return exchange_->put(store::Exchange::Sign{name(), signs_, last_message_, last_part_, to_json(sign)});
}

Result<Peers::Heard> Peers::hear() {
  Heard out;
  VIGIE_ASSIGN(const auto signs, exchange_->signs());
  const auto now = steady_clock::now();
  for (const auto& sign : signs) {
    if (sign.name == name()) continue;
    auto& peer = peers_[sign.name];
    // Windows first: the references that they were counted by were there before them.
    std::vector<store::Exchange::Part> parts;
    if (sign.part > peer.part) {
      VIGIE_ASSIGN(parts, exchange_->parts(sign.name, peer.part, kMostAtOnce));
    }
    bool all = parts.size() < kMostAtOnce;
    if (sign.message > peer.message) {
      VIGIE_ASSIGN(const auto said, exchange_->said(sign.name, peer.message, kMostAtOnce));
      for (const auto& message : said) {
        const auto record = event::decode(message.body);
        if (record) out.records.push_back(encode({sign.name, message.number, message.body}, record->model));
        peer.message = message.number;
      }
      all = all && said.size() < kMostAtOnce;
      if (said.empty()) peer.message = sign.message;  // the rest is too old to be there
    }
    if (parts.size() < kMostAtOnce) peer.part = std::max(peer.part, sign.part);
    for (auto& part : parts) {
      peer.part = std::max(peer.part, part.number);
      out.parts.push_back({sign.name, part.model, std::move(part.body), part.window});
    }
    if (sign.count != peer.count) peer.count = sign.count, peer.lived = now;
    if (all) peer.sign = sign_of(sign.body), peer.signed_ = true;
  }
  for (auto& part : left_) out.parts.push_back(std::move(part));
  left_.clear();
  return out;
}

void Peers::heard(std::vector<Part> left) {
  left_ = std::move(left);
  if (left_.size() > kMostLeft) left_.erase(left_.begin(), left_.end() - kMostLeft);
  for (auto& [name, peer] : peers_)
    if (std::none_of(left_.begin(), left_.end(), [&](const Part& part) { return part.by == name; }))
      peer.kept_part = peer.part;
  listened_ = true;
}

Result<bool> Peers::first(std::string_view by, std::int64_t number, State& state) {
  auto& last = read_.try_emplace(std::string(by)).first->second;
  if (number <= last) return false;
  last = number;
  // Of what was read from the journal, and not yet asked for.
  auto& peer = peers_[std::string(by)];
  peer.message = std::max(peer.message, number);
  VIGIE_TRY(state.put(kMessages, bytes_of(read_)));
  return true;
}

Status Peers::save(State& state) {
  std::map<std::string, std::int64_t, std::less<>> numbers;
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
  if (!listened_) return false;
  const auto now = steady_clock::now();
  const auto waited = system_now() - since;
  bool alone = true;
  for (const auto& [name, peer] : peers_) {
    if (peer.sign.leaves || now - peer.lived > kLives) continue;
    alone = false;
    if (!peer.signed_) return false;
    if (waited > kMostWait) continue;
    if (peer.sign.read_until < since + kSettle) return false;
    if (const auto open = peer.sign.open.find(model); open != peer.sign.open.end() && open->second <= window)
      return false;
  }
  return alone || waited >= kSettle;
}

std::string encode(const HeardRecord& heard, std::string_view model) {
  ByteWriter body;
  body.string(heard.by), body.fixed(heard.number);
  return event::encode({event::Kind::kHeard, model, body.take().append(heard.record)});
}

Result<HeardRecord> heard_of(std::string_view body) {
  ByteReader in(body);
  HeardRecord heard;
  heard.by = in.string(), heard.number = in.fixed<std::int64_t>();
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

// SPDX-License-Identifier: Apache-2.0
#include "server/model_ops.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/bytes.h"

namespace vigie::server {
namespace {

constexpr std::uint8_t kVersion = 2;  // the first knew no silence
constexpr double kLatest = 9e18;      // µs that an integer holds

constexpr std::int64_t kIdle = 1'000'000;       // µs without a row after which an hour whose end has passed is over
constexpr std::int64_t kAhead = 3'600'000'000;  // µs: a row whose time is so far ahead of the clock ends no hour
constexpr std::size_t kMostHours = 100;         // that are not judged

std::int64_t start_of(double time, std::int64_t length) {
  return static_cast<std::int64_t>(std::floor(time / static_cast<double>(length))) * length;
}

// What a chart elsewhere draws of a minute.
std::vector<std::pair<std::string, double>> figures_of(const engine::Traffic& traffic) {
  std::vector<std::pair<std::string, double>> out{{"requests", static_cast<double>(traffic.requests)}};
  if (traffic.known() > 0)
    out.emplace_back("errors", static_cast<double>(traffic.failed)),
        out.emplace_back("error_rate", traffic.error_rate());
  if (traffic.latency.count() > 0)
    for (const auto& [name, q] :
         {std::pair{"latency_p50_ms", .5}, {"latency_p95_ms", .95}, {"latency_p99_ms", .99}, {"latency_max_ms", 1.}})
      out.emplace_back(name, traffic.latency.quantile(q));
  return out;
}

}  // namespace

Status ModelOps::add(table::JsonRows& rows, const event::RequestColumns& columns, std::span<const std::size_t> which,
                     std::int64_t arrived, journal::Sequence place) {
  const auto column = [&](std::size_t i) -> Result<table::Column> {
    return i == event::kNoColumn ? Result<table::Column>(table::Column()) : rows.column(i);
  };
  VIGIE_ASSIGN(const auto times, column(columns.time));
  VIGIE_ASSIGN(const auto latencies, column(columns.latency));
  VIGIE_ASSIGN(const auto statuses, column(columns.status));
  std::vector<engine::Outcome> outcomes;
  for (const auto status : statuses.dictionary) outcomes.push_back(engine::outcome_of(status));
  if (!which.empty()) silence_.came(arrived);
  Pane* pane = nullptr;
  std::int64_t at = 0;
  for (const auto row : which) {
    const double said = times.numbers.empty() ? std::nan("") : times.numbers[row];
    const double time = std::abs(said) < kLatest ? said : static_cast<double>(arrived);
    if (time <= static_cast<double>(arrived + kAhead)) latest_ = std::max(latest_, static_cast<std::int64_t>(time));
    const auto minute = start_of(time, kMinute);
    if (!pane || minute != at) {
      const auto [it, fresh] = open_.try_emplace(at = minute);
      pane = &it->second;
      if (fresh) pane->place = place;
      pane->last_came = last_came_ = arrived;
      const auto hour = start_of(time, engine::RequestHealth::kWindow);
      if (hour >= judged_below_) hours_.insert(hour);
    }
    const auto code = statuses.codes.empty() ? -1 : statuses.codes[row];
    pane->traffic.add(code < 0 ? engine::Outcome::kUnknown : outcomes[static_cast<std::size_t>(code)], code >= 0,
                      latencies.numbers.empty() ? std::nan("") : latencies.numbers[row], rows.text_of(row).size());
  }
  return {};
}

bool ModelOps::any_over(std::int64_t now) const {
  return open_.size() > kMostOpen ||
         std::any_of(open_.begin(), open_.end(), [&](const auto& one) { return over(one.first, one.second, now); });
}

std::vector<store::OpsPane> ModelOps::take_over(std::int64_t now) {
  std::vector<store::OpsPane> out;
  for (auto it = open_.begin(); it != open_.end();) {
    if (open_.size() <= kMostOpen && !over(it->first, it->second, now)) {
      ++it;
      continue;
    }
    ByteWriter body;
    it->second.traffic.save(body);
    out.push_back(
        {source_, it->first, static_cast<std::int64_t>(it->second.place), body.take(), figures_of(it->second.traffic)});
    it = open_.erase(it);
  }
  return out;
}

Result<ModelOps::Minutes> ModelOps::minutes(const store::OpsQuery& wanted, const store::Store& store) const {
  auto query = wanted;
  query.source = source_;
  // Minutes that it begins in are of it.
  if (query.from != std::numeric_limits<std::int64_t>::min())
    query.from = start_of(static_cast<double>(query.from), kMinute);
  VIGIE_ASSIGN(auto panes, store.ops(query));
  Minutes out;
  auto from = query.from, to = query.to;
  // Minutes are given whole.
  if (panes.size() == query.most && panes.front().start < panes.back().start) {
    if (query.latest)
      from = panes.front().start + 1;
    else
      to = *(out.next = panes.back().start);
  }
  for (const auto& pane : panes) {
    if (pane.start < from || pane.start >= to) continue;
    // One that was put in the store when a crash came is counted here again.
    const auto open = open_.find(pane.start);
    if (open != open_.end() && static_cast<std::int64_t>(open->second.place) == pane.part) continue;
    ByteReader in(pane.body);
    VIGIE_ASSIGN(const auto traffic, engine::Traffic::load(in));
    out.minutes[pane.start].merge(traffic);
  }
  for (auto it = open_.lower_bound(from); it != open_.end() && it->first < to; ++it)
    out.minutes[it->first].merge(it->second.traffic);
  return out;
}

Result<ModelOps::ByMinute> ModelOps::within(std::int64_t from, std::int64_t to, const store::Store& store) const {
  store::OpsQuery query;
  query.from = from, query.to = to;
  ByMinute out;
  while (true) {
    VIGIE_ASSIGN(auto found, minutes(query, store));
    out.merge(found.minutes);
    if (!found.next) return out;
    query.from = *found.next;
  }
}

Result<engine::Traffic> ModelOps::between(std::int64_t from, std::int64_t to, const store::Store& store) const {
  VIGIE_ASSIGN(const auto found, within(from, to, store));
  engine::Traffic out;
  for (const auto& [minute, traffic] : found) out.merge(traffic);
  return out;
}

bool ModelOps::hour_over(std::int64_t start, std::int64_t now) const {
  const auto end = start + engine::RequestHealth::kWindow;
  if (end <= latest_) return true;
  // What comes long after its time is read from somewhere, and may pause.
  return end <= now && last_came_ + (now - end > engine::RequestHealth::kWindow ? kMinute : kIdle) <= now;
}

Result<std::vector<engine::Sighting>> ModelOps::judge(std::int64_t now, double level, const store::Store& store,
                                                      const Planned& planned) {
  std::vector<engine::Sighting> out;
  while (!hours_.empty() && (hours_.size() > kMostHours || hour_over(*hours_.begin(), now))) {
    const auto start = *hours_.begin();
    hours_.erase(hours_.begin());
    judged_below_ = start + engine::RequestHealth::kWindow;
    if (planned(start, judged_below_)) continue;
    VIGIE_ASSIGN(const auto traffic, between(start, judged_below_, store));
    out.push_back(health_.see(start, traffic, level));
    health_changed_ = true;
  }
  return out;
}

Status ModelOps::save(State& state) {
  ByteWriter out;
  out.fixed(kVersion);
  out.varint(open_.size());
  for (const auto& [start, pane] : open_) {
    out.fixed(start);
    out.fixed(pane.place);
    out.fixed(pane.last_came);
    pane.traffic.save(out);
  }
  out.varint(hours_.size());
  for (const auto hour : hours_) out.fixed(hour);
  for (const auto time : {judged_below_, latest_, last_came_}) out.fixed(time);
  silence_.save(out);
  VIGIE_TRY(state.put("requests " + source_, out.bytes()));
  if (!std::exchange(health_changed_, false)) return {};
  ByteWriter health;
  health_.save(health);
  return state.put("healthy " + source_, health.bytes());
}

Result<ModelOps> ModelOps::load(const State& state, std::string_view model) {
  ModelOps out(model);
  VIGIE_ASSIGN(const auto kept, state.get("requests " + out.source_));
  if (kept) VIGIE_TRY(out.read(*kept));
  VIGIE_ASSIGN(const auto health, state.get("healthy " + out.source_));
  if (!health) return out;
  ByteReader in(*health);
  VIGIE_ASSIGN(out.health_, engine::RequestHealth::load(in));
  return out;
}

Status ModelOps::read(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<std::uint8_t>();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto& pane = open_[in.fixed<std::int64_t>()];
    pane.place = in.fixed<journal::Sequence>();
    pane.last_came = in.fixed<std::int64_t>();
    VIGIE_ASSIGN(pane.traffic, engine::Traffic::load(in));
  }
  for (auto left = in.varint(); left > 0 && in.ok(); --left) hours_.insert(in.fixed<std::int64_t>());
  for (auto* time : {&judged_below_, &latest_, &last_came_}) *time = in.fixed<std::int64_t>();
  if (in.ok() && version == kVersion) {
    VIGIE_ASSIGN(silence_, engine::Silence::load(in));
  }
  if (!in.ok() || version < 1 || version > kVersion)
    return fail(Code::kCorrupt, "what was kept of a model's requests cannot be read");
  return {};
}

}  // namespace vigie::server

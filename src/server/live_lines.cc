// SPDX-License-Identifier: Apache-2.0
#include "server/live_lines.h"

#include <cmath>
#include <map>
#include <set>

#include "server/machine_ops.h"

namespace vigie::server {
namespace {

constexpr std::int64_t kMinutes = 60;
constexpr std::size_t kMostSources = 100, kMostLines = 12;  // of a source

template <class T, class F>
view::LiveLine line(std::string name, const std::map<std::int64_t, T>& minutes, std::int64_t last, F value) {
  view::LiveLine out{std::move(name), {}};
  for (auto minute = last - (kMinutes - 1) * kMinute; minute <= last; minute += kMinute) {
    const auto at = minutes.find(minute);
    out.values.push_back(at == minutes.end() ? std::nan("") : value(at->second));
  }
  return out;
}

}  // namespace

Result<std::vector<view::LiveLine>> lines_of(const State& state, const std::string& model, const store::Store& store) {
  VIGIE_ASSIGN(const auto ops, ModelOps::load(state, model));
  store::OpsQuery query;
  query.most = kMinutes, query.latest = true;
  VIGIE_ASSIGN(const auto found, ops.minutes(query, store));
  std::vector<view::LiveLine> out;
  if (found.minutes.empty()) return out;
  const auto& minutes = found.minutes;
  const auto last = minutes.rbegin()->first;
  bool timed = false, known = false;
  for (const auto& [minute, t] : minutes) timed = timed || t.latency.count() > 0, known = known || t.known() > 0;
  if (timed) out.push_back(line("p95", minutes, last, [](const auto& t) { return t.latency.quantile(.95); }));
  if (known) out.push_back(line("errors", minutes, last, [](const auto& t) { return t.error_rate(); }));
  out.push_back(
      line("requests a minute", minutes, last, [](const auto& t) { return static_cast<double>(t.requests); }));
  return out;
}

Result<std::vector<view::LiveSource>> sources_of(const store::Store& store, std::int64_t now) {
  VIGIE_ASSIGN(const auto names, store.ops_sources());
  std::vector<view::LiveSource> out;
  const auto last = now - now % kMinute;
  for (const auto& name : names) {
    if (name.starts_with("model/") || out.size() == kMostSources) continue;
    VIGIE_ASSIGN(const auto minutes, gauges_of({.source = name, .from = last - (kMinutes - 1) * kMinute}, store));
    if (minutes.empty()) continue;
    std::set<std::string> series;
    for (const auto& [minute, gauges] : minutes)
      for (const auto& [one, gauge] : gauges.series()) series.insert(one);
    auto& source = out.emplace_back(view::LiveSource{name, {}});
    for (const auto& one : series) {
      if (source.lines.size() == kMostLines) break;
      source.lines.push_back(line(one, minutes, last, [&](const engine::Gauges& gauges) {
        const auto* gauge = gauges.find(one);
        return gauge ? gauge->mean() : std::nan("");
      }));
      // The minute that has just begun may have no sample yet.
      auto& values = source.lines.back().values;
      if (std::isnan(values.back())) values.pop_back();
    }
  }
  return out;
}

}  // namespace vigie::server

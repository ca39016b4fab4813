// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "view/course_internal.h"
#include "view/quality_internal.h"

namespace vigie::view {
namespace {

using engine::QualityResult;
using engine::WindowResult;

constexpr std::string_view kInOrder[] = {"no_data", "pass", "warn", "fail"};

std::ptrdiff_t gravity(std::string_view verdict) {
  return std::find(std::begin(kInOrder), std::end(kInOrder), verdict) - std::begin(kInOrder);
}

double distance(const QualityResult& result) {
  const double far = std::isnan(result.distance) ? std::abs(result.value) : result.distance;
  return std::isnan(far) ? -1 : far;
}

struct Worst {
  const QualityResult* result;
  std::size_t window;                // of the result
  std::vector<std::size_t> windows;  // that alarm
};

// One a check and column, in the order in which they are met.
std::vector<Worst> worst(const std::vector<WindowResult>& windows) {
  std::vector<Worst> out;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> known;
  for (std::size_t w = 0; w < windows.size(); ++w)
    for (const auto& q : windows[w].quality) {
      const auto [at, fresh] = known.try_emplace({q.check, q.column ? std::string_view(*q.column) : ""}, out.size());
      if (fresh) out.push_back({&q, w, {}});
      auto& held = out[at->second];
      const auto more = gravity(q.verdict) - gravity(held.result->verdict);
      if (more > 0 || (more == 0 && distance(q) > distance(*held.result))) held.result = &q, held.window = w;
      if (gravity(q.verdict) >= 2 && (held.windows.empty() || held.windows.back() != w)) held.windows.push_back(w);
    }
  return out;
}

}  // namespace

QualityCounts quality_counts(const std::vector<WindowResult>& windows) {
  QualityCounts counts;
  std::int64_t* const places[] = {&counts.no_data, &counts.pass, &counts.warn, &counts.fail};
  for (const auto& w : worst(windows))
    if (const auto at = gravity(w.result->verdict); at < std::ssize(places)) ++*places[at];
  return counts;
}

std::vector<Alike> alike(const std::vector<WindowResult>& windows) {
  std::vector<Alike> out;
  for (auto& w : worst(windows)) {
    if (w.windows.empty()) continue;
    auto at = std::find_if(out.begin(), out.end(), [&](const Alike& a) {
      return a.first->check == w.result->check && a.first->verdict == w.result->verdict &&
             a.first->reason == w.result->reason && a.first->expected == w.result->expected && a.window == w.window &&
             a.windows == w.windows;
    });
    if (at == out.end()) at = out.insert(out.end(), {w.result, w.window, {}, std::move(w.windows)});
    if (w.result->column) at->columns.push_back(*w.result->column);
  }
  std::stable_sort(out.begin(), out.end(), [](const Alike& a, const Alike& b) {
    return gravity(a.first->verdict) > gravity(b.first->verdict);
  });
  return out;
}

std::vector<std::vector<Alike>> by_columns(std::vector<Alike> findings) {
  std::vector<std::vector<Alike>> out;
  for (auto& f : findings) {
    auto at = std::find_if(out.begin(), out.end(),
                           [&](const auto& group) { return !f.columns.empty() && group.front().columns == f.columns; });
    if (at == out.end()) at = out.insert(out.end(), std::vector<Alike>());
    at->push_back(std::move(f));
  }
  return out;
}

std::vector<Alike> without_verdict(const std::vector<WindowResult>& windows) {
  std::vector<Alike> out;
  for (const auto& w : worst(windows)) {
    if (w.result->verdict != "no_data") continue;
    auto at = std::find_if(out.begin(), out.end(), [&](const Alike& a) { return a.first->reason == w.result->reason; });
    if (at == out.end()) at = out.insert(out.end(), {w.result, w.window, {}, {}});
    at->columns.push_back(w.result->check);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Alike& a, const Alike& b) { return a.columns.size() > b.columns.size(); });
  return out;
}

std::string in_windows(const Alike& finding, const std::vector<WindowResult>& windows) {
  if (windows.size() == 1 || finding.windows.empty()) return {};
  const bool all = finding.windows.size() == windows.size(), first = finding.window == finding.windows[0];
  if (all && first) return {};
  const auto worst = window_text(windows, finding.window);
  if (finding.windows.size() == 1) return "in " + worst;
  return fmt::format("in {}{} windows{}{}", all ? "all " : fmt::format("{} of ", finding.windows.size()),
                     windows.size(), all ? "" : ", first in " + window_text(windows, finding.windows[0]),
                     first ? "" : ", worst in " + worst);
}

}  // namespace vigie::view

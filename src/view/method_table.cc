// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/text.h"
#include "view/grid_internal.h"
#include "view/method_table_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

constexpr std::size_t kMostRows = 40;

struct Row {
  const engine::ColumnResult* result;
  std::size_t window;
};

bool asked_for_others(const engine::Comparison& c) {
  if (!c.compat.empty()) return true;
  return std::any_of(c.options.begin(), c.options.end(),
                     [](const auto& o) { return o.first == "method" && o.second != "\"auto\""; });
}

// Of each method the gravest result of a whole window.
std::vector<Row> rows_of(const engine::Comparison& c, std::string_view column) {
  const auto weight = [](const engine::ColumnResult& r) {
    return std::tuple(r.verdict, gravity(r), std::isfinite(r.statistic));
  };
  std::vector<Row> rows;
  for (std::size_t w = 0; w < c.windows.size(); ++w)
    for (const auto& r : c.windows[w].columns) {
      if (r.segment || r.column != column || is_missing_share(r)) continue;
      auto at = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.result->method == r.method; });
      if (at == rows.end())
        rows.push_back({&r, w});
      else if (weight(r) > weight(*at->result))
        *at = {&r, w};
    }
  return rows;
}

}  // namespace

std::string method_table(const engine::Comparison& c, const std::vector<const Finding*>& order,
                         const TerminalOptions& options) {
  if (!asked_for_others(c)) return {};
  std::vector<Row> shown;
  std::size_t hidden = 0;
  bool thresholds = false;
  for (const auto* f : order)
    for (const auto& row : rows_of(c, f->column)) {
      if (shown.size() >= kMostRows) {
        ++hidden;
        continue;
      }
      shown.push_back(row);
      thresholds = thresholds || !std::isnan(row.result->threshold);
    }
  if (shown.empty()) return {};
  const bool several = c.windows.size() > 1;
  const auto text = [&](const std::string& what) { return printable(what, options.unicode); };
  std::vector<std::string> header = {"column", "method", "statistic", "adj. p"};
  if (thresholds) header.emplace_back("threshold");
  header.emplace_back("verdict");
  if (several) header.emplace_back("window");
  std::vector<Align> alignments = {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight};
  if (thresholds) alignments.push_back(Align::kRight);
  alignments.resize(header.size(), Align::kLeft);
  std::vector<std::vector<Cell>> rows;
  for (const auto& [result, window] : shown) {
    const auto& r = *result;
    const auto number = [&](double v) { return Cell{text(std::isfinite(v) ? human(v, 4) : "–"), Style::kPlain}; };
    auto& row = rows.emplace_back();
    row = {{text(r.column), Style::kBold},
           {r.method, Style::kPlain},
           number(r.statistic),
           {text(p_text(r.p_adjusted)), Style::kPlain}};
    if (thresholds) row.push_back(number(r.threshold));
    row.push_back({fmt::format("{} {}", mark(r.verdict, options.unicode), to_string(r.verdict)), style_of(r.verdict)});
    if (several) row.push_back({window_label(c, window), Style::kPlain});
  }
  auto out =
      '\n' + styled("by method", Style::kBold, options) + '\n' + grid(header, rows, alignments, {}, false, options);
  if (hidden)
    out += wrapped({"", Style::kPlain},
                   {fmt::format("{} and {} more: --json or -o report.html", ellipsis(options), hidden), Style::kBold},
                   0, options);
  return out;
}

}  // namespace vigie::view

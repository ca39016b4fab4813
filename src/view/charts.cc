// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "view/chart_parts_internal.h"
#include "view/html_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {

using engine::Comparison;
using engine::Picture;
using engine::Verdict;
using namespace chart;

std::string distribution_chart(const Picture& p, const Density& d) {
  if (d.cells.empty()) return {};
  auto out =
      open_svg(fmt::format("Distribution of {}: the middle 80 % of the reference lie between {} and {}, median {}; "
                           "of the current data between {} and {}, median {}",
                           p.column, value_text(p.type, d.p10.reference), value_text(p.type, d.p90.reference),
                           value_text(p.type, d.p50.reference), value_text(p.type, d.p10.current),
                           value_text(p.type, d.p90.current), value_text(p.type, d.p50.current)));
  bool below = std::max(d.below.reference, d.below.current) > 0.001;
  bool above = std::max(d.above.reference, d.above.current) > 0.001;
  constexpr double kBeyond = 22;
  std::vector<double> heights;
  auto both = [&](const Pair& cell) {
    heights.push_back(cell.reference);
    heights.push_back(cell.current);
  };
  for (const auto& cell : d.cells) both(cell);
  if (below) both(d.below);
  if (above) both(d.above);
  std::sort(heights.rbegin(), heights.rend());
  // One value that holds most rows must not flatten all others: it is cut off and its share written.
  double top = heights[0];
  for (std::size_t i = 1; i < std::min<std::size_t>(3, heights.size()); ++i)
    if (heights[i] > 0 && heights[i - 1] > 4 * heights[i]) top = 1.6 * heights[i];
  auto height = [&](double share) { return kBottom - (kBottom - kTop - 10) * std::min(1.0, share / top); };
  Scale y{0, top * (kBottom - kTop) / (kBottom - kTop - 10)};
  ValueAxis axis(y, false, share_text);
  axis.draw(out, y);
  double left = axis.left + (below ? kBeyond : 0), right = kRight - (above ? kBeyond : 0);
  double width = (right - left) / static_cast<double>(d.cells.size());

  std::string reference, current, cut;
  auto bar = [&](double x, double w, const Pair& cell) {
    if (cell.reference > 0)
      put(reference, "M{} {}V{}h{}V{}", at(x), at(kBottom), at(height(cell.reference)), at(w), at(kBottom));
  };
  double x = left;
  put(current, "M{} {}", at(left), at(kBottom));
  for (std::size_t i = 0; i < d.cells.size(); ++i, x += width) {
    const auto& cell = d.cells[i];
    bar(x, width, cell);
    put(current, "V{}H{}", at(height(cell.current)), at(x + width));
    if (cell.reference > top || cell.current > top)
      text(cut, std::clamp(x + width / 2, axis.left + 44, kRight - 44), kTop + 6, "middle",
           fmt::format("{} → {}", share_text(cell.reference), share_text(cell.current)));
  }
  put(current, "V{}", at(kBottom));
  if (below) bar(axis.left, kBeyond - 6, d.below);
  if (above) bar(right + 6, kBeyond - 6, d.above);
  put(out, "<path class=\"ref\" d=\"{}\"/>", reference);
  put(out, "<path class=\"cur\" d=\"{}\"/>", current);
  auto beyond = [&](double from, const Pair& share) {
    put(out, "<path class=\"cur\" d=\"M{} {}V{}h{}V{}\"/>", at(from), at(kBottom), at(height(share.current)),
        at(kBeyond - 6), at(kBottom));
  };
  if (below) beyond(axis.left, d.below);
  if (above) beyond(right + 6, d.above);
  line(out, "axis", left, kBottom, right, kBottom);
  out += cut;

  auto show = [&](double v) { return value_text(p.type, v); };
  if (!d.values.empty()) {
    auto count = d.values.size();
    std::size_t widest = 1;
    for (double v : d.values) widest = std::max(widest, show(v).size());
    auto every =
        std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(static_cast<double>(widest + 1) * 6.2 / width)));
    for (std::size_t i = 0; i < count; i += every)
      text(out, left + width * (static_cast<double>(i) + 0.5), kText, "middle", show(d.values[i]));
  } else {
    double low = d.edges.front(), high = d.edges.back();
    if (p.type == engine::ColumnType::kTimestamp) {
      text(out, left, kText, "start", show(low));
      text(out, right, kText, "end", show(high));
    } else {
      double free = left;
      for (double v : d.log ? log_ticks(low, high, 6) : ticks(low, high, 5)) {
        double part = d.log ? std::log(v / low) / std::log(high / low) : share_of(low, high, v);
        auto name = show(v);
        double half = kCharacter * static_cast<double>(display_width(name)) / 2;
        double at_x = left + part * (right - left), middle = std::clamp(at_x, left + half, right - half);
        if (middle - half < free) continue;
        line(out, "axis", at_x, kBottom, at_x, kBottom + 3);
        text(out, middle, kText, "middle", name);
        free = middle + half + kCharacter;
      }
    }
  }
  if (below) text(out, axis.left + 8, kText, "middle", "<");
  if (above) text(out, kRight - 8, kText, "middle", ">");
  return out + "</svg>";
}

std::string quantile_chart(const Comparison& c, const Picture& p) {
  auto s = steps_of(p.points.size());
  auto low = stepped(s, false, [&](std::size_t w) { return p.points[w].p10; });
  auto mid = stepped(s, false, [&](std::size_t w) { return p.points[w].p50; });
  auto high = stepped(s, false, [&](std::size_t w) { return p.points[w].p90; });
  Scale y{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  auto see = [&](double v) {
    if (std::isfinite(v)) y.low = std::min(y.low, v), y.high = std::max(y.high, v);
  };
  for (const auto* list : {&low, &mid, &high}) std::for_each(list->begin(), list->end(), see);
  see(p.reference.p10), see(p.reference.p90);
  if (!(y.low <= y.high)) return {};
  y.log = y.low > 0 && p.reference.p90 - p.reference.p50 > 5 * (p.reference.p50 - p.reference.p10);
  auto show = [&](double v) { return value_text(p.type, v); };
  auto out = open_svg(fmt::format("{} over time: median {} in the first window, {} in the last; reference {}", p.column,
                                  show(p.points.front().p50), show(p.points.back().p50), show(p.reference.p50)));
  ValueAxis axis(y, p.type == engine::ColumnType::kTimestamp, show);
  axis.draw(out, y);
  if (std::isfinite(p.reference.p10)) {
    put(out, "<path class=\"ref\" d=\"M{0} {1}H{2}V{3}H{0}Z\"/>", at(axis.left), at(y(p.reference.p90)), at(kRight),
        at(y(p.reference.p10)));
    line(out, "refline", axis.left, y(p.reference.p50), kRight, y(p.reference.p50));
  }
  put(out, "<path class=\"curband\" d=\"{}\"/>", band(low, high, y, axis.left));
  put(out, "<path class=\"curline\" d=\"{}\"/>", polyline(mid, y, axis.left));
  time_axis(out, c, axis.left);
  return out + "</svg>";
}

std::string shares_chart(const Comparison& c, const Picture& p) {
  constexpr std::size_t kShown = 6;
  auto shown = std::min(kShown, p.categories.size());
  if (shown == 0) return {};
  auto s = steps_of(p.points.size());
  auto out = open_svg(fmt::format("Shares of {} over time; the bar at the left is the reference", p.column));
  Scale y{0, 1};
  ValueAxis axis(y, false, share_text);
  axis.draw(out, y);
  auto start = axis.left + 26;
  auto share = [&](const engine::ColumnPoint& point, std::size_t k) {
    return k < point.shares.size() ? static_cast<double>(point.shares[k]) : kNaN;
  };
  std::vector<double> base(s.count, 0);
  double base_reference = 0;
  double width = (kRight - start) / static_cast<double>(s.count), gap = width > 6 ? 1 : 0;
  for (std::size_t k = 0; k <= shown; ++k) {
    std::string d;
    auto block = [&](double x, double w, double from, double to) {
      if (to > from) put(d, "M{} {}V{}h{}V{}Z", at(x), at(y(from)), at(y(to)), at(w), at(y(from)));
    };
    bool rest = k == shown;
    double reference = rest ? 1 : base_reference + std::max(0.0, share(p.reference, k));
    if (!p.reference.shares.empty()) block(axis.left + 1, 17, base_reference, reference);
    base_reference = reference;
    auto values = stepped(s, false, [&](std::size_t w) { return share(p.points[w], rest ? 0 : k); });
    for (std::size_t i = 0; i < s.count; ++i) {
      if (std::isnan(values[i])) continue;
      double to = rest ? 1 : base[i] + values[i];
      block(start + width * static_cast<double>(i), width - gap, base[i], to);
      base[i] = to;
    }
    if (!d.empty()) put(out, "<path class=\"k{}\" d=\"{}\"/>", rest ? 9 : k, d);
  }
  if (!p.reference.shares.empty()) text(out, axis.left + 9.5, kText, "middle", "ref.");
  time_axis(out, c, start);
  return out + "</svg>";
}

std::string missing_chart(const Comparison& c, const Picture& p) {
  auto s = steps_of(p.points.size());
  auto values = stepped(s, true, [&](std::size_t w) { return p.points[w].missing_share; });
  double reference = p.reference.missing_share, top = std::isfinite(reference) ? reference : 0;
  for (double v : values)
    if (v > top) top = v;
  if (top <= 0) return {};
  Scale y{0, top};
  auto out = open_svg(fmt::format("Missing values of {} over time: at most {}; reference {}", p.column, share_text(top),
                                  share_text(reference)));
  std::vector<double> zero(values.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i])) zero[i] = kNaN;
  ValueAxis axis(y, false, share_text);
  axis.draw(out, y);
  put(out, "<path class=\"curband\" d=\"{}\"/>", band(zero, values, y, axis.left));
  put(out, "<path class=\"curline\" d=\"{}\"/>", polyline(values, y, axis.left));
  if (std::isfinite(reference)) line(out, "refline", axis.left, y(reference), kRight, y(reference));
  time_axis(out, c, axis.left);
  return out + "</svg>";
}

std::string effect_chart(const Comparison& c, const Finding& f) {
  auto s = steps_of(f.values.size());
  const engine::ColumnResult* any = nullptr;
  for (const auto* r : f.values)
    if (r && (!any || std::isnan(any->major))) any = r;
  if (!any) return {};
  auto values = stepped(s, true, [&](std::size_t w) { return f.values[w] ? f.values[w]->effect : kNaN; });
  double top = any->major > 0 ? 1.25 * any->major : 0, most = -1;
  std::size_t most_at = 0, over = 0;
  for (std::size_t w = 0; w < f.values.size(); ++w) {
    const auto* r = f.values[w];
    if (!r || !std::isfinite(r->effect)) continue;
    over += r->verdict == Verdict::kDrift;
    if (r->effect > most) most = r->effect, most_at = w;
  }
  if (most < 0) return {};
  constexpr double kEnd = kRight - 62;
  Scale y{0, std::max(top, most)};
  auto out =
      open_svg(fmt::format("Effect of {} by window: greatest {} in {}; drift in {} of {} windows", f.column,
                           effect_text(most, any->effect_scale), window_text(c, most_at), over, f.values.size()));
  auto share = any->effect_scale == "share of rows";
  ValueAxis axis(y, false, [&](double v) { return share ? share_text(v) : human(v, 3); });
  axis.draw(out, y, kEnd);
  std::string bars[4];
  double width = (kEnd - axis.left) / static_cast<double>(s.count), gap = width > 5 ? 1 : 0;
  for (std::size_t i = 0; i < s.count; ++i) {
    auto worst = Verdict::kNoData;
    for (auto w = i * s.each; w < std::min(s.windows, (i + 1) * s.each); ++w)
      if (f.values[w]) worst = std::max(worst, f.values[w]->verdict);
    if (std::isnan(values[i])) continue;
    put(bars[static_cast<std::size_t>(worst)], "M{} {}V{}h{}V{}Z", at(axis.left + width * static_cast<double>(i)),
        at(kBottom), at(std::min(y(values[i]), kBottom - 0.8)), at(std::max(0.8, width - gap)), at(kBottom));
  }
  constexpr std::string_view kClasses[] = {"vn", "vo", "vw", "vd"};
  for (std::size_t v = 0; v < 4; ++v)
    if (!bars[v].empty()) put(out, "<path class=\"{}\" d=\"{}\"/>", kClasses[v], bars[v]);
  auto level = [&](double v, std::string_view name, double lowest) {
    if (!(v > 0)) return lowest;
    line(out, "level", axis.left, y(v), kEnd, y(v));
    auto place = std::min(y(v) + 4, lowest);
    text(out, kEnd + 4, place, "start", fmt::format("{} {}", name, share ? share_text(v) : human(v, 2)));
    return place - 12;
  };
  level(any->major, "major", level(any->watch, "watch", kBottom));
  time_axis(out, c, axis.left, kEnd);
  return out + "</svg>";
}

std::string strip(const Comparison& c, const Finding& f) {
  auto s = steps_of(f.verdicts.size());
  constexpr std::string_view kClasses[] = {"vn", "vo", "vw", "vd", "vd2", "vd3"};
  constexpr double kHeights[] = {1, 3, 6.5, 10, 10, 10};
  std::string paths[6], effects;
  for (std::size_t i = 0; i < s.count; ++i) {
    auto worst = Verdict::kNoData;
    double most = -1, effect = kNaN;
    for (auto w = i * s.each; w < std::min(s.windows, (i + 1) * s.each); ++w) {
      worst = std::max(worst, f.verdicts[w]);
      for (const auto* r : {f.values[w], f.missing[w]})
        if (r && gravity(*r) > most) most = gravity(*r), effect = r->effect;
    }
    // Two thin lines: of what was looked at, something is undecided.
    bool open = false;
    for (auto w = i * s.each; w < std::min(s.windows, (i + 1) * s.each); ++w) open = open || f.undecided[w];
    if (open && worst < Verdict::kWarning) {
      put(paths[0], "M{0} 10v-1.5h.9v1.5zM{0} 6.5v-1.5h.9v1.5z", i);
      put(effects, "{}{}", i ? "," : "", std::isnan(effect) ? std::string() : human(effect, 2));
      continue;
    }
    auto shade = static_cast<std::size_t>(worst);
    if (worst == Verdict::kDrift) shade += most >= 4 ? 2 : most >= 2 ? 1 : 0;
    put(paths[shade], "M{} 10v-{}h.9v{}z", i, kHeights[shade], kHeights[shade]);
    put(effects, "{}{}", i ? "," : "", std::isnan(effect) ? std::string() : human(effect, 2));
  }
  std::size_t drift = 0, warning = 0;
  for (auto v : f.verdicts) drift += v == Verdict::kDrift, warning += v == Verdict::kWarning;
  auto time = f.changed() ? when(c, f, f.verdict) : std::string();
  auto open = std::count(f.undecided.begin(), f.undecided.end(), true);
  if (open) time = fmt::format("undecided in {}{}{}", open, time.empty() ? "" : "; ", time);
  std::string out = fmt::format(
      "<svg class=\"strip\" viewBox=\"0 0 {} 10\" preserveAspectRatio=\"none\" role=\"img\" data-e=\"{}\" "
      "aria-label=\"{}: drift in {}, "
      "warning in {} of {} windows{}{}\">",
      s.count, effects, escaped(f.column, 80), drift, warning, f.verdicts.size(), time.empty() ? "" : "; ",
      escaped(time));
  for (std::size_t v = 0; v < 6; ++v)
    if (!paths[v].empty()) put(out, "<path class=\"{}\" d=\"{}\"/>", kClasses[v], paths[v]);
  return out + "</svg>";
}

}  // namespace vigie::view

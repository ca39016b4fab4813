// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/text.h"
#include "view/html_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

using engine::Comparison;
using engine::Picture;
using engine::Verdict;

constexpr double kLeft = 6, kRight = 354, kTop = 10, kBottom = 128, kText = 143;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string open_svg(std::string_view label) {
  return fmt::format("<svg class=\"chart\" viewBox=\"0 0 360 150\" role=\"img\" aria-label=\"{}\">",
                     escaped(label, 400));
}

void text(std::string& out, double x, double y, std::string_view anchor, std::string_view what) {
  put(out, "<text x=\"{}\" y=\"{}\"{}>{}</text>", at(x), at(y),
      anchor == "start" ? "" : fmt::format(" text-anchor=\"{}\"", anchor), escaped(what));
}

void line(std::string& out, std::string_view style, double x0, double y0, double x1, double y1) {
  put(out, "<path class=\"{}\" d=\"M{} {}L{} {}\"/>", style, at(x0), at(y0), at(x1), at(y1));
}

// A value axis of time charts.
struct Scale {
  double low, high;
  bool log = false;
  double operator()(double v) const {
    if (log) return Scale{std::log(low), std::log(high)}(std::log(std::max(v, low)));
    return high > low ? kBottom - (kBottom - kTop) * (std::clamp(v, low, high) - low) / (high - low)
                      : (kTop + kBottom) / 2;
  }
};

double x_of(std::size_t step, std::size_t count, double left = kLeft) {
  return left + (kRight - left) * (static_cast<double>(step) + 0.5) / static_cast<double>(count);
}

// Combines the windows of each step; NaN where none has a number.
std::vector<double> stepped(const Steps& s, bool greatest, const std::function<double(std::size_t)>& value) {
  std::vector<double> out(s.count, kNaN);
  for (std::size_t i = 0; i < s.count; ++i) {
    double sum = 0, n = 0, top = kNaN;
    for (std::size_t w = i * s.each; w < std::min(s.windows, (i + 1) * s.each); ++w) {
      double v = value(w);
      if (!std::isfinite(v)) continue;
      sum += v, n += 1;
      top = n == 1 ? v : std::max(top, v);
    }
    if (n > 0) out[i] = greatest ? top : sum / n;
  }
  return out;
}

// A polyline with gaps where there is no number; a lone point becomes a short dash.
std::string polyline(const std::vector<double>& values, const Scale& y) {
  std::string d;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    bool first = i == 0 || std::isnan(values[i - 1]);
    bool last = i + 1 == values.size() || std::isnan(values[i + 1]);
    put(d, "{}{} {}", first ? 'M' : 'L', at(x_of(i, values.size())), at(y(values[i])));
    if (first && last) d += "h1.5";
  }
  return d;
}

std::string band(const std::vector<double>& low, const std::vector<double>& high, const Scale& y) {
  std::string d;
  for (std::size_t i = 0; i < low.size();) {
    if (std::isnan(low[i]) || std::isnan(high[i])) {
      ++i;
      continue;
    }
    auto end = i;
    while (end < low.size() && !std::isnan(low[end]) && !std::isnan(high[end])) ++end;
    for (auto k = i; k < end; ++k) put(d, "{}{} {}", k == i ? 'M' : 'L', at(x_of(k, low.size())), at(y(high[k])));
    for (auto k = end; k-- > i;) put(d, "L{} {}", at(x_of(k, low.size())), at(y(low[k])));
    d += 'Z';
    i = end;
  }
  return d;
}

void time_axis(std::string& out, const Comparison& c, double left = kLeft, double right = kRight) {
  line(out, "axis", left, kBottom, right, kBottom);
  text(out, left, kText, "start", window_label(c, 0));
  if (c.windows.size() > 1) text(out, right, kText, "end", window_label(c, c.windows.size() - 1));
}

}  // namespace

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
  double left = kLeft + (below ? kBeyond : 0), right = kRight - (above ? kBeyond : 0);
  double width = (right - left) / static_cast<double>(d.cells.size());

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
  auto y = [&](double share) { return kBottom - (kBottom - kTop - 10) * std::min(1.0, share / top); };

  std::string reference, current, cut;
  auto bar = [&](double x, double w, const Pair& cell) {
    if (cell.reference > 0)
      put(reference, "M{} {}V{}h{}V{}", at(x), at(kBottom), at(y(cell.reference)), at(w), at(kBottom));
  };
  double x = left;
  put(current, "M{} {}", at(left), at(kBottom));
  for (std::size_t i = 0; i < d.cells.size(); ++i, x += width) {
    const auto& cell = d.cells[i];
    bar(x, width, cell);
    put(current, "V{}H{}", at(y(cell.current)), at(x + width));
    if (cell.reference > top || cell.current > top)
      text(cut, std::clamp(x + width / 2, kLeft + 40, kRight - 40), kTop + 6, "middle",
           fmt::format("{} → {}", share_text(cell.reference), share_text(cell.current)));
  }
  put(current, "V{}", at(kBottom));
  if (below) bar(kLeft, kBeyond - 6, d.below);
  if (above) bar(right + 6, kBeyond - 6, d.above);
  put(out, "<path class=\"ref\" d=\"{}\"/>", reference);
  put(out, "<path class=\"cur\" d=\"{}\"/>", current);
  auto beyond = [&](double from, const Pair& share) {
    put(out, "<path class=\"cur\" d=\"M{} {}V{}h{}V{}\"/>", at(from), at(kBottom), at(y(share.current)),
        at(kBeyond - 6), at(kBottom));
  };
  if (below) beyond(kLeft, d.below);
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
    auto low = show(d.edges.front()), high = show(d.edges.back());
    text(out, left, kText, "start", low);
    text(out, (left + right) / 2, kText, "middle",
         d.log ? show(std::sqrt(d.edges.front() * d.edges.back())) + " (log)"
               : show((d.edges.front() + d.edges.back()) / 2));
    text(out, right, kText, "end", high);
  }
  if (below) text(out, kLeft + 8, kText, "middle", "<");
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
  if (std::isfinite(p.reference.p10)) {
    put(out, "<path class=\"ref\" d=\"M{0} {1}H{2}V{3}H{0}Z\"/>", at(kLeft), at(y(p.reference.p90)), at(kRight),
        at(y(p.reference.p10)));
    line(out, "refline", kLeft, y(p.reference.p50), kRight, y(p.reference.p50));
  }
  put(out, "<path class=\"curband\" d=\"{}\"/>", band(low, high, y));
  put(out, "<path class=\"curline\" d=\"{}\"/>", polyline(mid, y));
  text(out, kLeft + 2, kTop + 1, "start", show(y.high) + (y.log ? " (log)" : ""));
  if (y.high > y.low) text(out, kLeft + 2, kBottom - 3, "start", show(y.low));
  time_axis(out, c);
  return out + "</svg>";
}

std::string shares_chart(const Comparison& c, const Picture& p) {
  constexpr std::size_t kShown = 6;
  auto shown = std::min(kShown, p.categories.size());
  if (shown == 0) return {};
  auto s = steps_of(p.points.size());
  auto out = open_svg(fmt::format("Shares of {} over time; the bar at the left is the reference", p.column));
  constexpr double kStart = kLeft + 24;
  Scale y{0, 1};
  auto share = [&](const engine::ColumnPoint& point, std::size_t k) {
    return k < point.shares.size() ? static_cast<double>(point.shares[k]) : kNaN;
  };
  std::vector<double> base(s.count, 0);
  double base_reference = 0;
  double width = (kRight - kStart) / static_cast<double>(s.count), gap = width > 6 ? 1 : 0;
  for (std::size_t k = 0; k <= shown; ++k) {
    std::string d;
    auto block = [&](double x, double w, double from, double to) {
      if (to > from) put(d, "M{} {}V{}h{}V{}Z", at(x), at(y(from)), at(y(to)), at(w), at(y(from)));
    };
    bool rest = k == shown;
    double reference = rest ? 1 : base_reference + std::max(0.0, share(p.reference, k));
    if (!p.reference.shares.empty()) block(kLeft, 16, base_reference, reference);
    base_reference = reference;
    auto values = stepped(s, false, [&](std::size_t w) { return share(p.points[w], rest ? 0 : k); });
    for (std::size_t i = 0; i < s.count; ++i) {
      if (std::isnan(values[i])) continue;
      double to = rest ? 1 : base[i] + values[i];
      block(kStart + width * static_cast<double>(i), width - gap, base[i], to);
      base[i] = to;
    }
    if (!d.empty()) put(out, "<path class=\"k{}\" d=\"{}\"/>", rest ? 9 : k, d);
  }
  time_axis(out, c, kStart);
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
  put(out, "<path class=\"curband\" d=\"{}\"/>", band(zero, values, y));
  put(out, "<path class=\"curline\" d=\"{}\"/>", polyline(values, y));
  if (std::isfinite(reference)) line(out, "refline", kLeft, y(reference), kRight, y(reference));
  text(out, kLeft + 2, kTop + 1, "start", share_text(top));
  time_axis(out, c);
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
  std::string bars[4];
  double width = (kEnd - kLeft) / static_cast<double>(s.count), gap = width > 5 ? 1 : 0;
  for (std::size_t i = 0; i < s.count; ++i) {
    auto worst = Verdict::kNoData;
    for (auto w = i * s.each; w < std::min(s.windows, (i + 1) * s.each); ++w)
      if (f.values[w]) worst = std::max(worst, f.values[w]->verdict);
    if (std::isnan(values[i])) continue;
    put(bars[static_cast<std::size_t>(worst)], "M{} {}V{}h{}V{}Z", at(kLeft + width * static_cast<double>(i)),
        at(kBottom), at(std::min(y(values[i]), kBottom - 0.8)), at(std::max(0.8, width - gap)), at(kBottom));
  }
  constexpr std::string_view kClasses[] = {"vn", "vo", "vw", "vd"};
  for (std::size_t v = 0; v < 4; ++v)
    if (!bars[v].empty()) put(out, "<path class=\"{}\" d=\"{}\"/>", kClasses[v], bars[v]);
  auto level = [&](double v, std::string_view name, double lowest) {
    if (!(v > 0)) return lowest;
    line(out, "level", kLeft, y(v), kEnd, y(v));
    auto place = std::min(y(v) + 4, lowest);
    auto share = any->effect_scale == "share of rows";
    text(out, kEnd + 4, place, "start", fmt::format("{} {}", name, share ? share_text(v) : human(v, 2)));
    return place - 12;
  };
  level(any->major, "major", level(any->watch, "watch", kBottom));
  time_axis(out, c, kLeft, kEnd);
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
    auto shade = static_cast<std::size_t>(worst);
    if (worst == Verdict::kDrift) shade += most >= 4 ? 2 : most >= 2 ? 1 : 0;
    put(paths[shade], "M{} 10v-{}h.9v{}z", i, kHeights[shade], kHeights[shade]);
    put(effects, "{}{}", i ? "," : "", std::isnan(effect) ? std::string() : human(effect, 2));
  }
  std::size_t drift = 0, warning = 0;
  for (auto v : f.verdicts) drift += v == Verdict::kDrift, warning += v == Verdict::kWarning;
  auto time = f.changed() ? when(c, f.verdicts, f.verdict) : std::string();
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

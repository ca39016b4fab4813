// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "view/chart_parts_internal.h"
#include "view/score_charts_internal.h"
#include "view/score_findings_internal.h"

namespace vigie::view {
namespace {

using chart::kBottom;
using chart::kRight;
using chart::kText;
using chart::Scale;

struct Point {
  double x, y;
};

/// A chart of points on two axes of numbers.
class Plane {
 public:
  Plane(std::string_view label, double low_x, double high_x, Scale y)
      : y_(y),
        low_(low_x),
        high_(high_x),
        axis_(y, false, [](double v) { return human(v, 3); }),
        out_(chart::open_svg(label)) {
    axis_.draw(out_, y_);
    chart::line(out_, "axis", axis_.left, kBottom, kRight, kBottom);
    const auto marks = chart::ticks(low_, high_, 5);
    for (std::size_t i = 0; i < marks.size(); ++i)
      chart::text(out_, x(marks[i]), kText,
                  marks[i] <= low_    ? "start"
                  : marks[i] >= high_ ? "end"
                                      : "middle",
                  human(marks[i], 3));
  }
  double x(double v) const {
    return axis_.left + (kRight - axis_.left) * chart::share_of(low_, high_, std::clamp(v, low_, high_));
  }
  Plane& path(std::string_view style, const std::vector<Point>& points) {
    std::string d;
    for (const auto& p : points) put(d, "{}{} {}", d.empty() ? 'M' : 'L', at(x(p.x)), at(y_(p.y)));
    put(out_, "<path class=\"{}\" d=\"{}\"/>", style, d);
    return *this;
  }
  Plane& bar(double at_x, double low, double high) {
    chart::line(out_, "axis", x(at_x), y_(low), x(at_x), y_(high));
    return *this;
  }
  Plane& dot(double at_x, double at_y) {
    put(out_, "<circle class=\"cur\" cx=\"{}\" cy=\"{}\" r=\"3\"/>", at(x(at_x)), at(y_(at_y)));
    return *this;
  }
  std::string take() { return std::move(out_) + "</svg>"; }

 private:
  Scale y_;
  double low_, high_;
  chart::ValueAxis axis_;
  std::string out_;
};

template <class T, class F>
std::vector<Point> points(const std::vector<T>& items, F point) {
  std::vector<Point> out;
  for (const auto& item : items) out.push_back(point(item));
  return out;
}

const std::vector<Point> kDiagonal = {{0, 0}, {1, 1}};

}  // namespace

std::string roc_chart(const engine::ScorePictures& p) {
  if (p.roc.empty()) return {};
  return Plane("Share of positives found against share of negatives taken for positive", 0, 1, {0, 1})
      .path("refline", kDiagonal)
      .path("curline", points(p.roc, [](const auto& r) { return Point{r.false_positive_rate, r.true_positive_rate}; }))
      .take();
}

std::string precision_recall_chart(const engine::ScorePictures& p) {
  if (p.precision_recall.empty()) return {};
  const double share = p.precision_recall.back().precision;  // at the lowest threshold every row is positive
  return Plane("Precision against recall", 0, 1, {0, 1})
      .path("refline", {{0, share}, {1, share}})
      .path("curline", points(p.precision_recall, [](const auto& r) { return Point{r.recall, r.precision}; }))
      .take();
}

std::string reliability_chart(const engine::ScorePictures& p) {
  if (p.reliability.empty()) return {};
  Plane plane("Share of positives against mean score, in 15 bins", 0, 1, {0, 1});
  plane.path("refline", kDiagonal);
  plane.path("curline", points(p.reliability, [](const auto& b) { return Point{b.mean_score, b.positive_share}; }));
  for (const auto& b : p.reliability) plane.bar(b.mean_score, b.low, b.high).dot(b.mean_score, b.positive_share);
  return plane.take();
}

std::string gain_chart(const engine::ScorePictures& p) {
  if (p.gain.empty()) return {};
  auto all = points(p.gain, [](const auto& g) { return Point{g.rows, g.gain}; });
  all.insert(all.begin(), {0, 0});
  return Plane("Share of positives among the rows with the highest scores", 0, 1, {0, 1})
      .path("refline", kDiagonal)
      .path("curline", all)
      .take();
}

std::string lift_chart(const engine::ScorePictures& p) {
  if (p.gain.empty()) return {};
  double most = 1;
  for (const auto& g : p.gain) most = std::max(most, g.lift);
  return Plane("Lift of the rows with the highest scores", 0, 1, {0, most})
      .path("refline", {{0, 1}, {1, 1}})
      .path("curline", points(p.gain, [](const auto& g) { return Point{g.rows, g.lift}; }))
      .take();
}

std::string residual_chart(const engine::ScorePictures& p) {
  if (p.residuals.empty()) return {};
  double low = INFINITY, high = -INFINITY;
  for (const auto& r : p.residuals) {
    low = std::min({low, r.residual, r.normal});
    high = std::max({high, r.residual, r.normal});
  }
  if (!(low < high)) return {};
  const double from = p.residuals.front().normal, to = p.residuals.back().normal;
  if (!(from < to)) return {};
  return Plane("Residuals against those of a normal distribution", from, to, {low, high})
      .path("refline", {{from, from}, {to, to}})
      .path("curline", points(p.residuals, [](const auto& r) { return Point{r.normal, r.residual}; }))
      .take();
}

std::string course_chart(const engine::Scorecard& card, const engine::MetricResult& metric) {
  const auto same = [&](std::size_t w) -> const engine::MetricResult* {
    for (const auto& r : card.windows[w].metrics)
      if (r.metric == metric.metric && r.part == metric.part && r.segment == metric.segment) return &r;
    return nullptr;
  };
  const auto s = steps_of(card.windows.size());
  const auto number = [&](auto of) {
    return chart::stepped(s, false, [&](std::size_t w) {
      const auto* r = same(w);
      return r ? of(*r) : chart::kNaN;
    });
  };
  const auto values = number([](const auto& r) { return r.value.value; });
  const auto low = number([](const auto& r) { return r.value.low; }),
             high = number([](const auto& r) { return r.value.high; });
  const auto dummy = number([](const auto& r) { return r.value.baseline; });
  Scale y{INFINITY, -INFINITY};
  for (const auto* list : {&values, &low, &high, &dummy})
    for (const double v : *list)
      if (std::isfinite(v)) y.low = std::min(y.low, v), y.high = std::max(y.high, v);
  if (std::isfinite(metric.reference))
    y.low = std::min(y.low, metric.reference), y.high = std::max(y.high, metric.reference);
  if (!(y.low <= y.high)) return {};
  auto out = chart::open_svg(fmt::format("{} over the windows", metric.metric->name));
  chart::ValueAxis axis(y, false, [](double v) { return number_text(v); });
  axis.draw(out, y);
  put(out, "<path class=\"curband\" d=\"{}\"/>", chart::band(low, high, y, axis.left));
  put(out, "<path class=\"level\" d=\"{}\"/>", chart::polyline(dummy, y, axis.left));
  if (std::isfinite(metric.reference))
    chart::line(out, "refline", axis.left, y(metric.reference), kRight, y(metric.reference));
  put(out, "<path class=\"curline\" d=\"{}\"/>", chart::polyline(values, y, axis.left));
  chart::time_axis(out, card.windows.size(), [&](std::size_t w) { return window_label(card.windows[w]); }, axis.left);
  return out + "</svg>";
}

std::string window_label(const engine::ScoreWindow& window) {
  if (!window.start) return std::to_string(window.index);
  auto text = window.start->substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text.ends_with(" 00:00") ? text.substr(0, 10) : text;
}

}  // namespace vigie::view

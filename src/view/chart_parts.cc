// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "view/chart_parts_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view::chart {
namespace {

double x_of(std::size_t step, std::size_t count, double left) {
  return left + (kRight - left) * (static_cast<double>(step) + 0.5) / static_cast<double>(count);
}

}  // namespace

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

double share_of(double low, double high, double v) {
  const double by = std::isfinite(high - low) ? 1 : .5;
  return (by * v - by * low) / (by * high - by * low);
}

double Scale::operator()(double v) const {
  if (log) return Scale{std::log(low), std::log(high)}(std::log(std::max(v, low)));
  return high > low ? kBottom - (kBottom - kTop) * share_of(low, high, std::clamp(v, low, high)) : (kTop + kBottom) / 2;
}

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

std::string polyline(const std::vector<double>& values, const Scale& y, double left) {
  std::string d;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    bool first = i == 0 || std::isnan(values[i - 1]);
    bool last = i + 1 == values.size() || std::isnan(values[i + 1]);
    put(d, "{}{} {}", first ? 'M' : 'L', at(x_of(i, values.size(), left)), at(y(values[i])));
    if (first && last) d += "h1.5";
  }
  return d;
}

std::string band(const std::vector<double>& low, const std::vector<double>& high, const Scale& y, double left) {
  std::string d;
  for (std::size_t i = 0; i < low.size();) {
    if (std::isnan(low[i]) || std::isnan(high[i])) {
      ++i;
      continue;
    }
    auto end = i;
    while (end < low.size() && !std::isnan(low[end]) && !std::isnan(high[end])) ++end;
    for (auto k = i; k < end; ++k) put(d, "{}{} {}", k == i ? 'M' : 'L', at(x_of(k, low.size(), left)), at(y(high[k])));
    for (auto k = end; k-- > i;) put(d, "L{} {}", at(x_of(k, low.size(), left)), at(y(low[k])));
    d += 'Z';
    i = end;
  }
  return d;
}

void time_axis(std::string& out, const engine::Comparison& c, double left, double right) {
  time_axis(out, c.windows.size(), [&](std::size_t w) { return window_label(c, w); }, left, right);
}

void time_axis(std::string& out, std::size_t count, const std::function<std::string(std::size_t)>& label, double left,
               double right) {
  line(out, "axis", left, kBottom, right, kBottom);
  text(out, left, kText, "start", label(0));
  if (count < 2) return;
  text(out, right, kText, "end", label(count - 1));
  auto half = (count - 1) / 2;
  auto middle = label(half);
  double x = left + (right - left) * (static_cast<double>(half) + 0.5) / static_cast<double>(count);
  if (count > 4 && right - left > 3.4 * kCharacter * static_cast<double>(middle.size()))
    text(out, x, kText, "middle", middle);
}

std::vector<double> ticks(double low, double high, double most) {
  if (!(high > low)) return {low};
  // One alone says nothing of the scale: then more are tried.
  for (int tries = 0; tries < 4; ++tries, most *= 2) {
    double rough = (high - low) / most, power = std::pow(10, std::floor(std::log10(rough)));
    double step = rough <= power ? power : rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power;
    double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
    // A range too wide or too narrow for doubles has no round numbers that they could tell apart.
    constexpr double kMostWhole = 0x1p53;
    if (!(step > 0 && std::isfinite(step) && std::max(-first, last) < kMostWhole)) break;
    if (last - first < 1) continue;
    std::vector<double> out;
    const auto count = static_cast<int>(last - first);
    for (int i = 0; i <= count; ++i) out.push_back((first + i) * step);
    return out;
  }
  return {low, high};
}

std::vector<double> log_ticks(double low, double high, std::size_t most) {
  std::vector<double> out, tens;
  for (int e = static_cast<int>(std::floor(std::log10(low))); e <= std::log10(high); ++e) {
    const double power = std::pow(10, e);
    for (double v : {1.0, 2.0, 5.0}) {
      if (v * power < low || v * power > high) continue;
      out.push_back(v * power);
      if (v == 1) tens.push_back(power);
    }
  }
  if (out.size() <= most) return out;
  std::vector<double> thin;
  for (std::size_t i = 0, each = (tens.size() + most - 1) / most; i < tens.size(); i += each) thin.push_back(tens[i]);
  return thin.size() > 1 ? thin : std::vector<double>{low, high};
}

ValueAxis::ValueAxis(const Scale& y, bool ends, const std::function<std::string(double)>& show) {
  auto values = ends    ? std::vector<double>{y.low, y.high}
                : y.log ? log_ticks(y.low, y.high, 4)
                        : ticks(y.low, y.high, 4);
  std::size_t widest = 1;
  for (double v : values) {
    marks.emplace_back(v, show(v));
    widest = std::max(widest, display_width(marks.back().second));
  }
  left += kCharacter * static_cast<double>(widest) + 5;
}

void ValueAxis::draw(std::string& out, const Scale& y, double right) const {
  for (const auto& [v, name] : marks) {
    line(out, "grid", left, y(v), right, y(v));
    text(out, left - 5, y(v) + 4, "end", name);
  }
}

}  // namespace vigie::view::chart

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "view/html_internal.h"

namespace vigie::view {
namespace {

constexpr std::size_t kCells = 40;
constexpr std::size_t kMostValues = 40;

// The distribution function of shares on cuts, linear inside a cell.
class Curve {
 public:
  Curve(const engine::Picture& p, const std::vector<double>& shares) {
    bounds_.push_back(std::min(p.minimum, p.cuts.front()));
    bounds_.insert(bounds_.end(), p.cuts.begin(), p.cuts.end());
    bounds_.push_back(std::max(p.maximum, p.cuts.back()));
    sums_.push_back(0);
    for (double s : shares) sums_.push_back(sums_.back() + s);
  }
  double total() const { return sums_.back(); }
  // Share of rows below x.
  double below(double x) const {
    auto at = std::lower_bound(bounds_.begin(), bounds_.end(), x);
    if (at == bounds_.begin()) return 0;
    if (at == bounds_.end()) return total();
    auto i = static_cast<std::size_t>(at - bounds_.begin());
    double width = bounds_[i] - bounds_[i - 1];
    double part = width > 0 ? (x - bounds_[i - 1]) / width : 1;
    return sums_[i - 1] + part * (sums_[i] - sums_[i - 1]);
  }
  double quantile(double q) const {
    if (!(total() > 0)) return std::numeric_limits<double>::quiet_NaN();
    double target = q * total();
    auto i = static_cast<std::size_t>(std::lower_bound(sums_.begin() + 1, sums_.end() - 1, target) - sums_.begin());
    double mass = sums_[i] - sums_[i - 1];
    double part = mass > 0 ? std::clamp((target - sums_[i - 1]) / mass, 0.0, 1.0) : 0;
    return bounds_[i - 1] + part * (bounds_[i] - bounds_[i - 1]);
  }

 private:
  std::vector<double> bounds_, sums_;
};

double after(double value) {
  return std::nextafter(value, std::numeric_limits<double>::infinity());
}

// Values with a cell of their own, when the reference lies on nothing else.
std::vector<std::size_t> lone_cells(const engine::Picture& p) {
  std::vector<std::size_t> out;
  for (std::size_t j = 1; j < p.cuts.size(); ++j) {
    if (p.cuts[j] == after(p.cuts[j - 1]))
      out.push_back(j);
    else if (p.reference_shares[j] > 0)
      return {};
  }
  return out;
}

// The distance of which all gaps between the values are multiples, or 0.
double step_of(const engine::Picture& p, const std::vector<std::size_t>& lone) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < lone.size(); ++i) least = std::min(least, p.cuts[lone[i] - 1] - p.cuts[lone[i - 1] - 1]);
  for (std::size_t i = 1; i < lone.size(); ++i) {
    double times = (p.cuts[lone[i] - 1] - p.cuts[lone[0] - 1]) / least;
    if (std::fabs(times - std::round(times)) > 1e-6) return 0;
  }
  return std::isfinite(least) ? least : 0;
}

}  // namespace

Density density_of(const engine::Picture& p) {
  Density out;
  if (p.cuts.empty() || p.reference_shares.size() != p.cuts.size() + 1 ||
      p.current_shares.size() != p.cuts.size() + 1 || !std::isfinite(p.minimum) || !std::isfinite(p.maximum))
    return out;
  Curve reference(p, p.reference_shares), current(p, p.current_shares);
  out.p10 = {reference.quantile(.1), current.quantile(.1)};
  out.p50 = {reference.quantile(.5), current.quantile(.5)};
  out.p90 = {reference.quantile(.9), current.quantile(.9)};

  auto lone = lone_cells(p);
  double elsewhere = 0;
  for (std::size_t j = 1, k = 0; j < p.cuts.size(); ++j) {
    if (k < lone.size() && lone[k] == j)
      ++k;
    else
      elsewhere += p.current_shares[j];
  }
  if (!lone.empty() && lone.size() <= kMostValues && elsewhere < 0.01) {
    out.below = {p.reference_shares.front(), p.current_shares.front()};
    out.above = {p.reference_shares.back(), p.current_shares.back()};
    for (auto j : lone) {
      out.values.push_back(p.cuts[j - 1]);
      out.cells.push_back({p.reference_shares[j], p.current_shares[j]});
    }
    return out;
  }

  double low = reference.quantile(.005), high = reference.quantile(.995);
  if (std::isnan(low)) low = current.quantile(.005), high = current.quantile(.995);
  if (std::isnan(low)) return out;
  double most = 3 * (high - low);
  if (current.total() > 0 && most > 0) {
    auto own_low = low, own_high = high;
    low = std::max(own_low - most, std::min(low, current.quantile(.005)));
    high = std::min(own_high + most, std::max(high, current.quantile(.995)));
  }
  auto count = kCells;
  if (double step = lone.empty() ? 0 : step_of(p, lone); step > 0) {
    double width = step * std::ceil((high - low) / step / static_cast<double>(kCells));
    low = p.cuts[lone[0] - 1] + step * (std::floor((low - p.cuts[lone[0] - 1]) / step + 1e-9) - 0.5);
    count = std::min<std::size_t>(48, static_cast<std::size_t>(std::floor((high - low) / width)) + 1);
    for (std::size_t i = 0; i <= count; ++i) out.edges.push_back(low + width * static_cast<double>(i));
  } else {
    double middle = std::isnan(out.p50.reference) ? out.p50.current : out.p50.reference;
    // Not where zeros make the low end a rounding error above 0.
    out.log = low > 1e-12 * high && high - middle > 6 * (middle - low);
    // What lies on the last edge belongs to the last cell; a single value gets a cell of some width.
    high = high > low ? after(high) : low + std::max(1e-9 * std::fabs(low), 1e-9);
    for (std::size_t i = 0; i < count; ++i) {
      double part = static_cast<double>(i) / static_cast<double>(count);
      out.edges.push_back(out.log ? low * std::pow(high / low, part) : low + (high - low) * part);
    }
    out.edges.push_back(high);
  }
  for (std::size_t i = 0; i < count; ++i)
    out.cells.push_back({reference.below(out.edges[i + 1]) - reference.below(out.edges[i]),
                         current.below(out.edges[i + 1]) - current.below(out.edges[i])});
  out.below = {reference.below(low), current.below(low)};
  out.above = {reference.total() - reference.below(out.edges.back()),
               current.total() - current.below(out.edges.back())};
  return out;
}

}  // namespace vigie::view

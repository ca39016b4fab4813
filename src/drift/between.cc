// SPDX-License-Identifier: Apache-2.0
#include "drift/between.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "drift/between_fit_internal.h"
#include "drift/between_terms_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kWeights[] = {.45, .25, .05, .10, .15};
constexpr std::string_view kNames[] = {"location", "scale", "skew", "kurtosis", "chi2"};
// Sampling variance of an arcsine share, times rows.
constexpr double kArcsineNoise = .25;
constexpr double kFewestExpected = 5;

}  // namespace

struct HealthyWindows::State {
  Kind kind;
  std::size_t size = 0;
  double mean_rows = 0, mean_inverse_rows = 0, mean_chi2 = kNan, chi2_df = 0;
  Terms terms;
  std::vector<double> shares;  ///< categorical: of WindowSummary::arcsine

  /// What a number had in the healthy windows.
  struct Range {
    double low, high;
    double outside(double value) const {
      return high > low ? std::max({0., value - high, low - value}) / (high - low) : 0;
    }
  };
  std::vector<Range> ranges;  ///< numeric: of the location; categorical: parallel to `shares`

  struct Model {
    Design design;
    /// Numeric: the four moments, then log chi-square. Categorical: each category, then for each j from 0 on the rest
    /// beyond the first j categories.
    std::vector<Fit> fits;
  };
  std::optional<Model> plain, season;

  /// Variance and degrees of freedom of the difference between a window of `rows` rows and the fit.
  struct Bound {
    double variance, nu;
  };
  Bound bound(const Fit& fit, double leverage, double sampling, double least, double rows) const {
    const double among = fit.variance * (1 + fit.inflation * leverage),
                 extra = sampling * (1 / rows - mean_inverse_rows);
    const double variance = std::max(among + extra, least);
    const double ratio = extra > 0 && variance > 0 ? variance / among : 1;
    return {variance, fit.nu * ratio * ratio};
  }
  static double two_sided(double distance, const Bound& bound) {
    if (!(bound.variance > 0)) return 1;
    return std::min(1., 2 * stats::student_t_sf(std::abs(distance) / std::sqrt(bound.variance), bound.nu));
  }
  static double smallest(const Bound& bound, double level, double weight) {
    return (stats::student_t_quantile(1 - level * weight / 2, bound.nu) + .84) * std::sqrt(bound.variance);
  }

  void numeric(const Model& model, const Design::Row& row, const WindowSummary& current, double level,
               Between& result) const;
  void categorical(const Model& model, const Design::Row& row, const WindowSummary& current, double level,
                   Between& result) const;
};

HealthyWindows::HealthyWindows(HealthyWindows&&) noexcept = default;
HealthyWindows& HealthyWindows::operator=(HealthyWindows&&) noexcept = default;
HealthyWindows::~HealthyWindows() = default;
std::size_t HealthyWindows::size() const {
  return state_->size;
}

HealthyWindows::HealthyWindows(const Axis& axis, const Sample& reference, std::span<const WindowSummary> windows) {
  auto state = std::make_unique<State>();
  const Summarizer scale(axis, reference);
  state->kind = axis.kind;
  state->shares = scale.category_share_;
  std::vector<const WindowSummary*> used;
  std::size_t followed = state->shares.size();
  for (const auto& window : windows) {
    const auto& shares = window.arcsine;
    const bool fits = axis.kind == kCategorical
                          ? shares.size() <= state->shares.size() && shares.empty() == state->shares.empty() &&
                                std::ranges::all_of(shares, [](double x) { return std::isfinite(x); })
                          : std::isfinite(window.location);
    if (!(window.rows >= static_cast<double>(kFewestRows)) || !fits) continue;
    used.push_back(&window);
    followed = std::min(followed, shares.size());
  }
  if (axis.kind == kCategorical) state->shares.resize(followed);
  state->size = used.size();
  if (used.size() < kFewestWindows) {
    state_ = std::move(state);
    return;
  }
  const auto size = static_cast<double>(used.size());
  for (const auto* window : used) {
    state->mean_rows += window->rows / size;
    state->mean_inverse_rows += 1 / window->rows / size;
  }

  std::vector<std::vector<double>> columns;
  const auto column = [&](auto value) {
    auto& values = columns.emplace_back();
    values.reserve(used.size());
    for (const auto* window : used) values.push_back(value(*window));
  };
  if (axis.kind == kCategorical) {
    const std::size_t k = state->shares.size();
    for (std::size_t i = 0; i < k; ++i) column([i](const WindowSummary& w) { return w.arcsine[i]; });
    std::vector<double> rest;
    for (const auto* window : used) rest.push_back(window->rows);
    for (std::size_t j = 0; j <= k; ++j) {
      auto& values = columns.emplace_back();
      for (std::size_t w = 0; w < used.size(); ++w) {
        if (j > 0) rest[w] -= count_of(used[w]->arcsine[j - 1], used[w]->rows);
        values.push_back(arcsine(std::max(0., rest[w]), used[w]->rows));
      }
    }
  } else {
    state->terms = Terms(scale.scores_, scale.shares_);
    for (std::size_t c = 0; c < kMoments; ++c) {
      column([&, c](const WindowSummary& w) { return state->terms.of(w)[c]; });
    }
    column([](const WindowSummary& w) { return std::log(std::max(w.chi2, 1e-9)); });
    double sum = 0;
    for (const auto* window : used) sum += window->chi2;
    state->mean_chi2 = sum / size;
    state->chi2_df = static_cast<double>(std::ranges::count_if(scale.group_rows_, [](double n) { return n > 0; })) - 1;
  }
  for (std::size_t c = 0; c < (axis.kind == kCategorical ? state->shares.size() : 1); ++c) {
    const auto [low, high] = std::ranges::minmax(columns[c]);
    state->ranges.push_back({low, high});
  }
  const auto model = [&](Design design) {
    State::Model made{std::move(design), {}};
    for (const auto& values : columns) made.fits.push_back(fit(made.design, values));
    return made;
  };
  state->plain = model(Design(used.size()));
  if (auto design = Design::seasonal(used)) state->season = model(std::move(*design));
  state_ = std::move(state);
}

Between HealthyWindows::test(const WindowSummary& current, double level) const {
  Between result{.p_value = kNan, .components = {}, .detectable = kNan};
  if (!state_->plain || !(current.rows >= static_cast<double>(kFewestRows))) return result;
  const auto* model = &*state_->plain;
  auto row = model->design.row(current);
  if (state_->season) {
    if (const auto seasonal = state_->season->design.row(current)) {
      model = &*state_->season;
      row = seasonal;
      result.seasonal = true;
    }
  }
  if (state_->kind == kCategorical) {
    state_->categorical(*model, *row, current, level, result);
  } else {
    state_->numeric(*model, *row, current, level, result);
  }
  return result;
}

void HealthyWindows::State::numeric(const Model& model, const Design::Row& row, const WindowSummary& current,
                                    double level, Between& result) const {
  if (!std::isfinite(current.location)) return;
  const double leverage = model.design.leverage(row);
  const auto values = terms.of(current);
  result.outside = ranges[0].outside(values[0]);
  for (std::size_t c = 0; c < kMoments; ++c) {
    const Fit& fit = model.fits[c];
    double p = 1;
    if (fit.usable && std::isfinite(values[c])) {
      const Bound limits = bound(fit, leverage, terms.noise()[c], terms.noise()[c] / current.rows, current.rows);
      p = two_sided(values[c] - fit.at(row), limits);
      if (c == 0 && limits.variance > 0) result.detectable = terms.shift(smallest(limits, level, kWeights[0]));
    }
    result.components.push_back({kNames[c], p});
  }
  const Fit &chi = model.fits[kMoments], &location = model.fits[0];
  double p = 1;
  if (chi.usable && chi.raw > 0 && chi2_df > 0 && std::isfinite(current.chi2)) {
    const auto windows = static_cast<double>(size);
    const double v = location.inflation;
    // The current window is compared with a mean that it is not part of, the healthy ones with a mean without them.
    const double scale = (1 + v / windows) / (1 + 1 / windows) / (1 - (v - 1) / (windows - 1));
    const double rows = current.rows / mean_rows, over = std::max(0., mean_chi2 / chi2_df - 1);
    // What exceeds the noise grows with the rows, and so do its differences: more rows than usual are scaled back.
    const double expected = rows > 1 ? 1 : (1 + over * rows) / (1 + over);
    const double excess = std::max(0., current.chi2 - chi2_df) * std::max(0., 1 - 1 / rows);
    const double seen = std::log(std::max(current.chi2 - excess, 1e-9));
    const double distance = seen - std::log(scale * expected) - chi.at(row);
    p = stats::student_t_sf(distance / std::sqrt(chi.raw * (1 + v * leverage)), location.nu);
  }
  result.components.push_back({kNames[kMoments], p});
  result.p_value = 1;
  for (std::size_t c = 0; c < result.components.size(); ++c) {
    result.p_value = std::min(result.p_value, result.components[c].p_value / kWeights[c]);
  }
}

void HealthyWindows::State::categorical(const Model& model, const Design::Row& row, const WindowSummary& current,
                                        double level, Between& result) const {
  if (current.arcsine.size() < shares.size()) return;
  const double leverage = model.design.leverage(row), rows = current.rows, fewest = std::min(rows, mean_rows);
  // Shares fall, so the categories frequent enough for the arcsine come first; the others are tested as one, and for
  // half of their weight each that the windows follow by itself, for one that has become frequent.
  std::size_t frequent = 0;
  double rest = rows, rest_share = 1, weights = 0;
  while (frequent < shares.size() && shares[frequent] * fewest >= kFewestExpected) {
    rest -= count_of(current.arcsine[frequent], rows);
    rest_share -= shares[frequent];
    weights += std::sqrt(shares[frequent++]);
  }
  const double rest_weight = std::sqrt(std::max(rest_share, kFewestExpected / fewest));
  weights += rest_weight;
  result.p_value = 1;
  const auto judge = [&](const Fit& fit, double value, double weight, double least) {
    if (!fit.usable) return;
    const Bound limits = bound(fit, leverage, kArcsineNoise, least, rows);
    result.p_value = std::min(result.p_value, two_sided(value - fit.at(row), limits) / (weight / weights));
  };
  // Near a share of 0 or 1 the arcsine depends on the rows, so the noise of the larger samples does not bound the rest.
  const double least = kArcsineNoise / rows, careful = kArcsineNoise * std::max(1 / rows, mean_inverse_rows);
  for (std::size_t i = 0; i < frequent; ++i) {
    const bool most = (1 - shares[i]) * fewest < kFewestExpected;
    judge(model.fits[i], current.arcsine[i], std::sqrt(shares[i]), most ? careful : least);
    result.outside = std::max(result.outside, ranges[i].outside(current.arcsine[i]));
  }
  // Windows of few rows overstate a small share, which is on the safe side of looking for a large one.
  const auto rare = static_cast<double>(shares.size() - frequent);
  for (std::size_t i = frequent; i < shares.size(); ++i) {
    if (count_of(current.arcsine[i], rows) >= kFewestExpected && current.arcsine[i] > model.fits[i].at(row))
      judge(model.fits[i], current.arcsine[i], rest_weight / 2 / rare, least);
  }
  judge(model.fits[shares.size() + frequent], arcsine(std::max(0., rest), rows),
        rare > 0 ? rest_weight / 2 : rest_weight, careful);
  result.components.push_back({"shares", result.p_value});
  if (frequent == 0 || !model.fits[0].usable) return;
  const Bound limits = bound(model.fits[0], leverage, kArcsineNoise, least, rows);
  const double angle = model.fits[0].at(row), step = smallest(limits, level, std::sqrt(shares[0]) / weights);
  const auto share = [](double a) { return std::pow(std::sin(std::clamp(a, 0., std::numbers::pi / 2)), 2); };
  // Towards one half, where there is room.
  result.detectable =
      angle < std::numbers::pi / 4 ? share(angle + step) - share(angle) : share(angle) - share(angle - step);
}

}  // namespace vigie::drift

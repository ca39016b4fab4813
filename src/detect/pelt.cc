// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "cost",
     .fallback = 0,
     .min = 0,
     .max = 2,
     .doc = "what a segment has of its own: a mean; a rate of counts; a mean and a variance",
     .choices = "l2|poisson|normal"},
    {.name = "penalty",
     .fallback = 0,
     .min = 0,
     .max = 1e15,
     .doc = "price of a change; 0: of Bayes' information criterion"},
    {.name = "min_size", .fallback = 2, .min = 1, .max = 1e9, .doc = "values in a segment, at least", .whole = true}};

enum class Cost { kL2, kPoisson, kNormal };

// Sums up to each place, of values less their mean: a large level would drown the squares.
struct Sums {
  Cost cost;
  std::vector<double> sum, squares;
  double centre = 0, floor = 0;

  // Twice the negative log likelihood of values [from, to), without what all segmentations share.
  double operator()(std::size_t from, std::size_t to) const {
    const double n = static_cast<double>(to - from), s = sum[to] - sum[from];
    if (cost == Cost::kPoisson) return s > 0 ? 2 * s * (1 - std::log(s / n)) : 0;
    const double within = std::max(squares[to] - squares[from] - s * s / n, 0.0);
    return cost == Cost::kL2 ? within : n * std::log(std::max(within / n, floor));
  }
};

// The spread of the noise by first differences, which a few changes of level do not touch.
double noise_variance(std::span<const double> series) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < series.size(); ++i) steps.push_back(std::abs(series[i] - series[i - 1]));
  if (steps.empty()) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  const double sd = *middle * 1.4826022185056018 / std::sqrt(2.0);
  if (sd > 0) return sd * sd;
  double squares = 0;
  for (const double step : steps) squares += step * step;
  return squares / 2 / static_cast<double>(steps.size());
}

Result<std::vector<Alarm>> segment_series(std::span<const double> given, const Args& args) {
  const auto cost = static_cast<Cost>(static_cast<int>(args[0]));
  std::vector<double> series;
  std::vector<std::int64_t> place;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!std::isfinite(given[i])) continue;
    if (cost == Cost::kPoisson && given[i] < 0)
      return fail(Code::kInput, "pelt: value " + std::to_string(i) + " is below zero: not a count");
    series.push_back(given[i]);
    place.push_back(static_cast<std::int64_t>(i));
  }
  const std::size_t n = series.size(), shortest = static_cast<std::size_t>(args[2]);
  if (n < 2 * shortest || n < 2) return std::vector<Alarm>{};

  Sums sums{cost, std::vector<double>(n + 1), std::vector<double>(n + 1)};
  if (cost != Cost::kPoisson) {
    for (const double value : series) sums.centre += value / static_cast<double>(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double value = series[i] - sums.centre;
    sums.sum[i + 1] = sums.sum[i] + value;
    sums.squares[i + 1] = sums.squares[i] + value * value;
  }
  const double noise = noise_variance(series), log_n = std::log(static_cast<double>(n));
  sums.floor = std::max(noise, 1e-300) * 1e-6;
  const double parameters = cost == Cost::kNormal ? 3 : 2;
  const double penalty = args[1] > 0 ? args[1] : parameters * log_n * (cost == Cost::kL2 ? noise : 1);

  // best[t]: cheapest segmentation of the first t values, plus a penalty. A begin that is dearer by now than the whole
  // can be dropped for good: no end to come makes it cheaper.
  std::vector<double> best(n + 1, kInfinity);
  std::vector<std::size_t> from(n + 1, 0), begins = {0};
  best[0] = -penalty;
  for (std::size_t t = shortest; t <= n; ++t) {
    for (const std::size_t begin : begins) {
      const double price = best[begin] + sums(begin, t) + penalty;
      if (price < best[t]) best[t] = price, from[t] = begin;
    }
    std::erase_if(begins, [&](std::size_t begin) { return best[begin] + sums(begin, t) > best[t]; });
    if (t + 1 >= 2 * shortest) begins.push_back(t + 1 - shortest);
  }

  std::vector<std::size_t> cuts = {n};
  for (std::size_t t = n; t > 0; t = from[t]) cuts.push_back(from[t]);
  std::reverse(cuts.begin(), cuts.end());
  std::vector<Alarm> out;
  for (std::size_t i = 1; i + 1 < cuts.size(); ++i) {
    const std::size_t left = cuts[i - 1], at = cuts[i], right = cuts[i + 1];
    const auto mean = [&](std::size_t a, std::size_t b) {
      return sums.centre + (sums.sum[b] - sums.sum[a]) / static_cast<double>(b - a);
    };
    const double before = mean(left, at), after = mean(at, right);
    out.push_back({.index = place[at],
                   .state = State::kDrift,
                   .statistic = sums(left, right) - sums(left, at) - sums(at, right),
                   .threshold = penalty,
                   .direction = direction_of(after - before),
                   .onset = place[at],
                   .before = before,
                   .after = after});
  }
  return out;
}

}  // namespace

constinit const Detector pelt{.name = "pelt",
                              .summary = "The cheapest division of a stored series into segments",
                              .paper = "Killick, Fearnhead & Eckley 2012",
                              .stream = Stream::kValues,
                              .params = kParams,
                              .make = nullptr,
                              .segment = segment_series};

}  // namespace vigie::detect

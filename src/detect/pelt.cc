// SPDX-License-Identifier: Apache-2.0
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "cost",
     .fallback = 0,
     .min = 0,
     .max = 2,
     .doc = "what a segment has of its own: a mean; a rate of counts; a mean and a variance, exactly for 256 values "
            "between changes, else each change at the best place near the best of a grid",
     .choices = "l2|poisson|normal"},
    {.name = "penalty",
     .fallback = 0,
     .min = 0,
     .max = 1e15,
     .doc = "price of a change; 0: of Bayes' information criterion"},
    {.name = "min_size", .fallback = 2, .min = 1, .max = 1e9, .doc = "values in a segment, at least", .whole = true}};

constexpr double kFarthest = 1e6;  // standard deviations of the noise that one value is off the others, at most

enum class Cost { kL2, kPoisson, kNormal };

// Sums up to each place, with what the additions rounded off (Neumaier 1974): a large value would drown all after it.
struct Prefix {
  std::vector<double> total{0}, lost{0};

  void add(double x) {
    const double before = total.back(), after = before + x;
    const double rounded = std::abs(before) >= std::abs(x) ? (before - after) + x : (x - after) + before;
    total.push_back(after);
    lost.push_back(lost.back() + rounded);
  }
  double of(std::size_t from, std::size_t to) const { return total[to] - total[from] + (lost[to] - lost[from]); }
};

// Of values less their median: a large level would drown the squares.
struct Sums {
  Cost cost;
  Prefix sum, squares;
  double centre = 0, floor = 0;

  // Twice the negative log likelihood of values [from, to), without what all segmentations share.
  double operator()(std::size_t from, std::size_t to) const {
    const double n = static_cast<double>(to - from), s = sum.of(from, to);
    if (cost == Cost::kPoisson) return s > 0 ? 2 * s * (1 - std::log(s / n)) : 0;
    const double within = std::max(squares.of(from, to) - s * s / n, 0.0);
    return cost == Cost::kL2 ? within : n * std::log(within / n + floor);
  }
};

struct Range {
  double low, high;
};

// The levels at which a segment begun at `old` is no dearer than one begun later, at `now`: their prices differ by the
// values between, so that this holds for all ends to come.
Range no_dearer(const Sums& sums, const std::vector<double>& best, std::size_t old, std::size_t now) {
  constexpr Range kNone = {kInfinity, -kInfinity};
  const double n = static_cast<double>(now - old), s = sums.sum.of(old, now), ahead = best[now] - best[old];
  if (sums.cost == Cost::kL2) {
    const double squared = (s * s / n - sums.squares.of(old, now) + ahead) / n;
    if (squared < 0) return kNone;
    const double half = std::sqrt(squared);
    return {s / n - half, s / n + half};
  }
  // Poisson: 2 (n e^x - s x) of the logarithm x of the level, which is convex.
  if (s == 0) return ahead >= 0 ? Range{0, ahead / (2 * n)} : kNone;
  const auto price = [&](double x) { return 2 * (n * std::exp(x) - s * x) - ahead; };
  const double middle = std::log(s / n);
  if (price(middle) > 0) return kNone;
  const auto root = [&](double x, double step) {
    while (price(x) <= 0) x += step, step *= 2;
    for (int i = 0; i < 60; ++i) {
      const double next = x - price(x) / (2 * (n * std::exp(x) - s));
      if (!(std::abs(next - x) > 1e-13 * (1 + std::abs(x)))) break;
      x = next;
    }
    return std::exp(x);
  };
  return {root(middle - 1e-3, -1e-3), root(middle + 1e-3, 1e-3)};
}

// Which begin is cheapest at which level of the segment that it begins. One that is so at no level can be dropped for
// good; without changes a few dozen stay of millions (Maidstone et al. 2017).
class Levels {
 public:
  Levels(const Sums& sums, const std::vector<double>& best, Range all) : sums_(sums), best_(best), pieces_{{0, all}} {}
  void each(auto visit) const {
    for (const Piece& piece : pieces_) visit(piece.begin);
  }
  void add(std::size_t begin) {
    kept_.clear();
    const auto keep = [&](std::size_t of, double low, double high) {
      if (!kept_.empty() && kept_.back().begin == of)
        kept_.back().at.high = high;
      else
        kept_.push_back({of, {low, high}});
    };
    for (const auto& [old, at] : pieces_) {
      const Range range = no_dearer(sums_, best_, old, begin);
      const double low = std::max(range.low, at.low), high = std::min(range.high, at.high);
      if (!(low <= high)) {
        keep(begin, at.low, at.high);
        continue;
      }
      if (low > at.low) keep(begin, at.low, low);
      keep(old, low, high);
      if (high < at.high) keep(begin, high, at.high);
    }
    pieces_.swap(kept_);
  }

 private:
  struct Piece {
    std::size_t begin;
    Range at;
  };
  const Sums& sums_;
  const std::vector<double>& best_;
  std::vector<Piece> pieces_, kept_;
};

// The same for segments with a mean and a variance of their own, of which there is no such order. One that is dearer
// than ending a segment now stays so for all ends that leave room for another in between (Killick et al. 2012). Without
// changes that drops few, so of old begins close together only the cheapest by now is kept.
class Begins {
 public:
  void each(std::size_t now, auto price) {
    std::size_t kept = 0;
    for (Begin begin : begins_) {
      if (now >= begin.out) continue;
      begin.price = price(begin.at);
      begins_[kept++] = begin;
    }
    begins_.resize(kept);
  }
  void drop_dearer(double best, std::size_t out) {
    for (Begin& begin : begins_)
      if (begin.price > best) begin.out = std::min(begin.out, out);
  }
  /// How far from the best begin the one kept may be, of a segment of `size` values.
  static std::size_t apart(std::size_t size) { return size / kShare; }
  void add(std::size_t at) {
    if (begins_.size() >= most_) thin(at);
    begins_.push_back({.at = at});
  }

 private:
  struct Begin {
    std::size_t at, out = std::numeric_limits<std::size_t>::max();
    double price = 0;  // of a segment from here to the newest value, and of all before
  };
  static constexpr std::size_t kMost = 256, kNear = 64, kShare = 16;

  void thin(std::size_t now) {
    std::size_t kept = 0, cell = 0;
    for (const Begin& begin : begins_) {
      const std::size_t age = now - begin.at;
      if (kept > 0 && age > kNear && begin.at - cell < apart(age)) {
        if (begin.price < begins_[kept - 1].price) begins_[kept - 1] = begin;
        continue;
      }
      cell = begin.at;
      begins_[kept++] = begin;
    }
    begins_.resize(kept);
    most_ = std::max(kMost, kept + kNear);
  }

  std::vector<Begin> begins_ = {{.at = 0}};
  std::size_t most_ = kMost;
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

double median(std::span<const double> series) {
  std::vector<double> values(series.begin(), series.end());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What is farther than `reach` from the median of the five values around it, which no level of three is, at that reach:
// no sum holds both the square of what a sensor makes up and those of the others.
std::vector<double> without_spikes(std::span<const double> series, double reach) {
  std::vector<double> out(series.begin(), series.end());
  const auto near = [&](std::size_t i, std::size_t j) { return std::abs(series[i] - series[j]) <= reach; };
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i > 0 && i + 1 < series.size() && near(i, i - 1) && near(i, i + 1)) continue;
    const std::size_t from = i < 2 ? 0 : i - 2, to = std::min(series.size(), i + 3);
    const double around = median(series.subspan(from, to - from));
    out[i] = std::clamp(series[i], around - reach, around + reach);
  }
  return out;
}

Result<std::vector<Alarm>> segment_series(std::span<const double> given, const Args& args) {
  const auto cost = static_cast<Cost>(static_cast<int>(args[0]));
  std::vector<double> series;
  std::vector<std::int64_t> place;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const double value = as_value(given[i]);
    if (std::isnan(value)) continue;
    if (cost == Cost::kPoisson && value < 0)
      return fail(Code::kInput, "pelt: value " + std::to_string(i) + " is below zero: not a count");
    series.push_back(value);
    place.push_back(static_cast<std::int64_t>(i));
  }
  const std::size_t n = series.size(), shortest = static_cast<std::size_t>(args[2]);
  if (n < 2 * shortest || n < 2) return std::vector<Alarm>{};
  if (std::all_of(series.begin(), series.end(), [&](double x) { return x == series[0]; })) return std::vector<Alarm>{};

  const double noise = noise_variance(series);
  const std::vector<double> held =
      cost == Cost::kPoisson ? series : without_spikes(series, kFarthest * std::sqrt(noise));
  Sums sums{.cost = cost, .sum = {}, .squares = {}};
  if (cost != Cost::kPoisson) sums.centre = median(held);
  for (const double value : held) {
    sums.sum.add(value - sums.centre);
    sums.squares.add((value - sums.centre) * (value - sums.centre));
  }
  const auto [least, most] = std::minmax_element(held.begin(), held.end());
  const double log_n = std::log(static_cast<double>(n));
  sums.floor = std::max(noise, 1e-300) * 1e-6;
  const double parameters = cost == Cost::kNormal ? 3 : 2;
  const double penalty = args[1] > 0 ? args[1] : parameters * log_n * (cost == Cost::kL2 ? noise : 1);

  // best[t]: cheapest segmentation of the first t values, plus a penalty.
  std::vector<double> best(n + 1, kInfinity);
  std::vector<std::size_t> from(n + 1, 0);
  Begins begins;
  best[0] = -penalty;
  Levels levels(sums, best, {*least - sums.centre, *most - sums.centre});
  for (std::size_t t = shortest; t <= n; ++t) {
    const auto try_begin = [&](std::size_t begin) {
      const double price = best[begin] + sums(begin, t);
      if (price + penalty < best[t]) best[t] = price + penalty, from[t] = begin;
      return price;
    };
    const bool more = t + 1 >= 2 * shortest;
    if (cost != Cost::kNormal) {
      levels.each(try_begin);
      if (more) levels.add(t + 1 - shortest);
      continue;
    }
    begins.each(t, try_begin);
    begins.drop_dearer(best[t], t + shortest);
    if (more) begins.add(t + 1 - shortest);
  }

  std::vector<std::size_t> cuts = {n};
  for (std::size_t t = n; t > 0; t = from[t]) cuts.push_back(from[t]);
  std::reverse(cuts.begin(), cuts.end());
  // Each to the best place between its neighbours, as far as begins may have been thinned.
  for (std::size_t i = 1; cost == Cost::kNormal && i + 1 < cuts.size(); ++i) {
    const std::size_t left = cuts[i - 1], right = cuts[i + 1], at = cuts[i], reach = Begins::apart(right - left);
    const auto apart = [&](std::size_t cut) { return sums(left, cut) + sums(cut, right); };
    for (std::size_t cut = std::max(left + shortest, at - std::min(reach, at));
         cut <= std::min(right - shortest, at + reach); ++cut)
      if (apart(cut) < apart(cuts[i])) cuts[i] = cut;
  }
  std::vector<Alarm> out;
  for (std::size_t i = 1; i + 1 < cuts.size(); ++i) {
    const std::size_t left = cuts[i - 1], at = cuts[i], right = cuts[i + 1];
    const auto mean = [&](std::size_t a, std::size_t b) {
      double sum = 0;
      for (std::size_t j = a; j < b; ++j) sum += series[j];
      return sum / static_cast<double>(b - a);
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
                              .paper = "Killick, Fearnhead & Eckley 2012; Maidstone et al. 2017",
                              .stream = Stream::kValues,
                              .params = kParams,
                              .make = nullptr,
                              .segment = segment_series};

}  // namespace vigie::detect

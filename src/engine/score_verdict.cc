// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/text.h"
#include "engine/scorer_internal.h"
#include "quality/quality.h"
#include "stats/distributions.h"
#include "stats/multiple_testing.h"

namespace vigie::engine {
namespace {

using metric::Better;

constexpr double kWidth = 1.959963984540054;  // of a 95 % interval, in standard errors to each side

/// The results of one window by those of another, which stand in the same order: nearly always the next one.
class Finder {
 public:
  explicit Finder(std::span<const MetricResult> all) : all_(all) {}
  const MetricResult* operator()(const MetricResult& like) {
    for (std::size_t step = 0; step < all_.size(); ++step) {
      const auto at = (next_ + step) % all_.size();
      const auto& r = all_[at];
      if (r.metric != like.metric || r.part != like.part || r.segment != like.segment) continue;
      next_ = at + 1;
      return &r;
    }
    return nullptr;
  }

 private:
  std::span<const MetricResult> all_;
  std::size_t next_ = 0;
};

std::string why_none(const metric::Value& v) {
  return v.reason.empty() ? "too large for a number" : v.reason;
}

/// What grows with the rows, brought to those of another sample.
double on_scale_of(const MetricResult& r, double value, std::int64_t rows) {
  return r.metric->total ? value * static_cast<double>(rows) / static_cast<double>(r.value.n) : value;
}

/// Above 0 where `a` is the better one.
double lead(const metric::Metric& m, double a, double b) {
  return m.better == Better::kLower ? b - a : a - b;
}

/// A difference without what fewer rows alone may add to it.
double beyond_noise(double difference, double noise) {
  return difference > 0 ? std::max(0., difference - std::max(0., noise))
                        : std::min(0., difference - std::min(0., noise));
}

/// A metric of the window beside that of the reference.
struct Test {
  MetricResult& result;
  double difference, error, scale;  ///< error: standard error of the difference
  bool between;                     ///< whether the reference's windows tell how healthy ones differ
};

constexpr std::string_view kSdOfRow = "sd of a row";

/// The unit of the effect, and from which levels on it matters.
struct Unit {
  double size;
  std::string_view name;
  Levels levels;
};

/// `low`, `high` and `baseline` are on the scale of `value`, that of the reference. No size where nothing varies.
Unit usual_unit(const MetricResult& now, const metric::Value& then, double value, double low, double high,
                double baseline) {
  const auto& m = *now.metric;
  const double ahead = lead(m, value, baseline), least = lead(m, m.better == Better::kLower ? high : low, baseline);
  if (m.better != Better::kNeither && ahead > 0 && least > 0) return {ahead, "lead over the baseline", kLeadLevels};
  if (std::isfinite(m.most - m.least)) return {m.most - m.least, "range", kShareLevels};
  const auto sd = [](double from, double to, std::int64_t n) {
    return (to - from) / (2 * kWidth) * std::sqrt(static_cast<double>(n));
  };
  // Rows that differ by this much less than the labels, or than what they are all like, differ by rounding.
  const double rounding = 1e-6 * std::max(then.scale, std::fabs(value));
  if (const double size = sd(low, high, then.n); size > rounding) return {size, kSdOfRow, kSdLevels};
  if (then.scale > 0) return {then.scale, "sd of the labels", kSdLevels};
  const double own = sd(now.value.low, now.value.high, now.value.n);
  return {own > rounding ? own : 0, kSdOfRow, kSdLevels};
}

Unit unit_of(const MetricResult& now, const metric::Value& then, double value, double low, double high,
             double baseline) {
  const auto& m = *now.metric;
  const auto usual = usual_unit(now, then, value, low, high, baseline);
  if (m.better != Better::kLower || m.least != 0) return usual;
  const bool to_perfect = baseline == m.least && std::isfinite(m.most);
  const Unit grown{std::max(value, to_perfect ? kLeastLoss * m.most : 0), "reference value", kGrowthLevels};
  const bool first = !(usual.size * usual.levels.major <= grown.size * grown.levels.major);
  return grown.size > 0 && first ? grown : usual;
}

std::string text(double value) {
  return human(value, 4);
}

/// Whether the window's value is what healthy windows give too: Student's t for one more of them.
double between_p(const MetricResult& r, const HealthyWindows& healthy) {
  const auto& [n, sum, squares] = healthy;
  if (n < static_cast<double>(drift::kFewestWindows)) return metric::kNaN;
  const double scale = r.metric->total ? static_cast<double>(r.value.n) : 1;
  const double mean = scale * sum / n, sd = scale * std::sqrt(std::max(0., squares - sum * sum / n) / (n - 1));
  return std::min(1., 2 * stats::student_t_sf(std::abs(r.value.value - mean) / (sd * std::sqrt(1 + 1 / n)), n - 1));
}

void decide(const Test& t, const ScoreOptions& options, bool timed) {
  auto& r = t.result;
  const bool neither = r.metric->better == Better::kNeither;
  const auto beside = fmt::format("{}, reference {}: ", text(r.value.value), text(r.reference));
  const auto size = fmt::format("{} % of {} {}", human(100 * std::abs(r.effect), 2),
                                r.effect_scale.starts_with("sd") ? "the" : "its", r.effect_scale);
  if (!(r.p_adjusted <= options.alpha)) {
    r.verdict = Verdict::kOk;
    r.reason = beside + (r.detectable_effect > r.major ? "no change seen, but a major one could have been missed"
                                                       : "no change seen");
  } else if (!neither && r.effect < 0) {
    r.verdict = Verdict::kOk;
    r.reason = beside + "better than the reference";
  } else if (r.effect < r.watch) {
    r.verdict = Verdict::kOk;
    r.reason = fmt::format("{}detectable, too small to matter: {}", beside, size);
  } else {
    r.verdict = r.effect >= r.major ? Verdict::kDrift : Verdict::kWarning;
    r.reason = fmt::format("{}{} by {} (p {} corrected)", beside, neither ? "moved" : "worse", size,
                           r.p_adjusted < 1e-15 ? "< 1e-15" : human(r.p_adjusted, 2));
    const double error = t.error / t.scale;
    if (r.verdict == Verdict::kDrift && error >= r.major && r.effect - 2 * error < r.major) {
      r.verdict = Verdict::kWarning;
      r.reason += "; but its size is uncertain";
    } else if (r.verdict == Verdict::kDrift && timed && !t.between) {
      r.verdict = Verdict::kWarning;
      r.held = true;
      r.reason += "; held to a warning";
    }
  }
}

}  // namespace

std::string_view beside_dummy(const MetricResult& r) {
  const auto& [metric, v] = std::tie(*r.metric, r.value);
  // Who predicts the share of a class for every row is calibrated perfectly: no model is better than that.
  const bool perfect = v.baseline == (metric.better == Better::kLower ? metric.least : metric.most);
  if (metric.better == Better::kNeither || perfect || !std::isfinite(v.baseline) || !std::isfinite(v.value)) return {};
  if ((v.low - v.noise <= v.baseline && v.baseline <= v.high) || v.value == v.baseline) return "like";
  return lead(metric, v.value, v.baseline) > 0 ? "better" : "worse";
}

BesideDummy beside_dummy(const ScoreWindow& window, const std::optional<std::string>& segment) {
  BesideDummy out;
  for (const auto& r : window.metrics) {
    if (r.segment != segment || !(r.metric->key().empty() || r.metric->key() == "k")) continue;
    const auto word = beside_dummy(r);
    out.known += !word.empty(), out.better += word == "better", out.worse += word == "worse";
  }
  return out;
}

std::vector<HealthyWindows> healthy_of(std::span<const MetricResult> metrics, std::span<const ScoreWindow> windows) {
  std::vector<HealthyWindows> out;
  std::vector<Finder> finders;
  for (const auto& window : windows)
    if (!window.partial) finders.emplace_back(window.metrics);
  for (const auto& r : metrics) {
    auto& healthy = out.emplace_back();
    for (auto& find : finders) {
      const auto* of = find(r);
      if (!of || !std::isfinite(of->value.value) || of->value.n < drift::kFewestRows) continue;
      const double value = of->value.value / (r.metric->total ? static_cast<double>(of->value.n) : 1);
      healthy.sum += value, healthy.squares += value * value, healthy.count += 1;
    }
  }
  return out;
}

void judge_metrics(ScoreWindow& window, const ScoreReference& reference, const ScoreOptions& options) {
  std::vector<Test> tests;
  std::vector<double> p_values;
  Finder find(reference.metrics);
  for (auto& r : window.metrics) {
    const auto* of = find(r);
    const auto& now = r.value;
    if (!std::isfinite(now.value)) {
      r.reason = why_none(now);
      if (of) r.reference = of->value.value;
      continue;
    }
    if (!of || !std::isfinite(of->value.value)) {
      r.reason = of              ? "the reference has no value: " + why_none(of->value)
                 : reference.cut ? "the profile has no room for it"
                                 : "the reference has no such rows";
      continue;
    }
    const auto then = [&](double value) { return on_scale_of(*of, value, now.n); };
    r.reference = then(of->value.value);
    if (window.partial && window.start) {
      r.reason = quality::kCutOff;
    } else if (std::min(now.n, of->value.n) < drift::kFewestRows) {
      r.reason = fmt::format("{} in {}, {} are needed for a verdict", std::min(now.n, of->value.n),
                             now.n < of->value.n ? "the window" : "the reference", drift::kFewestRows);
    } else if (!std::isfinite(now.high - now.low) || !std::isfinite(of->value.high - of->value.low)) {
      r.reason = "chance cannot be told from change: " +
                 (now.reason.empty() ? "of the reference, " + of->value.reason : now.reason);
    } else {
      const double difference = beyond_noise(now.value - r.reference, now.noise - of->value.noise);
      // The error of a difference from the sides of both intervals that face each other (Zou & Donner 2008).
      const double mine = difference < 0 ? now.high - now.value : now.value - now.low;
      const double theirs = difference < 0 ? r.reference - then(of->value.low) : then(of->value.high) - r.reference;
      const double error = std::hypot(mine, theirs) / kWidth;
      const auto [scale, name, levels] =
          unit_of(r, of->value, r.reference, then(of->value.low), then(of->value.high), then(of->value.baseline));
      if (!(scale > 0) && difference != 0) {
        r.reason = fmt::format("{}, reference {}: neither varies from row to row, so that the change has no scale",
                               text(now.value), text(r.reference));
        continue;
      }
      const auto [watch, major] = options.levels.value_or(levels);
      r.effect_scale = name, r.watch = watch, r.major = major;
      const double size = std::sqrt(std::max(0., difference * difference - error * error)) / scale;
      r.effect = difference == 0 ? 0 : lead(*r.metric, difference, 0) > 0 ? -size : size;
      if (r.metric->better == Better::kNeither) r.effect = size;
      r.p_value = difference == 0 ? 1 : std::min(1., 2 * stats::normal_sf(std::abs(difference) / error));
      const double between = between_p(r, reference.healthy[static_cast<std::size_t>(of - reference.metrics.data())]);
      r.p_value = std::fmax(r.p_value, between);
      tests.push_back({r, difference, error, scale, !std::isnan(between)});
      p_values.push_back(r.p_value);
    }
  }
  const auto adjusted = stats::benjamini_hochberg(p_values);
  const bool timed = options.window.kind != WindowSpec::Kind::kNone && !options.timestamp.empty();
  // The metrics of a window move together, so that the first of them to be found needs no more than one test would.
  const double quantiles = stats::normal_quantile(1 - options.alpha / 2) + stats::normal_quantile(.8);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    auto& t = tests[i];
    t.result.p_adjusted = adjusted[i];
    t.result.detectable_effect = quantiles * t.error / t.scale;
    decide(t, options, timed);
  }
  for (const auto& r : window.metrics) window.verdict = std::max(window.verdict, r.verdict);
}

void judge_metrics_alone(ScoreWindow& window) {
  std::map<std::optional<std::string>, bool> useless;
  for (auto& r : window.metrics) {
    const auto& v = r.value;
    if (!useless.contains(r.segment)) useless[r.segment] = beside_dummy(window, r.segment).useless();
    if (!std::isfinite(v.value)) {
      r.reason = why_none(v);
      continue;
    }
    const auto beside = beside_dummy(r);
    r.verdict = beside.empty()                            ? Verdict::kNoData
                : beside == "worse" && useless[r.segment] ? Verdict::kWarning
                                                          : Verdict::kOk;
    r.reason = !std::isfinite(v.baseline) ? std::string("not judged: no reference")
               : beside.empty()           ? fmt::format("a dummy gets {}", text(v.baseline))
               : beside == "like"         ? fmt::format("not told from a dummy's {}", text(v.baseline))
                                          : fmt::format("{} than a dummy's {}", beside, text(v.baseline));
    if (!v.reason.empty()) r.reason += "; no interval: " + v.reason;
  }
  for (const auto& r : window.metrics) window.verdict = std::max(window.verdict, r.verdict);
}

}  // namespace vigie::engine

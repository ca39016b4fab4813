// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/math/special_functions/beta.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <numbers>
#include <random>

#include "base/parallel.h"
#include "base/rng.h"
#include "engine/alarms_internal.h"
#include "engine/memory_input_internal.h"
#include "stats/distributions.h"

namespace vigie::engine::alarms {
namespace {

double normal(Rng& rng) {
  return std::normal_distribution<double>()(rng);
}

bool named(Kind kind) {
  return kind == kText || kind == kZipf || kind == kUniform;
}

double number(Kind kind, double z) {
  double u = stats::normal_cdf(z);
  switch (kind) {
    case kLognormal:
      return std::exp(z);
    case kStudent2:
      return (2 * u - 1) / std::sqrt(2 * u * (1 - u));
    case kCauchy:
      return std::tan(std::numbers::pi * (u - .5));
    case kIntegers:
      return std::round(3 * z);
    case kFewIntegers:
      return std::round(z);
    case kZeros:
      return u < .6 ? 0 : z;
    case kMostlyZeros:
      return u < .97 ? 0 : z;
    case kAtoms:
      return u < .7 ? 0 : u < .9 ? 1 : 2;
    case kOnes:
      return u < .95 ? 0 : 1;
    case kNearlyConstant:
      return u < .97 ? 0 : std::floor(1 + (u - .97) * 1000);
    case kBoolean:
      return u < .9 ? 0 : 1;
    default:
      return z;
  }
}

table::Type type_of(Kind kind) {
  if (kind == kBoolean) return table::Type::kBoolean;
  return kind == kIntegers || kind == kOnes ? table::Type::kInteger : table::Type::kFloat;
}

struct Categories {
  std::vector<double> cumulative;
  std::vector<std::string> names;
};

const Categories& categories_of(const Spec& spec) {
  static std::mutex mutex;
  static std::map<std::pair<Kind, std::size_t>, Categories> all;
  std::lock_guard lock(mutex);
  auto [it, fresh] = all.try_emplace({spec.kind, spec.categories});
  auto& [cumulative, names] = it->second;
  if (!fresh) return it->second;
  double sum = 0;
  for (std::size_t i = 0; i < spec.categories; ++i) {
    cumulative.push_back(sum += spec.kind == kZipf ? 1 / static_cast<double>(i + 1) : 1);
    names.push_back("c" + std::to_string(i));
  }
  for (auto& c : cumulative) c /= sum;
  return it->second;
}

Spec spec_of(const Scenario& s, std::size_t column, std::size_t trial) {
  if (s.kinds.empty() && s.changed == 1 && column == 0) return s.categorical ? Spec{kZipf, 6, 0} : Spec{kNormal, 0, 0};
  std::span<const Spec> kinds = s.kinds;
  if (kinds.empty()) kinds = twenty_kinds();
  return kinds[(s.columns == 1 ? trial : column) % kinds.size()];
}

double effect(Rng& rng, const Scenario& s) {
  if (!s.heavy) return normal(rng);
  double chi2 = 0;
  for (int i = 0; i < 3; ++i) chi2 += std::pow(normal(rng), 2);
  return normal(rng) / std::sqrt(chi2);
}

/// Words out of two hundred, one in forty of a kind never seen before; their number follows z.
std::string text(Rng& rng, double z) {
  std::string out = "a";
  for (auto words = static_cast<int>(std::clamp(8 + 4 * z, 0., 24.)); words > 0; --words) {
    auto draw = rng();
    out += draw % 40 == 0 ? fmt::format(" {:016x}", draw) : fmt::format(" word{}", draw % 200);
  }
  return out;
}

std::string name(Rng& rng, const Spec& spec, const Categories& categories, double z, bool second_gone) {
  if (spec.kind == kText) return text(rng, z);
  const auto& cumulative = categories.cumulative;
  auto at = std::upper_bound(cumulative.begin(), cumulative.end() - 1, stats::normal_cdf(z)) - cumulative.begin();
  return categories.names[second_gone && at == 1 ? 0 : static_cast<std::size_t>(at)];
}

/// Draws the stretches into two inputs: the first `healthy` of them are the reference.
void draw(Rng& rng, const Scenario& s, std::size_t trial, const std::vector<Stretch>& stretches, std::size_t healthy,
          bool timed, MemoryInput& reference, MemoryInput& current) {
  std::int64_t rows[2] = {0, 0};
  for (std::size_t i = 0; i < stretches.size(); ++i) rows[i >= healthy] += stretches[i].rows;
  MemoryInput* inputs[2] = {&reference, &current};
  auto reserved = [&]<class T>(std::vector<T>(&sides)[2]) {
    for (int side : {0, 1}) sides[side].reserve(static_cast<std::size_t>(rows[side]));
  };
  for (std::size_t c = 0; c < s.columns; ++c) {
    auto spec = spec_of(s, c, trial);
    const auto& categories = categories_of(spec);
    std::vector<double> numbers[2];
    std::vector<std::string> names[2];
    reserved(numbers), reserved(names);
    double wander = effect(rng, s), holes = 0;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      const auto& stretch = stretches[i];
      auto side = i >= healthy;
      if (i > 0) wander = s.rho * wander + std::sqrt(1 - s.rho * s.rho) * effect(rng, s);
      if (s.missing_too) holes = s.tau * normal(rng);
      bool changed = stretch.changed && c < s.changed;
      double missing = spec.missing > 0 ? stats::normal_cdf(stats::normal_quantile(spec.missing) + holes) : 0;
      double mean = s.tau * wander + stretch.season + (changed ? s.shift : 0), scale = changed ? s.scale : 1;
      if (changed && s.frozen) mean = scale = 0;
      for (std::int64_t r = 0; r < stretch.rows; ++r) {
        double z = mean + scale * normal(rng);
        bool gone = missing > 0 && rng.uniform() < missing;
        if (!named(spec.kind))
          numbers[side].push_back(gone ? NAN : number(spec.kind, z));
        else if (gone)
          names[side].emplace_back();
        else if (changed && rng.uniform() < s.fresh)
          names[side].emplace_back("new");
        else
          names[side].push_back(name(rng, spec, categories, z, changed && s.gone));
      }
    }
    auto title = "x" + std::to_string(c);
    for (int side : {0, 1}) {
      if (named(spec.kind))
        inputs[side]->add(title, std::move(names[side]));
      else
        inputs[side]->add(title, std::move(numbers[side]), type_of(spec.kind));
    }
  }
  if (s.segments > 0) {
    std::vector<std::string> names[2];
    reserved(names);
    for (int side : {0, 1})
      for (std::int64_t r = 0; r < rows[side]; ++r) names[side].push_back("s" + std::to_string(rng.below(s.segments)));
    for (int side : {0, 1}) inputs[side]->add("segment", std::move(names[side]));
  }
  if (timed) {
    std::vector<double> times[2];
    reserved(times);
    for (std::size_t i = 0; i < stretches.size(); ++i)
      for (std::int64_t r = 0; r < stretches[i].rows; ++r)
        times[i >= healthy].push_back(
            3.6e9 * (stretches[i].start + (static_cast<double>(r) + .5) / static_cast<double>(stretches[i].rows)));
    for (int side : {0, 1}) inputs[side]->add("time", std::move(times[side]), table::Type::kTimestamp);
  }
}

}  // namespace

std::span<const Spec> twenty_kinds() {
  static constexpr std::array<Spec, 20> kColumns = {
      {{kNormal, 0, .05}, {kNormal},         {kLognormal, 0, .2}, {kLognormal},   {kStudent2},      {kText},
       {kBoolean, 0, .1}, {kCauchy, 0, .01}, {kIntegers},         {kFewIntegers}, {kZeros, 0, .3},  {kMostlyZeros},
       {kAtoms},          {kOnes, 0, .05},   {kNearlyConstant},   {kZipf, 3},     {kZipf, 6, .002}, {kZipf, 20},
       {kZipf, 80},       {kZipf, 200}}};
  return kColumns;
}

Comparison run(const Scenario& s, std::size_t trial, const std::vector<Stretch>& stretches, std::size_t healthy,
               const WindowSpec& window, const Compared& by) {
  Rng seeds(trial), rng(seeds());
  MemoryInput reference("reference"), current("current");
  draw(rng, s, trial, stretches, healthy, window.calendar(), reference, current);
  ProfileOptions profile_options;
  profile_options.window = window, profile_options.sketches = false, profile_options.threads = 1;
  for (std::size_t c = 0; c < s.columns; ++c)
    if (spec_of(s, c, trial).categories > 0)
      profile_options.schema.push_back({"x" + std::to_string(c), table::Type::kString, ColumnType::kCategorical});
  CompareOptions options;
  options.window = window, options.alpha = kAlpha, options.seed = trial, options.threads = 1;
  if (s.segments > 0) profile_options.segments = options.segments = {{"segment"}};
  if (window.calendar()) profile_options.roles.timestamp = "time";
  auto profile = make_profile(reference, profile_options);
  EXPECT_TRUE(profile) << (profile ? "" : profile.error().message);
  auto result = by(*profile, current, options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return std::move(*result);
}

WindowSpec windows_of(std::int64_t rows) {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kRows, spec.rows = rows;
  return spec;
}

double Alarms::sum(const std::vector<double>& v) {
  double total = 0;
  for (double x : v) total += x;
  return total;
}

std::vector<double> Alarms::at_most(double level) const {
  std::vector<double> out;
  for (const auto& trial : p_values)
    out.push_back(static_cast<double>(std::count_if(trial.begin(), trial.end(), [=](double p) { return p <= level; })));
  return out;
}

Alarms count(std::size_t trials, const std::function<Comparison(std::size_t)>& one) {
  std::vector<double> zero(trials);
  Alarms out{zero, zero, zero, zero, zero, std::vector<std::vector<double>>(trials)};
  parallel_for(trials, 0, [&](std::size_t t) {
    for (const auto& w : one(t).windows) {
      for (const auto& r : w.columns) {
        // A segment's own column is constant within it, which leaves nothing to decide.
        if (std::isnan(r.p_value) || r.column == "segment") continue;
        out.tests[t] += 1;
        out.undecided[t] += r.verdict == Verdict::kNoData;
      }
      if (w.verdict == Verdict::kNoData) continue;
      out.windows[t] += 1;
      out.significant[t] +=
          std::any_of(w.columns.begin(), w.columns.end(), [](const auto& r) { return r.p_adjusted <= kAlpha; });
      out.called[t] += w.verdict >= Verdict::kWarning;
      for (const auto& r : w.columns)
        if (r.verdict != Verdict::kNoData) out.p_values[t].push_back(r.p_value);
    }
  });
  return out;
}

double chance(const std::vector<double>& of, const std::vector<double>& alarms, double permitted) {
  double n = Alarms::sum(of), k = Alarms::sum(alarms), rate = k / n;
  if (rate <= permitted) return 1;
  double squares = 0;
  for (std::size_t t = 0; t < alarms.size(); ++t) squares += std::pow(alarms[t] - rate * of[t], 2);
  double design = std::max(1., squares / (n * rate * (1 - rate)));
  n /= design, k /= design;
  return rate >= 1 ? 0 : boost::math::ibeta(k, n - k + 1, permitted);
}

void expect_at_most(const Alarms& a, double permitted, const std::string& what, double undecided) {
  ASSERT_GT(a.sum(a.windows), 0) << what;
  EXPECT_GT(chance(a.windows, a.significant, permitted), 1e-6)
      << what << ": " << a.sum(a.significant) << " of " << a.sum(a.windows) << " windows, permitted " << permitted;
  EXPECT_GT(chance(a.windows, a.called, permitted), 1e-6) << what << ": verdicts";
  EXPECT_LE(a.undecided_share(), undecided) << what << ": tests undecided";
}

void expect_p_values(const Alarms& a, double level, const std::string& what) {
  auto of = a.at_most(1), alarms = a.at_most(level);
  ASSERT_GT(a.sum(of), 0) << what;
  EXPECT_GT(chance(of, alarms, level), 1e-6)
      << what << ": " << a.sum(alarms) << " of " << a.sum(of) << " tests at " << level;
}

std::string cells(const Alarms& a) {
  return fmt::format("{:.1f} % | {:.1f} % | {:.1f} % | {:.0f}", 100 * a.rate(a.significant), 100 * a.rate(a.called),
                     100 * a.undecided_share(), a.sum(a.windows));
}

std::size_t trials_of(std::size_t in_full, std::size_t reduced) {
  return std::getenv("VIGIE_FULL") ? in_full : reduced;
}

Table::~Table() {
  if (const char* path = std::getenv("VIGIE_TABLE")) std::ofstream(path, std::ios::app) << text_ << "\n";
}

}  // namespace vigie::engine::alarms

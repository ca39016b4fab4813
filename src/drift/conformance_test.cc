// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "drift/alarm_rates_internal.h"
#include "drift/simulation_internal.h"
#include "stats/distributions.h"

namespace vigie::drift {
namespace {

using simulation::at_most;
using simulation::Counts;
using simulation::full;
using simulation::p_values;
using simulation::Pair;
using simulation::report;

constexpr std::array kLevels = {.05, .01, .0025, .001};

/// P(at least k of n | probability p).
double binomial_upper(std::int64_t k, std::int64_t n, double p) {
  if (static_cast<double>(k) <= static_cast<double>(n) * p) return 1;
  double sum = 0;
  for (std::int64_t i = k; i <= n; ++i) {
    const double log_term = stats::log_factorial(n) - stats::log_factorial(i) - stats::log_factorial(n - i) +
                            static_cast<double>(i) * std::log(p) + static_cast<double>(n - i) * std::log1p(-p);
    const double term = std::exp(log_term);
    sum += term;
    if (term < 1e-18 * sum) break;
  }
  return sum;
}

struct NullCase {
  const char* name;
  Kind kind;
  std::vector<std::pair<std::int64_t, std::int64_t>> sizes;
  Pair (*draw)(Rng&, std::int64_t n, std::int64_t m);
};

const std::vector<std::pair<std::int64_t, std::int64_t>> kSizes = {
    {100, 30}, {100, 100}, {1000, 30}, {1000, 100}, {1000, 1000}, {10000, 300}, {100000, 1000}, {100000, 10000}};
const std::vector<std::pair<std::int64_t, std::int64_t>> kSomeSizes = {{100, 100},   {1000, 30},   {1000, 100},
                                                                       {1000, 1000}, {10000, 300}, {100000, 10000}};

Pair zipf_pair(Rng& rng, std::int64_t n, std::int64_t m, std::size_t k) {
  const std::vector<double> p = simulation::zipf(k);
  return simulation::categories(rng, n, m, p, p);
}

Pair integers(Rng& rng, std::int64_t n, std::int64_t m) {
  std::vector<double> p;
  for (int i = -16; i <= 16; ++i) p.push_back(stats::normal_cdf((i + .5) / 3) - stats::normal_cdf((i - .5) / 3));
  return simulation::lattice(rng, n, m, p);
}

Pair nearly_constant(Rng& rng, std::int64_t n, std::int64_t m) {
  std::vector<double> p(31, .001);
  p[15] = .97;
  return simulation::lattice(rng, n, m, p);
}

/// Rows whose values are kept; those with ties have counts that only pretend to be on quantile cells.
Pair values(Rng& rng, std::int64_t n, std::int64_t m, double (*map)(double)) {
  std::normal_distribution<double> normal;
  return simulation::drawn_rows(n, m, [&] { return map(normal(rng)); }, true);
}

/// Heavy tails, counted only.
Pair counted(Rng& rng, std::int64_t n, std::int64_t m) {
  std::normal_distribution<double> normal;
  return simulation::drawn_rows(n, m, [&] { return std::exp(1.5 * normal(rng)); });
}

const std::vector<std::pair<std::int64_t, std::int64_t>> kValueSizes = {
    {30, 30}, {100, 30}, {100, 100}, {30, 300}, {1000, 100}};
const std::vector<std::pair<std::int64_t, std::int64_t>> kMoreValueSizes = {
    {30, 30}, {100, 30}, {100, 100}, {30, 300}, {1000, 100}, {1000, 1000}, {11000, 30}};

Pair normal_vectors(Rng& rng, std::int64_t n, std::int64_t m, std::size_t width, double (*map)(double)) {
  std::normal_distribution<double> normal;
  return simulation::vectors(n, m, width, [&](std::span<float> row, bool) {
    for (float& v : row) v = static_cast<float>(map(normal(rng)));
  });
}

/// Texts of three words, hashed; some words are frequent.
Pair hashed_words(Rng& rng, std::int64_t n, std::int64_t m) {
  return simulation::vectors(n, m, 64, [&](std::span<float> row, bool) {
    for (int word = 0; word < 3; ++word) row[static_cast<std::size_t>(std::pow(64, rng.uniform())) - 1] += .5F;
  });
}

const std::vector<std::pair<std::int64_t, std::int64_t>> kRowSizes = {{30, 30}, {300, 100}, {30, 300}, {1500, 60}};

const NullCase kNulls[] = {
    {"values: normal", kNumeric, kMoreValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return values(r, n, m, [](double z) { return z; }); }},
    {"values: lognormal", kNumeric, kValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return values(r, n, m, [](double z) { return std::exp(1.5 * z); });
     }},
    {"values: Cauchy", kNumeric, kValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return values(r, n, m, [](double z) { return std::tan(3.141592653589793 * (stats::normal_cdf(z) - .5)); });
     }},
    {"values: integers", kNumeric, kValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return values(r, n, m, [](double z) { return std::round(2 * z); });
     }},
    {"values: 60 % zeros", kNumeric, kValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return values(r, n, m, [](double z) { return z < .2533471 ? 0 : std::exp(z); });
     }},
    {"values: 97 % zeros", kNumeric, kValueSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return values(r, n, m, [](double z) { return z < 1.8807936 ? 0 : std::exp(z); });
     }},
    {"lognormal", kNumeric, {{100, 100}, {1000, 30}, {10000, 300}}, counted},
    {"continuous", kNumeric, kSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return simulation::continuous(r, n, m); }},
    {"integers with ties", kNumeric, kSomeSizes, integers},
    {"60 % zeros", kNumeric, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return simulation::zero_inflated(r, n, m, .6); }},
    {"97 % zeros", kNumeric, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return simulation::zero_inflated(r, n, m, .97); }},
    {"three atoms", kNumeric, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return simulation::lattice(r, n, m, std::array{.7, .2, .1}); }},
    {"5 % ones", kNumeric, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return simulation::lattice(r, n, m, std::array{.95, .05}); }},
    {"97 % constant, 30 rare", kNumeric, kSomeSizes, nearly_constant},
    {"2 categories", kCategorical, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return zipf_pair(r, n, m, 2); }},
    {"20 categories", kCategorical, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return zipf_pair(r, n, m, 20); }},
    {"200 categories", kCategorical, kSomeSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return zipf_pair(r, n, m, 200); }},
    {"1000 categories",
     kCategorical,
     {{100, 100}, {10000, 300}, {10000, 1000}},
     [](Rng& r, std::int64_t n, std::int64_t m) { return zipf_pair(r, n, m, 1000); }},
    {"vectors: normal, 16 wide", kVectors, kRowSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) { return normal_vectors(r, n, m, 16, [](double z) { return z; }); }},
    {"vectors: lognormal, 3 wide", kVectors, kRowSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return normal_vectors(r, n, m, 3, [](double z) { return std::exp(1.5 * z); });
     }},
    {"vectors: 97 % zeros", kVectors, kRowSizes,
     [](Rng& r, std::int64_t n, std::int64_t m) {
       return normal_vectors(r, n, m, 1, [](double z) { return z < 1.8807936 ? 0 : z; });
     }},
    {"vectors: hashed words", kVectors, kRowSizes, hashed_words},
};

class Conformance : public ::testing::TestWithParam<const Method*> {
 protected:
  Score run(const Pair& pair) const {
    return GetParam()->run(pair.axis(), pair.reference_sample(), pair.current_sample(), {});
  }
  static Pair pair_of(Kind kind, Counts reference, Counts current) {
    Pair pair;
    pair.kind = kind;
    pair.reference = std::move(reference);
    pair.current = std::move(current);
    if (kind == kNumeric) simulation::plain_axis(pair, pair.reference.size());
    if (kind == kVectors) {
      pair.width = 2;
      for (auto* counts : {&pair.reference, &pair.current}) {
        auto& rows = counts == &pair.reference ? pair.reference_rows : pair.current_rows;
        for (std::size_t j = 0; j < counts->size(); ++j)
          for (std::int64_t i = 0; i < (*counts)[j]; ++i) rows.insert(rows.end(), {static_cast<float>(j), 1});
      }
    }
    return pair;
  }
  std::vector<Kind> kinds() const {
    std::vector<Kind> out;
    for (const Kind kind : {kNumeric, kCategorical, kVectors}) {
      if (GetParam()->accepts & kind) out.push_back(kind);
    }
    return out;
  }
};

TEST_P(Conformance, DescriptorIsComplete) {
  const Method& method = *GetParam();
  EXPECT_EQ(find_method(method.name), &method);
  EXPECT_FALSE(method.summary.empty() || method.reference.empty() || method.statistic.empty());
  EXPECT_NE(method.accepts, 0);
  for (const Param& param : method.params) {
    EXPECT_LE(param.min, param.fallback) << param.name;
    EXPECT_GE(param.max, param.fallback) << param.name;
    EXPECT_FALSE(param.doc.empty()) << param.name;
  }
}

TEST_P(Conformance, IdenticalSamplesStaySilent) {
  Rng rng(1);
  for (const NullCase& null : kNulls) {
    if (!(GetParam()->accepts & null.kind)) continue;
    Pair pair = null.draw(rng, 1000, 1000);
    pair.current = pair.reference;
    pair.current_values = pair.reference_values;
    pair.current_rows = pair.reference_rows;
    pair.beyond = 0;
    const Score s = run(pair);
    EXPECT_EQ(s.status, Status::kOk) << null.name;
    EXPECT_GT(s.p_value, .5) << null.name;
  }
}

TEST_P(Conformance, StatusesOfTooLittleData) {
  for (const Kind kind : kinds()) {
    EXPECT_EQ(run(pair_of(kind, {}, {})).status, Status::kEmpty);
    EXPECT_EQ(run(pair_of(kind, {0, 0, 0}, {0, 0, 0})).status, Status::kEmpty);
    EXPECT_EQ(run(pair_of(kind, {0, 500, 0}, {0, 0, 0})).status, Status::kEmpty);
    EXPECT_EQ(run(pair_of(kind, {0, 0, 0}, {10, 500, 0})).status, Status::kEmpty);
    EXPECT_EQ(run(pair_of(kind, {0, 1, 0}, {0, 1, 0})).status, Status::kTooFewRows);
    EXPECT_EQ(run(pair_of(kind, {0, 1, 0}, {1, 0, 0})).status, Status::kTooFewRows);
    EXPECT_EQ(run(pair_of(kind, {0, 500, 500}, {0, 14, 15})).status, Status::kTooFewRows);
    EXPECT_EQ(run(pair_of(kind, {0, 14, 15, 0}, {0, 500, 400, 7})).status, Status::kTooFewRows);
    EXPECT_EQ(run(pair_of(kind, {0, 500, 0}, {0, 400, 0})).status, Status::kConstant);
    EXPECT_EQ(run(pair_of(kind, {500}, {400})).status, Status::kConstant);
  }
}

TEST_P(Conformance, ProbabilitiesWheneverOk) {
  Rng rng(2);
  for (const Kind kind : kinds()) {
    for (int t = 0; t < (GetParam() == &omnibus ? 1500 : 60); ++t) {
      const std::size_t cells = 2 + rng.below(t % 10 == 0 ? 150 : 6);
      Counts x(cells), y(cells);
      const std::uint64_t most = std::uint64_t{1} << (1 + rng.below(kind == kVectors ? 3 : t % 3 == 0 ? 24 : 8));
      for (std::size_t j = 0; j < cells; ++j) {
        x[j] = rng.below(3) == 0 ? 0 : static_cast<std::int64_t>(rng.below(most));
        y[j] = rng.below(3) == 0 ? 0 : static_cast<std::int64_t>(rng.below(most));
      }
      if (kind == kNumeric) x.front() = x.back() = 0;
      const Score s = run(pair_of(kind, x, y));
      if (s.status != Status::kOk) continue;
      EXPECT_GE(s.p_value, 0);
      EXPECT_LE(s.p_value, 1);
      EXPECT_FALSE(std::isnan(s.statistic));
      EXPECT_NE(s.null, Null::kNone);
    }
  }
}

TEST_P(Conformance, HugeCounts) {
  for (const Kind kind : kinds()) {
    if (kind == kVectors) continue;  // rows are there one by one
    Counts x(130, 7000000), y(130, 7000000);
    x.front() = x.back() = y.front() = y.back() = kind == kNumeric ? 0 : 3;
    const Score same = run(pair_of(kind, x, y));
    EXPECT_EQ(same.status, Status::kOk);
    EXPECT_GT(same.p_value, .5);
    y[40] += 1000000;
    y[90] -= 1000000;
    const Score moved = run(pair_of(kind, x, y));
    EXPECT_LT(moved.p_value, moved.null == Null::kSimulated ? Args{}.level / 10 : 1e-6);
  }
}

TEST_P(Conformance, OneNewValueAfterAConstantReference) {
  for (const Kind kind : kinds()) {
    const Score s = run(pair_of(kind, {0, 1000, 0}, {0, 500, 500}));
    EXPECT_EQ(s.status, Status::kOk);
    EXPECT_LT(s.p_value, .0025);
  }
}

TEST_P(Conformance, OneConstantAfterAnother) {
  for (const Kind kind : kinds()) {
    const Score s = run(pair_of(kind, {0, 200, 0, 0}, {0, 0, 200, 0}));
    EXPECT_EQ(s.status, Status::kOk);
    EXPECT_LT(s.p_value, .0025);
    EXPECT_NE(std::abs(s.statistic), 1e300);
  }
}

TEST_P(Conformance, SameInputSameBits) {
  Rng rng(3);
  for (const NullCase& null : kNulls) {
    if (!(GetParam()->accepts & null.kind)) continue;
    const Pair pair = null.draw(rng, 1000, 100);
    EXPECT_EQ(run(pair).p_value, run(pair).p_value) << null.name;
  }
}

TEST_P(Conformance, CategoriesHaveNoOrder) {
  if (!(GetParam()->accepts & kCategorical)) GTEST_SKIP();
  Rng rng(4);
  for (int t = 0; t < 50; ++t) {
    Pair pair = zipf_pair(rng, 1000, 300, 30);
    const Score before = run(pair);
    std::reverse(pair.reference.begin(), pair.reference.end());
    std::reverse(pair.current.begin(), pair.current.end());
    std::rotate(pair.reference.begin(), pair.reference.begin() + 7, pair.reference.end());
    std::rotate(pair.current.begin(), pair.current.begin() + 7, pair.current.end());
    EXPECT_EQ(run(pair).p_value, before.p_value);
  }
}

class SlowConformance : public Conformance {};

TEST_P(SlowConformance, FalseAlarmsAtMostNominal) {
  const Method& method = *GetParam();
  const std::string by_size =
      "## omnibus: share of p at or below the level without drift\n\n| reference, current rows | column | .05 | .01 | "
      ".0025 |\n|---|---|---|---|---|\n";
  const std::string of_all =
      "## every method: share of p at or below the level without drift, over all sizes together\n\n| method | column | "
      "trials | .05 | .01 | .001 |\n|---|---|---|---|---|---|\n";
  for (const NullCase& null : kNulls) {
    if (!(method.accepts & null.kind)) continue;
    std::int64_t alarms[kLevels.size()] = {}, all = 0;
    for (const auto& [n, m] : null.sizes) {
      const bool rows = null.kind == kVectors;
      const std::size_t trials = full()                ? (&method == &omnibus ? 20000
                                                          : rows              ? 400
                                                                              : 1500)
                                 : &method == &omnibus ? 2000
                                 : rows                ? 200
                                                       : 400;
      const std::vector<double> p =
          p_values(method, trials, [&, rows = n, current = m](Rng& rng) { return null.draw(rng, rows, current); });
      std::string line = fmt::format("| {}, {} | {} |", n, m, null.name);
      all += static_cast<std::int64_t>(trials);
      for (std::size_t i = 0; i < kLevels.size(); ++i) {
        const std::int64_t found = at_most(p, kLevels[i]);
        alarms[i] += found;
        if (kLevels[i] != .001)
          line += fmt::format(" {:.4f} |", static_cast<double>(found) / static_cast<double>(trials));
        EXPECT_GT(binomial_upper(found, static_cast<std::int64_t>(trials), kLevels[i]), 1e-6)
            << null.name << " (" << n << ", " << m << ") at " << kLevels[i] << ": " << found << " of " << trials;
      }
      if (&method == &omnibus) report(by_size, line + "\n");
    }
    std::string line = fmt::format("| {} | {} | {} |", method.name, null.name, all);
    for (std::size_t i = 0; i < kLevels.size(); ++i)
      if (kLevels[i] != .0025)
        line += fmt::format(" {:.4f} |", static_cast<double>(alarms[i]) / static_cast<double>(all));
    report(of_all, line + "\n");
  }
}

std::string method_name(const ::testing::TestParamInfo<const Method*>& info) {
  return std::string(info.param->name);
}

INSTANTIATE_TEST_SUITE_P(Methods, Conformance, ::testing::ValuesIn(methods().begin(), methods().end()), method_name);
INSTANTIATE_TEST_SUITE_P(Methods, SlowConformance, ::testing::ValuesIn(methods().begin(), methods().end()),
                         method_name);

}  // namespace
}  // namespace vigie::drift

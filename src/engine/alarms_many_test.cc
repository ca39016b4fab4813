// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "engine/alarms_internal.h"

// Columns with more categories than a profile keeps by name: one half of the reference chooses, the other is counted.
namespace vigie::engine::alarms {
namespace {

constexpr double kMostUndecidedWhenMany = .05;
constexpr double kMostUndecidedWhenSparse = .5;  // a few rows a category: no telling how far they moved

const char* law(const Spec& spec) {
  return spec.kind == kZipf ? "Zipf" : "uniform";
}

std::string rates(const Alarms& a) {
  auto of = a.at_most(1);
  return fmt::format("{:.4f} | {:.4f} | {:.0f}", a.rate(a.significant), a.sum(a.at_most(.0025)) / a.sum(of), a.sum(of));
}

TEST(SlowAlarms, ManyCategories) {
  Table table(
      "### More categories than a profile names: one column, one window\n\n| categories | law | reference, current "
      "rows "
      "| p ≤ .05 | p ≤ .0025 | tests |\n|---|---|---|---|---|---|\n");
  struct Size {
    std::int64_t n, m;
    std::size_t trials, reduced;
  };
  for (Size size : {Size{10'000, 1'000, 4000, 150}, Size{10'000, 10'000, 2000, 40}, Size{100'000, 10'000, 600, 8}}) {
    for (std::size_t k : {1'050U, 3'000U, 10'000U}) {
      for (Kind kind : {kZipf, kUniform}) {
        Scenario s{.columns = 1, .kinds = {{kind, k}}};
        auto a = count(trials_of(size.trials, size.reduced),
                       [&](std::size_t t) { return run(s, t, {{size.n}, {size.m}}, 1, {}); });
        table.row(fmt::format("| {} | {} | {}, {} | {} |", k, law(s.kinds[0]), size.n, size.m, rates(a)));
        auto what = fmt::format("{} categories, {}, {}, {}", k, law(s.kinds[0]), size.n, size.m);
        expect_at_most(a, kAlpha, what, kMostUndecidedWhenMany);
        expect_p_values(a, kAlpha, what);
        expect_p_values(a, .0025, what);
      }
    }
  }
}

TEST(SlowAlarms, ManyCategoriesAndMore) {
  Table table(fmt::format(
      "### More categories than a profile names, 10 % missing, with segments and healthy windows\n\n| categories | law "
      "| segments | reference | {} |\n|---|---|---|---|---|---|---|---|\n",
      kCells));
  const Spec specs[] = {{kZipf, 1'050, .1}, {kUniform, 1'050, .1}, {kZipf, 10'000, .1}, {kUniform, 10'000, .1}};
  auto measure = [&](const Spec& spec, std::size_t segments, const std::string& reference, std::size_t trials,
                     const std::function<Comparison(const Scenario&, std::size_t)>& one, double tau = 0) {
    Scenario s{.columns = 1, .segments = segments, .tau = tau, .missing_too = tau > 0, .kinds = {spec}};
    auto a = count(trials, [&](std::size_t t) { return one(s, t); });
    table.row(fmt::format("| {} | {} | {} | {} | {} |", spec.categories, law(spec), segments, reference, cells(a)));
    expect_at_most(a, kAlpha, fmt::format("{} {}, {} segments, {}", spec.categories, law(spec), segments, reference),
                   kMostUndecidedWhenSparse);
  };
  constexpr std::size_t kCurrent = 4;
  auto stretches = [](std::size_t windows, std::int64_t rows, bool timed) {
    std::vector<Stretch> out;
    for (std::size_t i = 0; i < windows + kCurrent; ++i)
      out.push_back({.rows = rows, .start = timed ? 20457. * 24 + static_cast<double>(i) : 0});
    return out;
  };
  WindowSpec hourly;
  hourly.kind = WindowSpec::Kind::kHour;
  for (const auto& spec : specs) {
    measure(spec, 0, "20000 rows; current 2000", trials_of(1000, 30),
            [&](auto& s, std::size_t t) { return run(s, t, {{20'000}, {2'000}}, 1, {}); });
    measure(spec, 4, "20000 rows; current 2000", trials_of(1500, 15),
            [&](auto& s, std::size_t t) { return run(s, t, {{20'000}, {2'000}}, 1, {}); });
    for (double tau : {0., .1}) {
      measure(
          spec, 0, fmt::format("12 windows of 1000 rows, differing by {} sd", tau), trials_of(500, 15),
          [&](auto& s, std::size_t t) { return run(s, t, stretches(12, 1'000, false), 12, windows_of(1'000)); }, tau);
      measure(
          spec, 2, fmt::format("48 hours of 500 rows, differing by {} sd", tau), trials_of(200, 5),
          [&](auto& s, std::size_t t) { return run(s, t, stretches(48, 500, true), 48, hourly); }, tau);
    }
  }
}

}  // namespace
}  // namespace vigie::engine::alarms

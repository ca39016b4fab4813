// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "drift/drift.h"
#include "drift/effect.h"
#include "drift/simulation_internal.h"
#include "stats/weighted_chi2.h"

namespace vigie::drift {
namespace {

/// A seeded pair of 1,000 and 1,000 rows whose p-value lies in the given interval.
simulation::Pair pair_between(double low, double high) {
  for (std::uint64_t seed = 0; seed < 100000; ++seed) {
    Rng rng(seed);
    simulation::Pair pair = simulation::continuous(rng, 1000, 1000);
    const double p = omnibus.run(pair.axis(), pair.reference_sample(), pair.current_sample(), {}).p_value;
    if (p > low && p < high) return pair;
  }
  return {};
}

void evaluate(benchmark::State& state, const simulation::Pair& pair, double low, double high) {
  const Axis axis = pair.axis();
  const Sample reference = pair.reference_sample(), current = pair.current_sample();
  double p = 0;
  for ([[maybe_unused]] auto _ : state) {
    p = omnibus.run(axis, reference, current, {}).p_value;
    benchmark::ClobberMemory();
  }
  if (!(p >= low && p <= high)) state.SkipWithError("wrong p-value");
}

/// Budget: 15 µs.
void numeric_silent(benchmark::State& state) {
  evaluate(state, pair_between(.3, .9), .3, .9);
}
/// With the exact tail. Budget: 265 µs.
void numeric_exact(benchmark::State& state) {
  evaluate(state, pair_between(.001, .02), .001, .02);
}

/// Budget: 250 µs.
void anderson_darling_tail(benchmark::State& state) {
  const std::vector<std::int64_t> pooled(128, 16);
  double p = 0;
  for ([[maybe_unused]] auto _ : state) {
    stats::AndersonDarlingLaw law(pooled);
    benchmark::DoNotOptimize(p = law.tail(5));
  }
  if (!(p > .00303 && p < .00304)) state.SkipWithError("wrong tail");
}

void categorical(benchmark::State& state) {
  Rng rng(1);
  const std::vector<double> p = simulation::zipf(static_cast<std::size_t>(state.range(0)));
  evaluate(state, simulation::categories(rng, 10000, 10000, p, p), .01, 1);
}

void numeric_effect(benchmark::State& state) {
  Rng rng(1);
  const simulation::Pair pair = simulation::normal_rows(rng, 1000, 1000);
  const Axis axis = pair.axis();
  const Sample reference = pair.reference_sample(), current = pair.current_sample();
  double sum = 0;
  for ([[maybe_unused]] auto _ : state) {
    sum = effect(axis, reference, current).raw + detectable_effect(axis, reference, current, .0025);
    benchmark::DoNotOptimize(sum);
  }
  if (!(sum > .2 && sum < .4)) state.SkipWithError("wrong effect");
}

/// Every method but the default, on 1,000 and 1,000 rows of one law, which is what most columns are: counted on cells
/// (numeric) or in 20 categories, and with values (the second number 1). Simulated ones stop early there.
void method(benchmark::State& state) {
  const Method& m = *methods()[static_cast<std::size_t>(state.range(0))];
  Rng rng(11);
  std::normal_distribution<double> normal;
  const std::vector<double> p = simulation::zipf(20);
  const bool numeric = (m.accepts & kNumeric) != 0;
  const simulation::Pair pair = numeric ? simulation::drawn_rows(
                                              1000, 1000, [&] { return normal(rng); }, state.range(1))
                                        : simulation::categories(rng, 1000, 1000, p, p);
  const Axis axis = pair.axis();
  const Sample reference = pair.reference_sample(), current = pair.current_sample();
  double seen = 0;
  for ([[maybe_unused]] auto _ : state) {
    seen = m.run(axis, reference, current, {}).p_value;
    benchmark::ClobberMemory();
  }
  state.SetLabel(std::string(m.name));
  if (!(seen > .001 && seen <= 1)) state.SkipWithError("wrong p-value");
}

void every_method(benchmark::internal::Benchmark* b) {
  for (std::size_t i = 0; i < methods().size(); ++i) {
    if (methods()[i] == &omnibus) continue;
    for (const int values : {0, 1}) {
      if (values == 0 || (methods()[i]->accepts & kNumeric)) b->Args({static_cast<std::int64_t>(i), values});
    }
  }
}

BENCHMARK(method)->Apply(every_method)->Unit(benchmark::kMicrosecond);
BENCHMARK(numeric_silent)->Unit(benchmark::kMicrosecond);
BENCHMARK(numeric_exact)->Unit(benchmark::kMicrosecond);
BENCHMARK(anderson_darling_tail)->Unit(benchmark::kMicrosecond);
BENCHMARK(categorical)->Arg(20)->Arg(200)->Arg(2000)->Unit(benchmark::kMicrosecond);
BENCHMARK(numeric_effect)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vigie::drift

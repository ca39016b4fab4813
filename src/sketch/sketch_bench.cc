// SPDX-License-Identifier: Apache-2.0
// Time per value (items_per_second inverted) of each sketch over 10 million values that stream from memory. Every
// benchmark checks its own answer against the exact one and reports an error when it is wrong.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/rng.h"
#include "sketch/frequent.h"
#include "sketch/histogram.h"
#include "sketch/hyperloglog.h"
#include "sketch/kll.h"
#include "sketch/moments.h"
#include "sketch/relative.h"

namespace {

using namespace vigie;
using namespace vigie::sketch;

constexpr std::size_t kSize = 10'000'000;
constexpr std::size_t kBatch = 65536;
constexpr const char* kShapes[] = {"normal", "log-normal", "integer", "zero-inflated", "constant"};

const std::vector<double>& data(std::size_t shape) {
  static std::vector<double> made[std::size(kShapes)];
  auto& values = made[shape];
  if (!values.empty()) return values;
  Rng rng(shape + 1);
  values.resize(kSize);
  for (double& value : values) {
    const double normal = std::sqrt(-2 * std::log(1 - rng.uniform())) * std::cos(2 * std::numbers::pi * rng.uniform());
    switch (shape) {
      case 0:
        value = normal;
        break;
      case 1:
        value = std::exp(normal);
        break;
      case 2:
        value = static_cast<double>(rng.below(1000));
        break;
      case 3:
        value = rng.below(3) ? 0 : std::exp(normal);
        break;
      default:
        value = 42;
        break;
    }
  }
  return values;
}

const std::vector<double>& sorted(std::size_t shape) {
  static std::vector<double> made[std::size(kShapes)];
  if (made[shape].empty()) {
    made[shape] = data(shape);
    std::sort(made[shape].begin(), made[shape].end());
  }
  return made[shape];
}

template <class Work>
void in_batches(std::span<const double> values, Work work) {
  for (std::size_t from = 0; from < values.size(); from += kBatch)
    work(values.subspan(from, std::min(kBatch, values.size() - from)));
}

void done(benchmark::State& state, std::size_t values, bool right) {
  state.SetItemsProcessed(static_cast<std::int64_t>(values) * static_cast<std::int64_t>(state.iterations()));
  state.counters["ns_per_value"] = benchmark::Counter(
      static_cast<double>(values) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  if (!right) state.SkipWithError("wrong result");
}

void moments(benchmark::State& state) {
  const auto& values = data(0);
  Moments sketch;
  for ([[maybe_unused]] auto _ : state) {
    sketch = Moments();
    in_batches(values, [&](auto batch) { sketch.update(batch); });
  }
  done(state, kSize,
       std::abs(sketch.mean()) < 2e-3 && std::abs(sketch.sd() - 1) < 2e-3 && std::abs(sketch.kurtosis()) < 1e-2);
}
BENCHMARK(moments);

void kll(benchmark::State& state) {
  const auto values = std::span(data(0)).first(static_cast<std::size_t>(state.range(1)));
  Kll sketch;
  for ([[maybe_unused]] auto _ : state) {
    sketch = Kll(static_cast<std::uint32_t>(state.range(0)), 1);
    in_batches(values, [&](auto batch) { sketch.update(batch); });
  }
  const double off = sketch.cdf(1) - 0.841344746;
  done(state, values.size(), std::abs(off) < 2 * sketch.rank_error() + 2e-3);
}
BENCHMARK(kll)->Args({256, kSize})->Args({1024, kSize})->Args({256, 1000000})->Args({256, 100000});

void relative(benchmark::State& state) {
  const auto shape = static_cast<std::size_t>(state.range(0));
  const auto& values = data(shape);
  state.SetLabel(kShapes[shape]);
  RelativeQuantiles sketch;
  for ([[maybe_unused]] auto _ : state) {
    sketch = RelativeQuantiles();
    in_batches(values, [&](auto batch) { sketch.update(batch); });
  }
  const double exact = sorted(shape)[kSize / 1000 * 999 - 1];
  done(state, kSize, std::abs(sketch.quantile(0.999) - exact) <= RelativeQuantiles::kAlpha * exact);
}
BENCHMARK(relative)->DenseRange(0, 4);

void hyperloglog(benchmark::State& state) {
  const auto different = static_cast<std::uint64_t>(state.range(0));
  std::vector<std::uint64_t> hashes(kSize);
  for (std::size_t i = 0; i < kSize; ++i) hashes[i] = mix64(i % different + 1);
  HyperLogLog sketch;
  for ([[maybe_unused]] auto _ : state) {
    sketch = HyperLogLog();
    sketch.update(hashes);
  }
  const auto exact = static_cast<double>(different);
  done(state, kSize, std::abs(sketch.estimate() / exact - 1) <= 4 * sketch.relative_error());
}
BENCHMARK(hyperloglog)->Arg(300)->Arg(kSize);

void frequent(benchmark::State& state) {
  Rng rng(1);
  std::vector<std::string> names;
  for (int i = 0; i < 100000; ++i) names.push_back("customer " + std::to_string(i));
  std::vector<std::uint32_t> order(1000000);
  std::vector<std::int64_t> exact(names.size());
  for (auto& item : order) {
    item = static_cast<std::uint32_t>(std::pow(static_cast<double>(names.size()), rng.uniform())) - 1;
    ++exact[item];
  }
  FrequentItems sketch;
  for ([[maybe_unused]] auto _ : state) {
    sketch = FrequentItems();
    for (auto item : order) sketch.update(names[item]);
  }
  bool right = true;
  for (const auto& item : sketch.items()) {
    const auto wanted = exact[static_cast<std::size_t>(std::stoi(item.name.substr(9)))];
    right &= item.count <= wanted && wanted <= item.count + sketch.error();
  }
  done(state, order.size(), right && sketch.items().front().name == names[0]);
}
BENCHMARK(frequent);

std::vector<double> quantile_cuts(std::size_t shape, std::size_t size) {
  std::vector<double> cuts;
  for (std::size_t i = 0; i < size; ++i) cuts.push_back(sorted(shape)[i * (kSize - 1) / (size - 1)]);
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  return cuts;
}

/// All but the ends within a few units in the last place, where no grid tells them apart.
std::vector<double> clustered_cuts(std::size_t size) {
  std::vector<double> cuts = {-1e307, 1};
  while (cuts.size() + 1 < size) cuts.push_back(std::nextafter(cuts.back(), 2));
  cuts.push_back(1e307);
  return cuts;
}

template <class Work>
void on_cuts(benchmark::State& state, Work work) {
  const auto shape = static_cast<std::size_t>(state.range(0)), size = static_cast<std::size_t>(state.range(1));
  const auto cuts = state.range(2) ? clustered_cuts(size) : quantile_cuts(shape, size);
  const CutIndex index(cuts);
  state.SetLabel(std::string(kShapes[shape]) + (state.range(2) ? ", clustered cuts" : "") + ", " +
                 std::to_string(cuts.size()) + " cuts, " + std::to_string(index.steps()) + " steps");
  std::vector<std::int64_t> counts;
  for ([[maybe_unused]] auto _ : state) {
    counts.assign(index.cells(), 0);
    in_batches(data(shape), [&](auto batch) { work(index, cuts, batch, counts); });
  }
  std::int64_t sum = 0;
  bool right = true;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    sum += counts[i];
    right &= sum == std::lower_bound(sorted(shape).begin(), sorted(shape).end(), cuts[i]) - sorted(shape).begin();
  }
  done(state, kSize, right);
}

void cuts_count(benchmark::State& state) {
  on_cuts(state, [](const CutIndex& index, const auto&, std::span<const double> values, auto& counts) {
    index.count(values, counts);
  });
}

void cuts_locate(benchmark::State& state) {
  std::vector<std::uint16_t> cells(kBatch);
  on_cuts(state, [&](const CutIndex& index, const auto&, std::span<const double> values, auto& counts) {
    index.locate(values, cells);
    for (std::size_t i = 0; i < values.size(); ++i) ++counts[cells[i]];
  });
}

void cuts_upper_bound(benchmark::State& state) {
  on_cuts(state, [](const CutIndex&, const auto& cuts, std::span<const double> values, auto& counts) {
    for (double value : values) ++counts[std::upper_bound(cuts.begin(), cuts.end(), value) - cuts.begin()];
  });
}

void every_case(benchmark::internal::Benchmark* bench) {
  for (int cuts : {130, 2048})
    for (int shape = 0; shape < 5; ++shape) bench->Args({shape, cuts, 0});
  for (int cuts : {130, 2048}) bench->Args({0, cuts, 1});
}
BENCHMARK(cuts_count)->Apply(every_case);
BENCHMARK(cuts_locate)->Args({0, 130, 0})->Args({0, 2048, 0});
BENCHMARK(cuts_upper_bound)->Apply(every_case);

}  // namespace

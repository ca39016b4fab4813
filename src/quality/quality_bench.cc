// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "quality/data_test_internal.h"

namespace vigie::quality {
namespace {

constexpr std::size_t kBatch = 65536, kRows = 1 << 20;

std::vector<double> normal_values() {
  Rng rng(1);
  std::vector<double> values(kRows);
  for (double& x : values) x = test::normal(rng);
  return values;
}

TableState numbers_reference(std::size_t columns) {
  std::vector<ColumnSpec> specs;
  for (std::size_t i = 0; i < columns; ++i) specs.push_back({"c" + std::to_string(i), Kind::kNumber, Role::kFeature});
  TableState reference(specs);
  Rng rng(2);
  std::vector<double> values(20000);
  for (double& x : values) x = test::normal(rng);
  std::vector<Values> all(columns);
  for (Values& v : all) v.numbers = values;
  reference.update(0, values.size(), all);
  return reference;
}

void report(benchmark::State& state, std::size_t columns, const TableState& held) {
  state.counters["ns_per_value"] =
      benchmark::Counter(static_cast<double>(kRows * columns) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  if (held.rows() != static_cast<std::int64_t>(kRows)) state.SkipWithError("rows were lost");
}

/// Number columns of a table: all checks' states, hashes of rows and duplicates among them too.
void numbers(benchmark::State& state) {
  const auto columns = static_cast<std::size_t>(state.range(0));
  const bool integers = state.range(1);
  std::vector<double> values = normal_values();
  if (integers)
    for (double& x : values) x = std::round(10 * x);
  const TableState reference = numbers_reference(columns);
  for ([[maybe_unused]] auto _ : state) {
    TableState table(
        [&] {
          std::vector<ColumnSpec> specs;
          for (const ColumnState& c : reference.columns()) specs.push_back(c.spec());
          return specs;
        }(),
        &reference);
    for (std::size_t at = 0; at < kRows; at += kBatch) {
      std::vector<Values> all(columns);
      for (Values& v : all) v.numbers = std::span(values).subspan(at, kBatch);
      table.update(static_cast<std::int64_t>(at), kBatch, all);
    }
    report(state, columns, table);
  }
}

void strings(benchmark::State& state) {
  const auto different = static_cast<std::size_t>(state.range(0));
  Rng rng(3);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < different; ++i) names.push_back("category " + std::to_string(i));
  const std::vector<std::string_view> dictionary(names.begin(), names.end());
  std::vector<std::int32_t> codes(kBatch);
  for (std::int32_t& code : codes) code = static_cast<std::int32_t>(rng.below(different));
  constexpr std::size_t kColumns = 20;
  std::vector<ColumnSpec> specs;
  for (std::size_t i = 0; i < kColumns; ++i) specs.push_back({"c" + std::to_string(i), Kind::kString, Role::kFeature});
  for ([[maybe_unused]] auto _ : state) {
    TableState table(specs);
    std::vector<Values> all(kColumns);
    for (Values& v : all) v.codes = codes, v.dictionary = dictionary;
    for (std::size_t at = 0; at < kRows; at += kBatch) table.update(static_cast<std::int64_t>(at), kBatch, all);
    report(state, kColumns, table);
  }
}

void times(benchmark::State& state) {
  Rng rng(4);
  std::vector<double> values(kRows);
  double at = 1.7e15;
  for (double& x : values) x = state.range(0) ? 1.7e15 + 1e12 * rng.uniform() : at += rng.uniform() * 1e6;
  for ([[maybe_unused]] auto _ : state) {
    TableState table({{"at", Kind::kTime, Role::kTime}});
    for (std::size_t i = 0; i < kRows; i += kBatch) {
      const Values v{.numbers = std::span(values).subspan(i, kBatch)};
      table.update(static_cast<std::int64_t>(i), kBatch, std::span(&v, 1));
    }
    report(state, 1, table);
  }
}

void repeats(benchmark::State& state) {
  std::vector<std::uint64_t> hashes(kBatch);
  for ([[maybe_unused]] auto _ : state) {
    Rng rng(5);
    Repeats all;
    for (std::size_t at = 0; at < kRows; at += kBatch) {
      for (std::uint64_t& h : hashes) h = rng();
      all.update(hashes);
    }
    if (all.rows() != static_cast<std::int64_t>(kRows) || all.repeated() != 0) state.SkipWithError("wrong count");
  }
  state.counters["ns_per_value"] = benchmark::Counter(
      static_cast<double>(kRows) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// All checks of the conformance suite's table, 15 columns: what a window costs once it is counted.
void all_checks(benchmark::State& state) {
  Rng rng(6);
  const TableState reference = test::state_of(test::healthy(rng, 10000));
  const TableState current = test::state_of(test::healthy(rng, 10000), &reference);
  for ([[maybe_unused]] auto _ : state) {
    const auto findings = run_checks({current, &reference});
    if (!findings || findings->empty()) state.SkipWithError("no findings");
  }
}

BENCHMARK(numbers)->Args({1, 0})->Args({20, 0})->Args({20, 1})->Unit(benchmark::kMillisecond);
BENCHMARK(strings)->Arg(20)->Arg(2000)->Unit(benchmark::kMillisecond);
BENCHMARK(times)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(repeats)->Unit(benchmark::kMillisecond);
BENCHMARK(all_checks)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigie::quality

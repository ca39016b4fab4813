// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "metric/binary.h"

namespace vigie::metric {
namespace {

/// All metrics of two classes, from rows to values. scikit-learn needs 12.7 s of processor time for six of them on
/// 10 million rows; budget: a tenth.
void binary(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  Rng rng(1);
  std::vector<double> scores(n);
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < scores[i];
  }
  double auc = 0;
  for ([[maybe_unused]] auto _ : state) {
    BinaryState rows;
    rows.update(scores, labels);
    const std::vector<Entry> values = evaluate(rows.summarize());
    for (const Entry& entry : values) {
      if (entry.metric == &binary_roc_auc) auc = entry.value.value;
    }
  }
  // P(score of a positive > score of a negative) where P(positive | score) = score.
  if (std::abs(auc - 5. / 6) > 3 / std::sqrt(static_cast<double>(n))) state.SkipWithError("wrong ROC AUC");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(binary)->Arg(1000000)->Arg(10000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigie::metric

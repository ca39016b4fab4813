// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"
#include "metric/binary.h"
#include "metric/detection.h"
#include "metric/multiclass.h"
#include "metric/regression.h"
#include "metric/text.h"

namespace vigie::metric {
namespace {

/// All metrics of a task, from rows to values; an error unless one of them has the value that it must have.
template <class Make>
void evaluate_all(benchmark::State& state, std::int64_t rows, const Metric& metric, double expected, double tolerance,
                  Make make) {
  double value = kNaN;
  for ([[maybe_unused]] auto _ : state) {
    auto filled = make();
    for (const Entry& entry : evaluate(filled.summarize())) {
      if (entry.metric == &metric) value = entry.value.value;
    }
  }
  if (!(std::abs(value - expected) <= tolerance)) state.SkipWithError("wrong value");
  state.SetItemsProcessed(state.iterations() * rows);
}

/// scikit-learn needs 12.7 s of processor time for six of these metrics on 10 million rows; budget: a tenth.
void binary(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  Rng rng(1);
  std::vector<double> scores(n);
  std::vector<std::uint8_t> labels(n);
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = rng.uniform();
    labels[i] = rng.uniform() < scores[i];
  }
  // P(score of a positive > score of a negative) where P(positive | score) = score.
  evaluate_all(state, state.range(0), binary_roc_auc, 5. / 6, 3 / std::sqrt(static_cast<double>(n)), [&] {
    BinaryState filled;
    filled.update(scores, labels);
    return filled;
  });
}

void multiclass(benchmark::State& state) {
  constexpr std::size_t kRows = 1000000, kClasses = 5;
  Rng rng(2);
  std::vector<std::vector<double>> scores(kClasses, std::vector<double>(kRows));
  std::vector<std::uint32_t> labels(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    double sum = 0;
    for (auto& column : scores) sum += column[i] = rng.uniform();
    for (auto& column : scores) column[i] /= sum;
    labels[i] = static_cast<std::uint32_t>(rng.below(kClasses));
  }
  const std::vector<std::span<const double>> columns(scores.begin(), scores.end());
  evaluate_all(state, kRows, multiclass_accuracy, .2, .002, [&] {
    MulticlassState filled({.classes = {"a", "b", "c", "d", "e"}});
    filled.update(columns, labels);
    return filled;
  });
}

void regression(benchmark::State& state) {
  constexpr std::size_t kRows = 1000000;
  Rng rng(3);
  std::vector<double> labels(kRows), predictions(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    labels[i] = 1 + rng.uniform();
    predictions[i] = labels[i] + rng.uniform() - .5;
  }
  evaluate_all(state, kRows, regression_mae, .25, .001, [&] {
    RegressionState filled;
    filled.update(predictions, labels);
    return filled;
  });
}

/// sacreBLEU needs 1.24 s for BLEU, rouge-score 1.31 s for ROUGE alone, of 10 thousand texts.
void text(benchmark::State& state) {
  constexpr std::size_t kRows = 10000;
  Rng rng(4);
  std::vector<std::string> hypotheses(kRows), references(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    for (int w = 0; w < 20; ++w) {
      const std::string word = "word" + std::to_string(rng.below(1000)) + " ";
      references[i] += word;
      hypotheses[i] += rng.uniform() < .8 ? word : "other ";
    }
  }
  const std::vector<std::string_view> h(hypotheses.begin(), hypotheses.end()), r(references.begin(), references.end());
  evaluate_all(state, kRows, text_wer, .2, .005, [&] {
    TextState filled;
    filled.update(h, r);
    return filled;
  });
}

/// pycocotools needs 2.1 s for 1,000 images, 80 categories.
void detection(benchmark::State& state) {
  constexpr std::size_t kImages = 1000;
  Rng rng(5);
  std::vector<std::vector<Object>> objects(kImages);
  std::vector<std::vector<Detection>> found(kImages);
  for (std::size_t i = 0; i < kImages; ++i) {
    for (int o = 0; o < 8; ++o) {
      const auto category = static_cast<std::uint32_t>(rng.below(80));
      const Box box{600 * rng.uniform(), 400 * rng.uniform(), 50, 50};
      objects[i].push_back({category, box});
      for (int d = 0; d < 4; ++d) found[i].push_back({category, {box.x + 10 * d, box.y, 50, 50}, 1 - .2 * d});
    }
  }
  // The best detection of each object is exact.
  evaluate_all(state, kImages, detection_map_50, 1, .05, [&] {
    DetectionState filled;
    for (std::size_t i = 0; i < kImages; ++i) filled.update(i, objects[i], found[i]);
    return filled;
  });
}

BENCHMARK(binary)->Arg(1000000)->Arg(10000000)->Unit(benchmark::kMillisecond);
BENCHMARK(multiclass)->Unit(benchmark::kMillisecond);
BENCHMARK(regression)->Unit(benchmark::kMillisecond);
BENCHMARK(text)->Unit(benchmark::kMillisecond);
BENCHMARK(detection)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vigie::metric

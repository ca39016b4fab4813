// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "metric/binary.h"
#include "metric/counts_internal.h"

namespace vigie::metric {

BinaryState::BinaryState(BinaryOptions options)
    : options_(options), positive_(options.limit), negative_(options.limit) {}

void BinaryState::update(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const std::uint8_t> predictions) {
  constexpr std::size_t kBlock = 1024;
  std::array<double, kBlock> of_class[2];
  for (std::size_t from = 0; from < scores.size(); from += kBlock) {
    const std::size_t to = std::min(from + kBlock, scores.size());
    std::size_t held[2] = {0, 0};
    std::int64_t selected[2] = {0, 0}, unlabelled = 0, unscored = 0;
    for (std::size_t i = from; i < to; ++i) {
      const double score = scores[i];
      const auto said = predictions.empty() ? static_cast<std::uint8_t>(score >= options_.threshold) : predictions[i];
      const bool labelled = labels[i] <= 1, scored = std::isfinite(score) && said <= 1, kept = labelled && scored;
      const std::size_t c = labels[i] & 1;
      of_class[c][held[c]] = score;
      held[c] += kept;
      selected[c] += kept && said == 1;
      unlabelled += !labelled;
      unscored += labelled && !scored;
    }
    negative_.update(std::span(of_class[0]).first(held[0]));
    positive_.update(std::span(of_class[1]).first(held[1]));
    counts_.fp += selected[0];
    counts_.tn += static_cast<std::int64_t>(held[0]) - selected[0];
    counts_.tp += selected[1];
    counts_.fn += static_cast<std::int64_t>(held[1]) - selected[1];
    unlabelled_ += unlabelled;
    unscored_ += unscored;
  }
  rows_ += static_cast<std::int64_t>(scores.size());
}

void BinaryState::update_predictions(std::span<const std::uint8_t> predictions, std::span<const std::uint8_t> labels) {
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (labels[i] > 1) {
      ++unlabelled_;
    } else if (predictions[i] > 1) {
      ++unscored_;
    } else {
      counts_.add(labels[i] == 1, predictions[i] == 1);
    }
  }
  rows_ += static_cast<std::int64_t>(predictions.size());
}

Status BinaryState::merge(const BinaryState& other) {
  if (options_.threshold != other.options_.threshold) return fail(Code::kInput, "states of different thresholds");
  rows_ += other.rows_;
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  counts_.add(BinaryCounts(other.counts_));
  positive_.merge(other.positive_);
  negative_.merge(other.negative_);
  return {};
}

void BinaryState::sort() {
  positive_.sort();
  negative_.sort();
  // Equal scores of the two classes must stay equal.
  positive_.coarsen(negative_);
  negative_.coarsen(positive_);
}

void BinaryState::save(ByteWriter& out) {
  out.fixed(options_.threshold);
  for (const std::int64_t count : {rows_, unlabelled_, unscored_, counts_.tn, counts_.fp, counts_.fn, counts_.tp}) {
    out.varint(static_cast<std::uint64_t>(count));
  }
  positive_.save(out);
  negative_.save(out);
}

Result<BinaryState> BinaryState::load(ByteReader& in) {
  BinaryState state;
  BinaryCounts& counts = state.counts_;
  state.options_.threshold = in.fixed<double>();
  state.rows_ = CountReader(in)();
  CountReader read(in);
  for (std::int64_t* count : {&state.unlabelled_, &state.unscored_, &counts.tn, &counts.fp, &counts.fn, &counts.tp}) {
    *count = read();
  }
  VIGIE_ASSIGN(state.positive_, SortedValues::load(in));
  VIGIE_ASSIGN(state.negative_, SortedValues::load(in));
  const std::int64_t scored = state.positive_.count() + state.negative_.count();
  const bool good =
      !std::isnan(state.options_.threshold) && state.rows_ == state.unlabelled_ + state.unscored_ + counts.rows() &&
      (scored == 0 || (state.positive_.count() == counts.positives() && state.negative_.count() == counts.negatives()));
  if (!good) return fail(Code::kCorrupt, "counts of a binary state are damaged");
  return state;
}

}  // namespace vigie::metric

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "metric/counts_internal.h"
#include "metric/multiclass.h"

namespace vigie::metric {
namespace {

constexpr double kFarFromOne = .05;

}  // namespace

MulticlassState::MulticlassState(MulticlassOptions options)
    : options_(std::move(options)),
      matrix_(options_.classes.size() * options_.classes.size()),
      against_rest_(options_.classes.size(), BinaryState({.limit = options_.limit})),
      confidence_({.limit = options_.limit}) {}

void MulticlassState::update(std::span<const std::span<const double>> scores, std::span<const std::uint32_t> labels,
                             std::span<const std::uint32_t> predictions) {
  const std::size_t k = options_.classes.size();
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  // The rows that count, by class, for the states that take spans.
  std::vector<std::vector<double>> kept(k);
  std::vector<std::uint32_t> truth;
  std::vector<double> highest, losses, briers;
  std::vector<std::uint8_t> right;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t label = labels[i];
    if (label >= k) {
      ++unlabelled_;
      continue;
    }
    double sum = 0, brier = 0;
    bool within = true;
    std::size_t best = 0, ahead = 0;
    const double own = scores[label][i];
    for (std::size_t c = 0; c < k; ++c) {
      const double score = scores[c][i];
      sum += score;
      brier += (score - (c == label)) * (score - (c == label));
      within = within && score >= 0 && score <= 1;
      if (score > scores[best][i]) best = c;
      ahead += score > own || (score == own && c > label);  // of equals the later, as scikit-learn has it
    }
    const std::size_t said = predictions.empty() ? best : predictions[i];
    if (!std::isfinite(sum) || said >= k) {
      ++unscored_;
      continue;
    }
    for (std::size_t c = 0; c < k; ++c) kept[c].push_back(scores[c][i]);
    truth.push_back(label);
    ++matrix_[label * k + said];
    top_hits_ += ahead < options_.top_k;
    improper_ += !within || std::abs(sum - 1) > kFarFromOne;
    highest.push_back(scores[best][i]);
    right.push_back(best == label);
    losses.push_back(-std::log(std::clamp(own, kLeast, 1 - kLeast)));
    briers.push_back(brier);
  }
  rows_ += static_cast<std::int64_t>(labels.size());
  std::vector<std::uint8_t> is_class(truth.size());
  for (std::size_t c = 0; c < k; ++c) {
    for (std::size_t i = 0; i < truth.size(); ++i) is_class[i] = truth[i] == c;
    against_rest_[c].update(kept[c], is_class);
  }
  confidence_.update(highest, right);
  log_loss_.update(losses);
  brier_.update(briers);
}

void MulticlassState::update_predictions(std::span<const std::uint32_t> predictions,
                                         std::span<const std::uint32_t> labels) {
  const std::size_t k = options_.classes.size();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= k) {
      ++unlabelled_;
    } else if (predictions[i] >= k) {
      ++unscored_;
    } else {
      ++matrix_[labels[i] * k + predictions[i]];
    }
  }
  rows_ += static_cast<std::int64_t>(labels.size());
}

Status MulticlassState::move_to(std::vector<std::string> classes, std::span<const std::uint32_t> place) {
  const std::size_t k = options_.classes.size(), to = classes.size();
  if (!apart(place, k, to)) return fail(Code::kInput, "states of different classes");
  if (log_loss_.count() > 0 && to != k) return fail(Code::kInput, "scores of different classes");
  auto options = options_;
  options.classes = std::move(classes);
  MulticlassState moved(std::move(options));
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) moved.matrix_[place[i] * to + place[j]] = matrix_[i * k + j];
    moved.against_rest_[place[i]] = std::move(against_rest_[i]);
  }
  options_ = std::move(moved.options_);
  matrix_ = std::move(moved.matrix_), against_rest_ = std::move(moved.against_rest_);
  return {};
}

Status MulticlassState::merge(const MulticlassState& other) {
  if (options_.classes != other.options_.classes || options_.top_k != other.options_.top_k) {
    return fail(Code::kInput, "states of different classes");
  }
  rows_ += other.rows_;
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  improper_ += other.improper_;
  top_hits_ += other.top_hits_;
  for (std::size_t i = 0; i < matrix_.size(); ++i) matrix_[i] += other.matrix_[i];
  for (std::size_t c = 0; c < against_rest_.size(); ++c) VIGIE_TRY(against_rest_[c].merge(other.against_rest_[c]));
  VIGIE_TRY(confidence_.merge(other.confidence_));
  log_loss_.merge(other.log_loss_);
  brier_.merge(other.brier_);
  return {};
}

void MulticlassState::save(ByteWriter& out) {
  out.varint(options_.classes.size());
  for (const std::string& name : options_.classes) out.string(name);
  out.varint(options_.top_k);
  for (const std::int64_t count : {rows_, unlabelled_, unscored_, improper_, top_hits_}) {
    out.varint(static_cast<std::uint64_t>(count));
  }
  for (const std::int64_t rows : matrix_) out.varint(static_cast<std::uint64_t>(rows));
  for (BinaryState& state : against_rest_) state.save(out);
  confidence_.save(out);
  log_loss_.save(out);
  brier_.save(out);
}

Result<MulticlassState> MulticlassState::load(ByteReader& in) {
  MulticlassOptions options;
  options.classes.resize(in.count(1));
  for (std::string& name : options.classes) name = in.string();
  options.top_k = static_cast<std::uint32_t>(in.varint());
  const std::size_t k = options.classes.size();
  if (!in.ok() || k > 0xffff || k * k > in.remaining()) return fail(Code::kCorrupt, "classes of a state are damaged");
  MulticlassState state(std::move(options));
  bool good = true;
  for (std::int64_t* count : {&state.rows_, &state.unlabelled_, &state.unscored_, &state.improper_, &state.top_hits_}) {
    *count = CountReader(in)();
  }
  CountReader read(in);
  for (std::int64_t& rows : state.matrix_) rows = read();
  const std::int64_t in_matrix = std::accumulate(state.matrix_.begin(), state.matrix_.end(), std::int64_t{0});
  std::int64_t scored = 0;
  for (BinaryState& one : state.against_rest_) {
    VIGIE_ASSIGN(one, BinaryState::load(in));
    scored = one.counts().rows();
    good = good && scored <= in_matrix;
  }
  VIGIE_ASSIGN(state.confidence_, BinaryState::load(in));
  VIGIE_ASSIGN(state.log_loss_, sketch::Moments::load(in));
  VIGIE_ASSIGN(state.brier_, sketch::Moments::load(in));
  good = good && state.rows_ == state.unlabelled_ + state.unscored_ + in_matrix && state.log_loss_.count() == scored &&
         state.brier_.count() == scored && state.top_hits_ <= scored && state.improper_ <= scored &&
         state.confidence_.counts().rows() == scored;
  if (!good) return fail(Code::kCorrupt, "counts of a state of many classes are damaged");
  return state;
}

MulticlassSummary MulticlassState::summarize() {
  const std::size_t k = options_.classes.size();
  MulticlassSummary out;
  out.parts = options_.classes;
  out.matrix = matrix_;
  out.top_k = options_.top_k;
  out.top_hits = top_hits_;
  out.log_loss = log_loss_;
  out.brier = brier_;
  for (const std::int64_t rows : matrix_) out.n += rows;
  out.has_scores = log_loss_.count() > 0;
  out.probabilities = improper_ == 0;
  BinaryState pooled({.limit = options_.limit});
  std::vector<std::int64_t> truths(k), predictions(k);
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j) truths[i] += matrix_[i * k + j], predictions[j] += matrix_[i * k + j];
  for (std::size_t c = 0; c < k; ++c) {
    BinarySummary one = against_rest_[c].summarize();
    const std::int64_t hits = matrix_[c * k + c], missed = truths[c] - hits, wrong = predictions[c] - hits;
    one.counts = {.tn = out.n - hits - missed - wrong, .fp = wrong, .fn = missed, .tp = hits};
    out.one.push_back(one);
    // Without effect where thresholds agree, and they do.
    static_cast<void>(pooled.merge(against_rest_[c]));
  }
  out.pooled = pooled.summarize();
  out.confidence = confidence_.summarize();
  return out;
}

}  // namespace vigie::metric

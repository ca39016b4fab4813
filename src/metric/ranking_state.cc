// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include "metric/counts_internal.h"
#include "metric/ranking.h"

namespace vigie::metric {
namespace {

/// Items of equal score, in descending order of score.
struct Tie {
  double items, relevant, gain;
};

using Numbers = std::array<double, RankingSummary::kNumbers>;

/// P(no relevant item among the first `drawn` of a tie).
double all_missed(const Tie& tie, std::size_t drawn) {
  double p = 1, left = tie.items;
  for (std::size_t i = 0; i < drawn && p > 0; ++i, --left) p *= std::max(0.0, left - tie.relevant) / left;
  return p;
}

/// The numbers of one list with `relevant` > 0 relevant items; `ideal` holds the gains in descending order.
Numbers numbers(std::span<const Tie> ties, double relevant, std::span<const double> ideal, std::uint32_t k) {
  Numbers out{};
  double before = 0, relevant_before = 0;
  bool found = false;
  for (const Tie& tie : ties) {
    const auto within = static_cast<std::size_t>(std::clamp(k - before, 0.0, tie.items));
    out[RankingSummary::kPrecision] += static_cast<double>(within) * tie.relevant / tie.items;
    if (!found && tie.relevant > 0) {
      found = true;
      out[RankingSummary::kHit] = 1 - all_missed(tie, within);
      double missed = 1, left = tie.items, rank = before + 1;
      while (left >= tie.relevant) {
        out[RankingSummary::kReciprocalRank] += missed * tie.relevant / left / rank++;
        missed *= (left - tie.relevant) / left;
        --left;
      }
    }
    const double probability = tie.relevant / tie.items;
    double ahead = relevant_before;  // relevant items before this one, given that it is relevant
    for (std::size_t i = 0; i < within; ++i) {
      const double rank = before + static_cast<double>(i) + 1;
      if (probability > 0) out[RankingSummary::kAveragePrecision] += probability * (1 + ahead) / rank;
      out[RankingSummary::kNdcg] += tie.gain / tie.items / std::log2(rank + 1);
      if (tie.items > 1) ahead += (tie.relevant - 1) / (tie.items - 1);
    }
    before += tie.items;
    relevant_before += tie.relevant;
  }
  double best = 0;
  for (std::size_t i = 0; i < ideal.size() && i < k; ++i) best += ideal[i] / std::log2(static_cast<double>(i) + 2);
  out[RankingSummary::kRecall] = out[RankingSummary::kPrecision] / relevant;
  out[RankingSummary::kPrecision] /= std::min<double>(k, before);
  out[RankingSummary::kAveragePrecision] /= std::min<double>(k, relevant);
  out[RankingSummary::kNdcg] /= best;
  return out;
}

}  // namespace

RankingState::RankingState(std::vector<std::uint32_t> ks) : ks_(std::move(ks)) {}

void RankingState::update(std::span<const std::uint64_t> lists, std::span<const double> scores,
                          std::span<const double> relevance) {
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (std::isnan(relevance[i])) {
      ++unlabelled_;
    } else if (!std::isfinite(scores[i]) || std::isinf(relevance[i])) {
      ++unscored_;
    } else {
      items_.push_back({lists[i], scores[i] + 0.0, relevance[i] + 0.0});
    }
  }
}

Status RankingState::merge(const RankingState& other) {
  if (ks_ != other.ks_) return fail(Code::kInput, "states of different k");
  if (&other == this) return merge(RankingState(other));
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  items_.insert(items_.end(), other.items_.begin(), other.items_.end());
  return {};
}

void RankingState::sort() {
  std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
    return std::tuple(a.list, -a.score, -a.relevance) < std::tuple(b.list, -b.score, -b.relevance);
  });
}

void RankingState::save(ByteWriter& out) {
  sort();
  out.array(std::span<const std::uint32_t>(ks_));
  out.varint(static_cast<std::uint64_t>(unlabelled_));
  out.varint(static_cast<std::uint64_t>(unscored_));
  out.varint(items_.size());
  for (const Item& item : items_) {
    out.fixed(item.list);
    out.fixed(item.score);
    out.fixed(item.relevance);
  }
}

Result<RankingState> RankingState::load(ByteReader& in) {
  RankingState state;
  in.array(state.ks_);
  CountReader read(in);
  state.unlabelled_ = read();
  state.unscored_ = read();
  state.items_.resize(in.count(24));
  bool good = true;
  for (Item& item : state.items_) {
    item.list = in.fixed<std::uint64_t>();
    item.score = in.fixed<double>();
    item.relevance = in.fixed<double>();
    good = good && std::isfinite(item.score) && std::isfinite(item.relevance);
  }
  if (!good || !in.ok()) return fail(Code::kCorrupt, "a ranking state is damaged");
  return state;
}

RankingSummary RankingState::summarize() {
  sort();
  RankingSummary out;
  out.of_lists.resize(ks_.size());
  out.baselines.resize(ks_.size());
  for (const std::uint32_t k : ks_) out.parts.push_back(std::to_string(k));
  std::vector<Tie> ties;
  std::vector<double> ideal;
  for (std::size_t from = 0, to = 0; from < items_.size(); from = to) {
    ties.clear();
    ideal.clear();
    Tie all{};
    for (; to < items_.size() && items_[to].list == items_[from].list; ++to) {
      if (to == from || items_[to].score != items_[to - 1].score) ties.push_back({});
      const double gain = std::max(0.0, items_[to].relevance);
      for (Tie* tie : {&ties.back(), &all}) {
        ++tie->items;
        tie->relevant += gain > 0;
        tie->gain += gain;
      }
      ideal.push_back(gain);
    }
    if (all.relevant == 0) {
      ++out.without_relevant;
      continue;
    }
    ++out.lists;
    std::sort(ideal.begin(), ideal.end(), std::greater<>());
    for (std::size_t i = 0; i < ks_.size(); ++i) {
      const Numbers values = numbers(ties, all.relevant, ideal, ks_[i]);
      const Numbers random = numbers(std::span(&all, 1), all.relevant, ideal, ks_[i]);
      for (std::size_t number = 0; number < RankingSummary::kNumbers; ++number) {
        out.of_lists[i][number].update(values[number]);
        out.baselines[i][number].update(random[number]);
      }
    }
  }
  return out;
}

}  // namespace vigie::metric

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"
#include "sketch/moments.h"

namespace vigie::metric {

/// Lists of items that a model put in order: search results, recommendations. An item is relevant when its relevance is
/// above 0; NDCG takes the relevance itself as gain (below 0 as 0).
///
/// Items of one list that have equal scores stand in every order with equal probability, and each number is its mean
/// over these orders (McSherry & Najork 2008), so the order of rows does not matter. The baseline is that mean when all
/// scores are equal. Lists without a relevant item are left out and counted. The items of a list may come in any
/// order, in several updates, and in states that are merged, so rows are kept: 24 bytes each, without a limit.
class RankingState {
 public:
  explicit RankingState(std::vector<std::uint32_t> ks = {5, 10});

  /// `lists` says which list (query, user) an item is of; a stable hash of its name will do. A relevance that is NaN is
  /// unlabelled; a score or relevance that is infinite, or a score that is NaN, leaves its row out. The spans have one
  /// length.
  void update(std::span<const std::uint64_t> lists, std::span<const double> scores, std::span<const double> relevance);
  /// As if this had seen the other's rows too. Other ks: Code::kInput, and nothing changes.
  Status merge(const RankingState& other);

  std::int64_t rows() const { return static_cast<std::int64_t>(items_.size()) + unlabelled_ + unscored_; }
  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }

  void save(ByteWriter& out);  ///< the same rows give the same bytes
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<RankingState> load(ByteReader& in);

  /// Sorts the rows. About 200 ns a row.
  RankingSummary summarize();

 private:
  struct Item {
    std::uint64_t list;
    double score, relevance;
  };
  void sort();
  std::vector<std::uint32_t> ks_;
  std::int64_t unlabelled_ = 0, unscored_ = 0;
  std::vector<Item> items_;
};

/// What the metrics of ranking read.
struct RankingSummary {
  enum Number { kPrecision, kRecall, kAveragePrecision, kReciprocalRank, kNdcg, kHit, kNumbers };
  std::vector<std::string> parts;                                ///< the ks
  std::vector<std::array<sketch::Moments, kNumbers>> of_lists;   ///< per k: over lists with a relevant item
  std::vector<std::array<sketch::Moments, kNumbers>> baselines;  ///< per k: the same with all scores equal
  std::int64_t lists = 0, without_relevant = 0;                  ///< those that count, and those that do not
};

}  // namespace vigie::metric

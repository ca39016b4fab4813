// SPDX-License-Identifier: Apache-2.0
#include "metric/ranking.h"

#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

template <RankingSummary::Number number>
Value mean(const RankingSummary& s, std::size_t k) {
  if (s.lists == 0) {
    return none(s.without_relevant ? "no list has a relevant item" : "no labelled rows", 0);
  }
  const sketch::Moments& m = s.of_lists[k][number];
  const double variance = m.variance() / static_cast<double>(s.lists);
  const Interval interval = number == RankingSummary::kHit
                                ? share_interval(m.mean(), variance, static_cast<double>(s.lists))
                                : bounded_interval(m.mean(), variance, s.lists);
  return some(m.mean(), interval, s.baselines[k][number].mean(), s.lists);
}

constexpr Metric metric(std::string_view name, std::string_view summary, std::string_view reference,
                        Part<RankingSummary> run) {
  return {name, summary, reference, Better::kHigher, 0, 1, run};
}

}  // namespace

constinit const Metric ranking_precision_at_k = metric(
    "precision_at_k", "share of relevant items among the first k (of shorter lists: all); baseline: random order",
    "McSherry & Najork 2008", mean<RankingSummary::kPrecision>);
constinit const Metric ranking_recall_at_k =
    metric("recall_at_k", "share of the relevant items that are among the first k; baseline: random order",
           "McSherry & Najork 2008", mean<RankingSummary::kRecall>);
constinit const Metric ranking_map_at_k =
    metric("map_at_k",
           "mean over lists of the average precision at the relevant items among the first k, over "
           "min(k, relevant items); baseline: random order",
           "McSherry & Najork 2008", mean<RankingSummary::kAveragePrecision>);
constinit const Metric ranking_mrr = metric(
    "mrr", "mean of 1 / rank of the first relevant item, wherever it is: the same for every k; baseline: random order",
    "Voorhees 1999", mean<RankingSummary::kReciprocalRank>);
constinit const Metric ranking_ndcg_at_k =
    metric("ndcg_at_k", "discounted cumulative gain of the first k over that of the best order; baseline: random order",
           "Järvelin & Kekäläinen 2002", mean<RankingSummary::kNdcg>);
constinit const Metric ranking_hit_rate_at_k =
    metric("hit_rate_at_k", "share of lists with a relevant item among the first k; baseline: random order",
           "McSherry & Najork 2008", mean<RankingSummary::kHit>);

}  // namespace vigie::metric

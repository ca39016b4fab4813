// SPDX-License-Identifier: Apache-2.0
#include "metric/text.h"

#include <cmath>

#include "metric/interval_internal.h"

namespace vigie::metric {
namespace {

constexpr std::string_view kNoRows = "no labelled rows";

/// The variance of an estimate over rows that are few is that of the formula times n / (n − 1).
double corrected(double variance, std::int64_t n) {
  return n > 1 ? variance * static_cast<double>(n) / static_cast<double>(n - 1) : 0;
}

/// Of a number in 0..100.
Interval in_hundreds(double value, double variance, std::int64_t n) {
  return affine(bounded_interval(value / 100, variance / 10'000, n), 100, 0);
}

Value bleu(const TextSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  const double ours = s.bleu.sum[0], theirs = s.bleu.sum[1];
  if (theirs == 0) return none("no reference has a word", s.n);
  decltype(s.bleu.sum) gradient{};
  double logarithm = 0, halves = 1;
  bool any = false;
  for (std::size_t n = 1; n <= TextState::kBleuOrder; ++n) {
    const double shared = s.bleu.sum[2 * n], all = s.bleu.sum[2 * n + 1];
    any = any || shared > 0;
    if (all == 0) {
      logarithm = -kInfinity;
      break;
    }
    if (shared == 0) halves *= 2;  // Lin & Och 2004: 1/2, 1/4, … of a match
    logarithm += std::log((shared > 0 ? shared : 1 / halves) / all) / TextState::kBleuOrder;
    gradient[2 * n] = shared > 0 ? 1 / (TextState::kBleuOrder * shared) : 0;
    gradient[2 * n + 1] = -1 / (TextState::kBleuOrder * all);
  }
  if (!any || std::isinf(logarithm))
    return {.value = 0, .n = s.n, .reason = any ? "no text has four words" : "no word of a reference was met"};
  if (ours < theirs) {
    logarithm += 1 - theirs / ours;
    gradient[0] = theirs / (ours * ours);
    gradient[1] = -1 / ours;
  }
  const double value = 100 * std::exp(logarithm);
  const double variance = value * value * corrected(s.bleu.variance(gradient), s.n);
  return some(value, in_hundreds(value, variance, s.n), kNaN, s.n);
}

double chrf_of(const decltype(TextSummary::chrf.sum)& sum) {
  constexpr double kBeta2 = 4;
  double precision = 0, recall = 0, orders = 0;
  for (std::size_t n = 0; n < TextState::kChrfOrder; ++n) {
    const double ours = sum[3 * n], theirs = sum[3 * n + 1], shared = sum[3 * n + 2];
    if (ours == 0 || theirs == 0) continue;
    precision += shared / ours;
    recall += shared / theirs;
    ++orders;
  }
  if (precision + recall == 0) return 0;
  return 100 * (1 + kBeta2) * precision * recall / (kBeta2 * precision + recall) / orders;
}

Value chrf(const TextSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  if (s.chrf.sum[1] == 0) return none("no reference has a character", s.n);
  decltype(s.chrf.sum) gradient{};
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    auto up = s.chrf.sum, down = s.chrf.sum;
    const double step = 1e-5 * s.chrf.sum[i];
    if (step == 0) continue;
    up[i] += step;
    down[i] -= step;
    gradient[i] = (chrf_of(up) - chrf_of(down)) / (2 * step);
  }
  const double value = chrf_of(s.chrf.sum);
  return some(value, in_hundreds(value, corrected(s.chrf.variance(gradient), s.n), s.n), kNaN, s.n);
}

Value wer(const TextSummary& s) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  if (s.words.sum[1] == 0) return none("no reference has a word", s.n);
  const Ratio r = ratio(s.words);
  return some(r.value, mean_interval(r.value, corrected(r.variance, s.n), s.n), kNaN, s.n);
}

Value perplexity(const TextSummary& s) {
  if (s.token_rows == 0) return none("no log-probabilities, which are 0 or less, were given", s.n);
  const Ratio r = ratio(s.tokens);
  const Interval interval = mean_interval(-r.value, corrected(r.variance, s.token_rows), s.token_rows);
  return some(std::exp(-r.value), {std::exp(interval.low), std::exp(interval.high)}, kNaN, s.token_rows);
}

Value mean(const TextSummary& s, const sketch::Moments& m, double scale) {
  if (s.n == 0) return none(std::string(kNoRows), 0);
  const Interval interval = bounded_interval(m.mean(), m.variance() / static_cast<double>(s.n), s.n);
  return some(scale * m.mean(), affine(interval, scale, 0), kNaN, s.n);
}

template <std::size_t which>
Value rouge(const TextSummary& s) {
  return mean(s, s.rouge[which], 100);
}

Value token_f1(const TextSummary& s) {
  return mean(s, s.token_f1, 1);
}

Value exact_match(const TextSummary& s) {
  return share(static_cast<double>(s.exact), static_cast<double>(s.n), kNaN, s.n, kNoRows);
}

constexpr Metric metric(std::string_view name, std::string_view summary, std::string_view reference,
                        Whole<TextSummary> run, double most, Better better = Better::kHigher, double least = 0) {
  return {name, summary, reference, better, least, most, run};
}

}  // namespace

constinit const Metric text_bleu = metric("bleu", "BLEU of the corpus: 13a tokens, n-grams to 4, exponential smoothing",
                                          "Papineni et al. 2002; Post 2018; interval: delta method", bleu, 100);
constinit const Metric text_chrf = metric("chrf", "F score of character n-grams to 6 over the corpus, recall twice",
                                          "Popović 2015; interval: delta method", chrf, 100);
constinit const Metric text_rouge_1 =
    metric("rouge_1", "mean F score of words, without stemming", "Lin 2004", rouge<0>, 100);
constinit const Metric text_rouge_2 =
    metric("rouge_2", "mean F score of pairs of words, without stemming", "Lin 2004", rouge<1>, 100);
constinit const Metric text_rouge_l = metric(
    "rouge_l", "mean F score of the longest common subsequence of words, without stemming", "Lin 2004", rouge<2>, 100);
constinit const Metric text_wer = metric("wer", "word error rate: edits over words of the references",
                                         "Levenshtein 1966; interval: delta method", wer, kInfinity, Better::kLower);
constinit const Metric text_exact_match =
    metric("exact_match", "share of texts equal to the reference but for case, punctuation, articles and white space",
           "Rajpurkar et al. 2016", exact_match, 1);
constinit const Metric text_token_f1 = metric(
    "token_f1", "mean F score of words, but for case, punctuation and articles", "Rajpurkar et al. 2016", token_f1, 1);
constinit const Metric text_perplexity = metric("perplexity", "exp of minus the mean log-probability of a token",
                                                "Jelinek et al. 1977", perplexity, kInfinity, Better::kLower, 1);

}  // namespace vigie::metric

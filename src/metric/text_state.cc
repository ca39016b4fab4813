// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "metric/counts_internal.h"
#include "metric/text.h"
#include "metric/text_tokens_internal.h"

namespace vigie::metric {
namespace {

double size_of(const Units& units) {
  return static_cast<double>(units.size());
}

/// Harmonic mean of shared/a and shared/b.
double f_measure(std::int64_t shared, std::size_t a, std::size_t b) {
  return a + b ? 2 * static_cast<double>(shared) / static_cast<double>(a + b) : 0;
}

template <std::size_t N>
void save_sums(ByteWriter& out, const Sums<N>& sums) {
  for (const double x : sums.sum) out.fixed(x);
  for (const double x : sums.product) out.fixed(x);
}

/// Whether all of them are finite.
template <std::size_t N>
bool load_sums(ByteReader& in, Sums<N>& sums) {
  bool good = true;
  for (double& x : sums.sum) good = std::isfinite(x = in.fixed<double>()) && good;
  for (double& x : sums.product) good = std::isfinite(x = in.fixed<double>()) && good;
  return good;
}

}  // namespace

void TextState::update(std::span<const std::string_view> hypotheses, std::span<const std::string_view> references) {
  Overlap overlap;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const std::string_view hypothesis = hypotheses[i], reference = references[i];
    if (!reference.data()) {
      ++unlabelled_;
      continue;
    }
    if (!hypothesis.data()) {
      ++unscored_;
      continue;
    }
    ++n_;

    if (parts_.bleu) add_bleu(hypothesis, reference, overlap);
    if (parts_.chrf) add_chrf(hypothesis, reference, overlap);
    if (parts_.wer) {
      const Units words_h = words(hypothesis), words_r = words(reference);
      words_.add({static_cast<double>(edits(words_h, words_r)), size_of(words_r)});
    }
    if (parts_.rouge) add_rouge(hypothesis, reference, overlap);
    if (parts_.answers) {
      const Units answer_h = answer_tokens(hypothesis), answer_r = answer_tokens(reference);
      exact_ += answer_h == answer_r;
      token_f1_.update(answer_h == answer_r ? 1
                                            : f_measure(overlap(answer_h, answer_r), answer_h.size(), answer_r.size()));
    }
  }
}

void TextState::add_bleu(std::string_view hypothesis, std::string_view reference, Overlap& overlap) {
  const Units bleu_h = bleu_tokens(hypothesis), bleu_r = bleu_tokens(reference);
  decltype(bleu_.sum) bleu{size_of(bleu_h), size_of(bleu_r)};
  Ngrams of_h(bleu_h), of_r(bleu_r);
  for (std::size_t n = 1; n <= kBleuOrder; ++n) {
    const Units &h = of_h.next(), &r = of_r.next();
    bleu[2 * n] = static_cast<double>(overlap(h, r));
    bleu[2 * n + 1] = size_of(h);
  }
  bleu_.add(bleu);
}

void TextState::add_chrf(std::string_view hypothesis, std::string_view reference, Overlap& overlap) {
  const Units chars_h = characters(hypothesis), chars_r = characters(reference);
  decltype(chrf_.sum) chrf{};
  Ngrams of_h(chars_h), of_r(chars_r);
  for (std::size_t n = 1; n <= kChrfOrder; ++n) {
    const Units &h = of_h.next(), &r = of_r.next();
    // Where the reference is too short to have any, the hypothesis' n-grams do not count (as in sacreBLEU).
    chrf[3 * n - 3] = r.empty() ? 0 : size_of(h);
    chrf[3 * n - 2] = size_of(r);
    chrf[3 * n - 1] = static_cast<double>(overlap(h, r));
  }
  chrf_.add(chrf);
}

void TextState::add_rouge(std::string_view hypothesis, std::string_view reference, Overlap& overlap) {
  const Units rouge_h = rouge_tokens(hypothesis), rouge_r = rouge_tokens(reference);
  Ngrams of_h(rouge_h), of_r(rouge_r);
  for (std::size_t n = 1; n <= 2; ++n) {
    const Units &h = of_h.next(), &r = of_r.next();
    rouge_[n - 1].update(f_measure(overlap(h, r), h.size(), r.size()));
  }
  rouge_[2].update(f_measure(common_subsequence(rouge_h, rouge_r), rouge_h.size(), rouge_r.size()));
}

void TextState::update_log_probabilities(std::span<const double> sums, std::span<const std::int64_t> tokens) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!(sums[i] <= 0) || std::isinf(sums[i]) || tokens[i] <= 0) continue;
    tokens_.add({sums[i], static_cast<double>(tokens[i])});
    ++token_rows_;
  }
}

void TextState::merge(const TextState& other) {
  if (&other == this) return merge(TextState(other));
  n_ += other.n_;
  unlabelled_ += other.unlabelled_;
  unscored_ += other.unscored_;
  exact_ += other.exact_;
  token_rows_ += other.token_rows_;
  bleu_.merge(other.bleu_);
  chrf_.merge(other.chrf_);
  words_.merge(other.words_);
  tokens_.merge(other.tokens_);
  for (std::size_t i = 0; i < rouge_.size(); ++i) rouge_[i].merge(other.rouge_[i]);
  token_f1_.merge(other.token_f1_);
}

void TextState::save(ByteWriter& out) const {
  for (const std::int64_t count : {n_, unlabelled_, unscored_, exact_, token_rows_}) {
    out.varint(static_cast<std::uint64_t>(count));
  }
  save_sums(out, bleu_);
  save_sums(out, chrf_);
  save_sums(out, words_);
  save_sums(out, tokens_);
  for (const sketch::Moments& m : rouge_) m.save(out);
  token_f1_.save(out);
}

Result<TextState> TextState::load(ByteReader& in) {
  TextState state;
  bool good = true;
  CountReader read(in);
  for (std::int64_t* count : {&state.n_, &state.unlabelled_, &state.unscored_, &state.exact_, &state.token_rows_}) {
    *count = read();
  }
  good = load_sums(in, state.bleu_) && good;
  good = load_sums(in, state.chrf_) && good;
  good = load_sums(in, state.words_) && good;
  good = load_sums(in, state.tokens_) && good;
  for (sketch::Moments& m : state.rouge_) {
    VIGIE_ASSIGN(m, sketch::Moments::load(in));
    good = good && m.count() == state.n_;
  }
  VIGIE_ASSIGN(state.token_f1_, sketch::Moments::load(in));
  if (!good || state.token_f1_.count() != state.n_ || state.exact_ > state.n_) {
    return fail(Code::kCorrupt, "a text state is damaged");
  }
  return state;
}

TextSummary TextState::summarize() const {
  return {n_, exact_, token_rows_, bleu_, chrf_, words_, tokens_, rouge_, token_f1_};
}

}  // namespace vigie::metric

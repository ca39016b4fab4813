// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/metric.h"
#include "metric/sums.h"
#include "sketch/moments.h"

namespace vigie::metric {

class Overlap;

/// What is counted of texts; metrics of what is not will have no value.
struct TextParts {
  bool bleu = true, chrf = true, wer = true, rouge = true, answers = true;  ///< answers: exact_match and token_f1
};

/// Texts against one reference each. Sums only: 2 KB whatever the number of rows.
class TextState {
 public:
  explicit TextState(TextParts parts = {}) : parts_(parts) {}

  /// UTF-8. A null data() is a missing text: of a reference an unlabelled row, of a hypothesis a row that is left out;
  /// an empty text is a text. The spans have one length. 30 µs for a row of 20 words; the word error rate and
  /// ROUGE-L cost the product of both lengths, 1 ns each.
  void update(std::span<const std::string_view> hypotheses, std::span<const std::string_view> references);
  /// Natural logarithms of probabilities that a model gave to tokens, summed over each row, and how many there were.
  /// Rows of no tokens, and sums that are NaN, infinite or above 0, are left out.
  void update_log_probabilities(std::span<const double> sums, std::span<const std::int64_t> tokens);
  /// As if this had seen the other's rows too.
  void merge(const TextState& other);

  std::int64_t rows() const { return n_ + unlabelled_ + unscored_; }
  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }

  void save(ByteWriter& out) const;  ///< of a state of all parts
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<TextState> load(ByteReader& in);

  TextSummary summarize() const;

  static constexpr std::size_t kBleuOrder = 4, kChrfOrder = 6;

 private:
  friend struct TextSummary;
  void add_bleu(std::string_view hypothesis, std::string_view reference, Overlap& overlap);
  void add_chrf(std::string_view hypothesis, std::string_view reference, Overlap& overlap);
  void add_rouge(std::string_view hypothesis, std::string_view reference, Overlap& overlap);
  TextParts parts_;
  std::int64_t n_ = 0, unlabelled_ = 0, unscored_ = 0, exact_ = 0, token_rows_ = 0;
  Sums<2 + 2 * kBleuOrder> bleu_;  // lengths of hypothesis and reference; per order: n-grams shared, of the hypothesis
  Sums<3 * kChrfOrder> chrf_;      // per order: n-grams of the hypothesis, of the reference, shared
  Sums<2> words_;                  // edits, words of the reference
  Sums<2> tokens_;                 // sum of logarithms, tokens
  std::array<sketch::Moments, 3> rouge_;
  sketch::Moments token_f1_;
};

/// What the metrics of text read: the state's own sums.
struct TextSummary {
  std::int64_t n = 0, exact = 0, token_rows = 0;
  decltype(TextState::bleu_) bleu;
  decltype(TextState::chrf_) chrf;
  Sums<2> words, tokens;
  std::array<sketch::Moments, 3> rouge;  ///< F of 1-grams, 2-grams, longest common subsequence; 0..1
  sketch::Moments token_f1;
};

}  // namespace vigie::metric

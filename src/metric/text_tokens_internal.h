// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::metric {

/// Texts cut into units, each a 64-bit hash of its bytes. Texts are UTF-8; a byte that is none counts as U+FFFD.
using Units = std::vector<std::uint64_t>;

/// Whether Python's str.split() cuts there.
bool is_wide_space(char32_t c);
inline bool is_space(char32_t c) {
  return c < 0x80 ? (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) : is_wide_space(c);
}
std::u32string decode(std::string_view text);

Units words(std::string_view text);         ///< between white space
Units bleu_tokens(std::string_view text);   ///< mteval-v13a, as sacreBLEU's "13a"
Units rouge_tokens(std::string_view text);  ///< runs of a-z and 0-9 in lower case, as rouge-score without stemming
/// Words in lower case without ASCII punctuation and the articles a, an, the (Rajpurkar et al. 2016). Lower case is
/// that of Latin, Greek and Cyrillic letters.
Units answer_tokens(std::string_view text);
Units characters(std::string_view text);  ///< code points other than white space

/// Hashes of all runs of n units for n = 1, 2, … one after the other, each made of the one before.
class Ngrams {
 public:
  explicit Ngrams(const Units& units) : units_(units), runs_(units) {}
  /// The runs of the next n, in the order of the text; valid until the next call.
  const Units& next();

 private:
  const Units& units_;
  Units runs_;
  std::size_t n_ = 0;
};

/// How many elements two lists share, each as often as in the list that has it less often. Keeps its table between
/// calls.
class Overlap {
 public:
  std::int64_t operator()(const Units& a, const Units& b);

 private:
  struct Slot {
    std::uint64_t unit = 0;
    std::uint32_t count = 0, round = 0;  // round: the call that it is of
  };
  std::vector<Slot> slots_;
  std::uint32_t round_ = 0;
};

/// Length of the longest common subsequence, O(a·b).
std::int64_t common_subsequence(const Units& a, const Units& b);
/// Fewest insertions, deletions and substitutions that turn one into the other (Levenshtein 1966), O(a·b).
std::int64_t edits(const Units& a, const Units& b);

}  // namespace vigie::metric

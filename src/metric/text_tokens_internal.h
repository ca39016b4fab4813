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
bool is_space(char32_t c);
std::u32string decode(std::string_view text);

Units words(std::string_view text);         ///< between white space
Units bleu_tokens(std::string_view text);   ///< mteval-v13a, as sacreBLEU's "13a"
Units rouge_tokens(std::string_view text);  ///< runs of a-z and 0-9 in lower case, as rouge-score without stemming
/// Words in lower case without ASCII punctuation and the articles a, an, the (Rajpurkar et al. 2016). Lower case is
/// that of Latin, Greek and Cyrillic letters.
Units answer_tokens(std::string_view text);
Units characters(std::string_view text);  ///< code points other than white space

/// Hashes of all runs of n units, sorted.
Units ngrams(const Units& units, std::size_t n);
/// How many elements two sorted lists share, each as often as in the list that has it less often.
std::int64_t overlap(const Units& a, const Units& b);

/// Length of the longest common subsequence, O(a·b).
std::int64_t common_subsequence(const Units& a, const Units& b);
/// Fewest insertions, deletions and substitutions that turn one into the other (Levenshtein 1966), O(a·b).
std::int64_t edits(const Units& a, const Units& b);

}  // namespace vigie::metric

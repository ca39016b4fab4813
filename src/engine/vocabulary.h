// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::engine {

/// Calls `each` with every word of a text, in lower case as far as ASCII goes: runs of ASCII letters and digits,
/// apostrophes and all other characters beyond ASCII, cut after 64 bytes. The word is gone after the call.
template <class Each>
void for_each_word(std::string_view text, Each&& each) {
  std::string word;
  auto flush = [&] {
    if (!word.empty()) each(std::string_view(word));
    word.clear();
  };
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || byte >= 0x80)
      word.append(word.size() < 64, upper ? static_cast<char>(c - 'A' + 'a') : c);
    else
      flush();
  }
  flush();
}

/// A set of words that fits 4 kB, as a Bloom filter (Bloom 1970): of 4,096 words it holds all, and takes one other word
/// in forty for one of them. Either side of a comparison is mistaken alike.
class Vocabulary {
 public:
  static constexpr std::size_t kWords = 4096, kCells = 512;

  bool empty() const { return bits_.empty(); }
  void add(std::string_view word);
  bool holds(std::string_view word) const;
  const std::vector<std::uint64_t>& bits() const { return bits_; }
  /// None or kCells of them.
  explicit Vocabulary(std::vector<std::uint64_t> bits = {}) : bits_(std::move(bits)) {}
  bool operator==(const Vocabulary&) const = default;

 private:
  std::vector<std::uint64_t> bits_;
};

/// What one half of a reference says of a column, for the rows of the other half and current ones to be held against.
struct Learnt {
  Vocabulary words{};           ///< of texts
  std::vector<float> center{};  ///< of embeddings
  bool operator==(const Learnt&) const = default;
};

}  // namespace vigie::engine

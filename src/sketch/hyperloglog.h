// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::sketch {

/// How many different values a stream holds. Up to 2^p / 8 hashes are kept as they are and the answer is exact; then
/// 2^p one-byte registers (Flajolet et al. 2007) with the estimator of Ertl 2017 ("New cardinality estimation
/// algorithms for HyperLogLog sketches", §4), which has no tables, no switches and no bias bumps from 0 to 10^18.
///
/// The caller hashes (base/hash.h); all 64 bits must be well mixed, and sketches to be merged must use one hash.
/// The state depends on the set of hashes only, not on their order. Memory 2^p bytes (4 KB at p = 12), less while few.
class HyperLogLog {
 public:
  static constexpr unsigned kFewest = 4, kMost = 18;
  /// `p` is brought into [kFewest, kMost].
  explicit HyperLogLog(unsigned p = 12);

  /// 2–3 ns; many at a time 1 ns once their number is above 2^(p + 4).
  void update(std::uint64_t hash);
  void update(std::span<const std::uint64_t> hashes);
  /// As if this had seen the other's hashes too. Different p: Code::kInput, and nothing changes.
  Status merge(const HyperLogLog& other);

  double estimate() const;
  /// Relative standard error of estimate(): 1.04 / √2^p (1.6 % at p = 12); 0 while exact.
  double relative_error() const;
  bool exact() const { return registers_.empty(); }
  unsigned p() const { return p_; }

  std::size_t size_bytes() const;
  /// Equal sets of hashes give equal bytes.
  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<HyperLogLog> load(ByteReader& in);

 private:
  std::size_t most_exact() const { return (std::size_t{1} << p_) / 8; }
  void insert(std::uint64_t hash);
  void raise(std::uint64_t hash);
  void densify();

  unsigned p_;
  // While exact: a hash set by linear probing, 0 marks a free slot, has_zero_ stands for the hash 0.
  std::vector<std::uint64_t> slots_;
  std::size_t used_ = 0;
  bool has_zero_ = false;
  std::vector<std::uint8_t> registers_;
  std::uint8_t lowest_ = 0;  // not above the lowest register
  std::size_t raised_ = 0;   // hashes since it was looked for
};

}  // namespace vigie::sketch

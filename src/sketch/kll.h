// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/extremes.h"
#include "base/result.h"
#include "base/rng.h"

namespace vigie::sketch {

/// Quantile sketch with a bound on the RANK error: Karnin, Lang and Liberty 2016, "Optimal quantile approximation in
/// streams". For tails of wide distributions (p99.9 of a latency) use RelativeQuantiles.
///
/// A pyramid of sorted buffers; an item of level l stands for 2^l values. A full buffer hands every second item up,
/// starting at a random one of the first two. Once the stream is long, a sampler before the lowest buffer lets only one
/// of each 2^h values in, so a value costs 10 ns at 100 thousand and 1 ns at 10 million (sketch_bench). Holds about
/// 3.5·k numbers (13 KB at k = 256) whatever the length, and every value, exactly, up to k.
///
/// Deterministic: the same seed and the same values in the same order give the same state, however the stream is cut
/// into spans. The weights of what is held always sum to count(). Minimum and maximum are exact.
/// NaN: the caller leaves it out (one that comes in does no harm but to the ranks near the ends). Infinities are
/// values.
class Kll {
 public:
  static constexpr std::uint32_t kFewest = 8, kMost = 32768;
  /// `k` is brought into [kFewest, kMost].
  explicit Kll(std::uint32_t k = 256, std::uint64_t seed = 1);

  void update(double value) { update(std::span(&value, 1)); }
  void update(std::span<const double> values);
  /// `extremes`: of these values, known already.
  void update(std::span<const double> values, const Extremes& extremes);
  /// As if this had seen the other's values too. Different k: Code::kInput, and nothing changes.
  Status merge(const Kll& other);

  std::int64_t count() const { return static_cast<std::int64_t>(count_); }
  std::uint32_t k() const { return k_; }
  double min() const { return count_ ? min_ : kNaN; }
  double max() const { return count_ ? max_ : kNaN; }
  /// Whether every value is still held as it came; then all answers are exact.
  bool exact() const { return levels_.size() == 1; }
  /// With 99 % confidence any one rank is off by at most this share of count(); 0 while exact.
  double rank_error() const;

  /// The smallest value held with at least the share `q` of all values at or below it; q ≤ 0 the minimum, q ≥ 1 the
  /// maximum. NaN when empty. Sorts what is held at each call: for many, use quantiles().
  double quantile(double q) const;
  std::vector<double> quantiles(std::span<const double> qs) const;
  /// About how many values are at or below x.
  std::int64_t rank(double x) const;
  /// rank(x) / count(); NaN when empty.
  double cdf(double x) const;
  /// About how many values lie in each of the cuts.size() + 1 cells below cuts[0], [cuts[0], cuts[1]), … Sums to
  /// count().
  std::vector<std::int64_t> counts(std::span<const double> cuts) const;

  struct Item {
    double value;
    std::int64_t weight;
  };
  /// What is held, ascending.
  std::vector<Item> items() const;

  std::size_t size_bytes() const;  ///< memory, without allocator overhead
  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote. Continues exactly as the saved one would have.
  static Result<Kll> load(ByteReader& in);

 private:
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  using Level = std::vector<std::uint64_t>;  // keys that sort as the doubles do

  std::size_t capacity(std::size_t level) const;
  std::size_t base_capacity() const { return k_ + (k_ & 1); }
  void emit(std::uint64_t key);
  void accept(std::uint64_t key);
  void flush_pending();
  void compact(std::size_t level);
  void compress();
  void draw_target();

  std::uint32_t k_;
  Rng rng_;
  std::uint64_t count_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  // The sampler: of the current block of 2^height_ values, seen_ have come and number target_ will enter. For each bit
  // j of seen_, pending_[j] is the one drawn for the 2^j values which that bit stands for.
  unsigned height_ = 0;
  std::uint64_t target_ = 0, seen_ = 0;
  std::vector<std::uint64_t> pending_;
  // Below height_ at most one item each; at height_ the unsorted buffer; above it sorted.
  std::vector<Level> levels_;
};

}  // namespace vigie::sketch

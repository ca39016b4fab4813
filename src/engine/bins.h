// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/extremes.h"
#include "base/rng.h"
#include "sketch/histogram.h"

namespace vigie::engine {

/// Bins of a numeric column, fixed by the reference alone: cell 0 lies below the minimum, the last one above the
/// maximum, a value with many rows has a cell of its own, the others hold about rows/kBins rows each.
struct Bins {
  std::vector<double> cuts;          ///< ascending; cell j is [cuts[j−1], cuts[j])
  std::vector<std::int64_t> counts;  ///< cuts.size() + 1
  std::vector<double> centers;       ///< mean of the rows of each cell; of an empty cell a bound next to it
  double sd = 0;                     ///< of the centers, weighted by counts
  bool lattice = false;              ///< every value has a cell of its own
};
inline constexpr int kBins = 128;

/// Values of a column in ascending order with how often each occurs.
struct Tie {
  double value;
  std::int64_t count;
};

/// The bins of values known exactly (recipe section 1). Of fewer than 2·kBins rows only a value that repeats is an
/// atom. Empty input gives empty bins. O(values).
Bins make_bins(std::span<const Tie> ties);

/// Joins cells until they hold enough rows each, as make_bins() does with values; a cell that is one value counts as
/// such. For bins put together from several.
Bins coarsen(const Bins& fine);

/// Finds bins in one pass over any number of values, in bounded memory: the first kBuffer values choose cells sixteen
/// times finer than needed, all values are counted in those exactly, and neighbours are joined at the end. Only when
/// the first values were no guide to the rest (time order, a shift) must the data be read again, with cells chosen
/// from a uniform sample of all of it. Counts are exact in either case; what can vary is where the cuts lie.
/// Cost: about 6 ns a value. Deterministic. Finite values only.
class BinBuilder {
 public:
  static constexpr std::size_t kBuffer = 1 << 15;

  void add(std::span<const double> values);
  /// The bins. nullopt when the data should be read again: start_again() and add() everything once more.
  std::optional<Bins> finish();
  void start_again();

 private:
  struct Fine {
    std::vector<double> cuts;
    std::vector<std::uint8_t> own;  ///< per cell: a single value
    bool few = false;               ///< no more than kBins distinct values seen, each with rows to spare
    std::optional<sketch::CutIndex> index;
    std::vector<std::int64_t> counts;
    std::vector<double> sums;
    Extremes extremes;
  };
  void choose(std::vector<double> sample);
  void count(std::span<const double> values);
  void draw(std::span<const double> values);

  std::vector<double> sample_;  ///< the first values, later some of all
  std::optional<Fine> fine_;
  std::int64_t seen_ = 0, next_draw_ = 0;
  std::int64_t stride_ = 1, next_stride_ = 0;  ///< rows of which one is drawn, and the first row of the next so many
  Rng rng_{0x5eed};
  bool second_ = false;
  std::vector<std::uint16_t> cells_;
};

}  // namespace vigie::engine

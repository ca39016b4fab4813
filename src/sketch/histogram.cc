// SPDX-License-Identifier: Apache-2.0
#include "sketch/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace vigie::sketch {
namespace {

constexpr std::size_t kFewestGridCells = 256, kMostGridCells = 8192;
constexpr std::int64_t kMagnitude = std::numeric_limits<std::int64_t>::max();

// Signed logarithm, as steep as the bit pattern of the double; 0 below the floor. Never decreases with the value.
inline std::int64_t log_key(double value, std::int64_t floor) {
  const auto bits = std::bit_cast<std::int64_t>(value);
  const std::int64_t above = (bits & kMagnitude) - floor, key = above > 0 ? above : 0;
  return bits < 0 ? -key : key;
}

}  // namespace

// What a loop over values needs, by value, so that the compiler keeps it in registers.
struct CutSearch {
  explicit CutSearch(const CutIndex& index)
      : low(index.low_), high(index.high_), grid(index.grid_), cuts(index.cuts_.data()), before(index.before_.data()) {}

  // NaN goes to `low`, and is in no cut's way afterwards: cell 0.
  template <bool kLog>
  std::size_t grid_cell(double value) const {
    double inside = value > low ? value : low;
    inside = inside < high ? inside : high;
    if constexpr (kLog)
      // Unsigned, because a range of both signs can need all 64 bits.
      return static_cast<std::size_t>(
          (static_cast<std::uint64_t>(log_key(inside, grid.floor)) - static_cast<std::uint64_t>(grid.base)) >>
          grid.shift);
    else
      // No multiply-add can be made of this, so cuts and values meet the same roundings.
      return static_cast<std::size_t>(static_cast<std::int64_t>((inside - low) * grid.scale));
  }

  template <bool kLog, unsigned kSteps>
  std::size_t cell(double value, [[maybe_unused]] unsigned steps) const {
    std::size_t at = before[grid_cell<kLog>(value)];
    const auto halve = [&](std::size_t half) { at += value >= cuts[at + half - 1] ? half : 0; };
    if constexpr (kSteps == 0)
      while (steps-- > 0) halve(std::size_t{1} << steps);
    if constexpr (kSteps >= 4) halve(8);
    if constexpr (kSteps >= 3) halve(4);
    if constexpr (kSteps >= 2) halve(2);
    if constexpr (kSteps >= 1) halve(1);
    return at;
  }

  double low, high;
  CutIndex::Grid grid;
  const double* cuts;
  const std::uint16_t* before;
};

namespace {

// Calls work.template operator()<kLog, kSteps>() with the constants that fit.
template <class Work>
void with_constants(bool logarithmic, unsigned steps, Work work) {
  const auto by_steps = [&]<bool kLog>() {
    switch (steps) {
      case 1:
        return work.template operator()<kLog, 1>();
      case 2:
        return work.template operator()<kLog, 2>();
      case 3:
        return work.template operator()<kLog, 3>();
      case 4:
        return work.template operator()<kLog, 4>();
      default:
        return work.template operator()<kLog, 0>();
    }
  };
  logarithmic ? by_steps.template operator()<true>() : by_steps.template operator()<false>();
}

}  // namespace

// Fills `before` for this grid and returns the steps it leaves to the search.
unsigned CutIndex::lay(const Grid& grid, std::size_t grid_cells, std::vector<std::uint16_t>& before) const {
  CutIndex trial;
  trial.low_ = low_;
  trial.high_ = high_;
  trial.grid_ = grid;
  const CutSearch search(trial);
  before.assign(grid_cells + 2, 0);
  for (std::size_t i = 0; i < size_; ++i) {
    const std::size_t at = grid.logarithmic ? search.grid_cell<true>(cuts_[i]) : search.grid_cell<false>(cuts_[i]);
    ++before[at];
  }
  std::uint16_t most = 0, sum = 0;
  for (std::uint16_t& held : before) {
    most = std::max(most, held);
    sum = static_cast<std::uint16_t>(sum + std::exchange(held, sum));
  }
  return static_cast<unsigned>(std::bit_width(std::size_t{most}));
}

CutIndex::CutIndex(std::span<const double> cuts) : size_(std::min(cuts.size(), kMostCuts)) {
  cuts_.assign(cuts.begin(), cuts.begin() + static_cast<std::ptrdiff_t>(size_));
  before_.assign(2, 0);
  if (!size_) {
    cuts_.assign(1, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  // Infinite cuts stay out of the range of the grid, and so in its end cells.
  constexpr double kMost = std::numeric_limits<double>::max();
  low_ = std::clamp(cuts_.front(), -kMost, kMost);
  high_ = std::clamp(cuts_.back(), -kMost, kMost);
  const std::size_t grid_cells = std::clamp(std::bit_ceil(size_) * 8, kFewestGridCells, kMostGridCells);

  std::vector<Grid> grids;
  const double range = high_ - low_, scale = static_cast<double>(grid_cells - 1) / range;
  if (std::isfinite(range)) grids.push_back({.scale = std::isfinite(scale) ? scale : 0});
  const double largest = std::max(std::abs(low_), std::abs(high_));
  for (int powers : {0, 4, 8, 16, 32}) {
    Grid grid{.logarithmic = true};
    double floor = std::ldexp(largest, -powers);
    if (powers == 0) {  // down to the magnitude nearest to zero
      floor = largest;
      for (double cut : cuts_)
        if (cut != 0) floor = std::min(floor, std::abs(cut));
    }
    grid.floor = std::max<std::int64_t>(std::bit_cast<std::int64_t>(floor) - 1, 0);
    grid.base = log_key(low_, grid.floor);
    const auto keys = static_cast<std::uint64_t>(log_key(high_, grid.floor)) - static_cast<std::uint64_t>(grid.base);
    while (keys >> grid.shift >= grid_cells) ++grid.shift;
    grids.push_back(grid);
  }
  steps_ = std::numeric_limits<unsigned>::max();
  std::vector<std::uint16_t> before;
  for (const Grid& grid : grids) {
    if (steps_ == 1) break;
    const unsigned steps = lay(grid, grid_cells, before);
    if (steps >= steps_) continue;
    steps_ = steps;
    grid_ = grid;
    before_.swap(before);
  }
  cuts_.resize(size_ + (std::size_t{1} << steps_), std::numeric_limits<double>::quiet_NaN());
}

std::int64_t CutIndex::count(std::span<const double> values, std::span<std::int64_t> counts) const {
  const CutSearch search(*this);
  // Equal neighbours would wait for each other's store to the same counter; four sets of counters keep them apart.
  constexpr std::size_t kSets = 4, kRun = 2048;
  const std::size_t width = cells();
  std::int64_t missing = 0;
  with_constants(grid_.logarithmic, steps_, [&]<bool kLog, unsigned kSteps>() {
    if (values.size() < kSets * width) {
      for (double value : values) {
        missing += value != value;
        ++counts[search.cell<kLog, kSteps>(value, steps_)];
      }
      return;
    }
    std::vector<std::int64_t> sets(kSets * width);
    std::uint16_t at[kRun];
    for (std::size_t from = 0; from < values.size(); from += kRun) {
      const auto run = values.subspan(from, std::min(kRun, values.size() - from));
      for (std::size_t i = 0; i < run.size(); ++i) {
        at[i] = static_cast<std::uint16_t>(search.cell<kLog, kSteps>(run[i], steps_));
        missing += run[i] != run[i];
      }
      for (std::size_t i = 0; i < run.size(); ++i) ++sets[i % kSets * width + at[i]];
    }
    for (std::size_t i = 0; i < sets.size(); ++i) counts[i % width] += sets[i];
  });
  counts[0] -= missing;
  return missing;
}

void CutIndex::locate(std::span<const double> values, std::span<std::uint16_t> cells) const {
  const CutSearch search(*this);
  with_constants(grid_.logarithmic, steps_, [&]<bool kLog, unsigned kSteps>() {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto cell = static_cast<std::uint16_t>(search.cell<kLog, kSteps>(values[i], steps_));
      cells[i] = values[i] == values[i] ? cell : kNoCell;
    }
  });
}

std::size_t CutIndex::cell(double value) const {
  std::size_t cell = 0;
  const CutSearch search(*this);
  with_constants(grid_.logarithmic, steps_,
                 [&]<bool kLog, unsigned kSteps>() { cell = search.cell<kLog, kSteps>(value, steps_); });
  return cell;
}

}  // namespace vigie::sketch

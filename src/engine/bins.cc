// SPDX-License-Identifier: Apache-2.0
#include "engine/bins.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/sort.h"

namespace vigie::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kFineCells = 2048;

// The next double up, as nextafter() for finite values; that call alone was 5 % of a comparison of many columns.
double after(double value) {
  auto bits = std::bit_cast<std::int64_t>(value + 0.0);
  return std::bit_cast<double>(bits >= 0 ? bits + 1 : bits - 1);
}

// A run of values that may become a bin or part of one. The last value of a run is only known where it is one value.
struct Run {
  double from;
  double to;  // exclusive; the next run may begin later
  std::int64_t count;
  double sum;
  bool own;
};

// The sweep of recipe section 1 over runs: those that are one value with at least `atom` rows stand alone, the others
// are joined until they hold `target` rows.
Bins sweep(std::span<const Run> runs, double target, double atom, double highest, bool lattice) {
  Bins bins;
  bins.lattice = lattice;
  if (runs.empty()) return bins;
  std::vector<double> sums;
  auto open = [&](double cut) {
    if (!bins.cuts.empty() && bins.cuts.back() == cut) return;
    bins.cuts.push_back(cut);
    bins.counts.push_back(0);
    sums.push_back(0);
  };
  bins.counts.push_back(0);
  sums.push_back(0);
  bool filling = false;
  for (const auto& run : runs) {
    if (run.count == 0) continue;
    bool alone = run.own && (lattice || static_cast<double>(run.count) >= atom);
    if (alone || !filling) open(run.from);
    bins.counts.back() += run.count;
    sums.back() += run.sum;
    if (alone) open(after(run.from));
    filling = !alone && static_cast<double>(bins.counts.back()) < target;
  }
  open(after(highest));

  auto cells = bins.counts.size();
  bins.centers.resize(cells);
  double n = 0, mean = 0;
  for (std::size_t j = 0; j < cells; ++j) {
    auto c = static_cast<double>(bins.counts[j]);
    double low = j == 0 ? bins.cuts.front() : bins.cuts[j - 1];
    double high = j + 1 == cells ? low : bins.cuts[j];
    // Rounding must not carry a mean out of its cell.
    bins.centers[j] = c > 0 ? std::clamp(sums[j] / c, low, high) : low;
    n += c;
    mean += c * bins.centers[j];
  }
  mean /= n;
  double square = 0;
  for (std::size_t j = 0; j < cells; ++j)
    square += static_cast<double>(bins.counts[j]) * (bins.centers[j] - mean) * (bins.centers[j] - mean);
  bins.sd = std::sqrt(square / n);
  bins.centers.back() = highest;
  return bins;
}

struct Rule {
  double target, atom;
};
Rule rule(double rows) {
  double q = rows / kBins;
  return {std::max(q, 1.0), std::max(q, 2.0)};
}

std::vector<Tie> ties_of(std::span<const double> sorted) {
  std::vector<Tie> ties;
  ties.reserve(sorted.size());
  for (double v : sorted) {
    if (!ties.empty() && ties.back().value == v)
      ++ties.back().count;
    else
      ties.push_back({v + 0.0, 1});
  }
  return ties;
}

bool few_values(std::size_t distinct, std::int64_t rows) {
  return distinct <= kBins && rows >= 2 * static_cast<std::int64_t>(distinct);
}

}  // namespace

Bins make_bins(std::span<const Tie> ties) {
  std::vector<Run> runs;
  runs.reserve(ties.size());
  std::int64_t rows = 0;
  for (const auto& tie : ties) {
    rows += tie.count;
    runs.push_back({tie.value, after(tie.value), tie.count, tie.value * static_cast<double>(tie.count), true});
  }
  if (runs.empty()) return {};
  auto [target, atom] = rule(static_cast<double>(rows));
  return sweep(runs, target, atom, ties.back().value, few_values(ties.size(), rows));
}

Bins coarsen(const Bins& fine) {
  std::vector<Run> runs;
  std::int64_t rows = 0;
  std::size_t own = 0;
  double highest = 0;
  for (std::size_t j = 0; j < fine.counts.size(); ++j) {
    if (fine.counts[j] == 0) continue;
    double from = j == 0 ? fine.centers[j] : fine.cuts[j - 1];
    double to = j < fine.cuts.size() ? fine.cuts[j] : after(std::max(fine.centers[j], from));
    bool single = to == after(from);
    rows += fine.counts[j];
    own += single;
    highest = std::nextafter(to, -kInfinity);
    runs.push_back({from, to, fine.counts[j], fine.centers[j] * static_cast<double>(fine.counts[j]), single});
  }
  if (runs.empty()) return {};
  auto [target, atom] = rule(static_cast<double>(rows));
  return sweep(runs, target, atom, highest, own == runs.size() && few_values(own, rows));
}

void BinBuilder::choose(std::vector<double> sample) {
  sort_doubles(sample);
  auto ties = ties_of(sample);
  Fine fine;
  fine.few = few_values(ties.size(), static_cast<std::int64_t>(sample.size()));
  double target = std::max(1.0, 2 * static_cast<double>(sample.size()) / kFineCells);
  double atom = std::max(2.0, target);
  fine.own.push_back(0);
  auto open = [&](double cut, bool own) {
    if (!fine.cuts.empty() && fine.cuts.back() == cut) {
      fine.own.back() = own;
      return;
    }
    fine.cuts.push_back(cut);
    fine.own.push_back(own);
  };
  std::int64_t filled = 0;
  bool filling = false;
  for (const auto& tie : ties) {
    bool alone = fine.few || static_cast<double>(tie.count) >= atom;
    if (alone) {
      open(tie.value, true);
      open(after(tie.value), false);
      filling = false;
      continue;
    }
    if (!filling) open(tie.value, false), filled = 0;
    filled += tie.count;
    filling = static_cast<double>(filled) < target;
  }
  fine.index.emplace(std::span<const double>(fine.cuts));
  fine.counts.assign(fine.cuts.size() + 1, 0);
  fine.sums.assign(fine.cuts.size() + 1, 0);
  fine_ = std::move(fine);
}

void BinBuilder::count(std::span<const double> values) {
  auto& fine = *fine_;
  constexpr std::size_t kBlock = 4096;
  cells_.resize(kBlock);
  for (; !values.empty(); values = values.subspan(std::min(kBlock, values.size()))) {
    auto block = values.first(std::min(kBlock, values.size()));
    fine.index->locate(block, cells_);
    widen(block, fine.extremes);
    for (std::size_t i = 0; i < block.size(); ++i) {
      ++fine.counts[cells_[i]];
      fine.sums[cells_[i]] += block[i];
    }
  }
}

// One value of every `stride_` in a row, drawn at random; a full sample gives up one of every two neighbours. So each
// value of the pass is in it with equal probability.
void BinBuilder::draw(std::span<const double> values) {
  const auto choose_next = [&] {
    next_draw_ = next_stride_ + static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(stride_)));
  };
  const auto end = seen_ + static_cast<std::int64_t>(values.size());
  while (true) {
    if (sample_.size() == kBuffer) {
      for (std::size_t i = 0; i < kBuffer; i += 2) sample_[i / 2] = sample_[i + (rng_() >> 63)];
      sample_.resize(kBuffer / 2);
      stride_ *= 2;
      choose_next();
    }
    if (next_draw_ >= end) return;
    sample_.push_back(values[static_cast<std::size_t>(next_draw_ - seen_)]);
    next_stride_ += stride_;
    choose_next();
  }
}

void BinBuilder::add(std::span<const double> values) {
  if (!second_ && !fine_) {
    auto take = std::min(kBuffer - sample_.size(), values.size());
    sample_.insert(sample_.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(take));
    seen_ += static_cast<std::int64_t>(take);
    values = values.subspan(take);
  }
  if (values.empty()) return;
  if (!fine_) {
    choose(sample_);
    if (!second_) count(sample_);
    next_stride_ = seen_;
  }
  count(values);
  if (!second_) draw(values);
  seen_ += static_cast<std::int64_t>(values.size());
}

void BinBuilder::start_again() {
  second_ = true;
  fine_.reset();
  seen_ = 0;
}

std::optional<Bins> BinBuilder::finish() {
  if (!fine_) {
    if (second_ && seen_ == 0) return Bins{};
    sort_doubles(sample_);
    return make_bins(ties_of(sample_));
  }
  auto& fine = *fine_;
  auto [target, atom] = rule(static_cast<double>(seen_));
  bool lattice = fine.few, poor = false;
  std::vector<Run> runs;
  for (std::size_t j = 0; j < fine.counts.size(); ++j) {
    if (fine.counts[j] == 0) continue;
    bool own = fine.own[j];
    lattice = lattice && own;
    poor = poor || (!own && static_cast<double>(fine.counts[j]) > target);
    runs.push_back({j == 0 ? fine.extremes.low : std::max(fine.extremes.low, fine.cuts[j - 1]),
                    j < fine.cuts.size() ? fine.cuts[j] : after(fine.extremes.high), fine.counts[j], fine.sums[j],
                    own});
  }
  if (poor && !second_) return std::nullopt;
  return sweep(runs, target, atom, fine.extremes.high, lattice);
}

}  // namespace vigie::engine

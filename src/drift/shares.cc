// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "drift/shares_internal.h"
#include "stats/distributions.h"
#include "stats/sampling.h"

namespace vigie::drift {
namespace {

/// Beside an atom of no more than this share, what makes the law are the bins at quantiles of the other rows: permuting
/// them gave 10 % alarms at a nominal 5 % (psi, 60 % zeros, 30 reference rows).
constexpr double kMostlyOneValue = .75;
/// Reference rows up to which the bins of a column with ties are chosen anew in every draw. A bin's edge goes by the
/// reference's own rows: with 30 of them, drawing into the bins at hand gave 8 % alarms at a nominal 5 % (psi, rounded
/// values). Above, no difference could be measured.
constexpr std::int64_t kFewReferenceRows = 1000;
/// Current rows for each reference row from which gaps are drawn as a whole instead of row by row.
constexpr std::int64_t kManyRowsInAGap = 40;

/// Appends to `out` the cells x, y joined to bins between quantiles of x.
void join_bins(std::span<const std::int64_t> cells_x, std::span<const std::int64_t> cells_y, double wide,
               std::vector<std::int64_t>& out_x, std::vector<std::int64_t>& out_y) {
  const auto quantile = [&](std::int64_t below) {
    return static_cast<std::int64_t>(static_cast<double>(below) / wide);
  };
  std::int64_t x = 0, y = 0, below = 0, opened = 0;
  bool last_is_heavy = false;
  const auto close = [&](bool heavy) {
    if (x + y == 0) return;
    // What is left above the last bin, the reference's maximum or near it, is none of its own.
    const bool leftover = !heavy && !last_is_heavy && !out_x.empty() && static_cast<double>(x) < wide / 2;
    if (leftover) {
      out_x.back() += x;
      out_y.back() += y;
    } else {
      out_x.push_back(x);
      out_y.push_back(y);
      last_is_heavy = heavy;
    }
    x = y = 0;
    opened = quantile(below);
  };
  for (std::size_t j = 0; j < cells_x.size(); ++j) {
    const bool heavy = static_cast<double>(cells_x[j]) >= wide;
    if (heavy) close(false);
    x += cells_x[j];
    y += cells_y[j];
    below += cells_x[j];
    if (heavy || quantile(below) > opened) close(heavy);
  }
  close(false);
}

Cells fine_cells(const Axis& axis, const Sample& reference, const Sample& current) {
  return nonempty(numeric_cells(axis, {.counts = reference.counts, .values = {}},
                                {.counts = current.counts, .values = {}, .beyond = current.beyond}));
}

/// Permutes the rows and chooses the bins by those that then are the reference's: exact, since only ties and ranks
/// count. Rows of a cell are ties on a lattice or where they are too many for a cell of the others; those between two
/// atoms have ranks of their own, whatever these were.
class Permutation {
 public:
  Permutation(const Cells& cells, bool lattice, std::size_t bins)
      : rows_(cells.n), wide_(static_cast<double>(cells.n) / static_cast<double>(bins)) {
    const std::int64_t quota = (cells.n + 127) / 128;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const bool atom = lattice || cells.x[j] > quota;
      if (atom || is_atom_.empty() || is_atom_.back()) {
        is_atom_.push_back(atom);
        groups_.push_back(0);
      }
      groups_.back() += cells.pooled(j);
      has_atoms_ |= atom;
    }
    drawn_.resize(groups_.size());
    margins_.emplace(groups_, rows_);
  }
  Permutation(const Permutation&) = delete;  // margins_ points into it

  bool has_atoms() const { return has_atoms_; }

  void operator()(Rng& rng, std::vector<std::int64_t>& x, std::vector<std::int64_t>& y) {
    x_.clear();
    y_.clear();
    (*margins_)(rng, drawn_);
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (is_atom_[g]) {
        add(drawn_[g], groups_[g] - drawn_[g]);
      } else {
        draw_ranks(rng, drawn_[g], groups_[g] - drawn_[g]);
      }
    }
    x.clear();
    y.clear();
    join_bins(x_, y_, wide_, x, y);
  }

 private:
  void add(std::int64_t x, std::int64_t y) {
    x_.push_back(x);
    y_.push_back(y);
  }

  /// A cell from each reference row to the next, and one below the first.
  void draw_ranks(Rng& rng, std::int64_t reference, std::int64_t current) {
    const std::size_t first = y_.size();
    add(0, 0);
    x_.resize(first + 1 + static_cast<std::size_t>(reference), 1);
    y_.resize(x_.size(), 0);
    if (current > kManyRowsInAGap * reference) {
      gaps_.assign(static_cast<std::size_t>(reference) + 1, 1);
      stats::Gaps(gaps_, current)(rng, std::span(y_).subspan(first));
      return;
    }
    for (std::size_t at = first; current > 0;) {
      const auto left = static_cast<std::uint64_t>(reference + current);
      if (rng.below(left) < static_cast<std::uint64_t>(current)) {
        ++y_[at];
        --current;
      } else {
        ++at;
        --reference;
      }
    }
  }

  std::int64_t rows_;
  double wide_;
  bool has_atoms_ = false;
  std::vector<std::int64_t> groups_, drawn_, x_, y_;
  std::vector<bool> is_atom_;
  std::vector<double> gaps_;
  std::optional<stats::FixedMargins> margins_;
};

}  // namespace

Cells share_bins(const Axis& axis, const Sample& reference, const Sample& current, std::size_t bins) {
  const Cells cells = fine_cells(axis, reference, current);
  Cells out;
  out.n = cells.n;
  out.m = cells.m;
  out.exact = true;  // the bins are the statistic's own
  out.quantiles = !axis.lattice && cells.largest_share() < kMostlyOneValue;
  join_bins(cells.x, cells.y, static_cast<double>(cells.n) / static_cast<double>(bins), out.x, out.y);
  return out;
}

Score shares_score(const Axis& axis, const Sample& reference, const Sample& current, const Args& args, Limit limit,
                   const Statistic& statistic) {
  const bool numeric = axis.kind == kNumeric;
  const auto bins = static_cast<std::size_t>(std::clamp(argument(args, kBinsParams, 0), 2.0, 1e6));
  const Cells cells = numeric ? share_bins(axis, reference, current, bins) : category_cells(reference, current);
  Score score = blank_score(cells);
  if (is_done(score)) return score;
  score.statistic = statistic(cells.x, cells.y);
  const double n = static_cast<double>(cells.n), m = static_cast<double>(cells.m), share = std::min(n, m) / (n + m);
  std::int64_t rarest = cells.n + cells.m;
  for (std::size_t j = 0; j < cells.size(); ++j) rarest = std::min(rarest, cells.pooled(j));
  if (limit.scale > 0 && static_cast<double>(rarest) * share >= limit.enough) {
    const double x2 = limit.scale * std::pow(score.statistic, limit.power) / (1 / n + 1 / m);
    score.p_value = stats::chi2_sf(x2, static_cast<double>(cells.size()) - 1);
    score.null = Null::kAsymptotic;
  } else {
    std::optional<Permutation> permutation;
    if (numeric && cells.n <= kFewReferenceRows) {
      permutation.emplace(fine_cells(axis, reference, current), axis.lattice, bins);
    }
    const bool rebins = permutation && permutation->has_atoms();
    simulate(score, cells, args, statistic, rebins ? Redraw(std::ref(*permutation)) : Redraw());
  }
  return score;
}

}  // namespace vigie::drift

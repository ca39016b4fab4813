// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/rng.h"
#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "trees", .fallback = 64, .min = 1, .max = 1000, .doc = "trees of the forest"},
    {.name = "rows", .fallback = 256, .min = 8, .max = 2048, .doc = "rows a tree is grown from"},
    {.name = "share", .fallback = .01, .min = .001, .max = .5, .doc = "share of the reference taken as isolated"},
    {.name = "watch", .fallback = .02, .min = 0, .max = 1, .doc = "rise of the share that is warned of"},
    {.name = "major", .fallback = .1, .min = 0, .max = 1, .doc = "rise of the share that fails"},
    {.name = "seed", .fallback = 1, .min = 0, .max = 1e9, .doc = "of the random cuts"}};

using Matrix = std::vector<std::vector<double>>;  // column by column; missing and infinite: the middle of the reference

struct Node {
  std::int32_t column = -1;  // −1: a leaf
  double cut = 0;            // a leaf: its path length
  std::uint32_t left = 0;    // the right child follows
};

double usual_path(double n) {
  if (n <= 1) return 0;
  return n == 2 ? 1 : 2 * (std::log(n - 1) + .5772156649015329) - 2 * (n - 1) / n;
}

class Tree {
 public:
  Tree(const Matrix& data, std::vector<std::uint32_t> rows, Rng& rng)
      : deepest_(std::ceil(std::log2(static_cast<double>(rows.size())))) {
    nodes_.emplace_back();
    grow(data, rows, 0, 0, rng);
  }
  double path(const Matrix& data, std::size_t row) const {
    std::size_t at = 0;
    while (nodes_[at].column >= 0) {
      const Node& node = nodes_[at];
      at = node.left + !(data[static_cast<std::size_t>(node.column)][row] < node.cut);
    }
    return nodes_[at].cut;
  }

 private:
  void grow(const Matrix& data, std::span<std::uint32_t> rows, std::size_t at, double depth, Rng& rng) {
    std::size_t column = 0;
    double low = 0, high = 0;
    // A column that no longer varies here is drawn again, a few times.
    for (std::size_t tries = 0; rows.size() > 1 && depth < deepest_ && !(low < high) && tries < 8; ++tries) {
      column = rng.below(data.size());
      low = high = data[column][rows[0]];
      for (const std::uint32_t row : rows) {
        low = std::min(low, data[column][row]);
        high = std::max(high, data[column][row]);
      }
    }
    double cut = low / 2 + high / 2 + (rng.uniform() - .5) * (high - low);
    if (!(low < high) || !std::isfinite(cut)) {
      nodes_[at].cut = depth + usual_path(static_cast<double>(rows.size()));
      return;
    }
    if (cut <= low) cut = high;
    const auto middle =
        std::partition(rows.begin(), rows.end(), [&](std::uint32_t r) { return data[column][r] < cut; });
    const auto left = static_cast<std::uint32_t>(nodes_.size());
    nodes_[at] = {static_cast<std::int32_t>(column), cut, left};
    nodes_.resize(nodes_.size() + 2);
    const auto size = static_cast<std::size_t>(middle - rows.begin());
    grow(data, rows.first(size), left, depth + 1, rng);
    grow(data, rows.subspan(size), left + 1, depth + 1, rng);
  }

  double deepest_;
  std::vector<Node> nodes_;
};

std::vector<double> numbers(const std::vector<std::uint64_t>& words, double& middle, bool learn) {
  std::vector<double> out;
  for (const std::uint64_t word : words) out.push_back(std::bit_cast<double>(word));
  for (std::size_t i = 0; i < out.size(); ++i)
    if (words[i] == ColumnState::kMissingHash || !std::isfinite(out[i])) out[i] = kNaN;
  if (learn) {
    std::vector<double> known;
    std::copy_if(out.begin(), out.end(), std::back_inserter(known), [](double x) { return !std::isnan(x); });
    if (!known.empty())
      std::nth_element(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2), known.end());
    middle = known.empty() ? 0 : known[known.size() / 2];
  }
  for (double& x : out)
    if (std::isnan(x)) x = middle;
  return out;
}

std::vector<double> scores(const std::vector<Tree>& forest, const Matrix& data, std::size_t from, std::size_t to) {
  std::vector<double> out(to - from);
  for (const Tree& tree : forest)
    for (std::size_t i = from; i < to; ++i) out[i - from] -= tree.path(data, i);
  return out;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  Matrix before, now;
  for (std::size_t i = 0; i < subject.current.columns().size(); ++i) {
    const ColumnState& column = subject.current.columns()[i];
    const ColumnState* then = subject.before(column);
    const Role role = column.spec().role;
    if (column.spec().kind != Kind::kNumber || !then || role == Role::kId || role == Role::kTime) continue;
    const auto at = static_cast<std::size_t>(then - subject.reference->columns().data());
    double middle = 0;
    before.push_back(numbers(subject.reference_sample.columns[at], middle, true));
    now.push_back(numbers(subject.sample.columns[i], middle, false));
  }
  if (before.empty()) return;
  Finding& finding = out.emplace_back();
  // One half of the reference grows the trees; the other is as new to them as the current rows, so that rows of one law
  // are isolated equally often.
  const std::size_t half = subject.reference_sample.rows / 2, rows = subject.reference_sample.rows;
  if (too_few(finding, static_cast<std::int64_t>(subject.sample.rows), static_cast<std::int64_t>(half))) return;
  Rng rng(static_cast<std::uint64_t>(args[5]));
  std::vector<Tree> forest;
  for (int t = 0; t < static_cast<int>(args[0]); ++t) {
    std::vector<std::uint32_t> chosen(half);
    for (std::uint32_t i = 0; i < half; ++i) chosen[i] = i;
    const std::size_t size = std::min(half, static_cast<std::size_t>(args[1]));
    for (std::size_t i = 0; i < size; ++i) std::swap(chosen[i], chosen[i + rng.below(half - i)]);
    chosen.resize(size);
    forest.emplace_back(before, std::move(chosen), rng);
  }
  const std::vector<double> known = scores(forest, before, half, rows);
  std::vector<double> sorted = known;
  std::sort(sorted.begin(), sorted.end());
  const double limit =
      sorted[std::min(sorted.size() - 1, static_cast<std::size_t>((1 - args[2]) * static_cast<double>(sorted.size())))];
  const std::vector<double> fresh = scores(forest, now, 0, subject.sample.rows);
  const auto above = [limit](double s) { return s > limit; };
  finding = judge_more({std::count_if(fresh.begin(), fresh.end(), above), static_cast<std::int64_t>(fresh.size()),
                        std::count_if(known.begin(), known.end(), above), static_cast<std::int64_t>(known.size())},
                       "isolated", args[3], args[4]);
  finding.reason += fmt::format(" ({} together)", plural(static_cast<std::int64_t>(now.size()), "number column"));
}

}  // namespace

constinit const Check isolation_forest{.name = "isolation_forest",
                                       .summary =
                                           "Share of sampled rows that random cuts isolate sooner than nearly all "
                                           "of the reference, all numbers together",
                                       .source = "Liu, Ting & Zhou 2008; exact hypergeometric test",
                                       .takes = kNeedsRows | kNeedsSample | kTable | kNeedsReference,
                                       .params = kParams,
                                       .run = run};

}  // namespace vigie::quality

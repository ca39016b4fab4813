// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "drift/cells_internal.h"

namespace vigie::drift {
namespace {

/// With more rows than this at one point the column is one of atoms: fixed margins are its null.
constexpr double kMostlyConstant = .5;

void add(Cells& cells, std::int64_t x, std::int64_t y) {
  cells.x.push_back(x);
  cells.y.push_back(y);
  cells.n += x;
  cells.m += y;
}

Cells from_values(std::span<const double> reference, std::span<const double> current) {
  Cells cells;
  cells.exact = true;
  for (std::size_t i = 0, j = 0; i < reference.size() || j < current.size();) {
    const double v =
        j == current.size() || (i < reference.size() && reference[i] <= current[j]) ? reference[i] : current[j];
    const std::size_t i0 = i, j0 = j;
    while (i < reference.size() && reference[i] == v) ++i;
    while (j < current.size() && current[j] == v) ++j;
    if (i == i0 && j == j0) break;  // a NaN, which should not be here
    cells.at.push_back(v);
    add(cells, static_cast<std::int64_t>(i - i0), static_cast<std::int64_t>(j - j0));
  }
  return cells;
}

Cells from_counts(const Axis& axis, const Sample& reference, const Sample& current) {
  Cells cells;
  const std::size_t count = std::min(reference.counts.size(), current.counts.size());
  const bool centered = axis.centers.size() >= count;
  for (std::size_t j = 0; j < count; ++j) {
    cells.at.push_back(centered ? axis.centers[j] : static_cast<double>(j));
    add(cells, reference.counts[j], current.counts[j]);
  }
  cells.quantiles = !axis.lattice && cells.largest_share() < kMostlyConstant;
  if (count < 2) return cells;
  const auto outside = static_cast<double>(cells.y.front() + cells.y.back());
  if (axis.sd > 0) {
    const double distance = outside > 0 ? current.beyond / outside * axis.sd : 0;
    cells.at.front() -= distance;
    cells.at.back() += distance;
  } else if (outside > 0) {
    cells.placed = false;
    cells.at.front() -= 1;
    cells.at.back() += 1;
  }
  return cells;
}

}  // namespace

std::vector<std::int64_t> Cells::pooled() const {
  std::vector<std::int64_t> out(size());
  for (std::size_t j = 0; j < out.size(); ++j) out[j] = pooled(j);
  return out;
}

double Cells::largest_share() const {
  std::int64_t largest = 0;
  for (std::size_t j = 0; j < size(); ++j) largest = std::max(largest, pooled(j));
  return n + m == 0 ? 1 : static_cast<double>(largest) / static_cast<double>(n + m);
}

Cells numeric_cells(const Axis& axis, const Sample& reference, const Sample& current) {
  if (!reference.values.empty() && !current.values.empty()) return from_values(reference.values, current.values);
  Cells cells = from_counts(axis, reference, current);
  return cells.quantiles ? cells : nonempty(std::move(cells));
}

Cells category_cells(const Sample& reference, const Sample& current) {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (std::size_t j = 0; j < std::min(reference.counts.size(), current.counts.size()); ++j) {
    const std::int64_t x = reference.counts[j], y = current.counts[j];
    if (x + y > 0) rows.emplace_back(x + y, x);
  }
  std::sort(rows.begin(), rows.end(), std::greater<>());
  Cells cells;
  cells.exact = true;
  for (const auto& [pooled, x] : rows) add(cells, x, pooled - x);
  return cells;
}

Cells cells_of(const Axis& axis, const Sample& reference, const Sample& current) {
  return axis.kind == kCategorical ? category_cells(reference, current) : numeric_cells(axis, reference, current);
}

Cells nonempty(Cells cells) {
  std::size_t kept = 0;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    if (cells.pooled(j) == 0) continue;
    cells.x[kept] = cells.x[j];
    cells.y[kept] = cells.y[j];
    if (!cells.at.empty()) cells.at[kept] = cells.at[j];
    ++kept;
  }
  cells.x.resize(kept);
  cells.y.resize(kept);
  if (!cells.at.empty()) cells.at.resize(kept);
  return cells;
}

Cells grouped(Cells cells, std::size_t most) {
  if (cells.size() <= most) return cells;
  const double rows = static_cast<double>(cells.n + cells.m), enough = rows / static_cast<double>(most);
  std::size_t out = 0;
  std::int64_t x = 0, y = 0;
  double moment = 0;
  const auto close = [&] {
    if (x + y == 0) return;
    cells.x[out] = x;
    cells.y[out] = y;
    cells.at[out++] = moment / static_cast<double>(x + y);
    x = y = 0;
    moment = 0;
  };
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const std::int64_t a = cells.x[j], b = cells.y[j];
    const auto l = static_cast<double>(a + b);
    if (l >= enough) close();
    x += a;
    y += b;
    moment += l * cells.at[j];
    if (static_cast<double>(x + y) >= enough) close();
  }
  close();
  cells.x.resize(out);
  cells.y.resize(out);
  cells.at.resize(out);
  return cells;
}

Score blank_score(const Cells& cells) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Score score{.statistic = kNan, .p_value = kNan, .components = {}, .note = {}};
  score.exact = cells.exact;
  if (cells.exact) score.error = 0;
  if (cells.n == 0 || cells.m == 0) {
    score.status = Status::kEmpty;
    return score;
  }
  if (cells.largest_share() == 1) {
    score.status = Status::kConstant;
    score.statistic = 0;
    score.p_value = 1;
    score.null = Null::kExact;
  }
  if (std::min(cells.n, cells.m) < kFewestRows) score.status = Status::kTooFewRows;
  return score;
}

double argument(const Args& args, std::span<const Param> params, std::size_t i) {
  return i < args.params.size() ? args.params[i] : params[i].fallback;
}

}  // namespace vigie::drift

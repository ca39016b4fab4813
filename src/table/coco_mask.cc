// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "table/coco.h"

namespace vigie::table {
namespace {

constexpr std::int64_t kScale = 5;   // the boundary is drawn on a grid so much finer than the pixels
constexpr double kFarthest = 1e12;   // from where on a corner is anywhere
constexpr std::int64_t kMiddle = 2;  // of a pixel's column, from its first one on the grid

struct Corner {
  std::int64_t x, y;
};

/// Calls see(column, y on the grid) for each column of `width` over whose middle an edge steps, drawn as pycocotools
/// does: by its longer side a step of the grid at a time. Costs no more than the columns, however long the edge is.
template <class F>
void each_crossing(Corner from, Corner to, std::uint32_t width, F see) {
  const auto dx = std::abs(to.x - from.x), dy = std::abs(to.y - from.y);
  if (dx == 0) return;
  const bool flat = dx >= dy;
  if (flat ? from.x > to.x : from.y > to.y) std::swap(from, to);
  const double slope = flat ? static_cast<double>(to.y - from.y) / static_cast<double>(dx)
                            : static_cast<double>(to.x - from.x) / static_cast<double>(dy);
  const auto at = [&](std::int64_t begin, std::int64_t step) {
    return static_cast<std::int64_t>(static_cast<double>(begin) + slope * static_cast<double>(step) + .5);
  };
  const auto left = std::min(from.x, to.x), right = std::max(from.x, to.x);
  auto column = std::max<std::int64_t>(0, (left - kMiddle + kScale - 1) / kScale);
  for (; column < width && column * kScale + kMiddle < right; ++column) {
    const auto x = column * kScale + kMiddle;  // the step is from here to the next
    if (x < left) continue;
    if (flat) {
      see(column, std::min(at(from.y, x - left), at(from.y, x + 1 - left)));
      continue;
    }
    std::int64_t before = 0, after = dy;  // steps from `from` on; the last before, and the first after
    const auto over = [&](std::int64_t step) { return slope > 0 ? at(from.x, step) > x : at(from.x, step) <= x; };
    if (over(before) || !over(after)) continue;
    while (after - before > 1) {
      const auto middle = before + (after - before) / 2;
      (over(middle) ? after : before) = middle;
    }
    see(column, from.y + before);
  }
}

/// Two turns at one pixel are none.
void cancel(std::vector<std::uint32_t>& turns) {
  std::sort(turns.begin(), turns.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (i + 1 < turns.size() && turns[i] == turns[i + 1])
      ++i;
    else
      turns[kept++] = turns[i];
  }
  turns.resize(kept);
}

/// Reads two masks of one size side by side: calls `see` with runs of pixels, and whether they are in either.
template <class F>
void each_run(const CocoMask& a, const CocoMask& b, F see) {
  std::size_t i = 0, j = 0;
  std::uint64_t left = a.runs.empty() ? 0 : a.runs[0], right = b.runs.empty() ? 0 : b.runs[0];
  while (i < a.runs.size() && j < b.runs.size()) {
    const auto run = std::min(left, right);
    if (run > 0) see(run, i % 2 == 1, j % 2 == 1);
    left -= run, right -= run;
    if (left == 0 && ++i < a.runs.size()) left = a.runs[i];
    if (right == 0 && ++j < b.runs.size()) right = b.runs[j];
  }
}

}  // namespace

std::vector<std::uint32_t> runs_of_polygon(std::span<const double> polygon, std::uint32_t height, std::uint32_t width) {
  std::vector<Corner> corners;
  const auto on_grid = [](double v) {
    return static_cast<std::int64_t>(static_cast<double>(kScale) * std::clamp(v, -kFarthest, kFarthest) + .5);
  };
  for (std::size_t i = 0; i + 1 < polygon.size(); i += 2)
    corners.push_back({on_grid(polygon[i]), on_grid(polygon[i + 1])});
  // Where the boundary steps over the middle of a column, the mask begins or ends.
  constexpr std::size_t kTidied = std::size_t{1} << 20;
  std::vector<std::uint32_t> turns;
  std::size_t many = kTidied;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    each_crossing(corners[i], corners[(i + 1) % corners.size()], width, [&](std::int64_t column, std::int64_t at) {
      const double y = (static_cast<double>(at) + .5) / static_cast<double>(kScale) - .5;
      turns.push_back(static_cast<std::uint32_t>(column) * height +
                      static_cast<std::uint32_t>(std::ceil(std::clamp(y, 0., static_cast<double>(height)))));
    });
    if (turns.size() > many) cancel(turns), many = std::max(kTidied, 2 * turns.size());
  }
  cancel(turns);
  turns.push_back(height * width);
  std::vector<std::uint32_t> runs = {turns[0]};
  for (std::size_t i = 1; i < turns.size(); ++i)
    if (turns[i] > turns[i - 1]) runs.push_back(turns[i] - turns[i - 1]);
  return runs;
}

std::int64_t area(const CocoMask& mask) {
  std::int64_t out = 0;
  for (std::size_t i = 1; i < mask.runs.size(); i += 2) out += mask.runs[i];
  return out;
}

std::int64_t shared_area(const CocoMask& a, const CocoMask& b) {
  std::int64_t out = 0;
  each_run(a, b,
           [&](std::uint64_t run, bool in_a, bool in_b) { out += in_a && in_b ? static_cast<std::int64_t>(run) : 0; });
  return out;
}

CocoMask united(const CocoMask& a, const CocoMask& b) {
  CocoMask out{a.height, a.width, {0}};
  each_run(a, b, [&](std::uint64_t run, bool in_a, bool in_b) {
    const bool inside = in_a || in_b;
    if (inside == (out.runs.size() % 2 == 1)) out.runs.push_back(0);
    out.runs.back() += static_cast<std::uint32_t>(run);
  });
  return out;
}

CocoMask mask_of(const CocoItem& item, const CocoImage& image) {
  if (item.polygons.empty() || !item.mask.runs.empty()) return item.mask;
  if (image.height == 0 || image.width == 0) return {};
  CocoMask out;
  for (const auto& polygon : item.polygons) {
    CocoMask one{image.height, image.width, runs_of_polygon(polygon, image.height, image.width)};
    out = out.runs.empty() ? std::move(one) : united(out, one);
  }
  return out;
}

}  // namespace vigie::table

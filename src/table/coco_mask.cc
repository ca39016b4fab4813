// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "table/coco.h"

namespace vigie::table {
namespace {

struct Pixel {
  int x, y;
};

/// The points of a polygon's boundary on a grid five times as fine, a step apart.
std::vector<Pixel> boundary(std::span<const double> polygon, double scale) {
  std::vector<Pixel> corners;
  for (std::size_t i = 0; i + 1 < polygon.size(); i += 2)
    corners.push_back({static_cast<int>(scale * polygon[i] + .5), static_cast<int>(scale * polygon[i + 1] + .5)});
  corners.push_back(corners[0]);
  std::vector<Pixel> out;
  for (std::size_t i = 0; i + 1 < corners.size(); ++i) {
    Pixel from = corners[i], to = corners[i + 1];
    const int dx = std::abs(to.x - from.x), dy = std::abs(to.y - from.y), steps = std::max(dx, dy);
    const bool flip = dx >= dy ? from.x > to.x : from.y > to.y;
    if (flip) std::swap(from, to);
    const double slope = steps == 0 ? 0
                         : dx >= dy ? static_cast<double>(to.y - from.y) / dx
                                    : static_cast<double>(to.x - from.x) / dy;
    for (int d = 0; d <= steps; ++d) {
      const int t = flip ? steps - d : d;
      if (dx >= dy)
        out.push_back({from.x + t, static_cast<int>(from.y + slope * t + .5)});
      else
        out.push_back({static_cast<int>(from.x + slope * t + .5), from.y + t});
    }
  }
  return out;
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
  constexpr double kScale = 5;
  const auto points = boundary(polygon, kScale);
  const double w = width, h = height;
  // Where the boundary steps from one column to the next, at the middle of a pixel's column, the mask begins or ends.
  std::vector<std::uint32_t> turns;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].x == points[i - 1].x) continue;
    const double x = ((points[i].x < points[i - 1].x ? points[i].x : points[i].x - 1) + .5) / kScale - .5;
    if (std::floor(x) != x || x < 0 || x > w - 1) continue;
    const double y = std::ceil(std::clamp((std::min(points[i].y, points[i - 1].y) + .5) / kScale - .5, 0., h));
    turns.push_back(static_cast<std::uint32_t>(x) * height + static_cast<std::uint32_t>(y));
  }
  turns.push_back(height * width);
  std::sort(turns.begin(), turns.end());
  // Two turns at one pixel are none.
  std::vector<std::uint32_t> runs = {turns[0]};
  for (std::size_t i = 1; i < turns.size(); ++i) {
    if (const auto run = turns[i] - turns[i - 1]; run > 0) {
      runs.push_back(run);
    } else if (++i < turns.size()) {
      runs.back() += turns[i] - turns[i - 1];
    }
  }
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

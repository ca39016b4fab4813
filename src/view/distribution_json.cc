// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "view/html_internal.h"
#include "view/json.h"
#include "view/json_writer_internal.h"

namespace vigie::view {
namespace {

constexpr std::size_t kMostCells = 24;

struct Cell {
  std::string name;
  Pair share;
};

void add(Pair& to, const Pair& more) {
  to.reference += more.reference, to.current += more.current;
}

std::vector<Cell> cells_of(const engine::Picture& picture) {
  std::vector<Cell> out;
  const auto put = [&](std::string name, const Pair& share) { out.push_back({std::move(name), share}); };
  const auto any = [](const Pair& share) { return share.reference > 0 || share.current > 0; };
  if (!picture.categories.empty()) {
    const auto at = [](const std::vector<double>& shares, std::size_t i) { return i < shares.size() ? shares[i] : 0; };
    for (std::size_t i = 0; i < picture.categories.size(); ++i)
      put(picture.categories[i], {at(picture.reference_shares, i), at(picture.current_shares, i)});
    return out;
  }
  const auto density = density_of(picture);
  if (density.cells.empty()) return out;
  const auto text = [&](double value) { return value_text(picture.type, value); };
  const auto n = density.cells.size();
  const auto each = (n + kMostCells - 1) / kMostCells;  // that are drawn as one
  const auto from = [&](std::size_t i) { return density.edges.empty() ? density.values[i] : density.edges[i]; };
  if (any(density.below)) put("< " + text(from(0)), density.below);
  for (std::size_t i = 0; i < n; i += each) {
    Pair share;
    for (auto j = i; j < std::min(n, i + each); ++j) add(share, density.cells[j]);
    put(text(from(i)), share);
  }
  if (any(density.above))
    put((density.edges.empty() ? "> " : "≥ ") +
            text(density.edges.empty() ? density.values.back() : density.edges.back()),
        density.above);
  return out;
}

}  // namespace

std::string to_json(std::span<const engine::Picture> pictures) {
  Writer out;
  out.raw("[");
  bool first = true;
  for (const auto& picture : pictures) {
    const auto cells = cells_of(picture);
    if (cells.empty()) continue;
    out.raw(std::exchange(first, false) ? "\n    {" : ",\n    {");
    out.member("column", picture.column);
    const auto list = [&](std::string_view name, auto write) {
      out.name(name);
      for (std::size_t i = 0; i < cells.size(); ++i) out.raw(i == 0 ? "[" : ", "), write(cells[i]);
      out.raw("]");
    };
    const auto share = [&](double value) { out.number(std::round(value * 1e4) / 1e4); };
    list("cells", [&](const Cell& cell) { out.text(cell.name); });
    list("reference", [&](const Cell& cell) { share(cell.share.reference); });
    list("current", [&](const Cell& cell) { share(cell.share.current); });
    out.raw("}");
  }
  out.raw("]");
  return out.take();
}

}  // namespace vigie::view

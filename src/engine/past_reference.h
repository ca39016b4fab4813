// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/kept_counts.h"

namespace vigie::engine {

/// A reference of windows that were counted on the axes of another one: cells and categories are those that the other
/// one chose, so none was chosen by the rows that are tested, and a row is not looked at twice. The categories are
/// those of the other one and those that the windows met, as many as a profile keeps. What it says of how much windows
/// differ may be learnt from more windows than its rows are of. Where most rows lie beyond the other one's range,
/// little is seen: it was made too long ago. Data quality: the other one's values; from kFewestWindows windows on,
/// their rows and what they lack. Cost: windows × cells, about 5 ms for 200 windows of 20 columns.
class PastReference {
 public:
  static constexpr std::size_t kMostUsual = 400;  ///< windows; of more, the latest tell how much they differ
  /// `axes` must outlive it.
  PastReference(const Profile& axes, WindowSpec windows);

  struct Window {
    std::int64_t key = 0;   ///< rising from one to the next
    std::int64_t rows = 0;  ///< all that it had
    bool part = false;      ///< its rows are the reference's
    bool usual = false;     ///< it tells how much healthy windows differ
  };
  /// As save_counts() gave it. Code::kCorrupt: of other axes, or none.
  Status add(const Window& window, std::string_view saved);
  /// The same of counts at hand.
  void add(const Window& window, const Tally& counted);
  Profile make() const;

 private:
  struct Column {
    std::vector<std::string> fresh;
    std::vector<std::vector<Counts>> cells;  // by segmentation and segment
  };
  struct Counted {
    Window window;
    std::vector<Column> columns;
  };
  static std::vector<Column> columns_of(const Tally& counted);
  std::size_t segments_of(std::size_t k) const {
    return k == 0 ? 1 : std::max<std::size_t>(1, axes_.segments[k].size());
  }
  void add_parts(const std::vector<std::size_t>& usual, std::size_t c, ColumnProfile& column) const;
  void add_quality(const std::vector<std::size_t>& usual, Profile& out) const;

  const Profile& axes_;
  WindowSpec windows_;
  std::vector<Counted> counted_;
};

/// Brings what was counted on the axes of `axes` to those of `reference`, which a PastReference of them made.
void bring_to_axes(Tally& counted, const Profile& axes, const Profile& reference);

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/live_windows.h"
#include "engine/segmenter.h"
#include "server/row_privacy.h"
#include "store/store.h"
#include "table/json_rows.h"

namespace vigie::server {

/// A few rows of each window, and of each of the reference's segments in it, for people to look at: those whose ids
/// have the least hashes with the window's number, so that each row has the same chance, and the same rows are chosen
/// whatever their order, and when they are read again. One thread at a time. Memory: kRows rows for each open window
/// and segment, of kMostSegments segments at most.
class RowSamples {
 public:
  static constexpr std::size_t kRows = 20, kMostSegments = 64;

  /// `columns`: where the segmentations' columns are in the batches of add().
  RowSamples(std::string model, const engine::Profile& reference, const table::Schema& columns);
  /// Where another one says something else, what was chosen of windows that are open is chosen anew, of rows to come.
  void show_by(std::shared_ptr<const RowPrivacy> privacy);

  /// Rows that came, behind LiveWindows::add() of the same.
  Status add(table::Batch& batch, const table::JsonRows& rows, std::size_t id, const engine::LiveWindows& windows);
  /// Those of a window that is over, which the store knows by that key; late rows may alter them.
  std::vector<store::Sample> chosen(std::int64_t window, const std::string& key) const;
  /// Nothing more comes for windows with lower numbers.
  void forget_below(std::int64_t window) { windows_.erase(windows_.begin(), windows_.lower_bound(window)); }
  /// All that was chosen so far, and to go on from there.
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  using Chosen = std::map<std::uint64_t, std::string>;  // by hash
  struct Window {
    std::map<std::string, Chosen> by_segment;  // "": all rows
  };
  std::string model_;
  std::vector<engine::Segmenter> segmenters_;
  std::shared_ptr<const RowPrivacy> privacy_;
  std::map<std::int64_t, Window> windows_;
};

}  // namespace vigie::server

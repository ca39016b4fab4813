// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/live_windows.h"

namespace vigie::engine {

/// Puts windows together that LiveWindows told of, minutes by the hour, hours by the day, days by the week, windows by
/// rows by ten, and compares those with the reference: that shows what is too small for each of them, or comes too
/// slowly. Windows that are cut off have no part in it, nor has what restates one. Memory: about a byte a cell, column
/// and segment. Cost of a window: the cells. One thread at a time.
class MergedWindows {
 public:
  static constexpr std::int64_t kRowWindows = 10;
  /// What windows are put together to; nothing for those that are longer than a day.
  static std::optional<WindowSpec> longer(const WindowSpec& windows);

  struct Merged {
    std::int64_t key = 0, start = 0, end = 0;  ///< as of a window
    std::int64_t windows = 0;                  ///< that are in it
    WindowResult result;                       ///< columns alone
    Tally counted;                             ///< by which it was found
  };
  /// A window of `options` that was compared, with what was counted of it on the axes of the reference; what was put
  /// together before it, where it is the first one behind that and enough were in it: three quarters of what the
  /// reference has in its fullest. Windows come in the order of their keys. `left_out`: it has no part in it, as where
  /// somebody was told of it by itself.
  Result<std::optional<Merged>> add(const LiveWindows::Closed& window, const WindowResult& result, const Tally& counted,
                                    bool left_out, const Profile& reference, const CompareOptions& options,
                                    const std::string& name);

  std::string save() const;
  /// Code::kCorrupt, and then nothing was put together yet.
  Status load(std::string_view saved);

 private:
  std::int64_t key_ = 0, start_ = 0, end_ = 0;
  std::int64_t last_ = 0, windows_ = 0;  // key of the latest window that is in it, and how many are
  std::string counts_;
};

}  // namespace vigie::engine

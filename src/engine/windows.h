// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/profile.h"

namespace vigie::engine {

class Zone;

/// Gives each row its window. Only operator[], size() and order() may be called from several threads at once. Windows
/// are numbered in the order in which they are met; `order()` sorts them by time.
class Windower {
 public:
  static Result<Windower> make(const WindowSpec& spec);
  Windower(const Windower&);
  Windower(Windower&&) noexcept;
  Windower& operator=(Windower&&) noexcept;
  ~Windower();

  /// Window of each of `rows` rows that begin at row `first`; `times` in µs since 1970 UTC (calendar windows only).
  /// −1 where the time is missing.
  void assign(std::int64_t first, std::int64_t rows, std::span<const double> times, std::vector<std::int32_t>& out);

  struct Window {
    std::int64_t key = 0;       ///< ordinal of the minutes, hour, day, week, month or run of rows
    std::int16_t hour = -1;     ///< of day at its start, windows of an hour or less; else −1
    std::int16_t weekday = -1;  ///< 0 = Monday, windows of a day or less; else −1
    std::int16_t minute = -1;   ///< of the hour at its start, windows of minutes; else −1
    double first = std::numeric_limits<double>::infinity(), last = -first;  ///< times seen, µs
  };
  /// Of the window of a time, µs since 1970 UTC, which need not be met; only calendar windows.
  std::int64_t key_of(double time) const;
  /// Whether any row may be in a window of that key.
  bool possible(std::int64_t key) const;
  /// The number of the window with that key, which is possible and another one met, with the times that it saw.
  std::size_t met(std::int64_t key, double first, double last);
  std::size_t size() const { return windows_.size(); }
  const Window& operator[](std::size_t i) const { return windows_[i]; }
  /// Window numbers in ascending order of time.
  std::vector<std::size_t> order() const;
  /// Start of the window with this key as ISO 8601 with zone, and in µs; only calendar windows.
  std::string start_text(std::int64_t key) const;
  double start(std::int64_t key) const;
  /// Which of the windows, in order(), are cut off by the beginning or the end of the data: their margin is more than
  /// twice the largest margin of the inner ones (and 1 % of the window), or with fewer than three windows more than a
  /// tenth of the window. All false for row windows, whose last one the caller knows to be short.
  std::vector<bool> cut_off() const;
  /// Whether any window is not cut off.
  bool some_whole() const;
  /// What people should know of the windows: that no window is whole, lacking(), other_midnight().
  std::vector<std::string> remarks() const;
  /// "3 of 60 days have no row, at most 2 running, from 2026-01-15T00:00:00Z on": calendar windows between the first
  /// and the last. Empty when every one has rows.
  std::string lacking() const;
  /// "it begins at 05:00 UTC and ends about then, …": windows from midnight UTC on are cut off, and the data seem to be
  /// whole days of another zone. Empty otherwise.
  std::string other_midnight() const;

 private:
  Windower();
  struct Start {
    std::int64_t utc, local;  // seconds
  };
  std::int64_t length() const;  // s; of windows of an hour or less, of others 0
  Start start_of(std::int64_t key) const;
  Window opened(std::int64_t key) const;
  WindowSpec spec_;
  std::unique_ptr<Zone> zone_;
  std::map<std::int64_t, std::int32_t> index_;
  std::vector<Window> windows_;
  std::int64_t last_key_ = std::numeric_limits<std::int64_t>::min();
  std::int32_t last_ = -1;
};

}  // namespace vigie::engine

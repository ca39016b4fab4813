// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"
#include "engine/windows.h"

namespace vigie::engine {

/// The parts that windows which overlap are put together from: each is counted once, and in as many windows as one has.
struct Panes {
  WindowSpec each;         ///< windows of the calendar that do not overlap
  std::int64_t count = 1;  ///< of a window; of a month, which then has 30 days, as of all
};
inline constexpr std::int64_t kMostPanes = 300;
/// Of windows with `every`.
Panes panes_of(const WindowSpec& windows);
/// Whether `every` of a calendar window divides it, into two panes or more and kMostPanes at most. Code::kUsage.
Status check_panes(const WindowSpec& windows);
std::string pane_text(std::int64_t minutes);  ///< "5m", "hour", "day"

/// Which panes there are of windows that overlap, and which windows were told of with how many rows. A window goes by
/// the key of its last pane. Memory: some bytes a pane; what was counted of each is where keep_in() says. Panes that no
/// window needs any more are forgotten. One thread at a time.
class SlidingWindows {
 public:
  /// Code::kUsage: a zone that there is not.
  static Result<SlidingWindows> make(const WindowSpec& windows);
  const Panes& panes() const { return panes_; }

  /// Where what was counted of panes is; in memory where nothing is said.
  struct Keep {
    std::function<Status(std::int64_t key, std::string_view counted)> put;
    std::function<Result<std::string>(std::int64_t key)> get;
    std::function<Status(std::int64_t key)> drop;
  };
  void keep_in(Keep keep) { keep_ = std::move(keep); }

  struct Pane {
    std::int64_t rows = 0;
    double first = 0, last = 0;  ///< times of its rows: µs
  };
  /// What was counted of a pane so far; it takes the place of what was before.
  Status put(std::int64_t key, const Pane& pane, std::string_view counted);
  /// Empty where it is lost.
  Result<std::string> counted(std::int64_t key) const;

  struct Window {
    std::int64_t start = 0, end = 0;  ///< µs
    double first = 0, last = 0;       ///< times of its rows: µs
    std::int64_t rows = 0;
    std::vector<std::int64_t> panes{};  ///< keys of those with rows
    std::int64_t late_rows = 0;         ///< since it was first told of
    int told = 0;                       ///< how often it was
  };
  /// Nothing where its rows begin behind its first quarter, as of the first windows of all, and behind a pause.
  std::optional<Window> window(std::int64_t key) const;
  /// It is told of with the rows that it has.
  void tell(std::int64_t key);
  /// Windows that were told of with other rows than they have, oldest first.
  std::vector<std::int64_t> stale() const;
  /// Panes with lower keys do not change any more.
  Status forget_below(std::int64_t key);

  /// Whether a window that ends there is one of the calendar.
  bool whole(std::int64_t end) const;
  /// The key among the calendar's windows of that which has most of it.
  std::int64_t calendar_key(const Window& window) const;
  std::int64_t start_of(std::int64_t pane) const;

  std::string save() const;
  /// Code::kCorrupt; then it is as before.
  Status load(std::string_view saved);

 private:
  SlidingWindows(Panes panes, Windower each, Windower whole);
  struct Known {
    Pane pane{};
    std::int64_t at_first = 0, told_rows = 0;  // of the window that it ends
    std::int32_t told = 0;
  };
  std::int64_t rows_to(std::int64_t key) const;
  Panes panes_;
  Windower each_, whole_;
  Keep keep_;
  std::map<std::int64_t, Known> known_;
  std::map<std::int64_t, std::string> own_;
  std::int64_t forgotten_ = std::numeric_limits<std::int64_t>::min();  // panes with lower keys
  mutable bool changed_ = false;                                       // since stale() found none
};

/// Of counts on the same cells one after the other, from which one on they are most likely of another distribution:
/// that before which the likelihood of two exceeds that of one most, in at most ten groups of cells, where it does so
/// by more than Schwarz's criterion (1978) asks for. Nothing else.
std::optional<std::size_t> change_of(std::span<const std::vector<std::int64_t>> counts);

}  // namespace vigie::engine

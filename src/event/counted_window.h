// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie::event {

/// A window of predictions that was counted elsewhere: the body of a record of Kind::kCounts.
struct CountedWindow {
  std::int64_t key = 0, from = 0, to = 0;  ///< of a calendar window; µs since 1970
  std::int64_t since = 0;                  ///< what is before it was counted with another window, of other lengths
  std::int64_t anew = 0;                   ///< rows from there on
  std::uint64_t reference = 0;             ///< hash64() of the bytes of the reference on whose axes it was counted
  std::string counts;                      ///< engine::save_counts()
  std::string quality{};                   ///< quality::TableState of Depth::kCounts; empty: nothing was checked
  std::string answers{};                   ///< server::CountedAnswers; empty: none were counted
  std::string about{};                     ///< how exact all that is: a member of the window's JSON; empty: it is exact
};
std::string encode(const CountedWindow& window);
/// Code::kCorrupt.
Result<CountedWindow> counted_window_of(std::string_view bytes);

}  // namespace vigie::event

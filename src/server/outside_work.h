// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/profile.h"

namespace vigie::server {

/// Whether something is planned, or known not to count, within [from, to): µs since 1970.
using Planned = std::function<bool(std::int64_t from, std::int64_t to)>;

struct OutsideWork {
  std::string body;
  std::int64_t left_out = 0;      ///< rows
  engine::WindowSpec window;      ///< of the reference that is made of the rest
  std::int64_t from = 0, to = 0;  ///< first and last time of the rest: µs since 1970; both 0: none has one
};
/// Rows as predictions have them without those in times of planned work: without whole windows of it, so that none
/// looks thinner than it was. Where `window` is none, and something is left out, days where kWindows of them or more
/// are left, else hours where so many are, else rows by themselves. Rows without a time stay. Code::kInput: nothing is
/// left.
Result<OutsideWork> outside_work(std::string_view body, const engine::WindowSpec& window, const Planned& planned);

/// From how many days or hours on they tell how much healthy ones differ, and are taken for the windows of rows.
inline constexpr std::size_t kTellingWindows = 15;

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "engine/profile.h"
#include "engine/tally.h"

namespace vigie::engine {

/// The windows of a reference that are taken as healthy, in time order, the latest kWindows of them, or of windows of
/// minutes as many that are spread over all of its time: none that is cut
/// off by the ends of the data or has less than drift::kFewestRows rows.
std::vector<std::size_t> healthy_windows(const Windower& windower, const WindowSpec& spec,
                                         std::span<const std::int64_t> rows);

/// Whether windows from one to the other, by their keys, tell what is usual at an hour of the day: those of minutes are
/// many within one and the same hour, and must last for two weeks.
bool know_hours(const WindowSpec& spec, std::int64_t first, std::int64_t last);

/// Missing and present rows as two categories: how the missing share is told among the healthy windows.
std::array<std::int64_t, 2> missing_or_present(const Counts& counts);
inline constexpr drift::Axis kMissingAxis{
    .kind = drift::kCategorical, .cuts = {}, .centers = {}, .sd = 0, .lattice = false};

/// The counts of a part of a column brought to the length that `fresh` more categories ask for.
std::vector<std::int64_t> padded(const Counts& counts, std::size_t cells);

}  // namespace vigie::engine

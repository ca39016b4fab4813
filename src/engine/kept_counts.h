// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/profile.h"
#include "engine/tally.h"

namespace vigie::engine {

/// Of as many windows, of which nothing was counted yet, without names or times.
Tally empty_counts(const Profile& axes, std::size_t windows);
/// One more window of that kind.
void add_window(Tally& tally, const Profile& axes);

/// What was counted of the only window of a tally on the axes of a profile, as bytes: about a byte a cell.
std::string save_counts(const Tally& counted);

/// Back, on the same axes, as of one window without a name or a time: counts, missing values and the names of
/// categories; nothing of least and greatest values, spans of time, data quality and what could not be read.
/// Code::kCorrupt: of other axes, or none.
Result<Tally> read_counts(std::string_view saved, const Profile& axes);

/// Adds what was counted of other rows to that of some, each of one window, on the axes of `axes`; what read_counts()
/// does not give stays as it is. Cost: the cells.
void put_in(Tally& all, const Tally& others, const Profile& axes);

/// Takes out of what was counted of rows what was counted of some of them; likewise.
void take_out(Tally& all, const Tally& some, const Profile& axes);

}  // namespace vigie::engine

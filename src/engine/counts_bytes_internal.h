// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "engine/profile.h"

namespace vigie::engine {

/// All but `beyond`, and back: no sum of them is more rows than there can be.
void save_counts(ByteWriter& out, const Counts& counts);
Counts load_counts(ByteReader& in);
/// How rows are cut, likewise.
void save_windows(ByteWriter& out, const WindowSpec& windows);
WindowSpec load_windows(ByteReader& in);

}  // namespace vigie::engine

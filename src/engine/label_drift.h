// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "engine/comparison.h"
#include "engine/profile.h"

namespace vigie::engine {

/// The column of labels of a reference, as a profile of its own with its healthy windows, of all rows; nothing where it
/// has none. The rest of the reference is not needed any more.
std::optional<Profile> labels_of(const Profile& reference);

/// Compares the labels of rows, all of one such window, with `labels`, labels_of() a reference, as compare() does where
/// nothing else is compared. Rows without a label say nothing; those with one may be others than all are. `cut_off`:
/// the window lacks an end, and is not judged. Errors as compare().
Result<std::vector<ColumnResult>> compare_labels(const Profile& labels, table::Input& rows, const WindowSpec& window,
                                                 bool cut_off);

}  // namespace vigie::engine

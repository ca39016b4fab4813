// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/profile.h"
#include "table/table.h"

namespace vigie::cli {

/// Looks at the first batch of data whose times are to be read. Code::kUsage, with the forms that are read, where the
/// column is text; a remark where all are numbers that mean a time in 1970, as a zip code does; else empty. A column
/// that is not there is left to the engine to say.
Result<std::string> check_times(table::Input& input, const std::string& column);

/// What was read of a file.
struct RowsRead {
  std::string source;
  std::int64_t rejected, rows;
};
/// Says the first records that could not be read.
void say_problems(const std::vector<std::string>& problems);
/// A line for each file of which most records could not be read, to stand above what is found of it.
std::string mostly_unread(const std::vector<RowsRead>& files);

/// What a reference is likely not meant to be: columns that look like ids, segments of which none has rows enough. To
/// be given before a profile is saved as well as where data are compared, in the same words.
std::vector<std::string> remarks_on(const engine::Profile& reference);

/// Adds a note that is not there yet.
void add_note(std::vector<std::string>& notes, const std::string& note);

/// "a profile made with `--timestamp 'scheduled' --window day` would tell …" where a reference for which no column of
/// times was named compares one that lasts for windows enough; else empty.
std::string windows_to_have(const engine::Profile& reference);

/// Columns of `before` that the current data lack while they have one that neither it nor `besides` knows, of a like
/// name, or a single one of the same type: one question each, and no column is the new name of two.
std::vector<std::string> renamed(const table::Schema& before, const std::vector<std::string>& besides,
                                 const table::Schema& current, const std::string& name);

}  // namespace vigie::cli

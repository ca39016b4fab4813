// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/profile.h"
#include "quality/quality.h"

namespace vigie::engine {

/// Rows of a reference up to which a profile's quality state has all of them; of more it has what many rows are worth.
inline constexpr std::int64_t kWholeQuality = std::int64_t{1} << 17;

/// What the checks of data quality know of a reference.
struct QualityReference {
  std::string source;
  std::int64_t rows = 0, rejected = 0;
  std::shared_ptr<const quality::TableState> state;
  table::Schema types;  ///< as its columns are read, those without a value apart; the current data's are read likewise
  WindowSpec window;
  std::vector<quality::Window> windows;  ///< healthy ones, in time order
  std::vector<quality::Habit> habits;
  std::vector<std::string> left_out;  ///< columns that are known, and not looked at
  std::vector<std::string> problems, notes;
};

/// Of a profile: what it holds, or, where an older vigie made it, its columns without their rows and a note.
QualityReference quality_of(const Profile& profile);

/// The state as a profile with room for it holds it, so that rows and their profile are one reference.
std::shared_ptr<const quality::TableState> as_stored(const quality::TableState& state);

/// Appends a profile's part for the checks: what can be said in `bytes` bytes, the fewer, the less of samples and
/// categories. An empty part where that is not enough to say anything.
void save_quality(ByteWriter& out, const Profile& profile, std::size_t bytes);
/// Reads it back. Code::kCorrupt for bytes that no save wrote.
Status load_quality(ByteReader& in, Profile& profile);

/// The rows of `b` after those of `a`, into the profile merged of both; nothing, and a note, where the columns differ.
void merge_quality(const Profile& a, const Profile& b, Profile& merged);

}  // namespace vigie::engine

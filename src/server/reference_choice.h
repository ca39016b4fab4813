// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie::server {

/// What the windows of a model are compared with.
struct ReferenceChoice {
  enum class Kind : std::uint8_t {
    kPosted,    ///< the reference that was posted
    kMoving,    ///< the windows of a stretch of time that ends a while before
    kPrevious,  ///< the window before
    kSameTime,  ///< those of the same hour or day of some weeks before
    kVersion,   ///< what another version of the model was asked and answered at the same time
    kFirst,     ///< what came first, which is made the posted one where there is none
  };
  Kind kind = Kind::kPosted;
  std::int64_t length = 7 * 86'400'000'000, gap = 86'400'000'000;  ///< µs, of kMoving; length of kFirst too
  std::int64_t weeks = 4;                                          ///< of kSameTime
  std::string version{};                                           ///< of kVersion
  bool operator==(const ReferenceChoice&) const = default;
};
/// "posted", "moving", "previous", "same_time", "version", "first"
std::string_view to_string(ReferenceChoice::Kind kind);

/// Reads "previous", or an object as {"kind": "moving", "length": "7d", "gap": "1d"},
/// {"kind": "same_time", "weeks": 4}, {"kind": "version", "version": "3"} or {"kind": "first", "length": "7d"}.
/// Code::kInput.
Result<ReferenceChoice> read_reference_choice(std::string_view json);

}  // namespace vigie::server

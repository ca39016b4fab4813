// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigie {

/// Without blanks and tabs at both ends.
std::string_view trim(std::string_view text);

/// "name(part, part)", as detectors and targets are written.
struct Call {
  std::string_view name;           ///< points into the text
  std::vector<std::string> parts;  ///< trimmed; empty ones are left out
};
/// Cuts at the commas that are neither between inner brackets, of which there is one level, nor between double quotes,
/// which stay. Code::kUsage, with nothing of the text in the message: it may be secret.
Result<Call> parse_call(std::string_view text);

/// unknown_name() with the nearest name there is, or with all of them where none is near.
std::string unknown_of(std::string_view what, std::string_view name, std::span<const std::string> names);

}  // namespace vigie

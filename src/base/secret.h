// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"

namespace vigie {

/// A value with what it refers to in its place: "${NAME}" anywhere in it is a variable of the environment, and
/// "file:/path" the first line of that file. Code::kUsage, `where` first: a variable or a file that is not there. What
/// a value holds is in no message.
Result<std::string> reveal(std::string_view value, const std::string& where, const Environment& environment);

/// Whether reveal() would look elsewhere: it holds "${" or begins with "file:".
bool refers(std::string_view value);

}  // namespace vigie

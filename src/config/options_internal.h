// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"

namespace vigie::config {

/// The words of a text that has blanks between them.
std::vector<std::string> words(std::string_view text);
/// Behind the last dot.
std::string_view last_part(std::string_view name);
/// What an option takes, for people: "a whole number, 1..100".
std::string expected(const Option& option);

}  // namespace vigie::config

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigie::view {

/// Takes the first character off `text`, which must not be empty. Bytes that are not well-formed UTF-8 come one at a
/// time as U+FFFD.
char32_t take_character(std::string_view& text);

void append_character(std::string& out, char32_t c);

/// Cells that a character takes on a terminal: 0 for combining marks and the like, 2 for East Asian wide and emoji.
int cells(char32_t c);
std::size_t display_width(std::string_view text);

/// `text` in at most `width` cells, its end (or, for `middle`, its middle) replaced by `mark` when it is longer.
std::string shortened(std::string_view text, std::size_t width, std::string_view mark, bool middle = false);

/// `text` as well-formed UTF-8: each stray byte becomes U+FFFD.
std::string repaired(std::string_view text);

/// Fit for a terminal: repaired; control characters and those that turn the direction of writing shown as \x1b or
/// \u202e. With `unicode` false also pure ASCII: dashes, dots and the like by their nearest, anything else as "?".
std::string printable(std::string_view text, bool unicode);

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/comparison.h"
#include "view/terminal.h"

namespace vigie::view {

enum class Style { kPlain, kBold, kDim, kOk, kWarning, kDrift };

/// `text` in ANSI colour when the terminal has it.
std::string styled(std::string_view text, Style style, const TerminalOptions& options);

/// How a verdict looks: its colour, its mark, and the word that a page begins with.
Style style_of(engine::Verdict verdict);
std::string_view mark(engine::Verdict verdict, bool unicode);
std::string_view headline(engine::Verdict verdict);

/// Levels from 0 to `top` as bars, one a level; a blank where a level is below 0 or NaN.
std::string bars(const std::vector<double>& levels, double top, const TerminalOptions& options);

/// The glyph for "cut here".
std::string_view ellipsis(const TerminalOptions& options);

/// The width used for layout.
std::size_t layout_width(const TerminalOptions& options);

struct Cell {
  std::string text;  ///< printable
  Style style = Style::kPlain;
};

/// Lays out cells under a header. What does not fit is cut, but for the last column when it is aligned left: its text
/// goes on in further lines. `between` is text on lines of its own: the first before the first row, then one after
/// each row; may be empty.
std::string grid(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
                 const std::vector<Align>& alignments, const std::vector<std::string>& between, bool rule,
                 const TerminalOptions& options);

/// A blank of printable text at which `wrapped` does not break.
inline constexpr char kTied = '\x1f';

/// Breaks printable text at blanks into lines of at most the layout width, the first one after `first`, the others
/// after `indent` blanks; a per cent sign stays with its number. A word that is too long is cut in pieces. Ends in a
/// newline.
std::string wrapped(const Cell& first, const Cell& text, std::size_t indent, const TerminalOptions& options);

}  // namespace vigie::view

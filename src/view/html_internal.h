// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "engine/comparison.h"
#include "view/findings_internal.h"

namespace vigie::view {

/// Text for element content and double-quoted attributes: the five characters that mean something in HTML become
/// entities, control characters and stray bytes U+FFFD.
std::string escaped(std::string_view text);
/// The same of at most `limit` characters, then "…".
std::string escaped(std::string_view text, std::size_t limit);

template <class... T>
void put(std::string& out, fmt::format_string<T...> format, T&&... values) {
  fmt::format_to(std::back_inserter(out), format, std::forward<T>(values)...);
}

/// A section of a page, by its id.
struct Link {
  std::string_view id, name;
};
/// A page up to the beginning of its <main>: style, policy, and a bar with links and a filter of what `filtered` names;
/// `title` is HTML.
void open_page(std::string& out, std::string_view title, std::string_view filtered, const std::vector<Link>& links);
void close_page(std::string& out, std::string_view version);

/// Keeps a number and its unit on one line.
std::string glued(std::string text);
/// The same of dates in brackets; for HTML between tags.
std::string dated(std::string text);
/// effect_text and share_text, escaped and glued.
std::string effect_html(double effect, std::string_view scale, int way = 0);
/// The smallest effect that a test shows four times in five: "≥ 0.12 sd"; "nothing" where so large a one cannot be or
/// says nothing, unless the test saw a change after all; "–" where unknown.
std::string power_html(const engine::ColumnResult& result);
std::string share_html(double share);

/// `<span class="badge drift">■ drift</span>`, or with another word
std::string badge(engine::Verdict verdict, std::string_view word = {});

/// The first letter, when it is an ASCII one, in upper case.
std::string capital(std::string text);

/// "<b>In 3 of 12 windows, first in window 4 (…).</b> Worst in window 7 (…): ", to stand before a reason; empty with a
/// single window or where nothing changed.
std::string time_html(const engine::Comparison& comparison, const Finding& finding);

/// A coordinate with one decimal at most.
std::string at(double coordinate);

/// A value of a column for people; of timestamps the date and time (UTC).
std::string value_text(engine::ColumnType type, double value);

/// The windows as drawn: at most 120 steps, each of `each` windows.
struct Steps {
  std::size_t windows = 0, each = 1, count = 0;
};
Steps steps_of(std::size_t windows);

/// A number of both sides.
struct Pair {
  double reference = 0, current = 0;
};
/// A numeric column re-binned for the eye.
struct Density {
  std::vector<Pair> cells;     ///< at most about 48, of equal width on its axis
  std::vector<double> edges;   ///< cells.size() + 1; empty when every cell is one value
  std::vector<double> values;  ///< one a cell when every cell is one value
  bool log = false;            ///< the cells are of equal width on a logarithmic axis
  Pair below, above;           ///< beyond the range drawn
  Pair p10, p50, p90;          ///< of both sides; NaN when empty
};
/// The range drawn holds 0.5 to 99.5 % of either side, but no more than three times the reference's own to each side
/// of it. Positive values with a long tail get a logarithmic axis. Values of which each has a bin of its own are never
/// mixed unevenly. Empty when there is nothing to draw.
Density density_of(const engine::Picture& picture);

/// Charts as inline SVG of 360 × 150, styled by classes of report.css.
std::string distribution_chart(const engine::Picture& picture, const Density& density);
std::string quantile_chart(const engine::Comparison& comparison, const engine::Picture& picture);
std::string shares_chart(const engine::Comparison& comparison, const engine::Picture& picture);
std::string missing_chart(const engine::Comparison& comparison, const engine::Picture& picture);
std::string effect_chart(const engine::Comparison& comparison, const Finding& finding);
/// Verdict over windows, 10 high and one unit a step wide, stretched by its container: the height says the verdict,
/// the shade the effect.
std::string strip(const engine::Comparison& comparison, const Finding& finding);

/// The section of one column.
void column_section(std::string& out, const engine::Comparison& comparison, const Finding& finding, std::size_t id,
                    bool open);
/// What the checks of data quality warn of or fail, gravest first, and how many passed; nothing where none was made.
void quality_section(std::string& out, const std::vector<engine::WindowResult>& windows);
/// Methods, levels, options, notes; and the words.
void method_section(std::string& out, const engine::Comparison& comparison);
void glossary(std::string& out);

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vigie {

/// The candidate closest to `name` (optimal string alignment distance, case ignored), or "" when there is none or
/// the nearest one differs in more than half of the longer word.
std::string nearest(std::string_view name, std::span<const std::string> candidates);

/// 1 for equal names down to 0: the share of the longer one that the same distance leaves alone.
double similarity(std::string_view a, std::string_view b);

/// `unknown WHAT "NAME"PLACE` and, where one is near, `; did you mean "X"?`. `place` as in " in FILE".
std::string unknown_name(std::string_view what, std::string_view name, std::span<const std::string> candidates,
                         std::string_view place = {});

/// Text for a message: quoted, control characters and invalid UTF-8 escaped, at most `limit` bytes and then "…".
std::string quoted(std::string_view text, std::size_t limit = 40);

/// Appends the text, which must be UTF-8, as a string of JSON.
void append_json(std::string& out, std::string_view text);

/// Whether the bytes are well-formed UTF-8.
bool is_utf8(std::string_view bytes);

/// 1234567 as "1,234,567".
std::string with_commas(long long value);

/// "1 row", "1,234 rows".
std::string plural(long long count, std::string_view noun);

/// A number for people: `digits` significant ones, no exponent between 1e-4 and 1e7 ("0.0312", "1.2e-09").
std::string human(double value, int digits = 3);

/// A share of a whole: "3.2 %".
std::string percent(double share);

/// Microseconds in the largest unit that they fill: "5 d", "3.2 h", "12 ms".
std::string duration(double micros);

/// Whether a path has one of the signs that glob() expands: `*`, `?`, `[`.
bool has_glob(std::string_view path);

}  // namespace vigie

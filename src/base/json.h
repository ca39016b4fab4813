// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

namespace vigie {

enum class NumberNames { kTaken, kRefused };

/// JSON of people and of other programs. NaN, Infinity and -Infinity, which Python writes for numbers and vigie's
/// readers of records take, are these texts, or no JSON. Discarded: what is no JSON, and what is nested deeper than
/// 100, of which a copy calls itself as often. Cost: a glance at each byte more than nlohmann's.
nlohmann::ordered_json parse_json(std::string_view text, NumberNames names = NumberNames::kTaken);
/// Whether a text is one of these.
bool is_number_name(std::string_view text);
/// The one of them that begins at a place outside of texts; empty: none does.
std::string_view number_name_at(std::string_view text, std::size_t at);

}  // namespace vigie

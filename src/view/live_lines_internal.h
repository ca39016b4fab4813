// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "view/live_page.h"

namespace vigie::view {

/// Small lines, each with its name and its latest value; nothing of none.
void draw_lines(std::string& out, const std::vector<LiveLine>& lines);

/// A number for people in the unit that the name's ending tells: "1.2 GB", "42 %", "310 ms". "–" of NaN.
std::string figure_text(std::string_view name, double value);

}  // namespace vigie::view

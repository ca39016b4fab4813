// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/inspection.h"
#include "view/quality_internal.h"

namespace vigie::view {

/// "FAIL", "WARNING", "PASS", "NO DATA"
std::string quality_headline(std::string_view verdict);
/// "2 of 214 checks failed and 3 warn; first: missing of age, 34 % missing, …"
std::string quality_sentence(const engine::Inspection& inspection);
/// "3 checks (outliers, constant)": those of without_verdict() that share a reason.
std::string unjudged_text(const Alike& checks);
/// "the last window is cut off by the end of the data; there only checks of single rows give a verdict"; empty
/// where no window of the calendar is.
std::string cut_off_text(const std::vector<engine::WindowResult>& windows);

}  // namespace vigie::view

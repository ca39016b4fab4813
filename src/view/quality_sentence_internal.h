// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/inspection.h"

namespace vigie::view {

/// "FAIL", "WARNING", "PASS", "NO DATA"
std::string quality_headline(std::string_view verdict);
/// "2 of 214 checks failed and 3 warn; first: missing of age, 34 % missing, …"
std::string quality_sentence(const engine::Inspection& inspection);

}  // namespace vigie::view

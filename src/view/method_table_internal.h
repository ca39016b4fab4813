// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "view/findings_internal.h"
#include "view/terminal.h"

namespace vigie::view {

/// Where other methods than the default were asked for: what each of them says of each column, of whole windows and the
/// gravest of these; gravest columns first. Empty where nothing else was asked for.
std::string method_table(const engine::Comparison& comparison, const std::vector<const Finding*>& order,
                         const TerminalOptions& options);

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "drift/drift.h"
#include "engine/compare.h"

namespace vigie::engine {

/// The methods of each column of the profile, at least one, in the order of the registry. A choice for all columns goes
/// to those that it accepts, the others keep the default; of several for one column all are run. Code::kUsage for
/// names that are not known, and for a column's own choice that does not accept it.
Result<std::vector<std::vector<const drift::Method*>>> choose(const Profile& profile,
                                                              std::span<const MethodChoice> choices);

}  // namespace vigie::engine

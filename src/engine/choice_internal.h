// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "drift/drift.h"
#include "engine/compare.h"

namespace vigie::engine {

struct Chosen {
  std::vector<std::vector<const drift::Method*>> methods;  ///< parallel to Profile::counted(), some are empty
  std::vector<bool> asked;                                 ///< likewise: its methods are a choice and not the default
};
/// The methods of each column of the profile and of each of its aspects, in the order of the registry. A choice for all
/// columns goes to those that it accepts, the others keep the default: omnibus of the values, and every aspect that the
/// column has. What is chosen for a column is all that is run there. Code::kUsage for names that are not known, and for
/// a column's own choice that does not accept it.
Result<Chosen> choose(const Profile& profile, std::span<const MethodChoice> choices);

}  // namespace vigie::engine

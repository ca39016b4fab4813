// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/profile.h"

namespace vigie::engine {

/// Code::kUsage for the first name that is not among `known`, with the nearest that is.
Status check_roles(const std::vector<std::string>& known, const Roles& roles, const std::string& source);

/// As what a column is compared; nothing when it is not.
std::optional<Role> compared_as(const std::string& name, const Roles& roles);

/// Code::kUsage for a segmentation that is neither a column nor a pair of different ones.
Status check_segments(const std::vector<SegmentBy>& segments);

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"

namespace vigie::server {

/// Where a prediction has what the reference has in a column: {"features", "age"}, {"prediction"}. What is no column of
/// the reference is a tag.
std::vector<std::string> record_path(const engine::Profile& reference, std::string_view column);

}  // namespace vigie::server

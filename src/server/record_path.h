// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"
#include "table/json_rows.h"

namespace vigie::server {

/// Where a prediction has what the reference has in a column: {"features", "age"}, {"prediction"}. What is no column of
/// the reference is a tag.
std::vector<std::string> record_path(const engine::Profile& reference, std::string_view column);
/// The column with that path, and with the others where records may have it too: a text and an embedding stand beside
/// the features or among them, the version of the model beside the tags.
table::JsonShape::Key record_key(const engine::Profile& reference, const table::Field& column);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "source/lines.h"

namespace vigie::server {

/// The file that holds how far files are read; Result of none where there is no such file. Code::kIo, Code::kCorrupt.
Result<std::vector<source::Position>> read_positions(const std::string& path);
std::string positions_to_json(const std::vector<source::Position>& positions);

}  // namespace vigie::server

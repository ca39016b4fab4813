// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "base/result.h"

namespace vigie::config {

/// Worth of a row of tn, fp, fn, tp. The file is a map of these four, or the matrix [[tn, fp], [fn, tp]] in YAML, JSON
/// or as two lines "tn,fp" and "fn,tp". Anything else is Code::kUsage and names file and line.
Result<std::array<double, 4>> load_cost_file(const std::string& path);

}  // namespace vigie::config

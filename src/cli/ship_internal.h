// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace vigie::cli {

/// A secret of an option, which may refer to the environment or a file but not be there itself; where nothing is given,
/// that variable of the environment, and else nothing. Code::kUsage.
Result<std::string> elastic_secret(const std::string& option, const std::string& given, const char* otherwise);

}  // namespace vigie::cli

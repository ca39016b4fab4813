// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vigie::cli {

/// For help: what a detector or an ensemble is, and its parameters with defaults and bounds. Of something else: the
/// nearest one.
std::string about_detector(const std::string& spec);

}  // namespace vigie::cli

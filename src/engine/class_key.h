// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vigie::engine {

/// One text for the names of one class as a label's column and a prediction's may write it: 1, 1.0, true and yes, in
/// any case; "n/k" as it is.
std::string class_key(std::string_view name);

}  // namespace vigie::engine

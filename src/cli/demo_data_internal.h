// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace vigie::cli {

/// examples/flights: CSV files, packed with zstd.
std::string_view demo_reference();
std::string_view demo_current();

}  // namespace vigie::cli

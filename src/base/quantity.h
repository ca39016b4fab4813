// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace vigie {

/// Seconds of "200ms", "30s", "15m" or "15min", "2h", "7d"; of a number alone, that many. Nothing for what is none of
/// them, negative or infinite.
std::optional<double> parse_duration(std::string_view text);

/// Bytes of "64MiB" or "64M", likewise K, G and T, all of them powers of 1024; of a number alone, that many. Nothing
/// for what is none of them, negative or no whole number of bytes.
std::optional<double> parse_bytes(std::string_view text);

}  // namespace vigie

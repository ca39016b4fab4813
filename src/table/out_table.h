// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vigie::table {

/// A column that is to be written; one of the two lists holds a value for each row, or nothing where it is missing.
struct OutColumn {
  enum class Kind : std::uint8_t {
    kText,
    kInteger,
    kTime,  ///< µs since 1970 UTC
  };
  std::string name;
  Kind kind = Kind::kText;
  std::vector<std::optional<std::string>> texts{};
  std::vector<std::optional<std::int64_t>> numbers{};
};

/// The bytes of a Parquet file of these columns, packed with zstd. Code::kUsage: this build cannot write one, or what
/// it needs for that is not installed.
Result<std::string> to_parquet(std::span<const OutColumn> columns);

}  // namespace vigie::table

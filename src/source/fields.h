// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigie::source {

/// Where lines have what a record of vigie has, under other names.
struct Fields {
  /// A key of a record and a key of the line, dots leading inward; "features" may be "*": all that is neither
  /// named nor a key of records.
  std::vector<std::pair<std::string, std::string>> names;

  /// The lines as records, each in its place. What is no JSON object stays as it is, as does what nests too deeply.
  std::string records(std::string_view lines) const;
  bool operator==(const Fields&) const = default;
};

}  // namespace vigie::source

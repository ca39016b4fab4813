// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "journal/journal.h"

namespace vigie::server {

/// Which of a model's predictions: those whose time, or that of their arrival where they have none, is in [from, to).
struct PastRows {
  double from = -std::numeric_limits<double>::infinity();  ///< µs since 1970
  double to = std::numeric_limits<double>::infinity();
  std::optional<std::string> version;  ///< only those of that version
};

/// Reads the body of POST …/reference that names rows which came before: a JSON object of any of "from", "to" and
/// "version"; nothing where it is something else, as a prediction. Code::kInput: another key, or a value that is none.
Result<std::optional<PastRows>> read_past_rows(std::string_view body);

/// Those rows as predictions have them, one a line, each once, with a time and, where they came, the last label and
/// the explanation; as far as the journal keeps them. Code::kInput: there is none, or they are more than fit in `most`
/// bytes. Code::kUnavailable: `stop` said so. Memory: twice the rows.
Result<std::string> past_rows(const journal::Journal& journal, std::string_view model, const PastRows& wanted,
                              const std::function<bool()>& stop, std::size_t most = std::size_t{256} << 20);

}  // namespace vigie::server

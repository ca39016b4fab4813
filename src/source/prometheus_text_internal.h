// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigie::source {

/// A line of what a Prometheus endpoint says.
struct PrometheusSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  ///< in the order of their names
  double value = 0;
  bool counter = false;
};

/// Which samples: a name, and labels that must be so, as `http_requests_total{code="200",method="get"}`; quotes may
/// lack.
struct Selector {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  bool takes(const PrometheusSample& sample) const;
};

/// Selectors with blanks or commas between. Code::kUsage.
Result<std::vector<Selector>> read_selectors(std::string_view text);

/// Reads the text format 0.0.4 and OpenMetrics, those samples that a selector takes; lines that are neither comment nor
/// sample are passed over and counted.
std::vector<PrometheusSample> read_prometheus(std::string_view text, const std::vector<Selector>& selectors,
                                              std::int64_t& odd);

/// `name{label="value"}`
std::string to_string(const PrometheusSample& sample);

}  // namespace vigie::source

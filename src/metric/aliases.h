// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::metric {

/// Another name that people know a metric by, as other programs do. None is the name of a metric. One may stand for
/// metrics of several tasks.
struct Alias {
  std::string_view alias, name;
};
std::span<const Alias> aliases();

/// Whether a name that was given means the metric of this name.
bool means(std::string_view given, std::string_view name);
/// The other names of a metric.
std::vector<std::string_view> aliases_of(std::string_view name);

}  // namespace vigie::metric

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/traffic.h"
#include "store/store.h"

namespace vigie::server {

/// Money for a second that is worked, in whatever currency.
struct Prices {
  std::optional<double> cpu;  ///< of a core
  std::optional<double> gpu;
  /// From "cpu=0.04/h", "gpu=0.0007/s". Code::kUsage.
  Status read(std::string_view text);
};

/// What a model's requests took of what it runs on.
struct Cost {
  std::int64_t minutes = 0, requests = 0;          ///< of which there are samples
  std::optional<double> cpu_seconds, gpu_seconds;  ///< worked: nothing where no source tells
  std::optional<double> money;                     ///< nothing where a price lacks
  /// {"minutes", "requests", "cpu_seconds", "gpu_seconds", "money", "per_1000": {…}}
  std::string to_json() const;
};

/// The sources that there are of those that a model says it runs on: by name, or all that begin so, as "gpu" for each.
Result<std::vector<std::string>> sources_of(const std::vector<std::string>& runs_on, const store::Store& store);

/// `minutes`: what came in [from, to). Minutes without a sample are left out, with their requests. Nothing where there
/// is no sample at all.
Result<std::optional<Cost>> cost_of(const std::vector<std::string>& sources, const Prices& prices,
                                    const std::map<std::int64_t, engine::Traffic>& minutes, std::int64_t from,
                                    std::int64_t to, const store::Store& store);

}  // namespace vigie::server

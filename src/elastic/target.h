// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "elastic/access.h"
#include "elastic/cluster.h"

namespace vigie::elastic {

/// A cluster that a service ships to.
struct Target {
  std::vector<std::string> nodes;
  Access access;
  std::string prefix;  ///< of names of indexes
  Place::Kind kind = Place::Kind::kMonths;
  std::int64_t keep_days = 0;
  bool set_up = true;

  /// Where documents of a model go: `what` is "prediction", "label" or "explanation".
  Place place(std::string_view what, std::string_view model) const;
};
std::span<const Param> target_params();
/// Of those the ones that say which cluster it is, and how names of indexes begin; and the former alone.
std::span<const Param> cluster_params();
std::span<const Param> access_params();
/// Of settings that have those: nodes and access. Code::kUsage.
Result<Target> read_access(const Settings& settings);
/// From text: "elastic(to=https://localhost:9200, api_key=file:key)", values as read_settings() has them. Code::kUsage.
Result<Target> make_target(std::string_view spec, const Environment& environment);
/// Likewise, of cluster_params().
Result<Target> make_cluster(std::string_view spec, const Environment& environment);

}  // namespace vigie::elastic

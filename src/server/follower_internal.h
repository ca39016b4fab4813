// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vigie::server {

/// Keys of the State under which a Follower keeps what it has of a model.
inline std::string incidents_of(std::string_view model) {
  return "incidents " + std::string(model);
}
inline std::string maintenance_of(std::string_view model) {
  return "maintenance " + std::string(model);
}

}  // namespace vigie::server

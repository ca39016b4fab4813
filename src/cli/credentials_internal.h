// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace vigie::cli {

/// By what a service knows who asks, and who asks the service.
struct Credentials {
  std::string token, ca;
  void add(CLI::App& app);
  /// The token itself, empty where there is none; from now on the service is known by --ca. Code::kUsage.
  Result<std::string> read() const;
};

/// What a request with that token has.
std::vector<std::pair<std::string, std::string>> authorized(const std::string& token);

}  // namespace vigie::cli

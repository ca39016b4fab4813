// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command_internal.h"

namespace vigie::cli {

Command add_setup(CLI::App& program);

/// The service that is to be watched.
struct Watched {
  std::string url = "http://127.0.0.1:8090";
  std::string token_file, ca;  ///< as the program that watches finds them
};

/// A file that is to be written.
struct Written {
  std::string name, what, text;
};

/// A configuration that scrapes the service, and the rules that it loads.
std::vector<Written> prometheus_files(const Watched& service);
/// A dashboard, and a provider that loads it.
std::vector<Written> grafana_files();

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/command_internal.h"
#include "server/settings.h"

namespace vigie::cli {

Command add_config(CLI::App& program);

/// Reads a vigie.yaml over what is there.
Status read_settings_file(const std::string& path, config::Settings& settings);

}  // namespace vigie::cli

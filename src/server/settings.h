// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/secret.h"
#include "config/options.h"
#include "server/service.h"

namespace vigie::server {

/// Everything that `vigie serve` can be told: the keys of vigie.yaml and the options of its command line.
std::span<const config::Option> serve_options();

/// What they say, with what secrets refer to in their places. Code::kUsage names the place: a value that cannot be,
/// a variable or a file that is not there, an address beyond the loopback without what it takes.
Result<ServiceOptions> read_settings(const config::Settings& settings, const Environment& environment);

/// A JSON Schema of vigie.yaml.
std::string settings_schema();

}  // namespace vigie::server

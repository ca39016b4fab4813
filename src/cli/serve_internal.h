// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "cli/interrupt_internal.h"
#include "server/service.h"

namespace vigie::cli {

/// What `vigie serve` is told where --listen alone is given. Code::kUsage.
Result<server::ServiceOptions> options_at(const std::string& listen);

/// Until an end is asked for.
void wait_for(const CatchSignals& signals);

}  // namespace vigie::cli

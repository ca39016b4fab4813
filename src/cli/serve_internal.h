// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "cli/interrupt_internal.h"
#include "server/http.h"

namespace vigie::cli {

/// Reads --listen: HOST:PORT of the loopback, as 127.0.0.1:8090 or [::1]:0. Code::kUsage.
Status listen_to(const std::string& where, server::HttpOptions& http);

/// Until an end is asked for.
void wait_for(const CatchSignals& signals);

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/service_client_internal.h"
#include "view/governance.h"

namespace vigie::cli {

/// Asks a service for all that a report on a model and a time tells; `model`, `from`, `to` and `made` are given.
/// Code::kUnavailable: it does not answer, or not as vigie serve does; Code::kInput: it does not know the model.
Status read_report(ServiceClient& service, view::Governance& report);

}  // namespace vigie::cli

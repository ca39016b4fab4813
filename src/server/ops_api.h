// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/cost.h"
#include "server/http.h"
#include "server/machine_ops.h"
#include "server/state.h"
#include "store/store.h"

namespace vigie::server {

/// GET /v1/models/{model}/ops?from=&to=&step=: what requests to it said of themselves, step by step; those without a
/// request are left out. Of more than one reply holds a Link header leads on.
Reply model_ops(const Request& request, const State& state, const store::Store& store, const Model& model,
                const Prices& prices);

/// GET /v1/ops?source=&from=&to=&step=: what a source said, likewise; without a source those that there are, with their
/// latest figures.
Reply machine_ops(const Request& request, const MachineOps& machine, const store::Store& store, std::int64_t now);

}  // namespace vigie::server

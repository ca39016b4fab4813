// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "server/model_ops.h"
#include "view/live_page.h"

namespace vigie::server {

/// What requests to a model said in the hour that ended with the latest of them: how long, how many failed, how many.
Result<std::vector<view::LiveLine>> lines_of(const State& state, const std::string& model, const store::Store& store);
/// The last hour of every source of samples that had any in it.
Result<std::vector<view::LiveSource>> sources_of(const store::Store& store, std::int64_t now);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "server/http.h"
#include "server/state.h"
#include "view/live_page.h"

namespace vigie::server {

/// GET /v1/models/{model}/detectors: what they say as of the last commit.
Reply detectors(const State& state, const std::string& model);
/// The streams of a model that changed, for the page.
Result<std::vector<view::LiveModel::Stream>> changed_streams(const State& state, const std::string& model);

}  // namespace vigie::server

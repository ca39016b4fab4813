// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "engine/profile.h"
#include "server/model_config.h"

namespace vigie::server {

/// What is admitted; beyond, requests are refused and nothing that was accepted before changes.
struct Limits {
  std::size_t models = 10'000;
  std::size_t features = 1'000;  ///< of a model: columns that are watched
  std::size_t segments = 1'000;  ///< of a model: parts of its rows that are watched apart
};

/// Code::kInput, with the limit and what to do: a reference that has more features or segments; a model that is said to
/// have.
Status admit(const engine::Profile& reference, const Limits& limits);
Status admit(const ModelConfig& model, const Limits& limits);

}  // namespace vigie::server

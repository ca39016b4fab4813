// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "elastic/session.h"
#include "store/store.h"

namespace vigie::store {

/// Its indexes, `PREFIX-window` and so on.
inline constexpr const char *kWindow = "window", *kScore = "score", *kFinding = "finding", *kIncident = "incident",
                            *kNotice = "notice", *kOps = "ops", *kSample = "sample", *kAudit = "audit",
                            *kProfile = "profile",
                            *kShared = "shared";  // what an Exchange keeps

/// An index's template each, by what it holds.
std::vector<std::pair<std::string, nlohmann::json>> templates_of(const elastic::Cluster& cluster,
                                                                 const std::string& prefix);

/// Bytes as a document keeps them, and back: zstd in base64. Empty for what somebody else altered.
std::string packed(std::string_view bytes);
std::string unpacked(const std::string& text);

/// 0 of what is well or not known, 1 of a warning, 2 of what is worse.
int level_of(std::string_view verdict);
/// What a window is looked up, sorted and drawn by.
void add_window(const Window& window, nlohmann::json& vigie);

/// What a window, or its score, found: a document for each column, check and metric, by which Kibana can count, sort
/// and draw, which it cannot within a document. Of checks only those that did not pass.
std::vector<nlohmann::json> findings_of(const Window& window);
std::vector<nlohmann::json> findings_of(const Window& window, const Score& score);

}  // namespace vigie::store

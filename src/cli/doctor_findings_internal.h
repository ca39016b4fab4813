// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::cli {

enum class Grade : std::uint8_t { kHint, kWarning, kFail };
std::string_view to_string(Grade grade);  ///< "hint", "warning", "fail"

/// Something about how a model is watched that somebody should see to.
struct Finding {
  Grade grade;
  std::string model;   ///< empty: of the service
  std::string what;    ///< as "silent"
  std::string reason;  ///< a sentence: what is so
  std::string advice;  ///< another: what to do
};

/// What a service says of one model: the answers of GET /v1/models/{model}, of its windows of the last 30 days in their
/// order, and of its incidents, the youngest first; and what GET /v1/indexes says of it, null: it is watched in none.
struct ModelAnswers {
  nlohmann::json model, windows, incidents, index{};
};

/// What is misconfigured, unused, silent or noisy at `now`, µs; the gravest first. A key that an answer lacks says
/// nothing.
std::vector<Finding> findings_of(const ModelAnswers& answers, double now);
/// The same of the answer of GET /v1/sources.
std::vector<Finding> findings_of_sources(const nlohmann::json& sources);
/// Of GET /v1/shipping; null: nothing is shipped.
std::vector<Finding> findings_of_shipping(const nlohmann::json& shipping, double now);

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include "server/admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vigie::server {
namespace {

Status check(std::string_view whose, std::size_t count, std::string_view what, std::size_t most,
             std::string_view fewer) {
  if (count <= most) return {};
  return fail(Code::kInput, fmt::format("{} {}, and {} are admitted: {}, or raise limits.{}s", whose,
                                        plural(static_cast<long long>(count), what),
                                        with_commas(static_cast<long long>(most)), fewer, what));
}

}  // namespace

Status admit(const engine::Profile& reference, const Limits& limits) {
  const auto features = std::count_if(reference.columns.begin(), reference.columns.end(),
                                      [](const auto& column) { return column.role == engine::Role::kFeature; });
  VIGIE_TRY(check("the reference has", static_cast<std::size_t>(features), "feature", limits.features,
                  "name those that matter in roles.features of PUT"));
  std::size_t segments = 0;
  for (const auto& values : reference.segments) segments += values.size();
  return check("the reference has", segments, "segment", limits.segments, "segment it by less");
}

Status admit(const ModelConfig& model, const Limits& limits) {
  VIGIE_TRY(check("segments: there are", model.segments.size(), "segment", limits.segments, "name fewer"));
  return check("roles.features: there are", model.features.size(), "feature", limits.features, "name fewer");
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "engine/quality_results_internal.h"

namespace vigie::engine {
namespace {

constexpr double kSomeRejected = .01, kManyRejected = .1;  // shares of records

}  // namespace

QualityResult as_result(quality::Finding f) {
  return {.check = std::move(f.check),
          .column = std::move(f.column),
          .value = f.value,
          .expected = std::move(f.expected),
          .verdict = std::string(to_string(f.verdict)),
          .reason = std::move(f.reason)};
}

std::optional<QualityResult> unreadable(std::int64_t rejected, std::int64_t rows) {
  const double share = static_cast<double>(rejected) / static_cast<double>(std::max<std::int64_t>(rejected + rows, 1));
  if (share < kSomeRejected) return std::nullopt;
  return QualityResult{
      .check = "unreadable",
      .column = {},
      .value = share,
      .expected = fmt::format("below {} %", human(100 * kSomeRejected)),
      .verdict = share >= kManyRejected ? "fail" : "warn",
      .reason = fmt::format("{} of {} records could not be read", with_commas(rejected), with_commas(rejected + rows))};
}

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "drift/drift.h"
#include "drift/omnibus_internal.h"

namespace vigie::drift {

Score omnibus_detail::run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args) {
  Score score = axis.kind == kNumeric ? numeric(axis, reference, current, args) : categorical(reference, current);
  const std::int64_t fewest = std::min(reference.rows(), current.rows());
  if (fewest == 0) {
    score.status = Status::kEmpty;
  } else if (fewest < kFewestRows) {
    score.status = Status::kTooFewRows;
  }
  return score;
}

constinit const Method omnibus{
    .name = "omnibus",
    .summary = "Weighted minimum of tests that see shifts, scale, shape, spikes and single categories",
    .reference = "Anderson & Darling 1954; Neyman 1937; Pearson 1900; Smirnov 1937; Haldane 1940; Tarone 1990",
    .accepts = kNumeric | kCategorical,
    .statistic =
        "numeric: midrank Anderson-Darling A², mean 1 without drift; categorical: Pearson X² with rare "
        "categories pooled",
    .params = {},
    .run = omnibus_detail::run};

}  // namespace vigie::drift

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/aspects.h"
#include "engine/vocabulary.h"
#include "engine/zone_internal.h"
#include "table/table.h"

namespace vigie::engine {

/// Turns the values of a column into those of one aspect of it, row by row. One thread at a time.
class AspectValues {
 public:
  /// `zone`: of times; `known`: what rows are held against. Code::kUsage for an unknown time zone.
  static Result<AspectValues> make(Aspect aspect, const std::string& zone, Learnt known = {});

  /// A column of strings, or of numbers; it points into this until the next call.
  table::Column of(const table::Column& column);

 private:
  AspectValues(Aspect aspect, Learnt known) : aspect_(aspect), known_(std::move(known)) {}
  table::Column of_lists(const table::Column& column);
  table::Column of_texts(const table::Column& column);
  std::int32_t code_of(double time);

  Aspect aspect_;
  Learnt known_;
  Zone zone_;
  std::vector<std::int32_t> codes_;
  std::vector<double> each_, numbers_;
  std::vector<std::uint32_t> misfits_;  // lists of another length than the centroid's
};

/// How unevenly rows that come all the time fall on the parts of a cycle, as hours on a day, when they last so many
/// cycles: the share that is too much in the parts which the last, unfinished cycle covers.
double unevenness(double cycles);
/// Microseconds of the cycle of an aspect of times: a day, a week.
double cycle_of(Aspect aspect);

}  // namespace vigie::engine

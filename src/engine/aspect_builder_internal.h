// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/aspect_values_internal.h"
#include "engine/column_builder_internal.h"
#include "engine/profile.h"

namespace vigie::engine {

/// One aspect of a column while it is learnt.
struct AspectBuilder {
  Aspect aspect;
  AspectValues values;
  ColumnBuilder builder;
  Learnt known{};
  std::int64_t rows = 0, first = 0, first_missing = 0;  // of this pass; in the half that chose the words
  std::vector<double> second{};

  bool halved() const { return info(aspect).halved; }
  void add(const table::Column& column) {
    auto derived = values.of(column);
    if (halved()) {
      second.clear();
      for (double v : derived.numbers) {
        if (in_second_half(rows++))
          second.push_back(v);
        else
          ++(std::isnan(v) ? first_missing : first);
      }
      derived.numbers = second;
      derived.misfits = {};
    }
    builder.add(derived);
  }
  bool finish() {
    if (builder.finish()) return true;
    rows = first = first_missing = 0;
    return false;
  }
  AspectProfile take(Role role) {
    auto profile = builder.take();
    profile.role = role;
    profile.halved = halved();
    auto& counts = profile.parts[0][0].counts;
    counts.uncounted = first, counts.uncounted_missing = first_missing;
    return {aspect, std::move(profile), std::move(known)};
  }
};

/// What has to read a column again.
struct Learner {
  std::size_t column;
  ColumnBuilder* own;
  AspectBuilder* aspect;
  void add(const table::Column& data) const { own ? own->add(data) : aspect->add(data); }
  bool finish() const { return own ? own->finish() : aspect->finish(); }
};

}  // namespace vigie::engine

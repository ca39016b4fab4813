// SPDX-License-Identifier: Apache-2.0
#include "engine/label_drift.h"

#include <algorithm>
#include <utility>

#include "engine/compare.h"
#include "engine/tally.h"

namespace vigie::engine {

std::optional<Profile> labels_of(const Profile& reference) {
  const auto label =
      std::ranges::find_if(reference.columns, [](const ColumnProfile& c) { return c.role == Role::kLabel; });
  if (label == reference.columns.end()) return {};
  Profile out;
  out.version = reference.version, out.source = reference.source, out.rows = reference.rows;
  out.window = reference.window, out.window_count = reference.window_count;
  out.has_time = reference.has_time, out.timestamp = reference.timestamp;
  out.segmentations.resize(1), out.segments.resize(1);
  out.columns.push_back(*label);
  for (const auto& aspect : reference.aspects)
    if (aspect.profile.name == label->name) out.aspects.push_back(aspect);
  for (std::size_t i = 0; i < out.counted(); ++i) {
    auto& c = out.counted(i);
    c.parts.resize(std::min<std::size_t>(c.parts.size(), 1));
    c.moments = {};
    c.quantiles.reset(), c.tails.reset(), c.cardinality.reset();
  }
  return out;
}

Result<std::vector<ColumnResult>> compare_labels(const Profile& labels, table::Input& rows, const WindowSpec& window,
                                                 bool cut_off) {
  CompareOptions options;
  options.window = window, options.quality = false, options.threads = 1;
  VIGIE_ASSIGN(const auto comparer, Comparer::make(labels, options));
  VIGIE_ASSIGN(const auto counted, tally(rows, labels, comparer->counting()));
  CurrentData data{rows.name(), {}, {}};
  data.cut_off = cut_off;
  VIGIE_ASSIGN(auto found, comparer->judge(data, counted));
  if (found.windows.empty()) return std::vector<ColumnResult>();
  return std::move(found.windows.front().columns);
}

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "event/record.h"
#include "source/fields.h"
#include "source/lines.h"

namespace vigie::source {

/// Descriptor of a source that gives records, where the others give samples: see conventions "A unit".
struct FeedKind {
  std::string_view name, summary;
  std::span<const Param> params;
};
/// All that there are.
std::span<const FeedKind> feed_kinds();

/// Where records come from besides requests: the lines of files, or of standard input.
struct Feed {
  std::string name;  ///< unique; "credit/predictions" unless told otherwise
  std::string path;  ///< of files, with wildcards; "-": standard input
  std::string model;
  event::Kind kind = event::Kind::kPredictions;
  Fields fields;  ///< none: lines are records as requests have them
  bool operator==(const Feed&) const = default;

  /// "predictions", "labels" or "explanations".
  std::string_view kind_name() const;
  /// Reads on behind `positions`.
  std::unique_ptr<Lines> lines(std::vector<Position> positions) const;
};

/// From text: "file(path=/var/log/credit/*.ndjson, model=credit)", values as read_settings() has them. Code::kUsage.
Result<Feed> make_feed(std::string_view spec, const Environment& environment);
/// Code::kUsage: two of one name, two that read standard input, more than there may be.
Status check(std::span<const Feed> feeds);

}  // namespace vigie::source

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "metric/binary.h"
#include "metric/metric.h"

namespace vigie::metric {

/// Two classes, counted by the groups of a sensitive column: four counts and the name of each group.
class FairnessState {
 public:
  /// Predictions and labels are 0 or 1, anything else is missing; a null data() is a missing group, which leaves its
  /// row out. The spans have one length.
  void update(std::span<const std::string_view> groups, std::span<const std::uint8_t> predictions,
              std::span<const std::uint8_t> labels);
  /// As if this had seen the other's rows too.
  void merge(const FairnessState& other);

  std::int64_t unlabelled() const { return unlabelled_; }
  std::int64_t unscored() const { return unscored_; }  ///< labelled, without a prediction or group

  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<FairnessState> load(ByteReader& in);

  FairnessSummary summarize() const;

 private:
  std::int64_t unlabelled_ = 0, unscored_ = 0;
  std::map<std::string, BinaryCounts, std::less<>> groups_;
};

/// What the metrics of fairness read.
struct FairnessSummary {
  std::vector<std::string> parts;  ///< groups in byte order
  std::vector<BinaryCounts> counts;
  BinaryCounts all;  ///< of all groups together
  std::int64_t n = 0;
};

}  // namespace vigie::metric

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "drift/drift.h"

namespace vigie::drift::omnibus_detail {

/// The method `omnibus`, and all those that are the same of another view of a column.
Score run(const Axis& axis, const Sample& reference, const Sample& current, const Args& args);

/// Its two halves; statuses other than kConstant are set by the caller.
Score numeric(const Axis& axis, const Sample& reference, const Sample& current, const Args& args);
Score categorical(const Sample& reference, const Sample& current);

/// Everything about the numeric components that depends on the pooled counts alone, so that one layout serves all
/// tables with the same margins. Cells are those that are not empty in both samples.
class NumericLayout {
 public:
  /// `pooled` > 0 per cell. n + m is their sum.
  NumericLayout(std::span<const std::int64_t> pooled, std::int64_t n, std::int64_t m,
                std::span<const double> anderson_darling_weights);

  struct Statistics {
    double anderson_darling, polynomial, pearson;
  };
  /// Statistics of the table whose first row is `reference` (aligned with pooled). `reference` must sum to n.
  Statistics operator()(std::span<const std::int64_t> reference) const;

  double polynomial_df() const { return degrees_; }
  double pearson_df() const { return static_cast<double>(coarse_.size()) - 1; }

 private:
  struct Group {
    std::size_t end;  ///< cells [end of the group before, end)
    double pooled;
  };
  static std::vector<Group> merge(std::span<const std::int64_t> pooled, std::int64_t smaller, std::int64_t groups);

  std::span<const std::int64_t> pooled_;
  double n_, m_, scale_;  ///< scale_: ((N−1)/N)(nm/N)
  std::span<const double> ad_weights_;
  std::vector<Group> fine_, coarse_;
  int degrees_ = 0;
  std::vector<double> polynomials_;  ///< degrees_ per group of fine_
};

}  // namespace vigie::drift::omnibus_detail

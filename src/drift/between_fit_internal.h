// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "drift/between.h"

namespace vigie::drift {

/// The regressors of healthy windows: a mean alone, or with additive effects of hour of day and weekday.
class Design {
 public:
  /// The parameters that are 1 in a window; the others are 0.
  struct Row {
    std::array<std::size_t, 3> at;
    std::size_t count;
  };

  /// A mean alone.
  explicit Design(std::size_t windows);
  /// With seasonal effects; nullopt when the windows do not know their weekday, cover less than two weeks (two windows
  /// for each pair of hour and weekday that occurs) or leave an effect undetermined. O(windows + effects³).
  static std::optional<Design> seasonal(std::span<const WindowSummary* const> windows);

  std::size_t windows() const { return rows_.size(); }
  std::size_t parameters() const { return parameters_; }
  /// Parameters fitted to runs of neighbouring windows, whose estimates suffer from correlation between those.
  std::size_t runs() const { return runs_; }
  std::span<const Row> rows() const { return rows_; }
  /// nullopt for an hour or weekday that did not occur.
  std::optional<Row> row(const WindowSummary& window) const;
  /// x'(X'X)⁻¹x: variance of the fitted value in units of the windows'.
  double leverage(const Row& row) const;
  /// Least squares. `values` is parallel to rows().
  std::vector<double> solve(std::span<const double> values) const;

 private:
  Design() = default;
  bool invert(std::vector<double> matrix);

  std::vector<Row> rows_;
  std::size_t parameters_ = 1, runs_ = 1;
  std::array<int, 24> hour_{};  ///< parameter; 0 for the baseline (no parameter of its own), -1 when it did not occur
  std::array<int, 7> weekday_{};
  bool hours_ = false, weekdays_ = false;
  std::vector<double> inverse_;  ///< of X'X, parameters × parameters
};

/// One summary number of the healthy windows under a design.
struct Fit {
  bool usable = false;  ///< false when the number does not exist in some window
  std::vector<double> coefficients;
  double variance = 0;   ///< of a window around the fit, corrected for correlation
  double raw = 0;        ///< the same, uncorrected
  double inflation = 1;  ///< v: variance of a mean of neighbours, in units of that of independent ones
  double nu = 1;         ///< degrees of freedom of `variance`

  double at(const Design::Row& row) const;
};

Fit fit(const Design& design, std::span<const double> values);

}  // namespace vigie::drift

// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <limits>

#include "detect/detect.h"

namespace vigie::detect {
namespace {

struct Row {
  std::string_view detector;
  double target_arl, value;
};
// By detector, ascending run lengths.
constexpr Row kRows[] = {
    {"", 0, 0},
#define VIGIE_CALIBRATED(detector, target_arl, value) {#detector, target_arl, value},
#include "detect/calibration.def"
#undef VIGIE_CALIBRATED
};

}  // namespace

double least_target(const Detector& detector) {
  for (const Row& row : kRows)
    if (row.detector == detector.name) return row.target_arl;
  return 0;
}

double calibrated(const Detector& detector, double target_arl) {
  const Row* below = nullptr;
  for (const Row& row : kRows) {
    if (row.detector != detector.name) continue;
    if (row.target_arl == target_arl) return row.value;
    // Thresholds grow, and levels shrink, with the logarithm of the run length, or as a power of it.
    if (below && row.target_arl > target_arl)
      return below->value * std::pow(row.value / below->value, std::log(target_arl / below->target_arl) /
                                                                   std::log(row.target_arl / below->target_arl));
    if (row.target_arl < target_arl) below = &row;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace vigie::detect

// SPDX-License-Identifier: Apache-2.0
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
  const Row *low = nullptr, *high = nullptr;
  for (const Row& row : kRows) {
    if (row.detector != detector.name) continue;
    if (row.target_arl == target_arl) return row.value;
    low = high, high = &row;
    if (low && row.target_arl > target_arl) break;
  }
  if (!low || target_arl < low->target_arl) return std::numeric_limits<double>::quiet_NaN();
  // Thresholds grow, and levels shrink, with the logarithm of the run length, or as a power of it: beyond the table the
  // latter asks for no less.
  return low->value * std::pow(high->value / low->value,
                               std::log(target_arl / low->target_arl) / std::log(high->target_arl / low->target_arl));
}

}  // namespace vigie::detect

// SPDX-License-Identifier: Apache-2.0
#include "stats/association.h"

#include <algorithm>
#include <cmath>

namespace vigie::stats {

double cramers_v(double phi2, double rows, double a, double b) {
  const auto corrected = [rows](double classes) { return classes - (classes - 1) * (classes - 1) / (rows - 1); };
  const double phi = std::max(0.0, phi2 - (a - 1) * (b - 1) / (rows - 1));
  const double least = std::min(corrected(a), corrected(b)) - 1;
  return phi == 0 ? 0 : least > 0 ? std::min(1.0, std::sqrt(phi / least)) : 1;
}

}  // namespace vigie::stats

// SPDX-License-Identifier: Apache-2.0
#include "base/extremes.h"

#include <algorithm>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace vigie {
namespace {

// Independent lanes, because one chain of comparisons waits for each; -O2 makes whole registers only of what is one.
using Pair [[gnu::vector_size(16)]] = double;
constexpr std::size_t kLanes = 4, kStep = 2 * kLanes;

// The second where one is NaN.
#ifdef __SSE2__
Pair smaller(Pair a, Pair b) {
  return _mm_min_pd(a, b);
}
Pair larger(Pair a, Pair b) {
  return _mm_max_pd(a, b);
}
#else
Pair smaller(Pair a, Pair b) {
  return a < b ? a : b;
}
Pair larger(Pair a, Pair b) {
  return a > b ? a : b;
}
#endif

}  // namespace

bool widen(std::span<const double> values, Extremes& extremes) {
  auto& [low, high] = extremes;
  Pair lows[kLanes], highs[kLanes], zeros[kLanes] = {};
  std::fill(lows, lows + kLanes, Pair{low, low});
  std::fill(highs, highs + kLanes, Pair{high, high});
  std::size_t i = 0;
  for (; i + kStep <= values.size(); i += kStep) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      Pair x;
      std::memcpy(&x, values.data() + i + 2 * lane, sizeof x);
      lows[lane] = smaller(x, lows[lane]);
      highs[lane] = larger(x, highs[lane]);
      zeros[lane] += x - x;
    }
  }
  double zero = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    low = std::min({low, lows[lane][0], lows[lane][1]});
    high = std::max({high, highs[lane][0], highs[lane][1]});
    zero += zeros[lane][0] + zeros[lane][1];
  }
  for (; i < values.size(); ++i) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
    zero += values[i] - values[i];
  }
  return zero == 0;
}

}  // namespace vigie

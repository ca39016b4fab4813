// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string_view>
#include <vector>

#include "detect/detect.h"
#include "detect/python_random_internal.h"

namespace vigie::detect::streams {

/// Calls of operator new in this program so far.
std::int64_t allocations();

using Series = std::vector<double>;

/// numpy.random.seed(seed) and its legacy functions.
class Numpy : public PythonRandom {
 public:
  explicit Numpy(std::uint32_t seed) : PythonRandom(0) { start(seed); }
  double integer(std::uint32_t bound) {
    const std::uint32_t mask = std::bit_ceil(bound) - 1;
    std::uint32_t value = mask + 1;
    while (value > bound - 1) value = word() & mask;
    return value;
  }
  double binomial(double p) { return p <= .5 ? (uniform() > 1 - p ? 1 : 0) : 1 - (uniform() > p ? 1 : 0); }
  double normal(double mean, double sd) {
    if (cached_) return cached_ = false, mean + sd * cache_;
    double x1, x2, r;
    do {
      x1 = 2 * uniform() - 1;
      x2 = 2 * uniform() - 1;
      r = x1 * x1 + x2 * x2;
    } while (r >= 1 || r == 0);
    const double f = std::sqrt(-2 * std::log(r) / r);
    cache_ = f * x1;
    cached_ = true;
    return mean + sd * (f * x2);
  }

 private:
  bool cached_ = false;
  double cache_ = 0;
};

class Python : public PythonRandom {
 public:
  using PythonRandom::PythonRandom;
  double gauss(double mean, double sd) {
    if (cached_) return cached_ = false, mean + sd * cache_;
    const double x = uniform() * 2 * std::numbers::pi, r = std::sqrt(-2 * std::log(1 - uniform()));
    cache_ = std::sin(x) * r;
    cached_ = true;
    return mean + sd * (std::cos(x) * r);
  }
  double choice(std::span<const double> of) {
    return of[static_cast<std::size_t>(uniform() * static_cast<double>(of.size()))];
  }

 private:
  bool cached_ = false;
  double cache_ = 0;
};

template <class Draw>
void append(Series& series, int count, Draw draw) {
  for (int i = 0; i < count; ++i) series.push_back(draw());
}

inline Series s1() {
  Numpy random(12345);
  Series out;
  append(out, 1000, [&] { return random.integer(2); });
  append(out, 1000, [&] { return random.integer(8); });
  return out;
}
inline Series s2() {
  Numpy random(12345);
  Series out;
  append(out, 1000, [&] { return random.binomial(.2); });
  append(out, 1000, [&] { return random.binomial(.8); });
  return out;
}
inline Series gaussian_steps(std::uint32_t seed, const std::vector<std::pair<double, int>>& steps) {
  Python random(seed);
  Series out;
  for (const auto& [mean, count] : steps) append(out, count, [&] { return random.gauss(mean, 1); });
  return out;
}
inline Series f1() {
  Numpy random(31);
  Series out;
  append(out, 100, [&] { return random.normal(0, .5); });
  append(out, 100, [&] { return random.normal(4, .2); });
  append(out, 100, [&] { return random.normal(6, .5); });
  return out;
}

/// FNV-1a, one byte a value.
inline std::uint64_t fingerprint(std::span<const double> series) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const double value : series) hash = (hash ^ static_cast<std::uint8_t>(value)) * 0x100000001b3U;
  return hash;
}

inline std::vector<Alarm> alarms(std::string_view detector, std::span<const double> series) {
  auto monitor = make_monitor(detector);
  std::vector<Alarm> out;
  if (monitor)
    (*monitor)->update(series, out);
  else
    out.push_back({.index = -1});
  return out;
}
inline std::vector<std::int64_t> drifts(std::string_view detector, std::span<const double> series,
                                        State state = State::kDrift) {
  std::vector<std::int64_t> out;
  for (const Alarm& alarm : alarms(detector, series))
    if (alarm.state == state || alarm.index < 0) out.push_back(alarm.index);
  return out;
}

}  // namespace vigie::detect::streams

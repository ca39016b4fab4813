// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>

namespace vigie::table {

/// value / 10^scale, the nearest double while value is below 2^53 in size (as a text parser would give it), else within
/// two roundings.
inline double decimal_value(std::int64_t value, int scale) {
  static constexpr double kPower10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr std::int64_t kExact = 1LL << 53;
  if (scale >= 0 && scale <= 22 && value >= -kExact && value <= kExact)
    return static_cast<double>(value) / kPower10[scale];
  return arrow::Decimal128(value).ToDouble(scale);
}

inline double decimal_value(const arrow::Decimal32& value, int scale) {
  return decimal_value(std::int64_t{value.value()}, scale);
}
inline double decimal_value(const arrow::Decimal64& value, int scale) {
  return decimal_value(value.value(), scale);
}

template <class Wide>
double decimal_value(const Wide& value, int scale) {
  if (value >= Wide(INT64_MIN) && value <= Wide(INT64_MAX))
    return decimal_value(static_cast<std::int64_t>(value.low_bits()), scale);
  return value.ToDouble(scale);
}

}  // namespace vigie::table

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vigie {

/// One line of a rules file: what somebody demands of a column. `config` reads and writes it, `quality` judges it.
struct Expectation {
  enum class Kind : std::uint8_t {
    kNotNull,   ///< every row has a value
    kRange,     ///< numbers in [low, high]; either may be infinite
    kSet,       ///< values are among `texts` or `numbers`
    kRegex,     ///< texts match `texts[0]` as a whole, an expression of RE2 on UTF-8
    kUnique,    ///< no value comes twice
    kMonotone,  ///< numbers or times in row order go as `order` says
    kRelation,  ///< `column` `order` `other` in every row that has both
  };
  enum class Order : std::uint8_t { kLess, kLessEqual, kEqual, kNotEqual, kGreaterEqual, kGreater };

  Kind kind = Kind::kNotNull;
  std::string column{};
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  std::vector<std::string> texts{};
  std::vector<double> numbers{};  ///< those of `texts` that are numbers
  Order order = Order::kLessEqual;
  std::string other{};
  double at_most = 0;  ///< share of rows that may break it
  bool warn = false;   ///< breaking it is a warning, not a failure
  int line = 0;        ///< of the file, for messages; 0: not from a file
  bool operator==(const Expectation&) const = default;
};

/// Whether `a order b`; false where either is NaN, but for kNotEqual.
template <class T>
bool holds(const T& a, Expectation::Order order, const T& b) {
  switch (order) {
    case Expectation::Order::kLess:
      return a < b;
    case Expectation::Order::kLessEqual:
      return a <= b;
    case Expectation::Order::kEqual:
      return a == b;
    case Expectation::Order::kNotEqual:
      return a != b;
    case Expectation::Order::kGreaterEqual:
      return a >= b;
    case Expectation::Order::kGreater:
      return a > b;
  }
  return false;
}

}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::drift {

/// What a column is to a drift method; also a bit set of what a method accepts.
enum Kind : std::uint8_t { kNumeric = 1, kCategorical = 2 };

/// The common scale on which both samples of one column were counted; fixed by the reference alone.
/// Numeric (also timestamps, lengths, norms): `counts` has cuts.size() + 1 cells; cell 0 is everything below cuts[0],
/// cell j is [cuts[j-1], cuts[j]), the last cell is everything from cuts.back() up. cell 0 and the last one lie outside
/// the reference's range, so the reference has no rows there (a merged reference may have some).
/// Categorical: one cell per category of the union of both samples, in an order that has no meaning; `cuts` and
/// `centers` are empty.
struct Axis {
  Kind kind = kNumeric;
  std::span<const double> cuts;  ///< ascending
  std::span<const double>
      centers;           ///< mean of the reference rows of each cell; outside and empty cells: the nearest bound
  double sd = 0;         ///< reference standard deviation; 0 for a constant column
  bool lattice = false;  ///< every reference value is a cell of its own: no range test
};

/// One side. Missing and infinite values are not in it.
struct Sample {
  std::span<const std::int64_t> counts;  ///< rows per cell, aligned with the Axis
  std::span<const double> values;        ///< the values themselves, sorted, where they were kept; else empty
  double beyond = 0;                     ///< numeric: summed distance from the axis, in its sd, of the rows outside it
  std::int64_t rows() const;             ///< sum of counts
};

/// How the p-value came about.
enum class Null : std::uint8_t { kNone, kExact, kAsymptotic, kSimulated, kBetweenWindow };
std::string_view to_string(Null null);

/// Why there is no verdict to be had; the numbers that can be computed are still in the Score.
enum class Status : std::uint8_t { kOk, kTooFewRows, kEmpty, kConstant };

struct Component {
  std::string_view name;  ///< static storage
  double p_value;
};

/// What a method says of two samples. NaN where a number does not exist.
struct Score {
  Status status = Status::kOk;
  double statistic;
  double p_value;
  Null null = Null::kNone;
  std::vector<Component> components;  ///< in a fixed order; empty for single tests
  std::string note;                   ///< one clause for people, may be empty ("decided by the tails")
  bool exact = false;                 ///< the statistic is that of the rows themselves, no matter how they were counted
  double error = std::numeric_limits<double>::quiet_NaN();  ///< exact: 0; else the most that the rows' own statistic
                                                            ///< can lie from this one, NaN where no bound is known
};

/// Parameter of a method, for help, configuration and the reference page.
struct Param {
  std::string_view name;
  double fallback, min, max;
  std::string_view doc;
};

/// Arguments of one run. `level` is the smallest p-value that has to be told apart (Monte Carlo goes that far);
/// `seed` feeds whatever is random; `params` are parallel to Method::params.
struct Args {
  double level = 0.0025;
  std::uint64_t seed = 1;
  std::span<const double> params;
};

/// Descriptor of a two-sample method: see conventions "A unit". `run` never throws, prints or allocates beyond its
/// result and O(cells + values); it must accept any counts (empty, one row, one cell) and answer with a Status. Where
/// both samples bring their values it goes by them, else by the counts: cells stand at their centers, rows of one cell
/// are ties. Methods whose null law has to be simulated take what Args::level asks for, see drift/null_internal.h.
struct Method {
  std::string_view name;
  std::string_view summary;
  std::string_view reference;       ///< paper or source
  std::uint8_t accepts = kNumeric;  ///< Kind bits
  std::string_view statistic;       ///< what the number is, with its scale
  std::span<const Param> params;
  Score (*run)(const Axis&, const Sample& reference, const Sample& current, const Args&);
};

#define VIGIE_METHOD(name) extern const Method name;
#include "drift/methods.def"
#undef VIGIE_METHOD

/// All methods, in the order of methods.def.
std::span<const Method* const> methods();
/// The method of that name, or nullptr.
const Method* find_method(std::string_view name);

/// Rows below which no method decides, on either side.
inline constexpr std::int64_t kFewestRows = 30;

}  // namespace vigie::drift

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vigie::drift {

/// What a column is to a drift method; also a bit set of what a method accepts.
enum Kind : std::uint8_t { kNumeric = 1, kCategorical = 2, kVectors = 4 };

/// What of a column a method looks at.
enum class View : std::uint8_t {
  kValues,  ///< its values: numbers, times, categories; of texts the length, of embeddings the norm
  kLength,  ///< the same, of texts alone
  kRow,     ///< embeddings, and hashed words of texts
  kHourOfDay,
  kDayOfWeek,
  kWords,
  kUnseenWords,
  kCentroidDistance,
};

/// The common scale on which both samples of one column were counted; fixed by the reference alone.
/// Numeric (also timestamps, lengths, norms): `counts` has cuts.size() + 1 cells; cell 0 is everything below cuts[0],
/// cell j is [cuts[j-1], cuts[j]), the last cell is everything from cuts.back() up. cell 0 and the last one lie outside
/// the reference's range, so the reference has no rows there (a merged reference may have some).
/// Vectors: nothing of all that.
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

/// Rows as vectors of one width, row after row: all of them or, of more, a seeded sample in which their order is
/// random.
struct Vectors {
  std::span<const float> values;
  std::size_t width = 0;
  std::int64_t of = 0;  ///< the rows that there were
  std::int64_t rows() const { return width == 0 ? 0 : static_cast<std::int64_t>(values.size() / width); }
};

/// One side. Missing and infinite values are not in it.
struct Sample {
  std::span<const std::int64_t> counts;  ///< rows per cell, aligned with the Axis
  std::span<const double> values;        ///< the values themselves, sorted, where they were kept; else empty
  double beyond = 0;                     ///< numeric: summed distance from the axis, in its sd, of the rows outside it
  Vectors vectors{};                     ///< where they were kept; else empty
  std::int64_t rows() const;             ///< sum of counts
};

/// How the p-value came about.
enum class Null : std::uint8_t { kNone, kExact, kAsymptotic, kSimulated, kBetweenWindow };
std::string_view to_string(Null null);

/// Why there is no verdict to be had; the numbers that can be computed are still in the Score.
enum class Status : std::uint8_t { kOk, kTooFewRows, kEmpty, kConstant };

/// How far a column moved, on one scale per kind (alarms: "big enough to matter?").
struct Effect {
  double raw;          ///< as measured
  double noise;        ///< what raw would be from sampling noise alone (E0)
  double corrected;    ///< √max(0, raw² − noise²)
  bool share = false;  ///< false: reference standard deviations; true: share of rows that moved
};

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
  /// On an axis of vectors, which drift::effect() cannot measure: how far they moved, and the smallest move that these
  /// rows show with probability 0.8 at Args::level.
  std::optional<Effect> moved{};
  double detectable = std::numeric_limits<double>::quiet_NaN();
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
  double effort = 1;  ///< share of the draws that make a simulated p precise; many methods divide them
};

/// Descriptor of a two-sample method: see conventions "A unit". `run` never throws, prints or allocates beyond its
/// result and O(cells + values); it must accept any counts (empty, one row, one cell) and answer with a Status. Where
/// both samples bring their values it goes by them, on an axis of vectors by those, else by the counts: cells stand at
/// their centers, rows of one cell are ties. Methods whose null law has to be simulated take what Args::level asks for,
/// see drift/null_internal.h.
struct Method {
  std::string_view name;
  std::string_view summary;
  std::string_view reference;       ///< paper or source
  std::uint8_t accepts = kNumeric;  ///< Kind bits, of what it looks at
  View view = View::kValues;
  std::string_view statistic;  ///< what the number is, with its scale
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/compare.h"

/// What the tables of false alarms and power share: worlds of which it is known whether they changed, put through the
/// command line's own path of profile, tally, family and verdict. For tests only; docs/alarms.md shows the tables.
namespace vigie::engine::alarms {

inline constexpr double kAlpha = .05;

/// How a row's hidden standard normal number becomes a value. Moving the hidden number moves every kind of column.
enum Kind {
  kNormal,
  kLognormal,
  kStudent2,
  kCauchy,
  kIntegers,
  kFewIntegers,
  kZeros,
  kMostlyZeros,
  kAtoms,
  kOnes,
  kNearlyConstant,
  kText,  ///< of about 30 characters, each its own
  kBoolean,
  kZipf,
  kUniform
};

struct Spec {
  Kind kind;
  std::size_t categories = 0;  ///< of kZipf and kUniform; the reference is told that they are categories
  double missing = 0;
};

/// The twenty kinds of columns of most tables.
std::span<const Spec> twenty_kinds();

/// A run of rows under one state of the world.
struct Stretch {
  std::int64_t rows;
  double start = 0;      ///< hours since the epoch; the rows are spread over one hour
  double season = 0;     ///< of every column, in sd
  bool changed = false;  ///< the change of the scenario applies
};

struct Scenario {
  std::size_t columns = 20;
  std::size_t segments = 0;
  double tau = 0;            ///< sd between windows of the hidden mean, in sd of rows; each column wanders on its own
  double rho = 0;            ///< lag-1 correlation of that
  bool heavy = false;        ///< it has Student's t law with 3 degrees of freedom
  bool missing_too = false;  ///< the share of missing values wanders like the mean
  std::size_t changed = 0;   ///< how many columns change
  double shift = 0, scale = 1, fresh = 0;
  bool frozen = false;       ///< the changed columns have one value only
  bool gone = false;         ///< the second category of the changed columns does not come any more
  bool categorical = false;  ///< the changed column has six categories
  /// What column i is, i modulo their number; with one column, trial i. Empty: twenty_kinds().
  std::vector<Spec> kinds = {};
};

/// The verdicts of one trial, as the command line would give them: the first `healthy` of the stretches are the
/// reference. A calendar window makes use of their times. `by`: what compares.
using Compared = std::function<Result<Comparison>(const Profile&, table::Input&, const CompareOptions&)>;
Comparison run(const Scenario& s, std::size_t trial, const std::vector<Stretch>& stretches, std::size_t healthy,
               const WindowSpec& window, const Compared& by = compare);

WindowSpec windows_of(std::int64_t rows);

/// Of the windows of one trial, how many have a verdict, have any member at or below alpha, and are called drift or
/// warning; how many tests have a p-value, and of how many of those the verdict is no_data all the same; and every
/// p-value that was judged, before correction.
struct Alarms {
  std::vector<double> windows, significant, called, tests, undecided;
  std::vector<std::vector<double>> p_values;
  static double sum(const std::vector<double>& v);
  double rate(const std::vector<double>& v) const { return sum(v) / sum(windows); }
  double undecided_share() const { return sum(undecided) / sum(tests); }
  /// How many p-values of each trial are at or below the level.
  std::vector<double> at_most(double level) const;
};
Alarms count(std::size_t trials, const std::function<Comparison(std::size_t)>& one);

/// The chance of so many alarms at the permitted rate, among `of` of each trial. What shares a reference is not
/// independent, so it counts as fewer: by the design effect, the variance between trials over that of independent ones.
double chance(const std::vector<double>& of, const std::vector<double>& alarms, double permitted);
/// Of healthy data, the most tests that may be left undecided: who decides nothing raises no false alarm.
inline constexpr double kMostUndecided = .02;
/// Fails when so many windows with alarms would come with probability below 1e-6 at the permitted rate, or more than
/// `undecided` of the tests came to no verdict.
void expect_at_most(const Alarms& a, double permitted, const std::string& what, double undecided = kMostUndecided);
/// The same of single tests at a level of their own.
void expect_p_values(const Alarms& a, double level, const std::string& what);
/// Of a table, under the head kCells.
std::string cells(const Alarms& a);
inline constexpr const char* kCells = "any p ≤ .05 | warning or drift | tests undecided | windows";

/// VIGIE_FULL: the number of trials that the published tables have.
std::size_t trials_of(std::size_t in_full, std::size_t reduced);

/// Rows of a markdown table, appended to the file that VIGIE_TABLE names.
class Table {
 public:
  explicit Table(std::string head) : text_(std::move(head)) {}
  void row(std::string line) { text_ += std::move(line) + "\n"; }
  ~Table();

 private:
  std::string text_;
};

}  // namespace vigie::engine::alarms

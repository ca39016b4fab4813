// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drift/compat.h"
#include "engine/comparison.h"
#include "engine/profile.h"
#include "engine/tally.h"

namespace vigie::engine {

/// Levels of effect from which a change is worth a look and worth a night.
struct Levels {
  double watch, major;
};
inline constexpr Levels kSdLevels{0.1, 0.25};      ///< reference standard deviations
inline constexpr Levels kShareLevels{0.05, 0.15};  ///< share of rows

/// What is to be run on a column, or on all that have no choice of their own when `column` is empty: a name of the
/// registry, "auto" for the default, or "all" for every method that accepts the column.
struct MethodChoice {
  std::string column, method;
};

struct CompareOptions {
  WindowSpec window;
  std::vector<SegmentBy> segments;
  double alpha = 0.05;           ///< false-discovery level of one window
  std::optional<Levels> levels;  ///< instead of both defaults
  std::vector<MethodChoice> methods;
  /// Follow another program's rules instead: `methods` are its own, and reference_rows are needed, all of whose values
  /// are held in memory, as the current ones are.
  const drift::Peer* compat = nullptr;
  /// The rows that the reference was made of, where they are still to be had: other methods than the default go by the
  /// values of up to kMostValues rows a column, and by the profile's cells beyond that or without them.
  table::Input* reference_rows = nullptr;
  bool quality = true;  ///< whether checks of data quality are made
  std::uint64_t seed = 1;
  unsigned threads = 0;
  Progress progress;
  std::string version;
};

inline constexpr std::string_view kDefaultMethod = "omnibus";
inline constexpr std::int64_t kMostValues = 1'000'000;

/// What is known of current data besides their counts.
struct CurrentData {
  std::string name;
  table::Schema columns{}, declared{};  ///< all that they have; the types that they themselves declare
  std::optional<bool> cut_off{};        ///< whether their windows are; else it is told from their times
  bool labels_later = false;            ///< they have none, and that is no fault
};

struct Chosen;

/// A reference made ready to compare with: for a data set, or for rows that are counted as they come (TallyBuilder, by
/// counting()). The only place where scores become verdicts. Reference and options must outlive it; a const one may be
/// used by many threads.
class Comparer {
 public:
  /// Code::kUsage: segments the profile does not have, methods that there are not.
  static Result<std::unique_ptr<Comparer>> make(const Profile& reference, const CompareOptions& options);
  Comparer(const Comparer&) = delete;
  ~Comparer();

  Result<Comparison> run(table::Input& current) const;
  const TallyOptions& counting() const { return counting_; }
  Result<Comparison> judge(const CurrentData& data, const Tally& counted) const;

 private:
  struct Beside;
  Comparer(const Profile& reference, const CompareOptions& options);
  bool knows(const std::string& column) const;
  Result<Comparison> judge(const CurrentData& data, const Tally& counted, const WindowSpec& spec,
                           const Beside& beside) const;

  const Profile& reference_;
  const CompareOptions& options_;
  QualityReference known_good_;
  TallyOptions counting_;
  std::unique_ptr<Chosen> chosen_;
};

/// Compares a data set with a reference: one pass over the current data, then a verdict per window, and beside it those
/// checks of data quality that its counts can answer (all of them: inspect()). Errors: unreadable data, no column in
/// common, segments the profile does not have.
Result<Comparison> compare(const Profile& reference, table::Input& current, const CompareOptions& options);

}  // namespace vigie::engine

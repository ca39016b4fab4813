// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "drift/drift.h"

/// What other programs say of two samples, to their last digit: their methods, bins, smoothing, thresholds and rules,
/// faults included. For people who move from there and have to keep their numbers. Nothing here is calibrated, and no
/// method of vigie's own is built on it.
namespace vigie::drift {

/// A column as another program sees it; missing and infinite values are not in it.
struct PeerColumn {
  Kind kind = kNumeric;
  std::span<const double> reference, current;                      ///< numeric: the values, sorted
  std::span<const std::int64_t> reference_counts, current_counts;  ///< categorical: rows of each, in order of names
  bool whole = false, current_whole = false;  ///< numeric: whole numbers without a gap, on both sides; in current
};

/// NaN where that program refuses or has no number.
struct PeerScore {
  double statistic = std::numeric_limits<double>::quiet_NaN();  ///< what it reports, be it a distance or a p-value
  double p_value = std::numeric_limits<double>::quiet_NaN();
};

/// When it calls a column drifted.
enum class PeerRule : std::uint8_t {
  kAtLeast,    ///< statistic ≥ threshold
  kAbove,      ///< statistic > threshold
  kPBelow,     ///< p < threshold
  kPAtMost,    ///< p ≤ threshold
  kReference,  ///< statistic > mean + 3 sd of its values for the reference's own chunks, or `threshold` if that is less
};

struct PeerMethod {
  std::string_view name;  ///< in that program
  std::string_view summary;
  std::uint8_t accepts;  ///< Kind bits
  PeerRule rule;
  double threshold;
  PeerScore (*run)(const PeerColumn&);
};

struct Peer {
  std::string_view name, version;
  std::span<const PeerMethod> methods;
  /// What it takes a column for: it may see categories in numbers.
  Kind (*kind)(const PeerColumn&);
  /// The method that it runs where none is named. `kind` is that of kind().
  const PeerMethod& (*usual)(const PeerColumn&);
  /// Share of drifted columns from which it says that the data set drifts; NaN: it says nothing of that.
  double share;
  /// Chunks into which it cuts either data set where no other windows are asked for; 0: it cuts neither.
  int chunks;
};

/// In alphabetical order.
std::span<const Peer> peers();
const Peer* find_peer(std::string_view name);
const PeerMethod* find_method(const Peer& peer, std::string_view name);

/// The threshold that a method of PeerRule::kReference takes from the values of the reference's chunks; NaN ones are
/// left out. Every other method's is its own.
double threshold_of(const PeerMethod& method, std::span<const double> reference_chunks);
bool drifted(const PeerMethod& method, const PeerScore& score, double threshold);

extern const Peer evidently, nannyml;

}  // namespace vigie::drift

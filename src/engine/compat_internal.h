// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "drift/compat.h"
#include "engine/judge_internal.h"

namespace vigie::engine {

/// The windows into which another program would cut the current data and, where its thresholds come from there, the
/// reference.
struct PeerWindows {
  WindowSpec current, reference;
};
/// What was asked for, else the peer's own chunks, for which the rows of `current` are counted.
Result<PeerWindows> peer_windows(const drift::Peer& peer, const WindowSpec& asked, const Profile& reference,
                                 table::Input& current);

/// Per column the peer's methods that were asked for; none where it is to choose itself. Code::kUsage for names that it
/// does not know.
using PeerMethods = std::vector<std::vector<const drift::PeerMethod*>>;
Result<PeerMethods> choose(const drift::Peer& peer, const Profile& profile, std::span<const MethodChoice> choices);

/// Judges columns as another program does, from values and counts by name alone.
class PeerJudge {
 public:
  /// `rows`: the reference's own, in that program's chunks; both tallies hold all values. All must outlive this.
  PeerJudge(const drift::Peer& peer, const Profile& reference, const Tally& current, const Tally& rows,
            PeerMethods methods, unsigned threads);

  /// From the tests of one column in one window those of the peer: what they say of rows, effect and movement stays;
  /// number, threshold and verdict are the peer's. Missing values are no matter to it. Thread-safe.
  std::vector<Draft> column(std::span<const Draft> own, std::size_t column, std::size_t window) const;

  /// Its word on the whole data set, where it has one.
  std::optional<DatasetDrift> dataset(const WindowResult& window) const;

 private:
  // The reference's rows of one part of a column, and the thresholds taken from its chunks.
  struct Side {
    std::vector<double> values;
    std::vector<std::int64_t> counts;
    std::vector<double> thresholds;  // parallel to the column's methods
    std::size_t chunks = 0;
  };
  std::vector<std::int64_t> by_name(std::size_t column, const Counts* counts) const;
  drift::PeerColumn seen(std::size_t column, const Side& side, std::span<const double> values,
                         std::span<const std::int64_t> counts, bool gaps) const;
  Side side(std::size_t column, std::size_t segmentation, std::size_t segment) const;
  std::string refusal(std::size_t column, const Counts* current) const;  // why it does not compare, or empty
  void judge(Draft& draft, const drift::PeerMethod& method, const drift::PeerColumn& column, double threshold,
             std::size_t chunks) const;

  const drift::Peer& peer_;
  const Profile& reference_;
  const Tally &current_, &rows_;
  PeerMethods methods_;
  std::vector<std::vector<std::size_t>> order_;        // per categorical column its cells by name
  std::vector<std::vector<std::vector<Side>>> sides_;  // [column][segmentation asked for][segment]
};

/// What that comes to over all windows, for people; empty where it has no such word.
std::string dataset_note(const drift::Peer& peer, std::span<const WindowResult> windows);

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/profile.h"

namespace vigie::engine {

/// The rows of one batch that belong together, as runs or row by row.
struct Membership {
  struct Run {
    std::int64_t begin, end;
    std::int32_t group;
  };
  std::vector<std::int32_t> groups;  ///< one a row, −1 for none
  std::vector<Run> runs;             ///< the same, when there are few; else empty
  void find_runs();
};

/// Of the values met, as Segmenter names them, and how many rows each has, those that are watched on their own, by
/// falling count; and "(other)" where there are more.
std::vector<std::string> segments_to_watch(const SegmentBy& by, const std::vector<std::string>& names,
                                           const std::vector<std::int64_t>& rows);

/// Turns the values of one or two columns into segment names, batch by batch.
class Segmenter {
 public:
  /// `known`: the segments of the reference; others fall into "(other)" when it is among them, else into none (−1).
  /// Without `known` every new value gets a number of its own.
  Segmenter(SegmentBy by, std::vector<std::size_t> columns, const std::vector<std::string>* known);
  Status assign(table::Batch& batch, std::vector<std::int32_t>& out);
  const std::vector<std::string>& names() const { return names_; }
  std::int64_t strays() const { return strays_; }      ///< rows that fell into none
  const std::string& stray() const { return stray_; }  ///< what the first of them is
  /// Goes on from what another one said.
  void strayed(std::int64_t strays, std::string stray) { strays_ = strays, stray_ = std::move(stray); }

 private:
  std::int32_t number(const std::string& name);
  SegmentBy by_;
  std::vector<std::size_t> columns_;
  bool fixed_;
  std::int32_t other_ = -1;
  std::int64_t strays_ = 0;
  std::string stray_;
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> index_;
};

}  // namespace vigie::engine

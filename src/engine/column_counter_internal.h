// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "engine/column_values_internal.h"
#include "engine/profile.h"
#include "engine/row_sample_internal.h"
#include "engine/segmenter.h"
#include "engine/tally.h"
#include "sketch/histogram.h"

namespace vigie::engine {

/// Counts the rows of one column on the axis that its profile gives it, batch by batch, into groups: one a window and
/// segment of each segmentation. What is counted does not depend on the batches' size. One thread at a time.
class ColumnCounter {
 public:
  /// `reference`: the rows are those that the profile was made of. `profile` must outlive this.
  ColumnCounter(const ColumnProfile& profile, std::size_t segmentations, bool reference);

  /// Keeps up to so many values of a numeric kind beside the counts, each segmentation for itself.
  void keep(std::int64_t most);

  /// Keeps a sample of the rows of a column of texts or embeddings as vectors.
  void keep_rows() { keeps_rows_ = true; }

  /// The rows of `column`, the first of which is row `first` of the data, into the groups that `groups` names, one
  /// Membership a segmentation; `sizes`: how many groups each has by now.
  void add(const table::Column& column, std::int64_t first, std::span<const Membership> groups,
           std::span<const std::size_t> sizes);
  /// The same rows of data that lack the column.
  void add_missing(std::span<const Membership> groups, std::span<const std::size_t> sizes);

  /// To be called after the last row; `same`: there were as many as the profile was made of. Then they may be the very
  /// ones, and where that is `halved` the half that chose its categories, which has too many of them by chance, is left
  /// out here too.
  void finish(bool same);

  /// Whether every text so far is a number, some have a decimal mark, and the reference gives no reason to expect that.
  bool only_numbers() const { return !profile_.texts_as_meant && texts_.all_some_with_mark(); }

  /// The values kept, [segmentation][group], in rising order; without any where they were too many.
  std::vector<std::vector<std::vector<double>>> take_values();
  /// The samples of rows, likewise.
  std::vector<std::vector<RowSample>> take_rows();

  /// What another one counted, made alike, of other rows.
  void merge(const ColumnCounter& other);

  /// What was counted, and to go on from there in one that was just made alike.
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  /// Whether there are no more groups than these, [segmentation].
  bool holds(std::span<const std::size_t> most) const;

 private:
  using Index = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

  std::size_t width() const { return profile_.cells() + fresh.size(); }
  using Groups = std::vector<std::vector<Counts>>;  // [segmentation][group]
  Counts& group(Groups& of, std::size_t k, std::int32_t g);
  Coded half(Coded coded, std::int64_t first, bool second);
  std::int64_t beyond(std::span<const double> values) const;
  void add_spans(std::span<const double> times, std::span<const Membership> groups);
  void add_numbers(std::span<const double> values, std::span<const Membership> groups, Groups& to);
  std::vector<Membership> half_of(std::span<const Membership> groups, std::int64_t first, bool second) const;
  void keep_values(std::span<const double> values, std::span<const Membership> groups);
  void sample_rows(const table::Column& column, std::int64_t first, std::span<const Membership> groups);
  void add_codes(Coded coded, std::span<const Membership> groups, Groups& to);
  std::int32_t cell_of(std::string_view name);

  const ColumnProfile& profile_;
  bool reference_;
  std::optional<sketch::CutIndex> cuts_;
  Index index_;
  std::int32_t other_ = 0;
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_, half_, map_;
  std::vector<std::uint16_t> places_;
  NumberTexts texts_;
  Groups first_half_;  // of a halved column
  std::int64_t most_ = 0;
  std::vector<std::int64_t> kept_;                        // [segmentation]
  std::vector<std::vector<std::vector<double>>> values_;  // [segmentation][group]
  bool keeps_rows_ = false;
  std::vector<std::vector<RowSample>> rows_;  // likewise
  std::vector<float> vector_;

 public:
  std::vector<std::vector<Span>> spans;  ///< [segmentation][group], timestamps only
  Groups cells;                          ///< [segmentation][group]
  std::vector<std::string> fresh;        ///< names that the profile does not have, in the order of their coming
  std::int64_t mismatches = 0, infinite = 0;
  double minimum = std::numeric_limits<double>::infinity(), maximum = -minimum;
};

}  // namespace vigie::engine

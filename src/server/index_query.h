// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/settings.h"
#include "elastic/session.h"

namespace vigie::server {

/// Rows that lie in indexes of Elasticsearch or OpenSearch.
struct IndexedRows {
  std::vector<std::string> nodes;
  elastic::Access access;
  std::string index;                                       ///< or several: "logs-*"
  std::string time = "@timestamp";                         ///< a field of dates
  std::string query;                                       ///< of Lucene: rows that count; empty: all
  std::map<std::string, std::string, std::less<>> fields;  ///< of columns that are called otherwise there
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();  ///< µs
  std::vector<std::pair<std::int64_t, std::int64_t>> without;  ///< times in between that do not count: [first, second)
};
std::span<const Param> indexed_rows_params();
/// Whether text is meant as such: "elastic(…".
bool is_indexed_rows(std::string_view text);
/// From text: "elastic(to=https://localhost:9200, index=logs-*)". Code::kUsage.
Result<IndexedRows> make_indexed_rows(std::string_view text, const Environment& environment);
/// Of the parameters, with more of them besides.
Result<IndexedRows> make_indexed_rows(const Settings& settings);

/// Asks for counts of such rows. Times of the cluster are in whole milliseconds, those here in µs. One thread at a
/// time.
class IndexQuery {
 public:
  static constexpr std::size_t kMostBuckets = 4'000;  ///< of a request; search.max_buckets is 65,535 unless it is told
  static constexpr std::int64_t kMilli = 1'000;
  static constexpr std::int64_t kLatest = 253'402'300'800'000'000;  ///< µs: later times, behind the year 9999, are none

  explicit IndexQuery(IndexedRows rows) : rows_(std::move(rows)), session_(rows_.nodes, rows_.access) {}
  /// Asks which fields there are, once. Code::kUsage: no index, or its time is no field of dates.
  Status reach();

  /// Is asked before each request; nothing more is asked once it says so, which is Code::kUnavailable.
  void stop_when(std::function<bool()> stop) { stop_ = std::move(stop); }

  /// Rows from that time on, µs, do not count.
  void end_at(std::int64_t time) { rows_.to = std::min(rows_.to, time); }
  /// Nor do those of times in between, in place of what was left out before.
  void leave_out(std::vector<std::pair<std::int64_t, std::int64_t>> times) { rows_.without = std::move(times); }

  const IndexedRows& rows() const { return rows_; }
  /// By name; "several types: keyword, long" where indexes do not agree.
  const std::map<std::string, std::string, std::less<>>& types() const { return types_; }
  struct Field {
    std::string name, type;  ///< type: empty where there is none of that name; name: empty where none was named
    std::string also;        ///< another one of the column's name, which is not taken
  };
  /// Of a column: as `fields` has it, or "features.NAME", "NAME" or "tags.NAME"; of a text its keywords.
  Field field_of(std::string_view column) const;
  /// Of a segmentation by one column: a field of keywords; empty: there is none.
  std::string keywords_of(const std::string& column) const;

  /// An aggregation of the rows with a value that the field does not keep, as far as the cluster knows them: of
  /// keywords that are too long it may not.
  static nlohmann::json ignored(const std::string& field);
  /// What is to be said of a column with missing values, of so many ignored ones; empty: nothing. Asks the cluster
  /// where it does not know them.
  Result<std::string> said_of_missing(const std::string& column, const Field& field, std::int64_t ignored);

  /// Rows with a time in [from, to), and in that of the rows.
  nlohmann::json filter(std::int64_t from, std::int64_t to) const;
  /// What aggregations find of the rows of a filter: the whole answer.
  Result<nlohmann::json> ask(nlohmann::json filter, nlohmann::json aggs);
  /// The same of one that no cluster has below others: a composite one.
  Result<nlohmann::json> ask_alone(const nlohmann::json& filter, nlohmann::json aggs);
  /// How many those are, and the first and last time.
  struct Times {
    std::int64_t rows = 0, first = 0, last = 0;
  };
  Result<Times> times(std::int64_t from, std::int64_t to);
  /// Of all of the rows. Code::kInput: there is none.
  Result<Times> times();

 private:
  std::string range() const;
  IndexedRows rows_;
  std::function<bool()> stop_;
  elastic::Session session_;
  std::map<std::string, std::string, std::less<>> types_;
};

/// Whether a field of that type holds numbers, whole ones, and such as are rounded to fewer digits than a double has.
bool is_number(std::string_view type);
bool is_whole(std::string_view type);
bool is_rounded(std::string_view type);

/// What a field of that type has of `value`: itself, or the nearest of fewer binary digits. A double's, where a type's
/// digits are not known (scaled_float).
double kept(double value, std::string_view type);

/// Ranges between cuts of numbers in a field of a type, and the cells that they are. A cluster may cut off of a bound
/// what is behind the point, where the field has integers, or the digits that it has not: so bounds are numbers that
/// it has. Those of integers are the first at or behind the cut; those of `float` and `half_float` are rounded as the
/// numbers are, so that numbers at a cut are behind it, and a cell of one value has all that are rounded to it. Cells
/// between which nothing can lie are left out.
struct Ranges {
  nlohmann::json json;  ///< as an aggregation has them
  std::vector<std::size_t> cells;
};
Ranges ranges_of(std::span<const double> cuts, std::string_view type);

/// The name of a category of a bucket: a whole number is written as one, whatever the field's type is.
std::string category_of(const nlohmann::json& bucket);
std::int64_t count_of(const nlohmann::json& bucket);
/// A number of an answer; where there is none, 0.
double figure_of(const nlohmann::json& json, std::string_view path);
/// Whether the cluster granted fewer buckets than were asked for.
bool too_many_buckets(const Error& error);
/// Calls `count(first, last)`, and again by halves where the cluster granted too few buckets for all of them.
template <class Count>
Status in_parts(std::size_t first, std::size_t last, const Count& count) {
  Status done = count(first, last);
  if (done || !too_many_buckets(done.error()) || last - first < 2) return done;
  const auto middle = first + (last - first) / 2;
  VIGIE_TRY(in_parts(first, middle, count));
  return in_parts(middle, last, count);
}

}  // namespace vigie::server

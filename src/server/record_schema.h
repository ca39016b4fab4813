// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "table/json_rows.h"

namespace vigie::server {

/// What the records of one model have: its features by name, tags and scores as "tags.shop" and "scores.a", prediction
/// and score; and of what kind the values of each are. Learnt of the first kLearnt rows, or those of the first hour
/// where they are kFew at least; or said by people. From then on it has a version, which counts up with each change. A
/// null counts as not there. It looks at all rows of a model that gets few, and at kEach a second of one that gets
/// many, spread over a request; kept with the State and its offset, so that after a crash it finds the same. One thread
/// at a time. Cost: a few µs a row that it looks at.
class RecordSchema {
 public:
  enum class Kind : std::uint8_t { kNumber, kText, kBoolean, kTime, kList };
  using Columns = std::map<std::string, Kind, std::less<>>;
  static constexpr std::int64_t kLearnt = 1'000, kFew = 100;  ///< rows
  static constexpr std::int64_t kEach = 10;                   ///< rows a second, and kLearnt at once after a pause
  static constexpr std::int64_t kNew = 10;                    ///< rows that have a name before it is a column
  static constexpr std::int64_t kValues = 100;                ///< of a column, most of which say of what kind it is
  static constexpr std::size_t kMost = 2'000;                 ///< names of a model; others are left out

  /// A later version than one that was known, or, where people said what counts, records that are other than that.
  struct Change {
    std::int64_t from = 0, to = 0;  ///< versions; the same where what people said counts
    Columns added{};
    /// That no row had any more, of as many as it was learnt of, and of more where it was rare.
    std::vector<std::string> gone{};
    std::map<std::string, std::pair<Kind, Kind>> changed{};  ///< what most values were, and are
    bool said = false;                                       ///< people said it
    bool left_out = false;                                   ///< there are more than kMost names, from now on
    bool empty() const { return added.empty() && gone.empty() && changed.empty() && !left_out; }
  };

  /// As of the last commit; of a model that is not there one that knows nothing. `State::get()` has it by name_of().
  static std::string name_of(std::string_view model) { return "schema " + std::string(model); }
  /// Code::kCorrupt.
  Status load(std::string_view bytes);
  std::string save() const;
  /// Whether it is another than was saved last.
  bool altered() const { return altered_; }
  void saved() { altered_ = false; }

  /// Rows `which` of predictions that came for the first time; `scratch` is overwritten.
  std::optional<Change> look(const table::JsonRows& rows, std::span<const std::size_t> which, std::int64_t arrived,
                             table::JsonRows& scratch);
  /// What counts from now on of the groups that it names: features, tags, scores, or prediction and score. Nothing:
  /// what is learnt.
  std::optional<Change> say(std::optional<Columns> said, std::int64_t arrived);

  std::int64_t version() const { return version_; }  ///< 0: it is not known yet
  Columns columns() const;                           ///< that count
  /// {"version", "since", "said", "columns", "departs", "left_out", "last_change"}; of one that is not known empty.
  std::string to_json() const;
  /// The last change in words, and when it came: µs.
  const std::pair<std::string, std::int64_t>& last_change() const { return last_; }

 private:
  struct Seen {
    Kind kind = Kind::kNumber;
    bool known = false;  // else too few rows had it
    std::int64_t rows = 0, first = 0, last = 0;
    std::array<std::int64_t, 5> kinds{};  // values, since they were last counted
    Kind most() const;
  };
  bool learning() const { return learnt_ == 0; }
  void take(const table::JsonRows& row);
  Change settle();
  Change evaluate();
  Change departures() const;
  std::optional<Change> tell(Change change, std::int64_t arrived);
  Columns met() const;

  std::int64_t version_ = 0, since_ = 0, first_ = 0;
  std::int64_t looked_ = 0, evaluated_ = 0, learnt_ = 0;     // rows
  std::int64_t room_ = kLearnt * 1'000'000, last_came_ = 0;  // rows that may be looked at, in millionths; µs
  std::map<std::string, Seen, std::less<>> seen_;
  std::optional<Columns> said_;
  bool left_out_ = false, told_left_out_ = false, altered_ = false;
  std::pair<std::string, std::int64_t> last_;
};

std::string_view to_string(RecordSchema::Kind kind);  ///< "number", "text", "boolean", "time", "list"
std::span<const std::string_view> all_kinds();
std::optional<RecordSchema::Kind> kind_of(std::string_view name);
/// "\"zz\" is new (number); \"z\" comes no more; \"x\" is text, was number".
std::string in_words(const RecordSchema::Change& change);

}  // namespace vigie::server

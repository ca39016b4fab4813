// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/expectation.h"
#include "base/result.h"
#include "quality/quality.h"

namespace vigie::quality {

/// By which checks findings of rules are called, in the order of Expectation::Kind; none of checks() is called so.
std::span<const std::string_view> rule_names();

/// Counts of the rows that break explicit expectations: a mergeable state, the same whatever the order of batches and
/// merges. A missing value breaks kNotNull and nothing else; a relation is judged where both columns have a value. An
/// infinite number is outside every range that has an end on its side.
///
/// Texts are looked at once a dictionary entry. A regex is one of RE2 on UTF-8, in time linear in the text, and must
/// match the whole of it. Cost: 1–3 ns a row and rule, in a set of numbers log of its size; kUnique 5–20; relations of
/// texts about 5.
///
/// Memory: some hundred bytes a rule, of a regex what RE2 takes (8 MB at most), and of kUnique what Repeats does.
class RuleStates {
 public:
  RuleStates();  ///< no rules
  /// `columns`: those of the data, in the order in which Values will be given. A regex that is none: Code::kUsage, with
  /// `path`, line and column; without the line where the rule has none. A column that the data lacks, or of a kind that
  /// the rule cannot judge, is a finding.
  static Result<RuleStates> make(std::vector<Expectation> rules, std::span<const ColumnSpec> columns,
                                 const std::string& path);
  RuleStates(RuleStates&&) noexcept;
  RuleStates& operator=(RuleStates&&) noexcept;
  ~RuleStates();
  RuleStates copy() const;

  bool empty() const { return rules_.empty(); }
  /// Whether update() looks at that column; any other may be given without values.
  bool reads(std::size_t column) const;
  /// Of each rule that cannot be judged on these columns: "columns.age: there is no …".
  std::vector<std::string> unfit() const;

  /// The rows first_row, first_row + 1, …; all columns. `numbers`: what the rows are called where a broken rule tells
  /// of them, rising; empty: those very numbers.
  void update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns,
              std::span<const std::int64_t> numbers = {});
  /// As if this had seen the other's rows too; both made of the same rules and columns. Row numbers must differ.
  void merge(const RuleStates& other);
  /// The same of rows of which nobody knows where among these they came, whatever their numbers: kMonotone compares
  /// none of them with one of these. Rules that one of both lacks are of the other's rows alone.
  void join(const RuleStates& other);
  std::int64_t next_row() const { return next_; }  ///< behind the last that it has seen

  /// One for each rule, in their order: check "range", "set", …; value: the share of rows that break it.
  std::vector<Finding> findings() const;
  std::size_t size_bytes() const;  ///< of what it holds in memory, about

  /// The rules, and what was counted by them.
  void save(ByteWriter& out) const;
  /// Of the same columns. Code::kCorrupt for bytes that no save() wrote.
  static Result<RuleStates> load(ByteReader& in, std::span<const ColumnSpec> columns);

 private:
  struct Rule;
  std::vector<std::unique_ptr<Rule>> rules_;
  std::int64_t next_ = 0;
};

/// What a reference suggests to demand of data like it: no missing values where there are none and few more where some
/// are, a range a tenth wider
/// than seen, a set where few categories come often, unique ids, times in order. Wide enough that data of the same law
/// keep it: what a sample cannot promise has an at_most. `probabilities`: columns that may have any value of 0..1, if
/// all that is seen lies in it.
std::vector<Expectation> suggest(const TableState& reference, std::span<const std::string> probabilities = {});

}  // namespace vigie::quality

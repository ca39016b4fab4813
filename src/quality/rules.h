// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/expectation.h"
#include "base/result.h"
#include "quality/quality.h"

namespace vigie::quality {

/// Counts of the rows that break explicit expectations: a mergeable state, the same whatever the order of batches and
/// merges. A missing value breaks kNotNull and nothing else; a relation is judged where both columns have a value. An
/// infinite number is outside every range that has an end on its side.
///
/// Texts are looked at once a dictionary entry. A regex is one of RE2 on UTF-8, in time linear in the text, and must
/// match the whole of it. Cost: 1–3 ns a row and rule, in a set of numbers log of its size; kUnique 5–20; relations of
/// texts about 5.
class RuleStates {
 public:
  /// `columns`: those of the data, in the order in which Values will be given. A regex that is none: Code::kUsage, with
  /// `path`, line and column. A column that the data lacks, or of a kind that the rule cannot judge, is a finding.
  static Result<RuleStates> make(std::vector<Expectation> rules, std::span<const ColumnSpec> columns,
                                 const std::string& path);
  RuleStates(RuleStates&&) noexcept;
  RuleStates& operator=(RuleStates&&) noexcept;
  ~RuleStates();

  /// The rows first_row, first_row + 1, …; all columns. `numbers`: what the rows are called where a broken rule tells
  /// of them, rising; empty: those very numbers.
  void update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns,
              std::span<const std::int64_t> numbers = {});
  /// As if this had seen the other's rows too; both made of the same rules and columns. Row numbers must differ.
  void merge(const RuleStates& other);

  /// One for each rule, in their order: check "range", "set", …; value: the share of rows that break it.
  std::vector<Finding> findings() const;

 private:
  struct Rule;
  RuleStates();
  std::vector<std::unique_ptr<Rule>> rules_;
};

/// What a reference suggests to demand of data like it: no missing values where there are none and few more where some
/// are, a range a tenth wider
/// than seen, a set where few categories come often, unique ids, times in order. Wide enough that data of the same law
/// keep it: what a sample cannot promise has an at_most. `probabilities`: columns that may have any value of 0..1, if
/// all that is seen lies in it.
std::vector<Expectation> suggest(const TableState& reference, std::span<const std::string> probabilities = {});

}  // namespace vigie::quality

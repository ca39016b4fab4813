// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expectation.h"
#include "base/result.h"

namespace vigie::config {

/// Reads the text of a rules file, in the order of its lines:
///     columns:
///       age: {not_null: true, range: [0, 120]}
///       income: {missing_at_most: 0.2}               # not_null for all but this share of the rows
///       score: {range: [0, null], at_most: 0.01}     # up to 1 % of the rows may break the rules of this column
///       country: {set: [FR, DE], severity: warn}     # else: fail
///       tail: {regex: "N[0-9]+[A-Z]*"}                 # the whole text, RE2
///       id: {unique: true}
///       seen_at: {monotone: increasing}              # strictly_increasing, decreasing, strictly_decreasing
///     relations:
///       - pickup <= dropoff                          # < <= == != >= >
///       - {rule: net <= gross, at_most: 0.001, severity: warn}
/// Unknown keys and values that are none are Code::kUsage with `path`, line, key and the nearest known one. What a set
/// holds is compared as numbers with a column of numbers, as texts with one of texts. A name with blanks is written in
/// backquotes in a relation: `net amount` < gross.
Result<std::vector<Expectation>> parse_rules(std::string_view text, const std::string& path);
/// The same of JSON that stands at `key` of something larger, which messages name in place of a line: "checks.columns.
/// age.range: expected …". The rules are of no line.
Result<std::vector<Expectation>> parse_rules_at(std::string_view json, const std::string& key);
/// The same of a file.
Result<std::vector<Expectation>> load_rules_file(const std::string& path);

/// The text of a rules file that parse_rules() reads as the same expectations, those of one column together; `comment`
/// becomes its first line. Rules of one column must have one at_most, but for kNotNull, and one severity: the first
/// one's are taken.
std::string write_rules(std::span<const Expectation> rules, std::string_view comment);

}  // namespace vigie::config

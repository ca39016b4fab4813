// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "quality/judge_internal.h"
#include "stats/distributions.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = 1.5, .min = 1, .max = 1e9, .doc = "ratio up or down that is warned of"},
    {.name = "major", .fallback = 5, .min = 1, .max = 1e9, .doc = "ratio up or down that fails"}};

constexpr double kUnlikeEach = .9;  // share of values that come once, from which they hardly repeat anywhere

struct Distinct {
  double values = 0, once = 0;
};

// Of the first `rows` sampled rows with a value: how many different values, and how many that came once.
Distinct count(const std::vector<std::uint64_t>& words, std::size_t rows) {
  std::unordered_map<std::uint64_t, int> seen;
  std::size_t used = 0;
  for (const std::uint64_t word : words) {
    if (word == ColumnState::kMissingHash) continue;
    if (used++ == rows) break;
    ++seen[word];
  }
  Distinct out;
  out.values = static_cast<double>(seen.size());
  for (const auto& [word, times] : seen) out.once += times == 1;
  return out;
}

Finding judge(const ColumnState& column, const std::vector<std::uint64_t>& words,
              const std::vector<std::uint64_t>& words_before, bool shorter, Args args) {
  Finding finding;
  finding.value = std::round(column.distinct());
  const auto present = [](const std::vector<std::uint64_t>& w) {
    return static_cast<std::int64_t>(w.size()) - std::count(w.begin(), w.end(), ColumnState::kMissingHash);
  };
  const std::int64_t rows = std::min(present(words), present(words_before));
  if (too_few(finding, present(words), present(words_before))) return finding;
  // More rows hold more values: only as many rows of both sides can be compared. The variance of the number of
  // different values is at most the expected number of those that come once (Efron & Stein 1981).
  const Distinct now = count(words, static_cast<std::size_t>(rows)),
                 then = count(words_before, static_cast<std::size_t>(rows));
  finding.expected = fmt::format("about {} in {}", human(then.values), plural(rows, "row"));
  finding.reason = fmt::format("{} different values in {} drawn at random, {} in the reference's", human(now.values),
                               plural(rows, "row"), human(then.values));
  if (shorter && then.once < kUnlikeEach * static_cast<double>(rows)) {
    finding.reason = "values that repeat may do so more or less within a shorter time than the reference's";
    return finding;
  }
  const double z = std::max(0.0, std::abs(now.values - then.values) - 1) / std::sqrt(now.once + then.once + 1);
  finding.p_value = std::min(1.0, 2 * stats::normal_sf(z));
  const double ratio = std::max(now.values / then.values, then.values / now.values);
  finding.distance = ratio;
  finding.verdict = ratio >= args[1] ? Verdict::kFail : ratio >= args[0] ? Verdict::kWarn : Verdict::kPass;
  return finding;
}

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  const auto& columns = subject.current.columns();
  const bool fewer = shorter(subject);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ColumnState* before = subject.before(columns[i]);
    const Kind kind = columns[i].spec().kind;
    if (!before || (kind != Kind::kString && kind != Kind::kNumber)) continue;
    const auto at = static_cast<std::size_t>(before - subject.reference->columns().data());
    out.push_back(judge(columns[i], subject.sample.columns[i], subject.reference_sample.columns[at], fewer, args));
    out.back().column = columns[i].spec().name;
  }
}

}  // namespace

constinit const Check cardinality{.name = "cardinality",
                                  .summary = "Number of different values, compared in equally many rows of both sides",
                                  .source = "rarefaction; variance bound of Efron & Stein 1981",
                                  .takes = kNumbers | kStrings | kNeedsReference | kNeedsRows | kNeedsSample,
                                  .params = kParams,
                                  .run = run};

}  // namespace vigie::quality

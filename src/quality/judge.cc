// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/text.h"
#include "quality/judge_internal.h"
#include "stats/distributions.h"
#include "stats/hypergeometric.h"

namespace vigie::quality {

double more_p(const Shares& s) {
  if (s.k <= 0) return 1;
  return std::min(1.0, stats::Hypergeometric{s.m + s.n_before, s.k + s.k_before, s.m}.upper(s.k));
}

double between_p(double share, std::span<const double> shares) {
  if (shares.size() < kFewestWindows) return 1;
  const auto scale = [](double x) { return std::asin(std::sqrt(std::clamp(x, 0.0, 1.0))); };
  const double n = static_cast<double>(shares.size());
  double mean = 0, squares = 0;
  for (const double x : shares) mean += scale(x) / n;
  for (const double x : shares) squares += (scale(x) - mean) * (scale(x) - mean);
  const double sd = std::sqrt(squares / (n - 1) * (1 + 1 / n)), distance = std::abs(scale(share) - mean);
  if (sd == 0) return distance > 0 ? 0 : 1;
  return 2 * stats::student_t_sf(distance / sd, n - 1);
}

Finding judge_more(const Shares& s, std::string_view what, double watch, double major,
                   std::span<const double> windows) {
  Finding finding;
  finding.value = s.now();
  finding.expected = fmt::format("at most {}", percent(std::min(1.0, s.before() + watch)));
  if (too_few(finding, s.m, s.n_before)) return finding;
  finding.p_value = more_p(s);
  // Fewer say nothing of what is usual: rows are taken as independent then.
  if (windows.size() >= kFewestWindows) finding.p_value = std::max(finding.p_value, between_p(s.now(), windows));
  const double rise = s.now() - s.before();
  finding.verdict = rise >= major && major > 0  ? Verdict::kFail
                    : rise > 0 && rise >= watch ? Verdict::kWarn
                                                : Verdict::kPass;
  finding.reason = fmt::format("{} {}, {} in the reference", percent(s.now()), what, percent(s.before()));
  return finding;
}

bool beyond_habit(const Finding& finding, std::int64_t marked, std::int64_t most) {
  return finding.verdict == Verdict::kFail && marked > 2 * most;
}

Finding judge_none(std::int64_t k, std::int64_t m, std::string_view what) {
  Finding finding;
  if (m == 0) {
    finding.reason = "no values";
    return finding;
  }
  finding.value = static_cast<double>(k) / static_cast<double>(m);
  finding.expected = "none";
  finding.verdict = k ? Verdict::kWarn : Verdict::kPass;
  finding.reason = fmt::format("{} {}", percent(finding.value), what);
  return finding;
}

bool shorter(const Subject& subject) {
  if (subject.windows.size() >= kFewestWindows) return true;
  for (const ColumnState& column : subject.current.columns()) {
    const ColumnState* before = subject.before(column);
    if (!before || column.spec().role != Role::kTime || column.spec().kind != Kind::kTime) continue;
    if (2 * (column.times().max() - column.times().min()) < before->times().max() - before->times().min()) return true;
  }
  return false;
}

bool too_few(Finding& finding, std::int64_t rows, std::int64_t reference_rows) {
  if (std::min(rows, reference_rows) >= kFewestRows) return false;
  finding.verdict = Verdict::kNoData;
  finding.reason = rows < kFewestRows
                       ? fmt::format("only {} with a value; {} are needed", plural(rows, "row"), kFewestRows)
                       : fmt::format("only {} with a value in the reference; {} are needed",
                                     plural(reference_rows, "row"), kFewestRows);
  return true;
}

double alone_p(const Pooled& pooled, bool current_alone) {
  std::int64_t n = 0, m = 0;
  for (const auto& [reference, current] : pooled) n += reference, m += current;
  if (!current_alone) std::swap(n, m);
  std::int64_t alone = 0, largest = 0;
  std::vector<std::int64_t> sizes;
  for (auto [reference, current] : pooled) {
    if (!current_alone) std::swap(reference, current);
    sizes.push_back(reference + current);
    if (reference > 0 || current == 0) continue;
    ++alone;
    largest = std::max(largest, current);
  }
  if (alone == 0) return 1;
  // Chance of each value to fall to one side wholly; their sum bounds the chance that any of the large ones does.
  double expected = 0, expected_large = 0;
  std::sort(sizes.begin(), sizes.end());
  double chance = 0;
  std::int64_t last = -1;
  for (const std::int64_t size : sizes) {
    if (size == 0) continue;
    if (size != last) chance = stats::Hypergeometric{n + m, size, m}.pmf(std::min(size, m)) * (size <= m);
    last = size;
    expected += chance;
    if (size >= largest) expected_large += chance;
  }
  // Poisson's upper tail bounds that of a sum of negatively associated indicators but for its smallest values.
  const double many = expected > 0 ? 1 - stats::gamma_sf(expected, static_cast<double>(alone), 1) : 0;
  return std::min(1.0, 2 * std::min(expected_large, std::max(many, 0.0)));
}

constexpr std::size_t kFewestGaps = 3;         // of a cluster
constexpr double kApart = 3, kMostTimes = 30;  // times the next smaller gap; times the largest

double gap_limit(const Times::Gaps& gaps, std::int64_t count, double p, double factor) {
  const auto& g = gaps.largest;
  if (g.empty()) return kNaN;
  std::size_t k = std::min(g.size(), std::max<std::size_t>(static_cast<std::size_t>(gaps.count) / 4, 2));
  // Nights, weekends and the breaks between batches are a cluster of their own; smaller gaps say nothing of its tail.
  for (std::size_t i = kFewestGaps; i < k; ++i)
    if (g[i - 1] >= kApart * g[i]) k = i;
  double tail = 0;
  for (std::size_t i = 0; i + 1 < k; ++i) tail += std::log(g[i] / g[k - 1]) / static_cast<double>(k - 1);
  const double ratio = std::max(1.0, static_cast<double>(count) / static_cast<double>(gaps.count));
  return g[0] * std::clamp(std::pow(ratio / p, tail), factor, std::max(factor, kMostTimes));
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) out += (i ? ", " : "") + quoted(names[i]);
  if (names.size() > kShown) out += fmt::format(" and {} more", names.size() - kShown);
  return out;
}

}  // namespace vigie::quality

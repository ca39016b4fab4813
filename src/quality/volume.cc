// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "quality/judge_internal.h"
#include "stats/distributions.h"

namespace vigie::quality {
namespace {

constexpr Param kParams[] = {
    {.name = "watch", .fallback = 1.5, .min = 1, .max = 1e9, .doc = "ratio up or down that is warned of"},
    {.name = "major", .fallback = 5, .min = 1, .max = 1e9, .doc = "ratio up or down that fails"}};
constexpr std::size_t kFewestWindows = 5;
constexpr double kNowAndThen = .05;  // of the windows

void run(const Subject& subject, Args args, std::vector<Finding>& out) {
  Finding& finding = out.emplace_back();
  const double rows = static_cast<double>(subject.current.rows());
  finding.value = rows;
  const auto extent = subject.extent;
  if (extent != Extent::kWhole || subject.windows.size() < kFewestWindows) {
    finding.reason = extent == Extent::kCutOff ? kCutOff
                     : extent == Extent::kFewerRows
                         ? "fewer rows than a window has"
                         : fmt::format("{} healthy {} to compare with; {} are needed", subject.windows.size(),
                                       subject.windows.size() == 1 ? "window" : "windows", kFewestWindows);
    return;
  }
  const auto scale = [](double x) { return std::log1p(x); };
  const double n = static_cast<double>(subject.windows.size());
  double mean = 0, squares = 0;
  for (const Window& w : subject.windows) mean += scale(static_cast<double>(w.rows)) / n;
  for (const Window& w : subject.windows) squares += std::pow(scale(static_cast<double>(w.rows)) - mean, 2);
  // Never surer than counts of independent arrivals are, and windows of one size have no spread at all.
  const double floor = 1 / (std::expm1(mean) + 1);
  const double sd = std::sqrt(std::max(squares / (n - 1), floor) * (1 + 1 / n));
  const double distance = std::abs(scale(rows) - mean), usual = std::expm1(mean);
  finding.distance = distance;
  finding.p_value = 2 * stats::student_t_sf(distance / sd, n - 1);
  const double ratio = std::exp(distance), t = stats::student_t_quantile(.995, n - 1) * sd;
  finding.expected = fmt::format("{} to {} rows", human(std::max(0.0, std::round(std::expm1(mean - t)))),
                                 human(std::round(std::expm1(mean + t))));
  finding.verdict = ratio >= args[1] ? Verdict::kFail : ratio >= args[0] ? Verdict::kWarn : Verdict::kPass;
  // A night has fewer rows than a day, and both are healthy.
  const auto far = std::count_if(subject.windows.begin(), subject.windows.end(), [&](const Window& w) {
    const double its = static_cast<double>(w.rows);
    return rows < usual ? its <= rows : its >= rows;
  });
  if (static_cast<double>(far) > kNowAndThen * n) finding.verdict = Verdict::kPass;
  finding.reason = fmt::format("{}, {} in the reference's usual window", plural(subject.current.rows(), "row"),
                               human(std::round(usual)));
}

}  // namespace

constinit const Check volume{.name = "volume",
                             .summary = "Rows of the window, against those of the reference's windows",
                             .source = "Student's t on the logarithm, with the windows' own spread",
                             .takes = kTable | kNeedsReference,
                             .params = kParams,
                             .run = run};

}  // namespace vigie::quality

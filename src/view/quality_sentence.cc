// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "view/findings_internal.h"
#include "view/quality_internal.h"
#include "view/quality_sentence_internal.h"

namespace vigie::view {

namespace {

// The commonest, and how many others there are.
std::string reasons(const std::vector<Alike>& unjudged) {
  std::string out = unjudged[0].first->reason;
  if (const auto more = unjudged.size() - 1; more > 0) out += fmt::format(", and {} more", plural(more, "reason"));
  return out;
}

}  // namespace

std::string quality_headline(std::string_view verdict) {
  return verdict == "fail" ? "FAIL" : verdict == "warn" ? "WARNING" : verdict == "pass" ? "PASS" : "NO DATA";
}

std::string quality_sentence(const engine::Inspection& c) {
  const auto& s = c.summary;
  const auto found = alike(c.windows);
  if (found.empty()) {
    if (s.pass == 0) {
      const auto none = without_verdict(c.windows);
      return none.empty() ? "there is nothing to check"
                          : fmt::format("none of {} could be made: {}", plural(s.checks, "check"), reasons(none));
    }
    if (const auto none = c.mostly_unmade() ? without_verdict(c.windows) : std::vector<Alike>(); !none.empty())
      return fmt::format("only {} of {} could be made, and passed; of {} others: {}", s.pass, plural(s.checks, "check"),
                         s.no_data, reasons(none));
    const auto open = s.no_data ? fmt::format("; {} could not be made", s.no_data) : std::string();
    return fmt::format("{} {} passed{}", s.pass == 1 ? "the only" : "all",
                       s.pass == 1 ? "check" : plural(s.pass, "check"), open);
  }
  const auto& first = found[0];
  std::string what = first.first->check;
  if (!first.columns.empty()) what += fmt::format(" of {}", first.columns[0]);
  if (first.columns.size() > 1) what += fmt::format(" and {} more", first.columns.size() - 1);
  std::string counts;
  if (s.fail) counts = fmt::format("{} of {} failed", s.fail, plural(s.checks, "check"));
  if (s.warn)
    counts += counts.empty()
                  ? fmt::format("{} of {} {}", s.warn, plural(s.checks, "check"), s.warn == 1 ? "warns" : "warn")
                  : fmt::format(" and {} {}", s.warn, s.warn == 1 ? "warns" : "warn");
  return fmt::format("{}{}: {}, {}{}", counts, s.fail + s.warn > 1 ? "; first" : "", what, first.first->reason,
                     in_windows(first, c.windows).empty() ? "" : " in " + window_text(c.windows, first.window));
}

std::string unjudged_text(const Alike& checks) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::string_view> names;
  for (const auto check : checks.columns)
    if (std::ranges::find(names, check) == names.end()) names.push_back(check);
  const auto more = names.size() > kNamed ? fmt::format(" and {} more", names.size() - kNamed) : "";
  names.resize(std::min(names.size(), kNamed));
  return fmt::format("{} ({}{})", plural(static_cast<std::int64_t>(checks.columns.size()), "check"),
                     fmt::join(names, ", "), more);
}

std::string cut_off_text(const std::vector<engine::WindowResult>& windows) {
  const auto cut = windows.empty() || !windows.front().start ? "" : cut_off(windows);
  return cut.empty() ? cut : cut + "; there only checks that hold of a part of it give a verdict";
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include "view/course_internal.h"

namespace vigie::view {

using engine::Verdict;

namespace {

constexpr std::size_t kFewWindows = 5;  // below which one more or less says nothing

}  // namespace

std::string when(const Course& course, Verdict verdict, const std::function<std::string(std::size_t)>& name) {
  const auto& verdicts = course.verdicts;
  constexpr auto kNone = static_cast<std::size_t>(-1);
  std::size_t count = 0, with_data = 0, first = kNone, run = kNone;
  bool steady = true;  // no window from the first on has less than `verdict`
  for (std::size_t w = 0; w < verdicts.size(); ++w) {
    if (verdicts[w] == Verdict::kNoData && !course.undecided[w]) continue;
    ++with_data;
    if (verdicts[w] < Verdict::kWarning)
      run = kNone;
    else if (run == kNone)
      run = w;
    if (verdicts[w] >= verdict) {
      if (count++ == 0) first = w;
    } else if (count) {
      steady = false;
    }
  }
  if (verdicts.size() < 2 || count == 0) return {};
  if (count == verdicts.size()) return fmt::format("in all {} windows", count);
  if (count == with_data && count > 1) return fmt::format("in all {} windows with data", count);
  if (run != kNone && run <= first && verdict >= Verdict::kWarning) {
    auto since = "since " + name(run);
    if (run == first && steady) return since;
    if (steady) return fmt::format("{}, {} since {}", since, to_string(verdict), name(first));
    if (count > 1) return fmt::format("{}, {} in {} of them", since, to_string(verdict), count);
  }
  if (count == 1) return "in " + name(first);
  return fmt::format("in {} of {} windows, first in {}", count, verdicts.size(), name(first));
}

bool lasting(const Course& course) {
  std::size_t streak = 0, longest = 0, count = 0, from_first = 0;
  for (std::size_t w = 0; w < course.verdicts.size(); ++w) {
    if (course.verdicts[w] == Verdict::kNoData && !course.undecided[w]) continue;
    const bool alarm = course.verdicts[w] >= Verdict::kWarning;
    streak = alarm ? streak + 1 : 0, longest = std::max(longest, streak);
    count += alarm, from_first += count > 0;
  }
  return course.verdicts.size() < kFewWindows || streak > 0 || longest > 2 || (count > 2 && 2 * count > from_first);
}

}  // namespace vigie::view

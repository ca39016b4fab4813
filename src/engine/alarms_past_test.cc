// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/alarms_internal.h"
#include "engine/live_windows.h"
#include "engine/past_reference.h"

// Windows that are compared with windows before them, on the axes of a reference that is older.
namespace vigie::engine::alarms {
namespace {

struct Policy {
  std::size_t parts = 1;       // windows before that are the reference
  std::size_t gap = 0;         // between them and the window
  bool all_are_usual = false;  // all before tell how windows differ, not the reference's alone
  std::size_t fewest = 5;      // windows that must be before
};

// As the service does: the windows live, what was counted of them kept as bytes.
Compared with_windows_before(const Policy& policy) {
  return [policy](const Profile& profile, table::Input& current, const CompareOptions& asked) -> Result<Comparison> {
    const std::shared_ptr<const Profile> posted(std::shared_ptr<const Profile>(), &profile);
    LiveOptions options;
    options.name = "current", options.compare = asked;
    VIGIE_ASSIGN(auto live, LiveWindows::make(posted, options));
    std::vector<std::pair<PastReference::Window, std::string>> kept;
    Comparison out;
    live->judge_by([&](const LiveWindows::Closed& window, const CurrentData& data, Tally& counted, const Tally*,
                       const Profile&, const Comparer& own) -> Result<Comparison> {
      kept.push_back({{.key = window.key, .rows = counted.rows}, save_counts(counted)});
      const auto before = kept.size() - 1;
      if (before < policy.fewest + policy.gap) return own.judge(data, counted);
      PastReference past(profile, asked.window);
      const auto end = before - policy.gap;
      for (std::size_t w = 0; w < end; ++w) {
        auto [of, bytes] = kept[w];
        of.part = w + policy.parts >= end, of.usual = of.part || policy.all_are_usual;
        if (of.part || of.usual) VIGIE_TRY(past.add(of, bytes));
      }
      const auto reference = past.make();
      bring_to_axes(counted, profile, reference);
      VIGIE_ASSIGN(const auto comparer, Comparer::make(reference, asked));
      VIGIE_ASSIGN(auto found, comparer->judge(data, counted));
      out.windows.push_back(found.windows.at(0));
      return found;
    });
    VIGIE_ASSIGN(auto reader, current.open(live->schema()));
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      VIGIE_TRY(live->add(*batch, 0));
      VIGIE_TRY(live->close(0));
    }
    VIGIE_TRY(live->close(0, true));
    return out;
  };
}

constexpr std::size_t kHealthy = 15, kCurrent = 25;
constexpr double kMostUndecidedWhenYoung = .4;

TEST(SlowAlarms, WindowsAgainstThoseBefore) {
  Table table(fmt::format(
      "### Row windows of 500 rows against windows before them\n\n| compared with | columns | windows differ by | "
      "{} |\n|---|---|---|---|---|---|---|\n",
      kCells));
  const std::pair<const char*, Policy> policies[] = {
      {"the window before, of 5 and more known", {.all_are_usual = true}},
      {"the 5 before", {.parts = 5}},
      {"the 15 before, but for 3", {.parts = 15, .gap = 3, .fewest = 15}},
      {"the 3 before, of 15 and more known", {.parts = 3, .all_are_usual = true, .fewest = 15}}};
  for (const auto& [what, policy] : policies) {
    for (double tau : {0., .1}) {
      for (std::size_t columns : {1U, 20U}) {
        const Scenario s{.columns = columns, .tau = tau};
        const std::vector<Stretch> stretches(kHealthy + kCurrent, Stretch{500});
        const auto a = count(columns == 1 ? trials_of(400, 20) : trials_of(60, 2), [&](std::size_t t) {
          return run(s, t, stretches, kHealthy, windows_of(500), with_windows_before(policy));
        });
        table.row(fmt::format("| {} | {} | {} sd | {} |", what, columns, tau, cells(a)));
        expect_at_most(a, kAlpha, fmt::format("{}, {} columns, {} sd", what, columns, tau), kMostUndecidedWhenYoung);
      }
    }
  }
}

// A change beyond what the windows before differ by is seen, also where the posted reference has long been another.
TEST(SlowAlarms, ChangesAgainstWindowsBeforeAreSeen) {
  const std::pair<Policy, double> policies[] = {{{.all_are_usual = true, .fewest = 15}, 90},
                                                {{.parts = 15, .gap = 1, .fewest = 15}, 90}};
  for (const auto& [policy, at_least] : policies) {
    for (double before : {0., 2.}) {
      const Scenario s{.columns = 1, .tau = .05, .changed = 1, .shift = .8, .kinds = {{kNormal}}};
      std::vector<Stretch> stretches(kHealthy, Stretch{500});
      for (int i = 0; i < 20; ++i) stretches.push_back({.rows = 500, .season = before});
      stretches.push_back({.rows = 500, .season = before, .changed = true});
      std::size_t seen = 0;
      const auto trials = trials_of(400, 40);
      for (std::size_t t = 0; t < trials; ++t) {
        const auto found = run(s, t, stretches, kHealthy, windows_of(500), with_windows_before(policy));
        seen += found.windows.back().verdict == Verdict::kDrift;
      }
      EXPECT_GE(100. * static_cast<double>(seen), at_least * static_cast<double>(trials)) << before << " sd before";
    }
  }
}

}  // namespace
}  // namespace vigie::engine::alarms

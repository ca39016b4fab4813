// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numbers>

#include "engine/alarms_internal.h"
#include "engine/incidents.h"
#include "engine/live_windows.h"
#include "engine/merged_windows.h"

// Hours put together by the day, as the service does: live, and what was counted of them kept as bytes.
namespace vigie::engine::alarms {
namespace {

constexpr std::int64_t kNow = 1'000'000'000'000'000;  // µs: later than any row

// Of one false alarm in 30 days a third, as where labels come too.
bool wakes(const WindowResult& window, double hours) {
  return !sighting_of(window, 0, 1, level_of(1. / 3, std::llround(hours * 3.6e9))).causes.empty();
}

Compared merged(std::vector<WindowResult>* hours = nullptr) {
  return [hours](const Profile& profile, table::Input& current, const CompareOptions& asked) -> Result<Comparison> {
    const std::shared_ptr<const Profile> posted(std::shared_ptr<const Profile>(), &profile);
    LiveOptions options;
    options.name = "current", options.compare = asked;
    VIGIE_ASSIGN(auto live, LiveWindows::make(posted, options));
    Comparison out;
    std::string kept;
    live->judge_by([&](const LiveWindows::Closed& window, const CurrentData& data, Tally& counted, const Tally*,
                       const Profile&, const Comparer& own) -> Result<Comparison> {
      VIGIE_ASSIGN(auto found, own.judge(data, counted));
      if (hours) hours->push_back(found.windows.at(0));
      MergedWindows together;
      if (!kept.empty()) VIGIE_TRY(together.load(kept));
      const auto& hour = found.windows.at(0);
      VIGIE_ASSIGN(auto one, together.add(window, hour, counted, wakes(hour, 1), profile, asked, "current"));
      if (one) out.windows.push_back(std::move(one->result));
      kept = together.save();
      return found;
    });
    VIGIE_ASSIGN(auto reader, current.open(live->schema()));
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      VIGIE_TRY(live->add(*batch, kNow));
      VIGIE_TRY(live->close(kNow));
    }
    VIGIE_TRY(live->close(kNow, true));
    return out;
  };
}

struct Days {
  std::int64_t rows = 50;  // an hour
  double by_hour = 0;      // sd between noon and midnight
  int reference = 14, current = 4;
};

// The last hour is that which shows that the last day is over.
std::vector<Stretch> hours_of(const Days& days, bool changed = false) {
  std::vector<Stretch> out;
  for (int h = 0; h <= 24 * (days.reference + days.current); ++h)
    out.push_back({.rows = days.rows,
                   .start = static_cast<double>(h),
                   .season = days.by_hour / 2 * std::sin(2 * std::numbers::pi * h / 24),
                   .changed = changed && h >= 24 * days.reference});
  return out;
}

WindowSpec by_hour() {
  WindowSpec spec;
  spec.kind = WindowSpec::Kind::kHour;
  return spec;
}

TEST(SlowAlarms, HoursPutTogether) {
  Table table(
      fmt::format("### Hours put together by the day\n\n| days of the reference | rows an hour | columns | hours "
                  "differ by | by the "
                  "hour of the day | {} |\n|---|---|---|---|---|---|---|---|---|\n",
                  kCells));
  struct Case {
    Days days;
    std::size_t columns;
    double tau, rho;
  };
  const Case cases[] = {{{}, 1, 0, 0},
                        {{}, 20, 0, 0},
                        {{}, 20, .1, 0},
                        {{}, 20, .1, .7},
                        {{.by_hour = 1}, 20, .1, 0},
                        {{.rows = 500}, 20, .1, 0},
                        {{.reference = 3}, 20, .1, 0},
                        {{.reference = 3}, 20, .1, .7}};
  for (const auto& [days, columns, tau, rho] : cases) {
    const Scenario s{.columns = columns, .tau = tau, .rho = rho};
    const auto a = count(columns == 1 ? trials_of(400, 20) : trials_of(60, 4), [&](std::size_t t) {
      return run(s, t, hours_of(days), static_cast<std::size_t>(24 * days.reference), by_hour(), merged());
    });
    table.row(fmt::format("| {} | {} | {} | {} sd{} | {} sd | {} |", days.reference, days.rows, columns, tau,
                          rho > 0 ? fmt::format(", correlated by {}", rho) : "", days.by_hour, cells(a)));
    expect_at_most(a, kAlpha,
                   fmt::format("{} days, {} rows, {} columns, {} sd, {}", days.reference, days.rows, columns, tau, rho),
                   1);
  }
}

// Too small for an hour of 50 rows, and large enough to matter.
TEST(SlowAlarms, ChangesTooSmallForAnHourAreSeenInADay) {
  const Scenario s{.columns = 1, .tau = .02, .changed = 1, .shift = .2, .kinds = {{kNormal}}};

  Table table(
      "### A shift of 0.2 sd at 50 rows an hour, by what wakes somebody\n\n| days of the reference | hours | days | "
      "within "
      "four days |\n|---|---|---|---|\n");
  for (int reference : {14, 28}) {
    const Days days{.by_hour = .5, .reference = reference};
    double hours = 0, hours_seen = 0, all = 0, seen = 0, within = 0;
    const auto trials = trials_of(200, 10);
    for (std::size_t t = 0; t < trials; ++t) {
      std::vector<WindowResult> by_themselves;
      const auto found =
          run(s, t, hours_of(days, true), static_cast<std::size_t>(24 * reference), by_hour(), merged(&by_themselves));
      const auto before = seen;
      for (const auto& w : by_themselves) hours += 1, hours_seen += wakes(w, 1);
      for (const auto& w : found.windows) all += 1, seen += wakes(w, 24);
      within += seen > before;
    }
    table.row(fmt::format("| {} | {:.1f} % | {:.0f} % | {:.0f} % |", reference, 100 * hours_seen / hours,
                          100 * seen / all, 100 * within / static_cast<double>(trials)));
    EXPECT_LT(hours_seen, .02 * hours) << reference;
    EXPECT_GE(within, (reference == 14 ? .4 : .9) * static_cast<double>(trials))
        << reference << ": " << seen << " of " << all << " days";
  }
}

}  // namespace
}  // namespace vigie::engine::alarms

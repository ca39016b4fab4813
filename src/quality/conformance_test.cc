// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "quality/data_test_internal.h"

namespace vigie::quality {
namespace {

using test::healthy;
using test::kNone;
using test::state_of;
using test::Table;

std::vector<Window> windows_of(Rng& rng, double rows, std::size_t count = 10) {
  std::vector<Window> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({static_cast<std::int64_t>(rows + std::sqrt(rows) * test::normal(rng)), {}});
  return out;
}

std::vector<Finding> check(const TableState& current, const TableState* reference, const std::string& name = {},
                           std::span<const Window> windows = {}, double now = kNaN, Extent extent = Extent::kWhole) {
  RunOptions options;
  if (!name.empty()) options.only = {name};
  auto found = run_checks({current, reference, windows, extent, now}, options);
  EXPECT_TRUE(found.has_value()) << found.error().message;
  return std::move(*found);
}

bool alarming(const Finding& f) {
  return f.verdict >= Verdict::kWarn;
}

std::string told(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& f : findings)
    out += fmt::format("{} {} {}: {} (expected {}, {})\n", f.check, f.column.value_or("-"), to_string(f.verdict),
                       f.value, f.expected, f.reason);
  return out;
}

bool full() {
  return std::getenv("VIGIE_FULL") != nullptr;
}

class Conformance : public ::testing::TestWithParam<const Check*> {};

TEST_P(Conformance, DescriptorIsComplete) {
  const Check& c = *GetParam();
  EXPECT_EQ(find_check(c.name), &c);
  EXPECT_FALSE(c.summary.empty() || c.source.empty());
  EXPECT_NE(c.takes & ~kNeedsReference, 0);
  for (const Param& param : c.params) {
    EXPECT_LE(param.min, param.fallback) << param.name;
    EXPECT_GE(param.max, param.fallback) << param.name;
    EXPECT_FALSE(param.doc.empty()) << param.name;
  }
}

// What must be found: a change of a healthy table, by the check, and the column where it must be found.
struct Fault {
  std::string column;
  std::function<void(Table&, Rng&)> inject;
};

void some(Table& t, Rng& rng, double share, const std::function<void(std::size_t)>& change) {
  for (std::size_t i = 0; i < t.rows(); ++i)
    if (rng.uniform() < share) change(i);
}

const std::map<std::string, Fault>& faults() {
  static const std::map<std::string, Fault> all = {
      {"schema",
       {"normal",
        [](Table& t, Rng&) {
          t["normal"].spec.kind = Kind::kString;
          t["normal"].texts.assign(t.rows(), "x");
        }}},
      {"volume",
       {"",
        [](Table& t, Rng&) {
          std::vector<std::size_t> rows(t.rows() / 3);
          std::iota(rows.begin(), rows.end(), 0);
          t.keep(rows);
        }}},
      {"freshness",
       {"at",
        [](Table& t, Rng&) {
          for (double& x : t["at"].numbers) x -= 10 * 3600e6;
        }}},
      {"time_gaps",
       {"at",
        [](Table& t, Rng&) {
          auto& x = t["at"].numbers;
          for (std::size_t i = x.size() / 2; i < x.size(); ++i) x[i] += 6 * 3600e6;
        }}},
      {"order_violations",
       {"at", [](Table& t, Rng& rng) { some(t, rng, .02, [&](std::size_t i) { t["at"].numbers[i] -= 3600e6; }); }}},
      {"missing",
       {"normal",
        [](Table& t, Rng& rng) { some(t, rng, .05, [&](std::size_t i) { t["normal"].numbers[i] = kNaN; }); }}},
      {"empty",
       {"few", [](Table& t, Rng& rng) { some(t, rng, .05, [&](std::size_t i) { t["few"].texts[i] = "  "; }); }}},
      {"infinite",
       {"lognormal",
        [](Table& t, Rng& rng) {
          some(t, rng, .03,
               [&](std::size_t i) { t["lognormal"].numbers[i] = std::numeric_limits<double>::infinity(); });
        }}},
      {"type_mismatch",
       {"integer",
        [](Table& t, Rng&) {
          t["integer"].mismatches = 50;
          for (std::size_t i = 0; i < 50; ++i) t["integer"].numbers[i * 7] = kNaN;
        }}},
      {"out_of_range",
       {"normal", [](Table& t, Rng& rng) { some(t, rng, .02, [&](std::size_t i) { t["normal"].numbers[i] = 50; }); }}},
      {"out_of_domain",
       {"flag", [](Table& t, Rng& rng) { some(t, rng, .02, [&](std::size_t i) { t["flag"].numbers[i] = .5; }); }}},
      {"new_categories",
       {"many", [](Table& t, Rng& rng) { some(t, rng, .03, [&](std::size_t i) { t["many"].texts[i] = "new"; }); }}},
      {"vanished_categories",
       {"few",
        [](Table& t, Rng&) {
          for (std::string& x : t["few"].texts)
            if (x == "c3") x = "c1";
        }}},
      {"cardinality",
       {"text",
        [](Table& t, Rng& rng) {
          for (std::string& x : t["text"].texts) x = "text " + std::to_string(rng.below(100));
        }}},
      {"constant", {"normal", [](Table& t, Rng&) { t["normal"].numbers.assign(t.rows(), 1); }}},
      {"almost_constant",
       {"integer",
        [](Table& t, Rng& rng) { some(t, rng, .98, [&](std::size_t i) { t["integer"].numbers[i] = 10; }); }}},
      {"duplicate_rows",
       {"",
        [](Table& t, Rng& rng) {
          std::vector<std::size_t> rows;
          for (std::size_t i = 0; i < t.rows(); ++i) {
            rows.push_back(i);
            if (rng.uniform() < .05) rows.push_back(i);
          }
          t.keep(rows);
        }}},
      {"duplicate_ids", {"id", [](Table& t, Rng&) { t["id"].texts[5] = t["id"].texts[700]; }}},
      {"duplicate_columns", {"related", [](Table& t, Rng&) { t["related"].numbers = t["normal"].numbers; }}},
      {"outliers",
       {"normal", [](Table& t, Rng& rng) { some(t, rng, .03, [&](std::size_t i) { t["normal"].numbers[i] = -30; }); }}},
      {"isolation_forest",
       {"",
        [](Table& t, Rng& rng) {
          // Every value is usual by itself; together they are not.
          some(t, rng, .15, [&](std::size_t i) {
            t["normal"].numbers[i] = 3;
            t["related"].numbers[i] = -3;
            t["gappy"].numbers[i] = 3;
            t["integer"].numbers[i] = 1;
            t["lognormal"].numbers[i] = 60;
          });
        }}},
      {"label_leakage",
       {"normal",
        [](Table& t, Rng& rng) {
          for (std::size_t i = 0; i < t.rows(); ++i)
            t["normal"].numbers[i] = t["label"].numbers[i] + .3 * rng.uniform();
        }}},
      {"correlation_change",
       {"normal × related",
        [](Table& t, Rng& rng) {
          auto& x = t["related"].numbers;
          for (std::size_t i = x.size(); i > 1; --i) std::swap(x[i - 1], x[rng.below(i)]);
        }}},
  };
  return all;
}

TEST_P(Conformance, FindsItsFault) {
  const std::string name(GetParam()->name);
  ASSERT_TRUE(faults().contains(name)) << "no fault that " << name << " must find";
  const Fault& fault = faults().at(name);
  Rng rng(7);
  const TableState reference = state_of(healthy(rng, 3000));
  for (int trial = 0; trial < 5; ++trial) {
    Table table = healthy(rng, 1500, 1.7e15 + 3000 * 60e6);
    const double now = table["at"].numbers.back() + 60e6;
    const auto windows = windows_of(rng, 1500);
    const TableState before = state_of(table, &reference);
    for (const Finding& f : check(before, &reference, name, windows, now)) EXPECT_FALSE(alarming(f)) << told({f});
    fault.inject(table, rng);
    const TableState after = state_of(table, &reference);
    bool found = false;
    // Among all checks, because the correction for all of them must not hide it.
    for (const Finding& f : check(after, &reference, {}, windows, now))
      found = found || (f.check == name && f.column.value_or("") == fault.column && alarming(f));
    EXPECT_TRUE(found) << told(check(after, &reference, name, windows, now));
  }
}

TEST(CutOff, AShortWindowByRowsIsNotCalledCutOff) {
  Rng rng(5);
  const TableState reference = state_of(healthy(rng, 3000)), now = state_of(healthy(rng, 200));
  const auto found = check(now, &reference, "volume", windows_of(rng, 300), kNaN, Extent::kFewerRows);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].verdict, Verdict::kNoData);
  EXPECT_EQ(found[0].reason, "fewer rows than a window has");
}

TEST(CutOff, WhatNoPartOfADayExplainsFailsInOne) {
  Rng rng(5);
  Table before = healthy(rng, 3000), now = healthy(rng, 200), habit = before;
  for (double& x : now["normal"].numbers) x = kNaN;
  for (std::size_t i = 0; i < 200; ++i) now["few"].texts[i] = "", habit["few"].texts[i] = "";
  for (std::size_t i = 0; i < 200; ++i) habit["normal"].numbers[i] = kNaN;
  const auto verdict = [&](const Table& reference, const char* name, const char* column,
                           std::span<const Window> windows = {}) {
    const TableState of_reference = state_of(reference);
    for (const Finding& f : check(state_of(now, &of_reference), &of_reference, name, windows, kNaN, Extent::kCutOff))
      if (f.column == column) return f.verdict;
    return Verdict::kPass;
  };
  EXPECT_EQ(verdict(before, "missing", "normal"), Verdict::kFail);
  EXPECT_EQ(verdict(before, "empty", "few"), Verdict::kFail);
  EXPECT_EQ(verdict(habit, "missing", "normal"), Verdict::kNoData) << "the part that is at hand may always be so";
  EXPECT_EQ(verdict(habit, "empty", "few"), Verdict::kNoData);
  // Twenty nights of the reference were so, but none of them by so many rows.
  std::vector<Window> windows(20, {.rows = 150, .missing = std::vector<std::int64_t>(before.columns.size(), 10)});
  EXPECT_EQ(verdict(habit, "missing", "normal", windows), Verdict::kFail);
  for (auto& w : windows) w.missing.assign(before.columns.size(), 100);
  EXPECT_EQ(verdict(habit, "missing", "normal", windows), Verdict::kNoData);
}

TEST_P(Conformance, InAWindowThatIsCutOffOnlyItsRowsThemselvesAreJudged) {
  const std::string name(GetParam()->name);
  const Fault& fault = faults().at(name);
  Rng rng(7);
  const TableState reference = state_of(healthy(rng, 3000));
  Table table = healthy(rng, 1500, 1.7e15 + 3000 * 60e6);
  const double now = table["at"].numbers.back() + 60e6;
  const auto windows = windows_of(rng, 1500);
  fault.inject(table, rng);
  const TableState current = state_of(table, &reference);
  const auto whole = check(current, &reference, name, windows, now);
  const auto cut = check(current, &reference, name, windows, now, Extent::kCutOff);
  ASSERT_EQ(cut.size(), whole.size());
  bool judged = false;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    judged = judged || (cut[i].verdict != Verdict::kNoData && !cut[i].of_any_part);
    EXPECT_EQ(told({cut[i]}).find(kCutOff) != std::string::npos, cut[i].reason != whole[i].reason) << told({cut[i]});
    EXPECT_TRUE(cut[i].value == whole[i].value || std::isnan(cut[i].value)) << told({cut[i]});
  }
  EXPECT_EQ(judged, (GetParam()->takes & kOfRowsAlone) != 0) << told(cut);
}

TEST(Distance, OfFewerRowsIsThatOfAsManyMore) {
  Rng rng(11);
  const TableState reference = state_of(healthy(rng, 3000));
  const auto windows = windows_of(rng, 1000, 20);
  const auto far = [&](std::size_t rows) {
    return check(state_of(healthy(rng, rows), &reference), &reference, "volume", windows).at(0).distance;
  };
  EXPECT_NEAR(far(250), far(4000), .05);
  EXPECT_GT(far(100), far(2000));
}

TEST_P(Conformance, EveryFindingSaysWhy) {
  Rng rng(3);
  const TableState reference = state_of(healthy(rng, 500));
  std::vector<Table> tables = {healthy(rng, 0), healthy(rng, 1), healthy(rng, 2), healthy(rng, 40), healthy(rng, 500)};
  Table constant = healthy(rng, 200), none = constant, infinite = constant;
  for (test::Data& d : constant.columns) {
    for (double& x : d.numbers) x = 1;
    for (std::string& x : d.texts) x = "";
  }
  for (test::Data& d : none.columns) {
    for (double& x : d.numbers) x = kNaN;
    for (std::string& x : d.texts) x = kNone;
  }
  for (test::Data& d : infinite.columns)
    for (double& x : d.numbers) x = std::numeric_limits<double>::infinity() * (x > 0 ? 1 : -1);
  tables.insert(tables.end(), {constant, none, infinite});
  const TableState empty({});
  std::vector<TableState> references;
  for (const Table& t : tables) references.push_back(state_of(t));
  for (const Table& t : tables) {
    std::vector<const TableState*> others = {nullptr, &reference, &empty};
    for (const TableState& r : references) others.push_back(&r);
    for (const TableState* other : others) {
      const TableState current = state_of(t, other);
      for (const Finding& f : check(current, other, std::string(GetParam()->name), {}, 1.7e15)) {
        EXPECT_FALSE(f.reason.empty()) << told({f});
        EXPECT_EQ(f.check, GetParam()->name);
        EXPECT_FALSE(std::isinf(f.value)) << told({f});
        EXPECT_TRUE(std::isnan(f.p_value) || (f.p_value >= 0 && f.p_value <= 1)) << told({f}) << f.p_value;
        EXPECT_TRUE(f.verdict == Verdict::kNoData || !f.expected.empty()) << told({f});
      }
    }
  }
}

TEST_P(Conformance, OneRowIsNoAlarm) {
  Rng rng(5);
  const TableState reference = state_of(healthy(rng, 500));
  const std::string name(GetParam()->name);
  for (const std::size_t rows : {std::size_t{0}, std::size_t{1}, std::size_t{29}}) {
    const TableState current = state_of(healthy(rng, rows, 1.7e15 + 500 * 60e6), &reference);
    for (const TableState* other : {&reference, static_cast<const TableState*>(nullptr)})
      for (const Finding& f : check(current, other, name))
        EXPECT_FALSE(alarming(f) && !(rows == 0 && name == "missing")) << rows << " rows: " << told({f});
  }
}

TEST_P(Conformance, OrderOfBatchesAndMergesDoNotMatter) {
  Rng rng(9);
  const TableState reference = state_of(healthy(rng, 6000));
  Table table = healthy(rng, 6000);
  for (const auto& [name, fault] : faults())
    if (name != "schema" && name != "constant") fault.inject(table, rng);
  const std::string name(GetParam()->name);
  const TableState whole = state_of(table, &reference, 100000);
  const std::string wanted = told(check(whole, &reference, name, {}, 1.8e15));
  EXPECT_EQ(told(check(state_of(table, &reference, 77, &rng), &reference, name, {}, 1.8e15)), wanted);
  std::vector<TableState> parts;
  const std::size_t rows = table.rows();
  for (std::size_t i = 0; i < 4; ++i) {
    parts.push_back(TableState(table.specs(), &reference));
    test::feed(parts.back(), table, rows * i / 4, rows * (i + 1) / 4);
  }
  ASSERT_TRUE(parts[2].merge(parts[0]));
  ASSERT_TRUE(parts[1].merge(parts[3]));
  ASSERT_TRUE(parts[2].merge(parts[1]));
  EXPECT_EQ(told(check(parts[2], &reference, name, {}, 1.8e15)), wanted);
}

TEST_P(Conformance, SavedStatesSayTheSame) {
  Rng rng(13);
  const TableState reference = state_of(healthy(rng, 3000));
  Table table = healthy(rng, 2000);
  for (const auto& [name, fault] : faults())
    if (name != "schema" && name != "volume") fault.inject(table, rng);
  const TableState current = state_of(table, &reference);
  const auto reload = [](const TableState& state) {
    ByteWriter out;
    state.save(out);
    const std::string bytes = out.take();
    ByteReader in(bytes);
    auto loaded = TableState::load(in);
    EXPECT_TRUE(loaded.has_value());
    EXPECT_EQ(in.remaining(), 0U);
    return std::move(*loaded);
  };
  const TableState a = reload(reference), b = reload(current);
  const std::string name(GetParam()->name);
  EXPECT_EQ(told(check(b, &a, name, {}, 1.8e15)), told(check(current, &reference, name, {}, 1.8e15)));
}

// All checks together on tables of one law: how many windows have any alarm at all.
class SlowSilence : public ::testing::TestWithParam<std::pair<std::size_t, std::size_t>> {};

TEST_P(SlowSilence, HealthyDataOfOneLaw) {
  const auto [n, m] = GetParam();
  const int trials = full() ? 1000 : 100;
  int windows = 0;
  std::map<std::string, int> by_check;
  std::string shown;
  for (int t = 0; t < trials; ++t) {
    Rng rng(1000 + static_cast<std::uint64_t>(t));
    const TableState reference = state_of(healthy(rng, n));
    Table table = healthy(rng, m, 1.7e15 + static_cast<double>(n) * 60e6);
    const TableState current = state_of(table, &reference);
    bool any = false;
    const double age = -std::log(1 - rng.uniform()) * 60e6;
    for (const Finding& f :
         check(current, &reference, {}, windows_of(rng, static_cast<double>(m)), table["at"].numbers.back() + age)) {
      if (!alarming(f)) continue;
      any = true;
      ++by_check[f.check];
      if (shown.size() < 2000) shown += told({f});
    }
    windows += any;
  }
  std::string line = fmt::format("| {}, {} | {} of {} |", n, m, windows, trials);
  for (const auto& [name, count] : by_check) line += fmt::format(" {} {}", name, count);
  fmt::print("{}\n", line);
  // Nominal is 1 %. The chance of more than this at 1 %: below 1e-6.
  EXPECT_LE(windows, full() ? 27 : 8) << shown;
}

// The tests alone, without the demand that a change be large: the correction by itself must hold the rate.
TEST_P(SlowSilence, TestsAloneHoldTheirLevel) {
  const auto [n, m] = GetParam();
  RunOptions options;
  options.alpha = .05;
  for (const Check* c : checks())
    for (const Param& p : c->params)
      if (p.name == "watch") options.params[std::string(c->name)]["watch"] = p.min;
  const int trials = full() ? 1000 : 60;
  int windows = 0;
  std::map<std::string, int> by_check;
  for (int t = 0; t < trials; ++t) {
    Rng rng(50'000 + static_cast<std::uint64_t>(t));
    const TableState reference = state_of(healthy(rng, n));
    const TableState current = state_of(healthy(rng, m, 1.7e15 + static_cast<double>(n) * 60e6), &reference);
    const auto usual = windows_of(rng, static_cast<double>(m));
    const auto found = run_checks({current, &reference, usual}, options);
    ASSERT_TRUE(found.has_value());
    bool any = false;
    for (const Finding& f : *found) {
      if (!alarming(f)) continue;
      any = true;
      ++by_check[f.check];
    }
    windows += any;
  }
  std::string line = fmt::format("| {}, {} | {} of {} at 5 % |", n, m, windows, trials);
  for (const auto& [name, count] : by_check) line += fmt::format(" {} {}", name, count);
  fmt::print("{}\n", line);
  // The chance of more than this at 5 %: below 1e-6.
  EXPECT_LE(windows, full() ? 86 : 13) << line;
}

INSTANTIATE_TEST_SUITE_P(Checks, Conformance, ::testing::ValuesIn(checks().begin(), checks().end()),
                         [](const auto& name) { return std::string(name.param->name); });
INSTANTIATE_TEST_SUITE_P(Sizes, SlowSilence,
                         ::testing::Values(std::pair{300, 60}, std::pair{300, 2000}, std::pair{1000, 1000},
                                           std::pair{5000, 500}, std::pair{10000, 10000}, std::pair{2000, 200}),
                         [](const auto& p) { return fmt::format("{}_{}", p.param.first, p.param.second); });

}  // namespace
}  // namespace vigie::quality

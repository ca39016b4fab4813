// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>

#include "detect/streams_test_internal.h"

namespace vigie::detect {
namespace {

using namespace streams;
using Indices = std::vector<std::int64_t>;

TEST(Streams, AreThoseOfThePrograms) {
  const Series a = s1(), b = s2(), g = gaussian_steps(12345, {{0, 200}, {3, 200}});
  EXPECT_EQ(fingerprint(a), 0x13117cd5e7a25562U);
  EXPECT_EQ(std::accumulate(a.begin(), a.end(), 0.), 3985);
  EXPECT_EQ(fingerprint(b), 0xb31cf40b71f862a5U);
  EXPECT_EQ(std::accumulate(b.begin(), b.end(), 0.), 1000);
  EXPECT_DOUBLE_EQ(g[0], -0.12380079558885389);
  EXPECT_DOUBLE_EQ(g[1], 0.07152496347566478);
  EXPECT_DOUBLE_EQ(g[200], 1.8852678357647874);
}

Series zeros_and_ones() {
  Series out(1000, 0);
  out.resize(2000, 1);
  return out;
}
Series fhddm_stream() {
  Python random(42);
  Series out;
  append(out, 250, [&] { return random.choice(std::array{0., 1.}); });
  append(out, 250, [&] { return random.uniform() < .9 ? 0. : 1.; });
  return out;
}
Series rddm_stream() {
  Python random(42);
  Series out;
  append(out, 1000, [&] { return random.uniform() < .1 ? 1. : 0.; });
  append(out, 1000, [&] { return random.uniform() < .5 ? 1. : 0.; });
  return out;
}
Series jumps() {
  Python random(42);
  Series out;
  for (int i = 0; i < 4; ++i)
    append(out, 1000,
           [&] { return i % 2 ? random.choice(std::array{4., 5., 6., 7.}) : random.choice(std::array{0., 1.}); });
  return out;
}
Series alternating() {
  Series out;
  for (int i = 0; i < 2000; ++i) out.push_back(i % 2);
  return out;
}
Series inverted(Series series) {
  for (double& value : series) value = 1 - value;
  return series;
}

// Rows of the table in the reference, by number.
TEST(Parity, Table) {
  EXPECT_EQ(drifts("adwin(parity=river)", s1()), Indices{1023});                   // 1
  EXPECT_EQ(drifts("adwin(parity=river)", jumps()), (Indices{1023, 2015, 3007}));  // 4
  EXPECT_EQ(drifts("adwin(parity=river)", Series(5000, 1)), Indices{});            // 5
  EXPECT_EQ(drifts("adwin(parity=river)", Series(100, 1e15)), Indices{});          // 5
  EXPECT_LE(drifts("adwin(parity=river)", alternating()).size(), 1U);              // 5
  EXPECT_EQ(drifts("adwin(parity=moa, on_drift=restart)", s1()), Indices{1023});   // 6
  EXPECT_EQ(drifts("kswin(parity=river, alpha=0.0001, window_size=200, stat_size=100, seed=42)", s1()),
            Indices{1042});  // 19
  EXPECT_EQ(drifts("bocd(prior_var=1, data_var=0.5, hazard=0.01, min_num_instances=1)", f1()),
            (Indices{100, 203}));                                                     // 38
  EXPECT_EQ(drifts("ddm(parity=river)", s2()), Indices{1049});                        // 7
  EXPECT_EQ(drifts("ddm(parity=river)", Series(1000, 1)), Indices{});                 // 7
  EXPECT_EQ(drifts("eddm(parity=river, alpha=0.9, beta=0.8)", s2()), Indices{1059});  // 9
  EXPECT_EQ(drifts("eddm(parity=moa)", s2()), (Indices{681, 848, 983, 1042, 1089}));  // 11
  EXPECT_EQ(drifts("eddm(parity=river)", zeros_and_ones()), Indices{1030});           // 12
  EXPECT_EQ(drifts("eddm(parity=moa)", zeros_and_ones()), Indices{1030});             // 12
  EXPECT_EQ(drifts("hddm_a(parity=river)", s2()), Indices{1047});                     // 13
  EXPECT_EQ(drifts("hddm_w(parity=river)", s2()), Indices{1018});                     // 16
  const Series g1 = gaussian_steps(12345, {{0, 200}, {3, 200}});
  EXPECT_EQ(drifts("cusum(parity=river)", g1), (Indices{201, 251}));  // 23
  const Series g2 = gaussian_steps(12345, {{0, 1000}, {3, 1000}});
  EXPECT_EQ(drifts("ewma(parity=river, alpha=0.1, threshold=4, min_instances=50)", g2), Indices{1010});  // 24
  const Series g3 = gaussian_steps(12345, {{0, 300}, {5, 200}});
  EXPECT_EQ(drifts("shewhart(parity=river, k=4)", g3), Indices{300});            // 25
  EXPECT_EQ(drifts("wstd(parity=river)", s2()), Indices{1028});                  // 26
  EXPECT_EQ(drifts("wstd(parity=river)", s2(), State::kWarning).front(), 1017);  // 26
  Series bump(200, 0);
  bump.resize(260, 1);
  bump.resize(460, 0);
  EXPECT_EQ(drifts("wstd(parity=river)", bump), (Indices{210, 273}));                            // 26
  EXPECT_EQ(drifts("fhddm(parity=river)", fhddm_stream()), Indices{315});                        // 27
  EXPECT_EQ(drifts("fhddm(parity=river, short_window_size=20)", fhddm_stream()), Indices{279});  // 27
  EXPECT_EQ(drifts("rddm(parity=river)", rddm_stream()), Indices{1021});                         // 29
  EXPECT_EQ(drifts("cusum(parity=moa)", s1()), (Indices{1020, 1991}));                           // 31
  EXPECT_EQ(drifts("cusum(parity=moa)", s2()), Indices{1081});                                   // 31
  EXPECT_EQ(drifts("page_hinkley(parity=moa)", s1()), Indices{1025});                            // 33
  EXPECT_EQ(drifts("page_hinkley(parity=moa)", s2()), Indices{1107});                            // 33
  EXPECT_EQ(drifts("ddm(parity=moa)", s2()), Indices{1049});                                     // 34
  EXPECT_EQ(drifts("ddm(parity=moa)", s2(), State::kWarning).front(), 1007);                     // 34
  EXPECT_EQ(drifts("cusum(parity=moa, min_instances=1)", f1()), (Indices{113, 226}));            // 39
  EXPECT_EQ(drifts("gma(parity=moa, min_instances=1)", f1()), Indices{134});                     // 39
  EXPECT_EQ(drifts("page_hinkley(parity=moa, min_instances=1)", f1()), (Indices{113, 227}));     // 39
  EXPECT_EQ(drifts("gma(parity=moa)", s1()), Indices{1048});                                     // 32
  EXPECT_EQ(drifts("gma(parity=moa, threshold=0.3)", s2()), Indices{1085});                      // 32
  EXPECT_EQ(drifts("ecdd", s2()), (Indices{178, 425, 497, 929, 1019}));                          // 35
  EXPECT_EQ(drifts("stepd(parity=moa)", s2()), Indices{1017});                                   // 36
  EXPECT_EQ(drifts("rddm(parity=moa)", s2()), (Indices{1018, 1238}));                            // 37
  EXPECT_EQ(drifts("fhddm(parity=river)", s2()), Indices{});                                     // 41
  EXPECT_EQ(drifts("fhddm(parity=river)", inverted(s2())), Indices{1042});                       // 41
}

// Row 40: Frouros' documentation. Its HDDM_A takes ln(1/α) where the paper has ln(2/α).
TEST(Parity, FirstWarningAndDrift) {
  Numpy random(31);
  Series errors;
  for (const double rate : {.6, .8}) append(errors, 1000, [&] { return random.binomial(rate); });
  const auto firsts = [&](const char* name) {
    return Indices{drifts(name, errors, State::kWarning).front(), drifts(name, errors).front()};
  };
  EXPECT_EQ(firsts("ddm(parity=moa)"), (Indices{1049, 1131}));
  EXPECT_EQ(firsts("hddm_a(drift_confidence=0.002, warning_confidence=0.01)"), (Indices{1043, 1054}));
  EXPECT_EQ(firsts("hddm_w"), (Indices{1017, 1029}));
}

struct Window {
  double width, total, squares;
  std::vector<std::uint32_t> sizes;  // of the rows, newest first
};
Window adwin_window(std::span<const double> series) {
  auto monitor = std::move(*make_monitor("adwin"));
  std::vector<Alarm> ignored;
  monitor->update(series, ignored);
  const std::string bytes = monitor->save();
  ByteReader in(unseal("VGDT", 1, bytes, "")->payload);
  in.string();
  in.fixed<std::uint16_t>();  // parity, policy
  in.varint();
  std::vector<double> params;
  in.array(params);
  for (int count = 0; count < 4; ++count) in.varint();
  in.fixed<std::uint8_t>();
  const auto rows = in.fixed<std::uint32_t>();
  Window out{in.fixed<double>(), in.fixed<double>(), in.fixed<double>(), {}};
  for (int i = 0; i < 4; ++i) in.fixed<double>();      // origin, and of the last value that stood alone
  in.fixed<std::int64_t>(), in.fixed<std::uint8_t>();  // tick, whether values are bits
  for (std::uint32_t row = 0; row < rows; ++row) {
    out.sizes.push_back(in.fixed<std::uint32_t>());
    for (std::uint32_t i = 0; i < 2 * out.sizes.back(); ++i) in.fixed<double>();
  }
  EXPECT_TRUE(in.ok() && in.remaining() == 0);
  return out;
}

// Rows 2 and 5.
TEST(Parity, AdwinsWindow) {
  const Series series = s1();
  const Window before = adwin_window(std::span(series).first(1023)),
               after = adwin_window(std::span(series).first(1024));
  EXPECT_EQ(before.width, 1023);
  EXPECT_EQ(before.total, 579);
  EXPECT_NEAR(before.squares, 507.29618768328487, 1e-9);
  EXPECT_EQ(after.width, 56);
  EXPECT_EQ(after.total, 88);
  EXPECT_NEAR(after.squares, 205.7142857142857, 1e-9);
  EXPECT_EQ(after.sizes, (std::vector<std::uint32_t>{4, 4, 5, 3}));
  const Window large = adwin_window(Series(100, 1e15));
  EXPECT_NEAR(large.total / large.width, 1e15, 1);
}

TEST(Parity, WhatRiverHasOrHadKeepsItsNames) {
  const std::pair<const char*, std::string> first_and_last[] = {{"adwin", "delta grace_period"},
                                                                {"page_hinkley", "min_instances mode"},
                                                                {"kswin", "alpha stat_size"},
                                                                {"cusum", "min_instances mode"},
                                                                {"ewma", "alpha mode"},
                                                                {"shewhart", "k mode"},
                                                                {"ddm", "warm_start drift_threshold"},
                                                                {"eddm", "warm_start beta"},
                                                                {"rddm", "min_num_instances warning_limit"},
                                                                {"hddm_a", "drift_confidence two_sided_test"},
                                                                {"hddm_w", "drift_confidence two_sided_test"},
                                                                {"fhddm", "sliding_window_size short_window_size"},
                                                                {"mddm_a", "window_size step"},
                                                                {"mddm_e", "window_size step"},
                                                                {"mddm_g", "window_size step"},
                                                                {"wstd", "window_size alpha_drift"}};
  for (const auto& [name, wanted] : first_and_last) {
    const auto params = find_detector(name)->river;
    ASSERT_FALSE(params.empty()) << name;
    EXPECT_EQ(std::string(params.front().name) + ' ' + std::string(params.back().name), wanted) << name;
  }
}

// Row 2: after the cut 56 values with a sum of 88 are left.
TEST(Parity, AdwinKeepsWhatCameAfter) {
  const std::vector<Alarm> found = alarms("adwin", s1());
  ASSERT_GE(found.size(), 1U);
  const double x = s1()[1023];
  EXPECT_EQ(found[0].index, 1023);
  EXPECT_EQ(found[0].onset, 1024 - 56);
  EXPECT_DOUBLE_EQ(found[0].after, 88 / 56.);
  EXPECT_DOUBLE_EQ(found[0].before, (579 + x - 88) / (1024 - 56));
}

// The detectors under River's rules say of a change in S2 what they would have to say to a person.
TEST(Parity, AlarmsDateTheChange) {
  for (const char* name :
       {"ddm", "eddm", "hddm_a", "hddm_w", "fhddm", "mddm_a", "mddm_e", "mddm_g", "stepd", "wstd", "ecdd"}) {
    const std::vector<Alarm> found = alarms(name, s2());
    bool near = false;
    for (const Alarm& alarm : found) {
      if (alarm.state != State::kDrift || alarm.index < 1000) continue;
      near = true;
      EXPECT_LT(alarm.index, 1110) << name;
      EXPECT_GT(alarm.onset, 850) << name;
      EXPECT_LE(alarm.onset, alarm.index) << name;
      EXPECT_LT(alarm.before, .4) << name;
      EXPECT_GT(alarm.after, alarm.before) << name;
      EXPECT_EQ(alarm.direction, Direction::kUp) << name;
      break;
    }
    EXPECT_TRUE(near) << name;
  }
}

}  // namespace
}  // namespace vigie::detect

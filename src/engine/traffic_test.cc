// SPDX-License-Identifier: Apache-2.0
#include "engine/traffic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "stats/sampling.h"

namespace vigie::engine {
namespace {

TEST(Outcome, IsReadFromWhatServersSend) {
  for (const auto* status : {"200", "302", "0", "ok", "OK", "STATUS_CODE_OK", "Unset", "success", "2xx", "200.0"})
    EXPECT_EQ(outcome_of(status), Outcome::kOk) << status;
  for (const auto* status :
       {"400", "404", "429", "499", "3", "16", "4xx", "NOT_FOUND", "InvalidArgument", "INVALID_ARG"})
    EXPECT_EQ(outcome_of(status), Outcome::kRefused) << status;
  for (const auto* status : {"500", "503", "599", "2", "13", "14", "5xx", "error", "ERROR", "STATUS_CODE_ERROR",
                             "DEADLINE_EXCEEDED", "Unavailable", "timeout", "UNKNOWN"})
    EXPECT_EQ(outcome_of(status), Outcome::kFailed) << status;
  for (const auto* status : {"", "17", "99", "600", "-1", "200.5", "fine", "1e300", "nan"})
    EXPECT_EQ(outcome_of(status), Outcome::kUnknown) << status;
}

TEST(Latencies, OfFewAreExact) {
  Latencies some;
  EXPECT_TRUE(std::isnan(some.quantile(.5)));
  for (int i = 20; i > 0; --i) some.update(i);
  for (double odd : {-1., std::nan(""), std::numeric_limits<double>::infinity()}) some.update(odd);
  EXPECT_EQ(some.count(), 20);
  EXPECT_EQ(some.quantile(.5), 10);
  EXPECT_EQ(some.quantile(.95), 19);
  EXPECT_EQ(some.quantile(.99), 20);
  EXPECT_EQ(some.quantile(1), 20);
  EXPECT_EQ(some.above(18), 2);
}

TEST(Traffic, InPartsIsTheWholeWhateverTheOrder) {
  Rng rng(1);
  Traffic whole, few;
  std::vector<Traffic> parts(7);
  std::vector<double> all;
  for (int i = 0; i < 5000; ++i) {
    const auto outcome = static_cast<Outcome>(rng.below(4));
    const double ms = std::exp(3 + stats::draw_normal(rng));
    const auto size = 500 + rng.below(100);
    all.push_back(ms);
    // One part stays small, the first six are large.
    auto& part = parts[i % 100 == 0 ? 6 : static_cast<std::size_t>(i) % 6];
    for (auto* to : {&whole, &part}) to->add(outcome, true, ms, size);
  }
  Traffic merged, reversed;
  for (const auto& part : parts) merged.merge(part);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) reversed.merge(*part);
  const auto bytes = [](const Traffic& traffic) {
    ByteWriter out;
    traffic.save(out);
    return out.take();
  };
  EXPECT_EQ(bytes(merged), bytes(whole));
  EXPECT_EQ(bytes(reversed), bytes(whole));
  std::sort(all.begin(), all.end());
  for (double q : {.5, .95, .99}) {
    const double exact = all[static_cast<std::size_t>(std::ceil(q * 5000)) - 1];
    EXPECT_NEAR(whole.latency.quantile(q) / exact, 1, 1. / 128) << q;
    EXPECT_NEAR(static_cast<double>(whole.latency.above(exact)), (1 - q) * 5000, 60);
  }
  EXPECT_EQ(whole.latency.quantile(1), all.back());
  EXPECT_NEAR(whole.error_rate(), 1. / 3, .03);
  EXPECT_TRUE(std::isnan(few.error_rate()));
}

TEST(Traffic, IsReadAsItWasSavedAndNothingElseIs) {
  for (const int count : {0, 5, 500}) {
    Traffic traffic;
    for (int i = 0; i < count; ++i) traffic.add(Outcome::kFailed, true, i, 100);
    ByteWriter out;
    traffic.save(out);
    const auto bytes = out.take();
    ByteReader in(bytes);
    auto read = Traffic::load(in);
    ASSERT_TRUE(read) << count;
    ByteWriter again;
    read->save(again);
    EXPECT_EQ(again.take(), bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ByteReader cut(std::string_view(bytes).substr(0, size));
      EXPECT_FALSE(Traffic::load(cut)) << count << " " << size;
    }
  }
}

}  // namespace
}  // namespace vigie::engine

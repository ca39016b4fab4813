// SPDX-License-Identifier: Apache-2.0
#include "server/machine_ops.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "server/back_internal.h"
#include "server/cost.h"
#include "server/dependencies.h"

namespace vigie::server {
namespace {

store::OpsPane pane(const std::string& source, std::int64_t minute, const std::string& series, double value) {
  engine::Gauges gauges;
  gauges.add(series, value), gauges.add(series, value);
  ByteWriter body;
  gauges.save(body);
  return {source, minute * kMinute, 0, body.take()};
}

TEST(Prices, AreReadOrRefused) {
  Prices prices;
  ASSERT_TRUE(prices.read("cpu=0.036/h"));
  ASSERT_TRUE(prices.read("gpu=0.5/s"));
  EXPECT_DOUBLE_EQ(*prices.cpu, 1e-5);
  EXPECT_DOUBLE_EQ(*prices.gpu, .5);
  EXPECT_EQ(prices.read("gpus=1/h").error().message, "unknown price \"gpus\"; did you mean \"gpu\"?");
  for (const auto* text : {"cpu", "cpu=", "cpu=1", "cpu=-1/h", "cpu=1/d", "cpu=nan/h"})
    EXPECT_EQ(prices.read(text).error().message.substr(0, 30), "cpu: expected a price as 0.04/") << text;
}

TEST(Cost, IsOfTheMinutesThatHaveSamples) {
  Folder folder;
  const auto store = store::open_sqlite(folder.path + "/results.sqlite").value();
  const store::OpsPane panes[] = {
      pane("process/triton", 0, "cpu_cores", .5), pane("process/triton", 1, "cpu_cores", 1.5),
      pane("gpu/0", 1, "gpu_share", .25),         pane("gpu/1", 1, "gpu_share", .75),
      pane("host", 0, "cpu_cores", 64),           pane("process/triton", 9, "cpu_cores", 9)};
  ASSERT_TRUE(store->put(panes));
  std::map<std::int64_t, engine::Traffic> minutes;
  for (int minute = 0; minute < 3; ++minute) minutes[minute * kMinute].requests = 200;
  const auto cost = [&](const std::vector<std::string>& on, const Prices& prices) {
    const auto sources = sources_of(on, *store).value();
    const auto found = cost_of(sources, prices, minutes, 0, 3 * kMinute, *store).value();
    return found ? found->to_json() : std::string("none");
  };
  Prices prices{.01, {}};
  EXPECT_EQ(cost({"process/triton"}, prices),
            R"({"minutes": 2, "requests": 400, "cpu_seconds": 120, "gpu_seconds": null, "money": 1.2, )"
            R"("per_1000": {"cpu_seconds": 300, "gpu_seconds": null, "money": 3}})");
  // A price that lacks makes no sum of the rest.
  EXPECT_EQ(cost({"process/triton", "gpu"}, prices),
            R"({"minutes": 2, "requests": 400, "cpu_seconds": 120, "gpu_seconds": 60, "money": null, )"
            R"("per_1000": {"cpu_seconds": 300, "gpu_seconds": 150, "money": null}})");
  prices.gpu = .1;
  EXPECT_NE(cost({"gpu/0"}, prices).find("\"gpu_seconds\": 15, \"money\": 1.5"), std::string::npos);
  EXPECT_EQ(cost({"process/other"}, prices), "none");
  EXPECT_EQ(cost({}, prices), "none");
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "; "));
}

TEST(Dependencies, SayWhatFailedAndSinceWhen) {
  Folder folder;
  const auto store = store::open_sqlite(folder.path + "/results.sqlite").value();
  MachineOps machine(*store, nullptr);
  Dependencies known(machine);
  Dependency store_of_features, job;
  store_of_features.name = "features", store_of_features.probe = "http://127.0.0.1:1/health";
  store_of_features.max_latency_ms = 100;
  job.name = "etl", job.prometheus = "http://127.0.0.1:1/metrics", job.series = "last_success",
  job.max_age = 3'600'000'000;
  known.configure("m", {store_of_features, job});
  const std::int64_t noon = 1'795'780'800'000'000, minute = kMinute;  // 2026-11-27T12:00Z
  const auto seen = [&](const char* name, std::int64_t at, const std::vector<source::Figure>& figures) {
    known.seen(fmt::format("dependency/m/{}", name), &figures, "", at);
  };
  seen("features", noon, {{"", "up", 1}, {"", "status", 200}, {"", "latency_ms", 20}});
  seen("etl", noon, {{"", "last_success", static_cast<double>(noon) / 1e6 - 600}});
  EXPECT_EQ(joined(known.failed("m", 0, noon + minute)), "");
  seen("features", noon + 3 * minute, {{"", "up", 0}, {"", "status", 503}});
  EXPECT_EQ(joined(known.failed("m", noon, noon + 9 * minute)),
            "features has failed its probe since 12:03 UTC: it answers 503");
  EXPECT_EQ(joined(known.failed("m", noon, noon + 2 * minute)), "");
  EXPECT_EQ(joined(known.failed("n", noon, noon + 9 * minute)), "");
  seen("features", noon + 4 * minute, {{"", "up", 1}, {"", "status", 200}, {"", "latency_ms", 250}});
  EXPECT_EQ(joined(known.failed("m", noon, noon + 9 * minute)),
            "features has failed its probe since 12:03 UTC: it takes 250 ms, at most 100 ms");
  seen("features", noon + 5 * minute, {{"", "up", 1}, {"", "status", 200}, {"", "latency_ms", 50}});
  seen("etl", noon + 90 * minute, {{"", "last_success", static_cast<double>(noon) / 1e6}});
  EXPECT_EQ(
      joined(known.failed("m", noon, noon + 1500 * minute)),
      "etl has failed what is asked of it since 2026-11-27 13:30 UTC: last_success is 1.5 h old, at most 1 h; "
      "features failed its probe from 2026-11-27 12:03 UTC to 2026-11-27 12:05 UTC: it takes 250 ms, at most 100 ms");
  EXPECT_EQ(joined(known.failed("m", noon + 6 * minute, noon + 9 * minute)), "");
  known.seen("dependency/m/etl", nullptr, "http://127.0.0.1:1: nobody answers", noon + 91 * minute);
  EXPECT_NE(joined(known.failed("m", noon + 90 * minute, noon + 92 * minute)).find("nobody answers"),
            std::string::npos);
  // One that is said again goes on, one that is not is forgotten.
  known.configure("m", {job});
  EXPECT_EQ(known.failed("m", noon, noon + 92 * minute).size(), 1U);
}

}  // namespace
}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "config/options.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/secret.h"

namespace vigie::config {
namespace {

using enum Option::Type;

constexpr Option kOptions[] = {
    {.name = "data", .fallback = "./data", .doc = "folder", .flag = "--data"},
    {.name = "page", .doc = "address", .example = "https://example.org", .live = true},
    {.name = "sync", .type = kChoice, .fallback = "always", .choices = "always interval never", .doc = "when"},
    {.name = "notify", .type = kTexts, .doc = "whom", .example = "\n  - log()", .live = true, .flag = "--notify"},
    {.name = "proxy", .type = kFlag, .fallback = "false", .doc = "behind one"},
    {.name = "limits.body",
     .type = kBytes,
     .fallback = "64MiB",
     .least = 1024,
     .most = 1ULL << 40,
     .doc = "of a request",
     .live = true},
    {.name = "limits.patience",
     .type = kDuration,
     .fallback = "30s",
     .least = 1,
     .most = 3600,
     .doc = "how long",
     .live = true},
    {.name = "limits.models", .type = kCount, .fallback = "100", .least = 1, .most = 1e6, .doc = "how many"},
    {.name = "models", .type = kObjects, .doc = "what is said of them", .example = "\n  credit: {owner: ana}"}};

Settings defaults() {
  return fallbacks(kOptions);
}

std::string error_of(std::string_view text) {
  auto settings = defaults();
  const auto read = read_options(text, "v.yaml", kOptions, settings);
  return read ? "" : read.error().message;
}

TEST(Options, ReadsEveryType) {
  auto s = defaults();
  EXPECT_EQ(s["limits.body"].number, 64 << 20);
  EXPECT_FALSE(s["limits.body"].given);
  const auto read = read_options(
      "data: /x\nsync: never\nnotify: [log(), \"slack(url=${U})\"]\nproxy: true\n"
      "limits: {body: 2K, patience: 2m, models: 7}\nmodels:\n  a: {positive: yes, window: 10, x: ['1', null, 1.5]}\n"
      "  b:\n",
      "v.yaml", kOptions, s);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(s["data"].text, "/x");
  EXPECT_EQ(s["data"].place, "v.yaml:1: data");
  EXPECT_EQ(s["sync"].number, 2);
  ASSERT_EQ(s["notify"].texts.size(), 2u);
  EXPECT_EQ(s["notify"].texts[1].text, "slack(url=${U})");
  EXPECT_EQ(s["notify"].texts[1].place, "v.yaml:3: notify[1]");
  EXPECT_EQ(s["proxy"].number, 1);
  EXPECT_EQ(s["limits.body"].number, 2048);
  EXPECT_EQ(s["limits.patience"].number, 120);
  EXPECT_EQ(s["limits.models"].number, 7);
  ASSERT_EQ(s["models"].objects.size(), 2u);
  EXPECT_EQ(s["models"].objects[0].json, R"({"positive":"yes","window":10,"x":["1",null,1.5]})");
  EXPECT_EQ(s["models"].objects[1].json, "{}");
  EXPECT_EQ(error_of(""), "");
  EXPECT_EQ(error_of("limits:\nnotify:\nmodels:\n"), "");
}

TEST(Options, NamesPlaceAndNearestKey) {
  EXPECT_EQ(error_of("\ndta: x"), "v.yaml:2: unknown key \"dta\"; did you mean \"data\"?");
  EXPECT_EQ(error_of("limits:\n  bodi: 1"), "v.yaml:2: limits: unknown key \"bodi\"; did you mean \"body\"?");
  EXPECT_EQ(error_of("patience: 30s"), "v.yaml:1: unknown key \"patience\"; did you mean \"limits.patience\"?");
  EXPECT_EQ(error_of("sync: allways"),
            "v.yaml:1: sync: unknown value \"allways\"; did you mean \"always\"? (always, interval, never)");
  EXPECT_EQ(error_of("limits: {body: 64 elephants}"),
            "v.yaml:1: limits.body: expected a number of bytes, as 64MiB, 1KiB..1TiB, got \"64 elephants\"");
  EXPECT_EQ(error_of("limits: {models: 0}"), "v.yaml:1: limits.models: expected a whole number, 1..1000000, got \"0\"");
  EXPECT_EQ(error_of("limits: {patience: 2d}"),
            "v.yaml:1: limits.patience: expected a time, as 30s, 15m, 2h or 7d, 1s..3600s, got \"2d\"");
  EXPECT_EQ(error_of("limits: 3"), "v.yaml:1: limits: expected a map with body, patience, models");
  EXPECT_EQ(error_of("proxy: yes"), "v.yaml:1: proxy: expected true or false, got \"yes\"");
  EXPECT_EQ(error_of("data: a\ndata: b"), "v.yaml:2: \"data\" stands in line 1 already");
  EXPECT_EQ(error_of("- a"), "v.yaml:1: expected a map of keys, as data: …");
  EXPECT_EQ(error_of("models: [a]"), "v.yaml:1: models: expected a map of NAME: {KEY: …}");
  EXPECT_EQ(error_of("a: 1\nb: 2\nc: 3\nd: 4"),
            "v.yaml:1: unknown key \"a\"\nv.yaml:2: unknown key \"b\"\nv.yaml: and 2 more errors");
  EXPECT_TRUE(error_of("data: [").starts_with("v.yaml:1: ")) << error_of("data: [");
}

TEST(Options, ShowsNothingOfLists) {
  EXPECT_EQ(error_of("notify:\n  - {hush: hush}"), "v.yaml:2: notify[0]: expected a list of texts");
}

TEST(Options, PlacesWhatOthersFindWrongInAnObject) {
  auto s = defaults();
  ASSERT_TRUE(read_options("models:\n  a:\n    owner: x\n    monitors:\n      - what: psi\n      - whta: psi\n",
                           "v.yaml", kOptions, s));
  const auto& object = s["models"].objects[0];
  const auto at = [&](std::string message) { return object.at(fail(Code::kInput, std::move(message))).message; };
  EXPECT_EQ(at("owner: expected a text"), "v.yaml:3: models.a: owner: expected a text");
  EXPECT_EQ(at("monitors[0].what: no"), "v.yaml:5: models.a: monitors[0].what: no");
  EXPECT_EQ(at("monitors[1]: unknown key \"whta\"; did you mean \"what\"?"),
            "v.yaml:6: models.a: monitors[1]: unknown key \"whta\"; did you mean \"what\"?");
  EXPECT_EQ(at("unknown key \"owner\""), "v.yaml:3: models.a: unknown key \"owner\"");
  EXPECT_EQ(at("something else"), "v.yaml:2: models.a: something else");
}

TEST(Options, TheCommandLineWins) {
  auto s = defaults();
  ASSERT_TRUE(read_options("data: a\nnotify: log()", "v.yaml", kOptions, s));
  ASSERT_TRUE(read_flag(kOptions[0], {"b"}, s));
  ASSERT_TRUE(read_flag(kOptions[3], {"x()", "y()"}, s));
  EXPECT_EQ(s["data"].text, "b");
  EXPECT_EQ(s["notify"].texts.size(), 2u);
  auto then = s;
  then["data"].text = "c", then["limits.body"].text = "1M", then["sync"].text = "never";
  const auto changes = changes_of(kOptions, s, then);
  EXPECT_EQ(changes.kept_until_restart, (std::vector<std::string>{"data", "sync"}));
  EXPECT_EQ(changes.live, (std::vector<std::string>{"limits.body"}));
}

TEST(Options, TheDefaultFileSaysNothingNew) {
  const auto file = default_file(kOptions, "head\nof it");
  EXPECT_TRUE(file.starts_with("# head\n# of it\n\n# folder; a change takes a restart\ndata: ./data\n")) << file;
  auto s = defaults();
  const auto read = read_options(file, "v.yaml", kOptions, s);
  ASSERT_TRUE(read) << read.error().message << "\n" << file;
  const auto changes = changes_of(kOptions, defaults(), s);
  EXPECT_TRUE(changes.live.empty() && changes.kept_until_restart.empty());
  EXPECT_TRUE(s["limits.models"].given);
  EXPECT_FALSE(s["page"].given);
  std::string all = file;  // what is commented out is right as well
  for (const std::string_view mark : {"# page: ", "# notify:", "#   - log()", "# models:", "#   credit:"}) {
    const auto at = all.find(mark);
    ASSERT_NE(at, all.npos) << mark << "\n" << file;
    all.erase(at, 2);
  }
  EXPECT_EQ(error_of(all), "");
}

TEST(Options, TheSchemaHasEveryKey) {
  const auto schema =
      nlohmann::json::parse(json_schema(kOptions, "t", [](auto) { return R"({"type": "object"})"; }, "{}"));
  EXPECT_EQ(schema["properties"]["limits"]["properties"]["models"]["maximum"], 1e6);
  EXPECT_EQ(schema["properties"]["limits"]["properties"]["models"]["default"], 100);
  EXPECT_EQ(schema["properties"]["sync"]["enum"].size(), 4u);
  EXPECT_EQ(schema["properties"].size(), 7u);
}

TEST(Secret, StaysWhereItIs) {
  const Environment environment = [](const std::string& name) {
    return name == "A" ? std::optional<std::string>("hush") : std::nullopt;
  };
  EXPECT_EQ(reveal("x-${A}-y", "k", environment).value(), "x-hush-y");
  EXPECT_EQ(reveal("${B}", "k", environment).error().message, "k: there is no variable B in the environment");
  EXPECT_EQ(reveal("${A", "k", environment).error().message, "k: ${ without a }");
  EXPECT_TRUE(refers("file:/x") && refers("a${B}") && !refers("plain"));
}

}  // namespace
}  // namespace vigie::config

// SPDX-License-Identifier: Apache-2.0
#include "server/row_samples.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/model_config.h"
#include "server/watch.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;

// Applicants of two countries, with a note that each writes, and a name that hardly anybody shares.
std::string rows(int from, int to, int day) {
  std::string out;
  for (int i = from; i < to; ++i)
    out += fmt::format(
        R"({{"id":"r{0}","timestamp":"2026-03-{2:02}T{3:02}:{4:02}:00Z","features":{{"age":{1},"country":"{5}",)"
        R"("name":"Ana {0} of {6}","ssn":"123-45-{0:04}","vector":[1,2]}},"prediction":"{7}","text":"hello {0}"}})"
        "\n",
        i, 20 + i * 7919 % 50, day, i % 24, i % 60, i % 3 ? "FR" : "DE", i * 31, i % 2 ? "yes" : "no");
  return out;
}

engine::Profile reference(const std::string& body, const std::string& config) {
  return reference_of_rows(body, "reference", "0", read_model_config(config).value()).value();
}

TEST(RowPrivacy, WhatNobodySaidAnythingOfIsShownWhereItIsShared) {
  std::string body;
  for (int day = 1; day <= 20; ++day) body += rows(day * 100, day * 100 + 100, day);
  const RowPrivacy privacy(reference(body, "{}"), {}, "key");
  const auto row = Json::parse(privacy.shown(rows(7, 8, 21)));
  EXPECT_EQ(row["id"], "r7");
  EXPECT_EQ(row["features"]["age"], 20 + 7 * 7919 % 50);
  EXPECT_EQ(row["features"]["country"], "FR");
  EXPECT_EQ(row["features"]["name"], "Xxx 9 xx 999");
  EXPECT_EQ(row["features"]["ssn"], "999-99-9999");
  EXPECT_FALSE(row["features"].contains("vector"));
  EXPECT_FALSE(row.contains("text"));
  EXPECT_EQ(row["prediction"], "yes");
  EXPECT_EQ(privacy.shown("no record"), "{}");
  // A new value may be anybody's.
  auto other = rows(7, 8, 21);
  other.replace(other.find("\"FR\""), 4, "\"X Æ\"");
  EXPECT_EQ(Json::parse(privacy.shown(other))["features"]["country"], "X x");
}

TEST(RowPrivacy, WhatSomebodySaidCounts) {
  const auto profile = reference(rows(0, 300, 1), "{}");
  const auto said =
      read_model_config(
          R"({"privacy": {"ssn": "drop", "name": "hash", "age": "mask", "id": "hash", "country": "show"}})")
          .value();
  const RowPrivacy privacy(profile, said.privacy, "key"), same(profile, said.privacy, "key"),
      other(profile, said.privacy, "another");
  const auto text = rows(7, 8, 21);
  const auto row = Json::parse(privacy.shown(text));
  EXPECT_FALSE(row["features"].contains("ssn"));
  EXPECT_EQ(row["features"]["age"], "99");
  const auto name = row["features"]["name"].get<std::string>();
  EXPECT_EQ(name.size(), 17U);
  EXPECT_EQ(name[0], '#');
  EXPECT_EQ(privacy.shown(text), same.shown(text));
  EXPECT_NE(name, Json::parse(other.shown(text))["features"]["name"].get<std::string>());
  EXPECT_NE(row["id"], "r7");
  // Of a text that is dropped or hashed no number is said either.
  for (const auto* column : {"ssn", "name"})
    EXPECT_EQ(privacy.sentence(column, R"(median length 49 → above 89, moved 1.2 sd)"), "moved 1.2 sd");
  EXPECT_EQ(privacy.sentence("country", R"(new: "IT")"), R"(new: "IT")");
}

// Rows of which a score and a prediction have names of their own in the reference, and one number counts up.
engine::Profile named_reference() {
  engine::Profile out;
  const auto add = [&](std::string name, engine::Role role, engine::ColumnType type) -> engine::ColumnProfile& {
    auto& column = out.columns.emplace_back();
    column.name = std::move(name), column.role = role, column.type = type;
    return column;
  };
  add("age", engine::Role::kFeature, engine::ColumnType::kNumeric);
  add("features.plan", engine::Role::kFeature, engine::ColumnType::kCategorical).categories = {{"gold", 90}};
  add("approved", engine::Role::kPrediction, engine::ColumnType::kCategorical).categories = {{"yes", 50}, {"no", 40}};
  add("risk", engine::Role::kScore, engine::ColumnType::kNumeric);
  return out;
}

TEST(RowPrivacy, AColumnGoesByEachOfItsNames) {
  using Said = std::map<std::string, Privacy>;
  const auto profile = named_reference();
  const auto hides = [&](const std::string& said, const std::string& column) {
    return RowPrivacy(profile, {{said, Privacy::kMask}}, "key").hides(column);
  };
  for (const auto& [said, column] : std::vector<std::pair<std::string, std::string>>{{"age", "age"},
                                                                                     {"features.age", "age"},
                                                                                     {"tags.age", "age"},
                                                                                     {"plan", "features.plan"},
                                                                                     {"features.plan", "features.plan"},
                                                                                     {"approved", "approved"},
                                                                                     {"prediction", "approved"},
                                                                                     {"risk", "risk"},
                                                                                     {"score", "risk"},
                                                                                     {"scores.risk", "risk"},
                                                                                     {"region", "region"},
                                                                                     {"tags.region", "region"}})
    EXPECT_TRUE(hides(said, column)) << said << " of " << column;
  EXPECT_FALSE(hides("age", "risk"));
  // All of a group, but for what is said of one of it.
  EXPECT_TRUE(hides("features", "age"));
  EXPECT_TRUE(hides("scores", "risk"));
  EXPECT_TRUE(hides("features", "features.plan"));
  EXPECT_FALSE(hides("features", "approved"));
  const RowPrivacy all(profile, Said{{"features", Privacy::kDrop}, {"age", Privacy::kShow}}, "key");
  EXPECT_FALSE(all.hides("age"));
  EXPECT_EQ(all.shown(R"({"features": {"age": 41, "plan": "gold", "more": 1}})"), R"({"features":{"age":41}})");
  auto several = profile;
  several.columns.push_back(several.columns.back());
  several.columns.back().name = "scores.no";
  for (const auto* said : {"score", "scores"})
    EXPECT_TRUE(RowPrivacy(several, {{said, Privacy::kDrop}}, "key").hides("scores.no")) << said;
  EXPECT_FALSE(hides("scores.plan.x", "features.plan"));
  // What is said of its own place counts more than of another's.
  const RowPrivacy apart(profile, Said{{"features.age", Privacy::kShow}, {"tags.age", Privacy::kDrop}}, "key");
  EXPECT_FALSE(apart.hides("age"));
  EXPECT_EQ(apart.shown(R"({"features": {"age": 41}, "tags": {"age": "old", "plan": "gold"}})"),
            R"({"features":{"age":41},"tags":{"plan":"xxxx"}})");
  // A record is hidden by what the reference calls it, and a category by what records call it.
  const RowPrivacy record(profile, Said{{"approved", Privacy::kDrop}, {"risk", Privacy::kMask}}, "key");
  EXPECT_EQ(record.shown(R"({"prediction": "yes", "score": 0.25})"), R"({"score":"9.99"})");
  const RowPrivacy category(profile, Said{{"prediction", Privacy::kMask}, {"features.plan", Privacy::kDrop}}, "key");
  EXPECT_EQ(category.category("approved", "yes"), "xxx");
  EXPECT_EQ(category.category("features.plan", "gold"), "***");
  EXPECT_EQ(category.sentence("approved", R"(new: "maybe")"), R"(new: "xxxxx")");
  EXPECT_EQ(category.sentence("features.plan", R"(2 % of the rows in new categories: "1\"2", "9"; "age" too)"),
            "2 % of the rows in new categories: ***, ***; *** too");
  EXPECT_EQ(category.sentence("features.plan", R"(equals "age" in every row)", {}, true),
            R"(equals "age" in every row)");
}

// What nobody said anything of is quoted where five rows, of the reference or of the window, have it.
TEST(RowPrivacy, QuotesWhatIsShared) {
  auto profile = named_reference();
  const std::string lasting = "gold with all that one may want";
  profile.columns[1].categories.push_back({lasting, 7});
  profile.columns[1].categories.push_back({"Ana's", 4});
  const RowPrivacy privacy(profile, {}, "key");
  const auto said = [&](const std::string& reason, const RowPrivacy::Shared& shared = {}) {
    return privacy.sentence("features.plan", reason, shared);
  };
  const std::string shown = R"x("gold" 50 % → 40 %, "(other)" 0 % → 1 %)x";
  EXPECT_EQ(said(shown), shown);
  EXPECT_EQ(said(R"("Ana's" 0.1 % → 0 %, new value "Ida\\\x0a\" 7" 0 % → 3 %)"),
            R"("Xxx'x" 0.1 % → 0 %, new value "Xxx\\\x0a\" 9" 0 % → 3 %)");
  const RowPrivacy::Shared shared{{"features.plan", {"Eva 12"}}};
  EXPECT_EQ(said(R"(new value "Eva 12")", shared), R"(new value "Eva 12")");
  EXPECT_EQ(said(R"(new value "Eva 13")", shared), R"(new value "Xxx 99")");
  EXPECT_EQ(privacy.category("features.plan", "Eva 12", shared), "Eva 12");
  EXPECT_EQ(privacy.category("approved", "Eva 12", shared), "Xxx 99");
  // What was cut off has a beginning.
  const auto cut = vigie::quoted(lasting, 24);
  EXPECT_EQ(said(cut), cut);
  EXPECT_EQ(said(vigie::quoted("silver with all that one may want", 24)), R"("xxxxxx xxxx xxx xxxx xxxx")");
  EXPECT_EQ(privacy.sentence("age", R"(mode "41")"), R"(mode "41")");
  // Truths are shown, and where they are hidden so are their shares.
  auto& truth = profile.columns.emplace_back();
  truth.name = "sick", truth.type = engine::ColumnType::kBoolean;
  truth.categories = {{"false", 90}, {"true", 2}};
  const std::string moved = R"("true" 2 % → 40 %)";
  EXPECT_EQ(RowPrivacy(profile, {}, "key").sentence("sick", moved), moved);
  EXPECT_EQ(RowPrivacy(profile, {}, "key").category("sick", "true"), "true");
  EXPECT_EQ(RowPrivacy(profile, {}, "key").category("sick", "Eva 1"), "Xxx 9");
  truth.role = engine::Role::kLabel;
  EXPECT_TRUE(RowPrivacy(profile, {{"label", Privacy::kMask}}, "key").hides("sick"));
  EXPECT_TRUE(RowPrivacy(profile, {{"sick", Privacy::kMask}}, "key").hides_amounts("sick"));
}

TEST(RowPrivacy, NumbersThatCountRowsAreHidden) {
  std::string body;
  for (int i = 0; i < 2'000; ++i)
    body += fmt::format(R"({{"timestamp":"2026-03-01","features":{{"n":{},"age":{}}}}})"
                        "\n",
                        1000 + i, i * 7919 % 50);
  const auto profile = reference(body, "{}");
  const RowPrivacy privacy(profile, {}, "key"), said(profile, {{"features.n", Privacy::kShow}}, "key");
  EXPECT_TRUE(privacy.hides("n"));
  EXPECT_FALSE(privacy.hides("age"));
  EXPECT_FALSE(said.hides("n"));
  EXPECT_EQ(privacy.shown(R"({"features": {"n": 1007, "age": 7}})"), R"({"features":{"n":"9999","age":7}})");
}

TEST(RowPrivacy, MasksKeepTheForm) {
  EXPECT_EQ(masked("Ana-41 ü"), "Xxx-99 x");
  EXPECT_EQ(masked(std::string(41, 'a')), "(41 characters)");
}

TEST(RowPrivacy, SegmentsAreNotCalledByWhatIsHidden) {
  const auto why = [](const char* config, const engine::Profile& reference) {
    const auto fits = check_privacy(read_model_config(config).value(), reference);
    return fits ? "" : fits.error().message;
  };
  const auto hidden = [](std::string_view where, std::string_view what, std::string_view name) {
    return fmt::format("{}: {} \"{}\", which privacy hides", where, what, name);
  };
  const std::string called = "segments are called by the values of", level = "a detector says the level of";
  EXPECT_EQ(why(R"({"segments": ["shop", ["shop", "plan"]], "privacy": {"features.plan": "mask"}})", {}),
            hidden("segments[1]", called, "plan"));
  EXPECT_EQ(why(R"({"segments": ["features.plan"], "privacy": {"plan": "mask"}})", {}),
            hidden("segments[0]", called, "features.plan"));
  EXPECT_EQ(why(R"({"segments": ["plan"], "privacy": {"plan": "show", "shop": "drop"}})", {}), "");
  // A reference knows columns by more names, and may have segments.
  auto profile = named_reference();
  for (const auto* on : {"age", "features.age", "score", "risk"})
    EXPECT_EQ(why(fmt::format(R"({{"detectors": [{{"on": "{}"}}], "privacy": {{"age": "mask", "score": "drop"}}}})", on)
                      .c_str(),
                  profile),
              hidden("detectors[0]", level, on));
  EXPECT_EQ(why(R"({"detectors": [{"on": "error"}], "privacy": {"age": "mask"}})", profile), "");
  profile.segmentations = {{}, {"features.plan"}};
  EXPECT_EQ(why(R"({"privacy": {"plan": "drop"}})", profile), hidden("reference", called, "features.plan"));
  // Where it came to that all the same they are not told of.
  profile.segments = {{""}, {"features.plan=gold", "features.plan=(other)"}};
  EXPECT_TRUE(RowPrivacy(profile, {{"plan", Privacy::kMask}}, "key").names_hidden("features.plan=gold"));
  EXPECT_FALSE(RowPrivacy(profile, {{"age", Privacy::kMask}}, "key").names_hidden("features.plan=gold"));
}

// What an older vigie accepted and this one cannot read hides what it hid.
TEST(RowPrivacy, OfWhatCannotBeReadAnyMoreIsKept) {
  const auto kept =
      kept_model_config(R"({"owner": "ann", "window": "fortnight", "privacy": {"ssn": "drop", "age": "fog"}})");
  EXPECT_EQ(kept.owner, "ann");
  EXPECT_EQ(kept.privacy, (std::map<std::string, Privacy>{{"ssn", Privacy::kDrop}, {"age", Privacy::kDrop}}));
  EXPECT_EQ(kept_model_config(R"({"segments": ["ssn"], "privacy": {"ssn": "drop"}})").segments.size(), 1U);
}

TEST(RowPrivacy, AnUnknownPolicyIsNamed) {
  EXPECT_EQ(read_model_config(R"({"privacy": {"ssn": "hsh"}})").error().message,
            "privacy.ssn: unknown policy \"hsh\"; did you mean \"hash\"?");
}

// What is kept of the first of the windows of rows that come in these pieces; the pieces before `again` came before a
// crash too.
std::vector<store::Sample> kept(const engine::Profile& profile, const std::vector<std::string>& pieces,
                                std::size_t again) {
  constexpr std::int64_t kNow = 1'780'000'000'000'000;  // behind all rows: 2026-05-28
  const auto watch = Watch::make("m", std::make_shared<const engine::Profile>(profile), profile.window, 0).value();
  watch->show_by({}, "key");
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    table::JsonRows read;
    read.read(pieces[i], watch->shape());
    EXPECT_TRUE(watch->add(read, kNow, i, i < again));
  }
  return watch->close(kNow, true).value().at(0).samples;
}

TEST(RowSamples, AreTheSameWhateverTheOrderAndWhenReadAgain) {
  std::string first;
  for (int day = 1; day <= 20; ++day) first += rows(day * 100, day * 100 + 100, day);
  const auto profile = reference(first, R"({"window": "day", "segments": ["country"]})");
  const auto next = rows(1000, 1010, 24);
  const auto samples = kept(profile, {rows(0, 150, 22), rows(150, 300, 22), next}, 0);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].segment, "");
  EXPECT_EQ(samples[1].segment, "country=DE");
  EXPECT_EQ(samples[0].key.substr(0, 16), "1774137600000000");  // 2026-03-22
  for (const auto& sample : samples) {
    const auto json = Json::parse(sample.body);
    EXPECT_EQ(json.size(), RowSamples::kRows);
    if (sample.segment.empty()) continue;
    for (const auto& row : json) EXPECT_EQ("country=" + row["features"]["country"].get<std::string>(), sample.segment);
  }
  EXPECT_EQ(kept(profile, {rows(150, 300, 22), rows(0, 150, 22), next}, 0), samples);
  EXPECT_EQ(kept(profile, {rows(0, 300, 22), next}, 1), samples);
  EXPECT_NE(kept(profile, {rows(150, 450, 22), next}, 0), samples);
}

// What was chosen before is not shown by what holds no more.
TEST(RowSamples, OfAWindowThatIsOpenAreHiddenBehindWhatIsSaid) {
  std::string first;
  for (int day = 1; day <= 20; ++day) first += rows(day * 100, day * 100 + 100, day);
  const auto profile = reference(first, R"({"window": "day"})");
  const auto watch = Watch::make("m", std::make_shared<const engine::Profile>(profile), profile.window, 0).value();
  constexpr std::int64_t kNow = 1'780'000'000'000'000;
  watch->show_by({}, "key");
  const auto add = [&](int from, journal::Sequence place) {
    table::JsonRows read;
    const auto text = rows(from, from + 10, 22);
    read.read(text, watch->shape());
    EXPECT_TRUE(watch->add(read, kNow, place, false));
  };
  add(0, 0);
  watch->show_by({}, "key");  // as it was: nothing is lost
  add(10, 1);
  watch->show_by({{"country", Privacy::kDrop}}, "key");
  add(20, 2);
  const auto samples = watch->close(kNow, true).value().at(0).samples;
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(Json::parse(samples[0].body).size(), 10U);
  EXPECT_EQ(samples[0].body.find("country"), std::string::npos) << samples[0].body;
}

TEST(RowPrivacy, TakesWhatPythonWritesForNumbers) {
  const RowPrivacy privacy({}, {}, "key");
  EXPECT_EQ(privacy.shown(R"({"id":"a","features":{"x":NaN,"y":-Infinity,"z":1}})"),
            R"({"id":"a","features":{"x":"NaN","y":"-Infinity","z":1}})");
}

}  // namespace
}  // namespace vigie::server

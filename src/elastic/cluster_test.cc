// SPDX-License-Identifier: Apache-2.0
#include "elastic/cluster.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "elastic/access.h"

namespace vigie::elastic {
namespace {

using Json = nlohmann::json;

Cluster cluster(const char* body) {
  auto found = read_cluster({200, body, {}});
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found.value();
}

TEST(Cluster, IsToldByWhatItSays) {
  const auto es =
      cluster(R"({"version":{"number":"8.19.3","build_flavor":"default"},"tagline":"You Know, for Search"})");
  EXPECT_EQ(es.name(), "Elasticsearch 8.19.3");
  EXPECT_TRUE(es.at_least(8, 19) && es.at_least(7, 30) && !es.at_least(8, 20) && !es.at_least(9, 0));
  EXPECT_EQ(cluster(R"({"version":{"number":"2.19.1","distribution":"opensearch"}})").name(), "OpenSearch 2.19.1");
  // It claims another's version.
  EXPECT_TRUE(cluster(R"({"version":{"number":"7.10.2"},"tagline":"The OpenSearch Project: https://opensearch.org/"})")
                  .opensearch);
  EXPECT_TRUE(cluster(R"({"version":{"number":"8.11.0","build_flavor":"serverless"}})").serverless);
  EXPECT_EQ(read_cluster({200, "<html>", {}}).error().message,
            "is neither Elasticsearch nor OpenSearch: GET / says no version");
  EXPECT_EQ(read_cluster({401, "Unauthorized", {}}).error().message, "answers 401: \"Unauthorized\"");
}

// libcurl signs a path as it stands, and AWS reads it encoded and in order.
TEST(Access, WhatIsSignedIsEncoded) {
  Access access;
  const auto url = [&](const char* path) { return access.request("GET", "https://es", path, "")->url; };
  const char* path = "/a,b*/_search?filter_path=errors,items.*._id&allow&a-b=%2C";
  EXPECT_EQ(url(path), std::string("https://es") + path);
  access.user = "k", access.password = "s", access.sigv4 = "aws:amz:eu-west-1:es";
  EXPECT_EQ(url(path), "https://es/a%2Cb%2A/_search?a-b=%2C&allow=&filter_path=errors%2Citems.%2A._id");
  EXPECT_EQ(url("/_component_template/vigie@mappings"), "https://es/_component_template/vigie%40mappings");
  const auto sum = [&](std::string body) {
    const auto request = access.request("PUT", "https://es", "/", std::move(body)).value();
    for (const auto& [name, value] : request.headers)
      if (name == "x-amz-content-sha256") return value;
    return std::string();
  };
  EXPECT_EQ(sum(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  access.sigv4.clear();
  EXPECT_EQ(sum("abc"), "");
}

TEST(Place, NamesAnIndexByTheTime) {
  const double time = 1'772'323'201e6;  // 2026-03-01T00:00:01Z
  Place place{Place::Kind::kMonths, "logs"};
  EXPECT_EQ(place.index(time), "logs-2026.03");
  EXPECT_EQ(place.index(time - 2e6), "logs-2026.02");
  EXPECT_EQ(place.index(NAN), "logs-undated");
  EXPECT_EQ(place.index(1e300), "logs-undated");
  EXPECT_EQ(place.index(-1), "logs-1969.12");
  EXPECT_EQ(place.pattern(), "logs-*");
  place.kind = Place::Kind::kDays;
  EXPECT_EQ(place.index(time), "logs-2026.03.01");
  place.kind = Place::Kind::kStream;
  EXPECT_EQ(place.index(time), "logs");
}

TEST(Place, Names) {
  EXPECT_EQ(name_of("Crédit Score/2"), "cr--dit-score-2");
  for (const char* good : {"logs", "logs-vigie.prediction-default", "a_b+c"}) EXPECT_EQ(wrong_name(good), "") << good;
  for (const char* bad : {"", "-a", "_a", "A", "a b", "a/b", "a*", "a#b", "a:b"}) EXPECT_NE(wrong_name(bad), "") << bad;
}

// What of the steps has that path, as JSON.
Json step(const std::vector<SetupStep>& steps, const std::string& path) {
  for (const auto& s : steps)
    if (s.path == path) return Json::parse(s.body);
  return {};
}

TEST(Setup, TemplatesAreComposed) {
  const auto es = cluster(R"({"version":{"number":"9.5.5"}})");
  const auto steps = setup_of(es, {{Place::Kind::kMonths, "logs"}, 0});
  const auto index = step(steps, "/_index_template/vigie-logs");
  EXPECT_EQ(index["index_patterns"], Json::array({"logs-*"}));
  EXPECT_EQ(index["composed_of"], Json::array({"vigie@mappings", "vigie@settings", "vigie@custom"}));
  EXPECT_FALSE(index.contains("data_stream"));
  EXPECT_GE(index["priority"], 200);
  EXPECT_TRUE(step(steps, "/_component_template/vigie@settings")["template"]["settings"]["index"]["mapping"]
                                                                ["total_fields"]["ignore_dynamic_beyond_limit"]);
  EXPECT_EQ(
      step(steps, "/_component_template/vigie@mappings")["template"]["mappings"]["properties"]["@timestamp"]["type"],
      "date");
  // What people added stays.
  for (const auto& s : steps) EXPECT_EQ(s.when == SetupStep::When::kAbsent, s.path.ends_with("vigie@custom"));
  EXPECT_TRUE(step(setup_of(cluster(R"({"version":{"number":"8.11.0","build_flavor":"serverless"}})"),
                            {{Place::Kind::kMonths, "logs"}, 0}),
                   "/_component_template/vigie@settings")
                  .is_null());
}

// A number of seconds in a field of dates would be one of milliseconds.
TEST(Setup, OwnTimesAreDatesWhereTheyAreTexts) {
  const auto steps = setup_of(cluster(R"({"version":{"number":"9.5.5"}})"), {{Place::Kind::kMonths, "logs"}, 0});
  const auto mappings = step(steps, "/_component_template/vigie@mappings")["template"]["mappings"];
  EXPECT_FALSE(mappings["properties"].contains("timestamp"));
  EXPECT_EQ(mappings["properties"]["boxes"]["enabled"], false);
  EXPECT_EQ(mappings["dynamic_templates"][2]["times"]["path_match"], "timestamp");
  EXPECT_EQ(mappings["dynamic_templates"][2]["times"]["match_mapping_type"], "string");
}

TEST(Setup, TheLongerPatternHolds) {
  const auto es = cluster(R"({"version":{"number":"9.5.5"}})");
  const auto of = [&](const char* name) {
    return step(setup_of(es, {{Place::Kind::kMonths, name}, 0}), std::string("/_index_template/") + name)["priority"]
        .get<int>();
  };
  EXPECT_GT(of("vigie-prediction-credit"), of("vigie-prediction"));
  EXPECT_GT(of("vigie-prediction-credit-v2"), of("vigie-prediction-credit"));
}

TEST(Setup, LifecycleAsTheServerHasIt) {
  const auto es = cluster(R"({"version":{"number":"8.19.0"}})"), old = cluster(R"({"version":{"number":"7.17.0"}})"),
             os = cluster(R"({"version":{"number":"2.19.1","distribution":"opensearch"}})");
  const Place stream{Place::Kind::kStream, "logs-vigie.prediction-default"}, days{Place::Kind::kDays, "vigie-p"},
      months{Place::Kind::kMonths, "vigie-p"};
  const auto own = setup_of(es, {stream, 30});
  EXPECT_EQ(own.size(), 5U);
  EXPECT_EQ(
      step(own, "/_index_template/vigie-logs-vigie.prediction-default")["template"]["lifecycle"]["data_retention"],
      "30d");
  EXPECT_TRUE(own[3].needed);
  // A stream that is there hears of it too.
  EXPECT_EQ(own.back().when, SetupStep::When::kThere);
  EXPECT_EQ(step(own, "/_data_stream/logs-vigie.prediction-default/_lifecycle")["data_retention"], "30d");
  const auto ilm = setup_of(old, {days, 30});
  EXPECT_EQ(step(ilm, "/_ilm/policy/vigie-p")["policy"]["phases"]["delete"]["min_age"], "30d");
  EXPECT_EQ(step(ilm, "/_index_template/vigie-p")["template"]["settings"]["index"]["lifecycle"]["name"], "vigie-p");
  // The index of a month has documents that are as much younger.
  EXPECT_EQ(step(setup_of(old, {months, 30}), "/_ilm/policy/vigie-p")["policy"]["phases"]["delete"]["min_age"], "61d");
  EXPECT_TRUE(step(setup_of(old, {stream, 30}),
                   "/_ilm/policy/vigie-logs-vigie.prediction-default")["policy"]["phases"]["hot"]["actions"]
                  .contains("rollover"));
  const auto ism = step(setup_of(os, {days, 7}), "/_plugins/_ism/policies/vigie-p")["policy"];
  EXPECT_EQ(ism["ism_template"][0]["index_patterns"], Json::array({"vigie-p-*"}));
  EXPECT_EQ(ism["states"][0]["transitions"][0]["conditions"]["min_index_age"], "7d");
  EXPECT_EQ(ism["default_state"], "keep");
  // Indexes behind a data stream are looked up by its name.
  EXPECT_EQ(
      step(
          setup_of(os, {stream, 7}),
          "/_plugins/_ism/policies/vigie-logs-vigie.prediction-default")["policy"]["ism_template"][0]["index_patterns"],
      Json::array({"logs-vigie.prediction-default"}));
}

TEST(Setup, APolicyIsReplacedByAnotherTime) {
  const auto os = cluster(R"({"version":{"number":"2.19.1","distribution":"opensearch"}})");
  const auto wanted = [&](int days) { return setup_of(os, {{Place::Kind::kDays, "p"}, days}).front(); };
  EXPECT_EQ(wanted(30).path, wanted(90).path);
  EXPECT_EQ(wanted(30).when, SetupStep::When::kChanged);
  auto there = Json::parse(wanted(30).body);
  there["_seq_no"] = 7, there["_primary_term"] = 2;
  there["policy"]["states"][0]["transitions"][0]["conditions"]["min_doc_count"] = 1;
  EXPECT_EQ(differs(there.dump(), wanted(30).body), "");
  EXPECT_EQ(differs(there.dump(), wanted(90).body), "?if_seq_no=7&if_primary_term=2");
  EXPECT_EQ(differs("[]", wanted(90).body), "?if_seq_no=0&if_primary_term=0");
}

TEST(Access, SaysWhoAsks) {
  Access access;
  access.api_key = api_key_of("id:key");
  auto request = access.request("POST", "https://es:9200", "/_bulk?x", "{}\n").value();
  EXPECT_EQ(request.url, "https://es:9200/_bulk?x");
  const auto header = [&](std::string_view name) {
    for (const auto& [key, value] : request.headers)
      if (key == name) return value;
    return std::string();
  };
  EXPECT_EQ(header("Authorization"), "ApiKey aWQ6a2V5");
  EXPECT_EQ(header("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(header("Content-Encoding"), "");
  EXPECT_EQ(api_key_of("aWQ6a2V5"), "aWQ6a2V5");
  request = access.request("POST", "https://es:9200", "/_bulk", std::string(100'000, 'x')).value();
  EXPECT_EQ(header("Content-Encoding"), "gzip");
  EXPECT_LT(request.body.size(), 1000U);
  access.gzip = 0;
  request = access.request("PUT", "https://es:9200", "/a", std::string(100'000, 'x')).value();
  EXPECT_EQ(header("Content-Encoding"), "");
  EXPECT_EQ(header("Content-Type"), "application/json");
}

TEST(Access, Fingerprints) {
  const std::string digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  std::string colons;
  for (std::size_t i = 0; i < digits.size(); i += 2) colons += (i ? ":" : "") + digits.substr(i, 2);
  for (auto& c : colons) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(pin_of(colons).value(), digits);
  EXPECT_FALSE(pin_of("12:34"));
  EXPECT_FALSE(pin_of(digits.substr(1) + "g"));
}

}  // namespace
}  // namespace vigie::elastic

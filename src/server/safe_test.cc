// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "server/admission.h"
#include "server/back_internal.h"
#include "server/metrics.h"
#include "server/settings.h"
#include "server/tokens.h"

namespace vigie::server {
namespace {

const Environment kEnvironment = [](const std::string& name) {
  return name == "TOKEN" ? std::optional<std::string>("0123456789abcdef") : std::nullopt;
};

Request asks(const std::string& method, std::vector<std::string> path, const std::string& authorization = "") {
  Request request;
  request.method = method, request.path = std::move(path), request.authorization = authorization;
  request.host = "127.0.0.1:8090";
  return request;
}

unsigned status_of(const Tokens& tokens, const Request& request, bool any_host = false) {
  const auto refused = tokens.refuse(request, any_host);
  return refused ? refused->status : 200;
}

TEST(Tokens, RolesAreKept) {
  const auto read = make_token(Role::kRead), admin = make_token(Role::kAdmin);
  EXPECT_NE(make_token(Role::kRead).token, read.token);
  EXPECT_TRUE(read.token.starts_with("vigie_read_"));
  Tokens tokens;
  ASSERT_TRUE(tokens.add(Role::kRead, "k", read.hash, {}));
  ASSERT_TRUE(tokens.add(Role::kAdmin, "k", admin.hash, {}));
  ASSERT_TRUE(tokens.add(Role::kIngest, "k", "${TOKEN}", kEnvironment));
  const std::string reader = "Bearer " + read.token, writer = "bearer  0123456789abcdef", all = "Bearer " + admin.token;
  const std::vector<std::string> models{"v1", "models"}, records{"v1", "models", "m", "predictions"};
  EXPECT_EQ(status_of(tokens, asks("GET", models, reader)), 200u);
  EXPECT_EQ(status_of(tokens, asks("GET", models, writer)), 403u);
  EXPECT_EQ(status_of(tokens, asks("POST", records, writer)), 200u);
  EXPECT_EQ(status_of(tokens, asks("POST", records, reader)), 403u);
  EXPECT_EQ(status_of(tokens, asks("POST", {"v1", "models", "m", "reference"}, writer)), 403u);
  EXPECT_EQ(status_of(tokens, asks("DELETE", models, reader)), 403u);
  for (const auto* method : {"GET", "POST", "PUT", "NONSENSE"})
    EXPECT_EQ(status_of(tokens, asks(method, records, all)), 200u);
  for (const auto* given :
       {"", "Bearer", "Bearer ", "Bearer x", "Basic", "Basic =", "Basic ====", "Token x", "Bearer\t"})
    EXPECT_EQ(status_of(tokens, asks("GET", models, given)), 401u) << given;
  EXPECT_EQ(status_of(tokens, asks("GET", models, "Bearer " + std::string(100'000, 'x'))), 401u);
  EXPECT_EQ(status_of(tokens, asks("GET", {"healthz"})), 200u);
  EXPECT_EQ(status_of(tokens, asks("GET", {"healthz", "x"})), 401u);
  // "me:0123456789abcdef"
  EXPECT_EQ(status_of(tokens, asks("GET", models, "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg==")), 403u);
  EXPECT_EQ(status_of(tokens, asks("POST", records, "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg==")), 401u);
}

TEST(Tokens, WithoutAnyOnlyThisMachineAsks) {
  Tokens none;
  auto request = asks("GET", {"v1", "models"});
  for (const auto* host : {"127.0.0.1:8090", "localhost:8090", "[::1]:8090", "vigie", "a.localhost", ""}) {
    request.host = host;
    EXPECT_EQ(status_of(none, request), 200u) << host;
  }
  request.host = "rebound.example.org:8090";
  EXPECT_EQ(status_of(none, request), 403u);
  EXPECT_EQ(status_of(none, request, true), 200u);
  request.host = "localhost:8090", request.origin = "http://localhost:8090";
  EXPECT_EQ(status_of(none, request), 200u);
  for (const auto* origin : {"https://example.org", "null", "http://localhost:9000"}) {
    request.origin = origin;
    EXPECT_EQ(status_of(none, request), 403u) << origin;
  }
}

TEST(Tokens, WhatIsNoneIsNotShown) {
  const auto error = [](std::string_view spec) {
    Tokens tokens;
    const auto added = tokens.add(Role::kRead, "k", spec, kEnvironment);
    return added ? "" : added.error().message;
  };
  EXPECT_EQ(error("hush-hush-hush-hush"),
            "k: a token itself does not belong here: sha256:… of it (vigie config --token read), ${NAME} or file:PATH");
  EXPECT_EQ(error("sha256:12"), "k: expected 64 hexadecimal digits behind sha256:");
  EXPECT_EQ(error("sha256:" + std::string(64, 'g')), "k: expected 64 hexadecimal digits behind sha256:");
  EXPECT_EQ(error("${NONE}"), "k: there is no variable NONE in the environment");
  EXPECT_EQ(error("sha256:" + std::string(64, 'a')), "");
  EXPECT_EQ(error("${TOKEN}"), "");
}

std::string settings_error(const std::string& text) {
  auto settings = config::fallbacks(serve_options());
  if (auto read = config::read_options(text, "v.yaml", serve_options(), settings); !read) return read.error().message;
  const auto read = read_settings(settings, kEnvironment);
  return read ? "" : read.error().message;
}

TEST(Settings, TheDefaultsAreThoseOfTheProgram) {
  const auto read = read_settings(config::fallbacks(serve_options()), kEnvironment);
  ASSERT_TRUE(read) << read.error().message;
  const ServiceOptions plain;
  EXPECT_EQ(read->http.host, plain.http.host);
  EXPECT_EQ(read->http.port, plain.http.port);
  EXPECT_EQ(read->http.body_limit, plain.http.body_limit);
  EXPECT_EQ(read->http.header_limit, plain.http.header_limit);
  EXPECT_EQ(read->http.connections, plain.http.connections);
  EXPECT_EQ(read->http.patience, plain.http.patience);
  EXPECT_EQ(read->limits.models, plain.limits.models);
  EXPECT_EQ(read->limits.features, plain.limits.features);
  EXPECT_EQ(read->limits.segments, plain.limits.segments);
  EXPECT_EQ(read->journal.sync, plain.journal.sync);
  EXPECT_EQ(read->journal.interval, plain.journal.interval);
  EXPECT_EQ(read->journal.keep_bytes, plain.journal.keep_bytes);
  EXPECT_EQ(read->journal.keep_age, plain.journal.keep_age);
  EXPECT_EQ(read->journal.segment_bytes, plain.journal.segment_bytes);
  EXPECT_EQ(read->journal.waiting_bytes, plain.journal.waiting_bytes);
  EXPECT_EQ(read->journal.compression, plain.journal.compression);
  EXPECT_EQ(read->keep.details, plain.keep.details);
  EXPECT_EQ(read->keep.windows, plain.keep.windows);
  EXPECT_EQ(read->keep.incidents, plain.keep.incidents);
}

TEST(Settings, NameThePlaceOfWhatCannotBe) {
  EXPECT_EQ(settings_error(""), "");
  EXPECT_EQ(settings_error("listen: 8090"),
            "v.yaml:1: listen: expected HOST:PORT, as 127.0.0.1:8090 or [::1]:0, got \"8090\"");
  EXPECT_EQ(settings_error("page: example"),
            "v.yaml:1: page: page \"example\": expected an address as https://vigie.example.org");
  EXPECT_EQ(settings_error("notify:\n  - log()\n  - slak()"),
            "v.yaml:3: notify[1]: unknown notifier \"slak\"; did you mean \"slack\"?");
  EXPECT_EQ(settings_error("notify: [log(), log()]"),
            "v.yaml:1: notify: log: two targets of that name; give one another with name=");
  EXPECT_EQ(settings_error("models:\n  credit:\n    ownr: ana"),
            "v.yaml:3: models.credit: unknown key \"ownr\"; did you mean \"owner\"?");
  EXPECT_EQ(
      settings_error("models:\n  credit:\n    monitors:\n      - {what: psy}"),
      "v.yaml:4: models.credit: monitors[0].what: unknown metric, check or method \"psy\"; did you mean \"psi\"?");
  EXPECT_EQ(settings_error("limits: {models: 1}\nmodels: {a: , b: }"),
            "v.yaml:2: models: 2 are more than limits.models, 1");
  EXPECT_EQ(settings_error("listen: '[::]:1'\nbehind_proxy: true"),
            "v.yaml:1: listen: [::]:1 is open to others, and that takes tokens (vigie config --token admin makes one)");
  EXPECT_EQ(settings_error("listen: '[::]:1'\nbehind_proxy: true\ntokens: {admin: '${TOKEN}'}"), "");
}

TEST(Settings, TheDefaultFileAndTheSchemaAreWhatTheTableSays) {
  const auto file = config::default_file(serve_options(), "x");
  EXPECT_EQ(settings_error(file), "") << file;
  const auto schema = nlohmann::json::parse(settings_schema());
  for (const auto& option : serve_options()) {
    auto at = schema;
    std::string name(option.name);
    for (auto dot = name.find('.'); dot != name.npos; dot = name.find('.'))
      at = at["properties"][name.substr(0, dot)], name.erase(0, dot + 1);
    EXPECT_TRUE(at["properties"].contains(name)) << option.name;
    EXPECT_FALSE(option.doc.empty()) << option.name;
  }
  EXPECT_TRUE(schema["$defs"]["ModelConfig"]["properties"].contains("owner"));
}

TEST(Admission, SaysWhatToDo) {
  engine::Profile reference;
  reference.columns.resize(3);
  reference.columns[2].role = engine::Role::kPrediction;
  reference.segments = {{"a", "b"}, {"x", "y", "z"}};
  EXPECT_TRUE(admit(reference, {.features = 2, .segments = 5}));
  EXPECT_EQ(admit(reference, {.features = 1}).error().message,
            "the reference has 2 features, and 1 are admitted: name those that matter in roles.features of PUT, or "
            "raise limits.features");
  EXPECT_EQ(admit(reference, {.segments = 4}).error().message,
            "the reference has 5 segments, and 4 are admitted: segment it by less, or raise limits.segments");
  ModelConfig model;
  model.segments = {{"a"}, {"b"}};
  EXPECT_FALSE(admit(model, {.segments = 1}));
}

TEST(Metrics, AreAsBothFormatsWantThem) {
  Exposition text(false), open(true);
  for (auto* out : {&text, &open}) {
    out->counter("vigie_x", "A \\ and\na break.");
    out->sample(3, {{"model", "a\"b\\c\n"}, {"k", "v"}});
    out->gauge("vigie_y", "Y.");
    out->sample(0.25);
  }
  EXPECT_EQ(
      text.take(),
      "# HELP vigie_x_total A \\\\ and\\na break.\n# TYPE vigie_x_total counter\n"
      "vigie_x_total{model=\"a\\\"b\\\\c\\n\",k=\"v\"} 3\n# HELP vigie_y Y.\n# TYPE vigie_y gauge\nvigie_y 0.25\n");
  EXPECT_EQ(open.take(),
            "# HELP vigie_x A \\\\ and\\na break.\n# TYPE vigie_x counter\n"
            "vigie_x_total{model=\"a\\\"b\\\\c\\n\",k=\"v\"} 3\n# HELP vigie_y Y.\n# TYPE vigie_y gauge\nvigie_y "
            "0.25\n# EOF\n");
}

TEST(Metrics, AnAcceptHeaderChooses) {
  EXPECT_TRUE(
      wants_open_metrics("application/openmetrics-text;version=1.0.0,application/"
                         "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  EXPECT_TRUE(wants_open_metrics("application/openmetrics-text; version=1.0.0; charset=utf-8"));
  EXPECT_FALSE(wants_open_metrics(""));
  EXPECT_FALSE(wants_open_metrics("*/*"));
  EXPECT_FALSE(wants_open_metrics("text/plain, application/openmetrics-text;q=0.5"));
  EXPECT_FALSE(wants_open_metrics("application/openmetrics-text;version=0.0.1"));
  EXPECT_FALSE(wants_open_metrics("application/openmetrics-text;q=0"));
}

TEST(Follower, KnowsHowFarBehindItIs) {
  Folder folder;
  Back back(folder.path);
  back.follower->start();
  EXPECT_EQ(back.add(R"([{"id":"a"},{"id":"a"},{}])"), "1 accepted, 1 there; 2: \"id\" is missing");
  while (back.follower->lag().records > 0) std::this_thread::yield();
  EXPECT_EQ(back.follower->lag().micros, 0);
  const auto counts = back.ingest->counts()[Ingest::kPredictions];
  EXPECT_EQ(fmt::format("{} {} {}", counts.accepted, counts.duplicates, counts.rejected), "1 1 1");
}

}  // namespace
}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/text.h"
#include "notify/example_test_internal.h"
#include "notify/mail_internal.h"
#include "notify/request_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;
using namespace nlohmann::literals;
constexpr Kind kKinds[] = {Kind::kOpened, Kind::kWorse, Kind::kReminder, Kind::kResolved};

const std::map<std::string, std::string>& specs() {
  static const std::map<std::string, std::string> all{
      {"webhook", "webhook(url=https://x.org/hush-hush, secret=whsec_aHVzaC1odXNoLWh1c2gtaHVzaC1odXNo)"},
      {"alertmanager", "alertmanager(url=http://x.org/hush-hush/, user=u, password=hush-hush)"},
      {"slack", "slack(url=https://x.org/hush-hush)"},
      {"teams", "teams(url=https://x.org/hush-hush?sig=hush-hush)"},
      {"pagerduty", "pagerduty(routing_key=0123456789abcdef0123456789abcdef)"},
      {"email", "email(url=smtp://x.org:587, from=a@x.org, to=\"b@x.org c@x.org\", user=u, password=hush-hush)"},
      {"log", "log()"},
      {"github", "github(repo=o/r, token=hush-hush)"},
      {"airflow", "airflow(url=http://x.org, dag=re train, token=hush-hush)"}};
  return all;
}

class NotifierConformance : public testing::TestWithParam<const Notifier*> {};

TEST_P(NotifierConformance, TheSameNoticeGivesTheSameRequest) {
  const auto t = target(specs().at(std::string(GetParam()->name)));
  for (const auto kind : kKinds)
    EXPECT_EQ(t->request(notice(kind), context()).body, t->request(notice(kind), context()).body);
}

TEST_P(NotifierConformance, SecretsAreInNoBodyAndNoPlace) {
  const auto t = target(specs().at(std::string(GetParam()->name)));
  EXPECT_EQ(t->place().find("hush"), std::string::npos) << t->place();
  for (const auto kind : kKinds) {
    const auto request = t->request(notice(kind), context());
    EXPECT_EQ(request.body.find("hush"), std::string::npos) << request.body;
    EXPECT_EQ(t->redacted(request.body).find("0123456789abcdef0123456789abcdef"), std::string::npos);
  }
}

// No name and no reason ends a header, and what is not UTF-8 is sent as if it were.
TEST_P(NotifierConformance, TakesAnyText) {
  const auto t = target(specs().at(std::string(GetParam()->name)));
  auto n = notice();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (auto* field : {&n.incident.id, &n.incident.model, &n.incident.summary, &n.incident.owner, &n.incident.runbook,
                      &n.incident.note})
    *field = bytes;
  for (auto& cause : n.incident.causes) cause.column = cause.segment = cause.what = cause.reason = bytes + bytes;
  for (const auto kind : kKinds) {
    n.kind = kind;
    const auto request = t->request(n, context());
    EXPECT_TRUE(is_utf8(request.body));
    for (const auto& [name, value] : request.headers) {
      EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << name;
      EXPECT_TRUE(value != "application/json" || Json::accept(request.body));
    }
  }
}

TEST_P(NotifierConformance, IsDescribed) {
  EXPECT_FALSE(GetParam()->summary.empty());
  for (const auto& param : GetParam()->params) EXPECT_FALSE(param.doc.empty()) << param.name;
}

INSTANTIATE_TEST_SUITE_P(All, NotifierConformance, testing::ValuesIn(notifiers().begin(), notifiers().end()),
                         [](const auto& i) { return std::string(i.param->name); });

Json body_of(const std::string& name, Kind kind, const event::Notice& n) {
  auto copy = n;
  copy.kind = kind;
  return Json::parse(target(specs().at(name))->request(copy, context()).body);
}
Json body_of(const std::string& name, Kind kind = Kind::kOpened) {
  return body_of(name, kind, notice(kind));
}

TEST(Webhook, IsAlertmanagersBody) {
  const auto firing = body_of("webhook"), over = body_of("webhook", Kind::kResolved);
  for (const auto* key : {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
                          "commonAnnotations", "externalURL", "alerts"})
    EXPECT_TRUE(firing.contains(key)) << key;
  EXPECT_EQ(firing["version"], "4");
  EXPECT_EQ(firing["status"], "firing");
  EXPECT_EQ(firing["alerts"][0]["status"], "firing");
  EXPECT_EQ(firing["alerts"][0]["startsAt"], "2026-11-27T02:00:00Z");
  EXPECT_EQ(firing["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
  EXPECT_EQ(over["status"], "resolved");
  EXPECT_EQ(over["alerts"][0]["endsAt"], "2026-11-27T05:00:00Z");
  EXPECT_EQ(firing["alerts"][0]["fingerprint"], over["alerts"][0]["fingerprint"]);
  EXPECT_EQ(firing["incident"]["causes"].size(), 5U);
}

TEST(Webhook, IsSignedUnderOneIdHoweverOftenItIsSent) {
  const auto t = target(specs().at("webhook"));
  auto later = context();
  later.now += kHour;
  const auto a = t->request(notice(), context()), b = t->request(notice(), later);
  EXPECT_EQ(header(a, "webhook-timestamp"), "1795755600");
  EXPECT_EQ(header(a, "webhook-id"), header(b, "webhook-id"));
  EXPECT_NE(header(a, "webhook-signature"), header(b, "webhook-signature"));
  later.number = 8;
  EXPECT_NE(header(a, "webhook-id"), header(t->request(notice(), later), "webhook-id"));
  EXPECT_EQ(header(a, "webhook-id").find_first_not_of("msg_0123456789abcdef"), std::string::npos);
}

// RFC 4231, test case 2, and RFC 4648.
TEST(Signature, IsThatOfTheStandards) {
  std::string hex;
  for (const unsigned char c : signature("Jefe", "what do ya want for nothing?"))
    hex += "0123456789abcdef"[c >> 4], hex += "0123456789abcdef"[c & 15];
  EXPECT_EQ(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  for (const std::string text : {"f", "fo", "foo", "foob"}) EXPECT_EQ(from_base64(base64(text)), text);
  EXPECT_EQ(base64(""), "");
  for (const auto* wrong : {"", "Zg=", "Z*==", "Zm9v\n"}) EXPECT_FALSE(from_base64(wrong)) << wrong;
}

TEST(AlertmanagerApi, AnAlertIsItsLabels) {
  const auto opened = body_of("alertmanager"), worse = body_of("alertmanager", Kind::kWorse),
             over = body_of("alertmanager", Kind::kResolved);
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0]["labels"], over[0]["labels"]);
  EXPECT_EQ(opened[0]["labels"].size(), 4U);
  EXPECT_EQ(opened[0]["endsAt"], "2026-12-04T05:00:00Z");
  EXPECT_EQ(over[0]["endsAt"], "2026-11-27T05:00:00Z");
  ASSERT_EQ(worse.size(), 2U);
  EXPECT_EQ(worse[0]["labels"], opened[0]["labels"]);
  EXPECT_EQ(worse[1]["labels"]["severity"], "warning");
  EXPECT_EQ(worse[1]["endsAt"], "2026-11-27T05:00:00Z");
  EXPECT_EQ(target(specs().at("alertmanager"))->request(notice(), context()).url,
            "http://x.org/hush-hush/api/v2/alerts");
  EXPECT_EQ(header(target(specs().at("alertmanager"))->request(notice(), context()), "Authorization"),
            "Basic dTpodXNoLWh1c2g=");
}

event::Notice long_notice() {
  auto out = notice();
  out.incident.causes.resize(40, out.incident.causes.front());
  for (auto& cause : out.incident.causes) cause.reason.assign(5000, 'x'), cause.column.assign(5000, 'c');
  out.incident.summary.assign(5000, 's'), out.incident.model.assign(5000, 'm'), out.incident.note.assign(5000, 'n');
  return out;
}

// Block Kit: header and section texts of 3000 characters, 10 fields of 2000, 50 blocks.
TEST(Slack, KeepsToItsLimits) {
  for (const auto kind : kKinds) {
    const auto body = body_of("slack", kind, long_notice());
    EXPECT_LE(body["text"].get<std::string>().size(), 4000U);
    for (const auto& block : body["attachments"][0]["blocks"]) {
      EXPECT_LE(block.value("/text/text"_json_pointer, "").size(), 3000U);
      EXPECT_LE(block.value("fields", Json::array()).size(), 10U);
    }
  }
}

TEST(Slack, NobodyIsCalledByAName) {
  const auto body = body_of("slack");
  EXPECT_EQ(body["text"], "CRITICAL credit &lt;b&gt;&amp;\"é: \"age\" moved by 0.4 sd, &lt;!channel&gt;");
  EXPECT_EQ(body["attachments"][0]["blocks"][0]["text"]["type"], "plain_text");
  EXPECT_EQ(body["attachments"][0]["blocks"][2]["text"]["text"],
            "<https://wiki.example.org/credit?a=1&amp;b=2|Runbook> · "
            "<https://vigie.example.org/#credit%2F%C3%A9-20261127T020000Z|Details>");
}

TEST(Teams, IsACardBelow28KiB) {
  for (const auto kind : kKinds) {
    const auto body = body_of("teams", kind, long_notice());
    EXPECT_EQ(body["type"], "message");
    EXPECT_EQ(body["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    const auto& card = body["attachments"][0]["content"];
    EXPECT_EQ(card["type"], "AdaptiveCard");
    EXPECT_EQ(card["version"], "1.4");
    for (const auto& element : card["body"]) EXPECT_EQ(element["type"], "RichTextBlock");
    EXPECT_LE(body.dump().size(), 28U * 1024);
  }
  EXPECT_EQ(body_of("teams")["attachments"][0]["content"]["actions"].size(), 2U);
}

TEST(PagerDuty, OneIncidentIsOneAlert) {
  EXPECT_EQ(body_of("pagerduty")["event_action"], "trigger");
  EXPECT_EQ(body_of("pagerduty", Kind::kWorse)["event_action"], "trigger");
  EXPECT_EQ(body_of("pagerduty", Kind::kResolved)["event_action"], "resolve");
  auto seen = notice();
  seen.incident.state = event::Incident::State::kAcknowledged;
  EXPECT_EQ(body_of("pagerduty", Kind::kReminder, seen)["event_action"], "acknowledge");
  EXPECT_EQ(body_of("pagerduty")["dedup_key"], body_of("pagerduty", Kind::kResolved)["dedup_key"]);
  for (const auto kind : kKinds) {
    const auto body = body_of("pagerduty", kind, long_notice());
    EXPECT_LE(body["dedup_key"].get<std::string>().size(), 255U);
    EXPECT_LE(body["payload"]["summary"].get<std::string>().size(), 1024U);
    EXPECT_EQ(body["payload"]["severity"], "critical");
    EXPECT_FALSE(body["payload"]["source"].get<std::string>().empty());
    EXPECT_LE(body.dump().size(), 512U * 1024);
  }
}

TEST(Email, IsAMessage) {
  const auto t = target(specs().at("email"));
  const auto first = t->request(notice(), context()), last = t->request(notice(Kind::kResolved), context());
  EXPECT_EQ(first.to, (std::vector<std::string>{"b@x.org", "c@x.org"}));
  EXPECT_EQ(first.tls, http::Request::Tls::kRequired);
  const auto head = first.body.substr(0, first.body.find("\r\n\r\n"));
  EXPECT_TRUE(head.starts_with("From: vigie <a@x.org>\r\nTo: b@x.org,\r\n c@x.org\r\nSubject: =?utf-8?B?Q1JJVElDQUwg"))
      << head;
  EXPECT_NE(head.find("\r\nDate: Fri, 27 Nov 2026 05:00:00 +0000\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nImportance: high\r\n"), std::string::npos);
  const auto id = head.substr(head.find("Message-ID: ") + 12, 32 + 8);
  EXPECT_NE(last.body.find("\r\nIn-Reply-To: " + id + "\r\n"), std::string::npos) << id << last.body;
  for (std::size_t at = 0, end; (end = first.body.find('\n', at)) != std::string::npos; at = end + 1) {
    EXPECT_EQ(first.body[end - 1], '\r');
    EXPECT_LE(end - at, 79U);
  }
}

TEST(Email, WordsOfAHeaderAreCutBetweenCharacters) {
  EXPECT_EQ(header_words("plain"), "plain");
  EXPECT_EQ(header_words("=?utf-8?B?eA==?="), "=?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?=");
  std::string all;
  for (int i = 0; i < 40; ++i) all += "€";
  EXPECT_EQ(header_words(all), "=?utf-8?B?" + base64(all.substr(0, 39)) + "?=\r\n =?utf-8?B?" +
                                   base64(all.substr(39, 39)) + "?=\r\n =?utf-8?B?" + base64(all.substr(78, 39)) +
                                   "?=\r\n =?utf-8?B?" + base64(all.substr(117)) + "?=");
  EXPECT_EQ(html_escaped("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
}

TEST(GitHub, HasAtMostTenKeys) {
  const auto body = body_of("github");
  EXPECT_EQ(body["event_type"], "vigie-drift");
  EXPECT_LE(body["client_payload"].size(), 10U);
  const auto request = target(specs().at("github"))->request(notice(), context());
  EXPECT_EQ(request.url, "https://api.github.com/repos/o/r/dispatches");
  EXPECT_EQ(header(request, "Authorization"), "Bearer hush-hush");
}

TEST(Airflow, RunsOnceForAnIncident) {
  const auto t = target(specs().at("airflow"));
  EXPECT_EQ(t->request(notice(), context()).url, "http://x.org/api/v2/dags/re%20train/dagRuns");
  EXPECT_EQ(body_of("airflow")["dag_run_id"], body_of("airflow", Kind::kWorse)["dag_run_id"]);
  EXPECT_TRUE(body_of("airflow")["logical_date"].is_null());
  const auto old = target("airflow(url=http://x.org, dag=d, api=v1, user=u, password=p)")->request(notice(), context());
  EXPECT_EQ(old.url, "http://x.org/api/v1/dags/d/dagRuns");
  EXPECT_FALSE(Json::parse(old.body).contains("logical_date"));
}

}  // namespace
}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "notify/example_test_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;

std::string error_of(const std::string& spec) {
  const auto made = make_target(spec, [](const std::string&) { return std::nullopt; });
  if (made) return "";
  EXPECT_EQ(made.error().code, Code::kUsage);
  return made.error().message;
}

TEST(MakeTarget, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("slak(url=https://x.org/secret)"), "unknown notifier \"slak\"; did you mean \"slack\"?");
  EXPECT_EQ(error_of("https://x.org/secret"),
            "unknown notifier \"https\" (webhook, alertmanager, slack, teams, pagerduty, email, log, github, airflow)");
  EXPECT_EQ(error_of("slack(ulr=https://x.org/secret)"), "slack: unknown parameter \"ulr\"; did you mean \"url\"?");
  EXPECT_EQ(error_of("slack()"),
            "slack: url is missing: address of an incoming webhook, https://hooks.slack.com/services/…");
  EXPECT_EQ(error_of("slack"), error_of("slack()"));
  EXPECT_EQ(error_of("slack(https://x.org/secret)"), "slack: expected slack(url=…)");
  EXPECT_EQ(error_of("slack(url=https://x.org/secret"), "slack: the last bracket is missing");
  EXPECT_EQ(error_of("slack(url=\"https://x.org/secret)"), "slack: the last quote is missing");
  EXPECT_EQ(error_of("slack(url=ftp://x.org/secret)"),
            "slack.url: expected an address that begins with https:// or http://");
  EXPECT_EQ(error_of("slack(url=https://x.org/secret, url=https://x.org/other)"), "slack.url: given twice");
  EXPECT_EQ(error_of("slack(url=https://x.org, severity=grave)"),
            "slack.severity: expected warning or critical, got \"grave\"");
  EXPECT_EQ(error_of("slack(url=https://x.org, per_minute=0)"), "slack.per_minute: expected 0.1..6000, got \"0\"");
  EXPECT_EQ(error_of("slack(url=https://x.org, name=a b)"),
            "slack.name: expected letters, digits, - _ and ., got \"a b\"");
  EXPECT_EQ(error_of("slack(url=${SECRET})"), "slack.url: there is no variable SECRET in the environment");
  EXPECT_EQ(error_of("slack(url=${SECRET)"), "slack.url: ${ without a }");
  EXPECT_EQ(error_of("slack(url=file:/nowhere/key)").substr(0, 24), "slack.url: /nowhere/key:");
  EXPECT_EQ(error_of("slack(url=https://x.org/\r\nX: y)"), "slack.url: holds a control character, or is no UTF-8");
  EXPECT_EQ(error_of("webhook(url=https://x.org, user=a, token=t)"), "webhook: token and user exclude each other");
  EXPECT_EQ(error_of("webhook(url=https://x.org, secret=whsec_dG9vIHNob3J0)"),
            "webhook.secret: expected whsec_ and 24 to 64 bytes in base64 (openssl rand -base64 32)");
  EXPECT_EQ(error_of("pagerduty(routing_key=tooshort)"),
            "pagerduty.routing_key: expected 32 letters and digits (the integration key of Events API v2)");
  EXPECT_EQ(error_of("email(url=mail:25, from=a@x.org, to=b@x.org)"),
            "email.url: expected smtp://HOST:PORT or smtps://HOST:PORT");
  EXPECT_EQ(error_of("email(url=smtp://mail, from=a@x.org, to=\"b@x.org, bob\")"),
            "email.to: \"bob\" is no mail address");
  EXPECT_EQ(error_of("email(url=smtp://mail, from=a@x.org, to=\",\")"), "email.to: holds no address");
  EXPECT_EQ(error_of("email(url=smtp://mail, from=a@x.org, to=b@x.org, tls=no)"),
            "email.tls: expected required, optional or never, got \"no\"");
  EXPECT_EQ(error_of("alertmanager(url=http://am, hold=0)"), "alertmanager.hold: expected 1..8760, got \"0\"");
  EXPECT_EQ(error_of("github(repo=x, token=t)"), "github.repo: expected OWNER/NAME");
  EXPECT_EQ(error_of("airflow(url=http://a, dag=d, api=v3)"), "airflow.api: expected v2 or v1, got \"v3\"");
  EXPECT_EQ(error_of("log(format=xml)"), "log.format: expected text or json, got \"xml\"");
}

TEST(MakeTarget, SecretsComeFromTheEnvironmentOrAFile) {
  const auto path = std::filesystem::temp_directory_path() / "vigie-make-target-test";
  ASSERT_TRUE(write_file(path.string(), "/services/from-a-file\nsecond line\n"));
  const auto a = target("pagerduty(routing_key=${KEY})");
  EXPECT_NE(a->request(notice(), context()).body.find("\"0123456789abcdef0123456789abcdef\""), std::string::npos);
  const auto b = target("webhook(url=https://x.org/a-${KEY}/b, token=file:" + path.string() + ")");
  EXPECT_EQ(b->request(notice(), context()).url, "https://x.org/a-0123456789abcdef0123456789abcdef/b");
  EXPECT_EQ(header(b->request(notice(), context()), "Authorization"), "Bearer /services/from-a-file");
  std::filesystem::remove(path);
}

TEST(Target, WantsWhatIsForIt) {
  const auto all = target("log()"), critical = target("log(severity=critical)");
  const auto some = target("log(models=\"fraud-* credi?\", name=some)"), trigger = target("github(repo=a/b, token=t)");
  auto n = notice();
  n.incident.model = "credit";
  EXPECT_EQ(all->name(), "log");
  EXPECT_EQ(some->name(), "some");
  EXPECT_TRUE(all->wants(n) && critical->wants(n) && some->wants(n) && trigger->wants(n));
  n.incident.model = "churn";
  EXPECT_FALSE(some->wants(n));
  n.incident.model = "fraud-eu";
  EXPECT_TRUE(some->wants(n));
  n.incident.severity = event::Severity::kWarning;
  EXPECT_TRUE(all->wants(n));
  EXPECT_FALSE(critical->wants(n) || trigger->wants(n));
  n.incident.severity = event::Severity::kCritical, n.kind = Kind::kWorse;
  EXPECT_TRUE(trigger->wants(n));
  for (const auto kind : {Kind::kReminder, Kind::kResolved}) {
    n.kind = kind;
    EXPECT_TRUE(all->wants(n));
    EXPECT_FALSE(trigger->wants(n));
  }
}

TEST(Target, JudgesAnAnswer) {
  const auto slack = target("slack(url=https://hooks.example.org/services/secret)");
  const auto judged = [&](unsigned status, std::string body = "", const std::string& wait = "") {
    http::Answer answer{status, std::move(body), {}};
    if (!wait.empty()) answer.headers.emplace_back("retry-after", wait);
    return slack->judge(answer);
  };
  using enum Outcome::Kind;
  EXPECT_EQ(judged(200, "ok").kind, kSent);
  EXPECT_EQ(judged(200, "ok").what, "https://hooks.example.org: 200: ok");
  EXPECT_EQ(judged(202).kind, kSent);
  for (const unsigned status : {408U, 425U, 429U, 500U, 503U}) EXPECT_EQ(judged(status).kind, kLater) << status;
  for (const unsigned status : {301U, 400U, 401U, 403U, 404U, 410U, 422U})
    EXPECT_EQ(judged(status).kind, kRefused) << status;
  EXPECT_EQ(judged(429, "", "30").retry_after, 30'000'000);
  EXPECT_EQ(judged(429, "", "99999999").retry_after, 86'400'000'000);
  EXPECT_EQ(judged(404, "no /services/secret here\r\n").what, "https://hooks.example.org: 404: no *** here");
  EXPECT_EQ(judged(502, "<html>…").what, "https://hooks.example.org: 502");
  EXPECT_EQ(slack->judge(fail(Code::kUnavailable, "x")).kind, kLater);
  EXPECT_FALSE(slack->judge(fail(Code::kUnavailable, "x")).reached);
  EXPECT_EQ(slack->judge(fail(Code::kUsage, "x")).kind, kRefused);
  const auto mail = target("email(url=smtp://mail.example.org, from=a@x.org, to=b@x.org)");
  EXPECT_EQ(mail->judge(http::Answer{250, "", {}}).kind, kSent);
  EXPECT_EQ(mail->judge(http::Answer{451, "451 later", {}}).kind, kLater);
  EXPECT_EQ(mail->judge(http::Answer{550, "550 no such user", {}}).kind, kRefused);
  EXPECT_EQ(target("airflow(url=http://a, dag=d, token=t)")->judge(http::Answer{409, "", {}}).kind, kSent);
}

}  // namespace
}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/iso_time.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;

constexpr Param kParams[] = {
    {.name = "routing_key",
     .doc = "integration key of the service, 32 letters and digits",
     .required = true,
     .secret = true},
    {.name = "url",
     .fallback = "https://events.pagerduty.com/v2/enqueue",
     .doc = "of Europe: https://events.eu.pagerduty.com/v2/enqueue"},
};

Status check(const Settings& settings) {
  VIGIE_TRY(check_url("pagerduty", settings));
  const auto& key = settings["routing_key"];
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  if (key.size() == 32 && std::all_of(key.begin(), key.end(), fits)) return {};
  return fail(Code::kUsage,
              "pagerduty.routing_key: expected 32 letters and digits (the integration key of Events API v2)");
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const bool seen = notice.kind == Kind::kReminder && incident.state == event::Incident::State::kAcknowledged;
  Json body{{"routing_key", settings["routing_key"]},
            {"event_action", notice.kind == Kind::kResolved ? "resolve"
                             : seen                         ? "acknowledge"
                                                            : "trigger"},
            {"dedup_key", "vigie-" + fingerprint({incident.id})}};
  const auto text = text_of(notice, context);
  auto details = Json::object();
  for (std::size_t i = 0; i < text.causes.size(); ++i) details["cause " + std::to_string(i + 1)] = text.causes[i];
  for (const auto& fact : text.facts) details[fact.name] = fact.value;
  if (!text.command.empty()) details[text.next] = text.command;
  body["payload"] = {{"summary", one_line(text.headline, 1024)},
                     {"source", one_line(incident.model, 200)},
                     {"severity", to_string(incident.severity)},
                     {"timestamp", iso_time(static_cast<double>(incident.since))},
                     {"component", one_line(incident.model, 200)},
                     {"group", "models"},
                     {"class", incident.causes.empty() ? "incident" : one_line(incident.causes.front().what, 200)},
                     {"custom_details", details}};
  body["client"] = "vigie";
  if (const auto page = page_of(incident, context); !page.empty()) body["client_url"] = page;
  for (const auto& link : text.links) body["links"].push_back({{"href", link.value}, {"text", link.name}});
  return post(settings["url"], body);
}

}  // namespace

constinit const Notifier pagerduty{.name = "pagerduty",
                                   .summary = "An incident in PagerDuty, that ends with vigie's",
                                   .reference = "PagerDuty Events API v2",
                                   .params = kParams,
                                   .request = request,
                                   .check = check,
                                   .keeps = true};

}  // namespace vigie::notify

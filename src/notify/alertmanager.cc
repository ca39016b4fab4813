// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>

#include "base/iso_time.h"
#include "base/text.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "Alertmanager's address, as http://127.0.0.1:9093", .required = true, .secret = true},
    {.name = "hold",
     .fallback = "168",
     .doc = "hours after which it takes an incident as over that it hears no more of, 1 to 8760"},
    VIGIE_LOGIN_PARAMS,
};

double hold_of(const Settings& settings) {
  const auto& text = settings["hold"];
  double hours = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  return error == std::errc() && end == text.data() + text.size() ? hours : 0;
}

Status check(const Settings& settings) {
  VIGIE_TRY(check_url("alertmanager", settings));
  VIGIE_TRY(check_login("alertmanager", settings));
  if (const double hours = hold_of(settings); hours >= 1 && hours <= 8760) return {};
  return fail(Code::kUsage,
              fmt::format("alertmanager.hold: expected 1..8760, got {}", vigie::quoted(settings["hold"])));
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const bool over = notice.kind == event::Notice::Kind::kResolved;
  const auto now = static_cast<double>(context.now);
  Json alert{{"labels", labels_of(incident)},
             {"annotations", annotations_of(notice, context)},
             {"startsAt", iso_time(static_cast<double>(incident.since))},
             {"endsAt", iso_time(over ? now : now + hold_of(settings) * 3.6e9)}};
  if (const auto page = page_of(incident, context); !page.empty()) alert["generatorURL"] = page;
  auto alerts = Json::array({alert});
  // An alert is its labels, and the severity is one, for the routes: that of a warning that grew is over.
  if (incident.severity == event::Severity::kCritical && notice.kind == event::Notice::Kind::kWorse) {
    alert["labels"]["severity"] = to_string(event::Severity::kWarning);
    alert["endsAt"] = iso_time(now);
    alerts.push_back(alert);
  }
  auto out = post(joined(settings["url"], "/api/v2/alerts"), alerts);
  authorize(out, settings);
  return out;
}

}  // namespace

constinit const Notifier alertmanager{.name = "alertmanager",
                                      .summary = "An alert for each incident in Prometheus' Alertmanager",
                                      .reference = "Alertmanager API v2",
                                      .params = kParams,
                                      .request = request,
                                      .check = check,
                                      .keeps = true};

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/iso_time.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "address that takes a POST", .required = true, .secret = true},
    {.name = "secret", .doc = "signs by Standard Webhooks: whsec_ and 24 to 64 bytes in base64", .secret = true},
    VIGIE_LOGIN_PARAMS,
};

std::optional<std::string> key_of(const Settings& settings) {
  std::string_view secret = settings["secret"];
  if (secret.starts_with("whsec_")) secret.remove_prefix(6);
  return from_base64(secret);
}

Status check(const Settings& settings) {
  VIGIE_TRY(check_url("webhook", settings));
  VIGIE_TRY(check_login("webhook", settings));
  if (settings["secret"].empty()) return {};
  const auto key = key_of(settings);
  if (key && key->size() >= 24 && key->size() <= 64) return {};
  return fail(Code::kUsage, "webhook.secret: expected whsec_ and 24 to 64 bytes in base64 (openssl rand -base64 32)");
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const bool over = notice.kind == event::Notice::Kind::kResolved;
  const auto status = over ? "resolved" : "firing";
  const auto labels = labels_of(incident), annotations = annotations_of(notice, context);
  const Json alert{
      {"status", status},
      {"labels", labels},
      {"annotations", annotations},
      {"startsAt", iso_time(static_cast<double>(incident.since))},
      {"endsAt", over ? iso_time(static_cast<double>(incident.resolved)) : "0001-01-01T00:00:00Z"},
      {"generatorURL", page_of(incident, context)},
      {"fingerprint", fingerprint({incident.id}).substr(0, 16)},
  };
  const Json group{{"alertname", labels["alertname"]}, {"model", labels["model"]}};
  const Json body{
      {"version", "4"},
      {"groupKey", fmt::format("{{}}:{{alertname={}, model={}}}", group["alertname"].dump(), group["model"].dump())},
      {"truncatedAlerts", 0},
      {"status", status},
      {"receiver", settings["name"]},
      {"groupLabels", group},
      {"commonLabels", labels},
      {"commonAnnotations", annotations},
      {"externalURL", context.page},
      {"alerts", Json::array({alert})},
      {"notice", to_string(notice.kind)},
      {"incident", Json::parse(event::to_json(incident))},
  };
  auto out = post(settings["url"], body);
  authorize(out, settings);
  const auto id = "msg_" + fingerprint({incident.id, to_string(notice.kind), std::to_string(context.number)});
  const auto time = std::to_string(context.now / 1'000'000);
  out.headers.emplace_back("webhook-id", id);
  out.headers.emplace_back("webhook-timestamp", time);
  if (const auto key = key_of(settings))
    out.headers.emplace_back("webhook-signature",
                             "v1," + base64(signature(*key, fmt::format("{}.{}.{}", id, time, out.body))));
  return out;
}

}  // namespace

constinit const Notifier webhook{.name = "webhook",
                                 .summary = "A POST of JSON in the form of Alertmanager's webhooks, signed if wanted",
                                 .reference = "Alertmanager webhook version 4; Standard Webhooks 1.0",
                                 .params = kParams,
                                 .request = request,
                                 .check = check,
                                 .keeps = true};

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/iso_time.h"
#include "base/text.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "Airflow's address", .required = true, .secret = true},
    {.name = "dag", .doc = "the DAG that retrains a model", .required = true},
    {.name = "api", .fallback = "v2", .doc = "v2 of Airflow 3, with a token, or v1 of Airflow 2"},
    VIGIE_LOGIN_PARAMS,
};

Status check(const Settings& settings) {
  VIGIE_TRY(check_url("airflow", settings));
  VIGIE_TRY(check_login("airflow", settings));
  const auto& api = settings["api"];
  if (api == "v1" || api == "v2") return {};
  return fail(Code::kUsage, fmt::format("airflow.api: expected v2 or v1, got {}", vigie::quoted(api)));
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const auto text = text_of(notice, context);
  // One run an incident: Airflow answers 409 to a second of that id.
  Json body{{"dag_run_id", "vigie__" + fingerprint({incident.id})},
            {"conf",
             {{"model", one_line(incident.model, 200)},
              {"incident", one_line(incident.id, 300)},
              {"severity", to_string(incident.severity)},
              {"summary", text.headline},
              {"causes", text.causes},
              {"since", iso_time(static_cast<double>(incident.since))},
              {"page", page_of(incident, context)}}}};
  if (settings["api"] == "v2") body["logical_date"] = nullptr;
  auto out = post(
      joined(settings["url"], fmt::format("/api/{}/dags/{}/dagRuns", settings["api"], url_encoded(settings["dag"]))),
      body);
  authorize(out, settings);
  return out;
}

}  // namespace

constinit const Notifier airflow{.name = "airflow",
                                 .summary = "Starts a run of an Airflow DAG that retrains a model, one an incident",
                                 .reference = "Airflow REST API, dagRuns",
                                 .params = kParams,
                                 .request = request,
                                 .check = check,
                                 .trigger = true,
                                 .done_already = 409};

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/iso_time.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "repo", .doc = "OWNER/NAME of the repository", .required = true},
    {.name = "token", .doc = "a token that may write the repository's contents", .required = true, .secret = true},
    {.name = "event",
     .fallback = "vigie-drift",
     .doc = "type of the event, as a workflow's repository_dispatch names it"},
    {.name = "url", .fallback = "https://api.github.com", .doc = "of GitHub Enterprise: https://HOST/api/v3"},
};

Status check(const Settings& settings) {
  VIGIE_TRY(check_url("github", settings));
  const auto& repo = settings["repo"];
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/';
  };
  const auto slash = repo.find('/');
  if (slash == 0 || slash == repo.npos || slash + 1 == repo.size() || std::count(repo.begin(), repo.end(), '/') != 1 ||
      !std::all_of(repo.begin(), repo.end(), fits))
    return fail(Code::kUsage, "github.repo: expected OWNER/NAME");
  if (settings["event"].empty() || settings["event"].size() > 100)
    return fail(Code::kUsage, "github.event: expected 1 to 100 characters");
  return {};
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const auto text = text_of(notice, context);
  // Of at most ten keys.
  Json payload{{"model", one_line(incident.model, 200)},
               {"incident", one_line(incident.id, 300)},
               {"severity", to_string(incident.severity)},
               {"summary", text.headline},
               {"causes", text.causes},
               {"since", iso_time(static_cast<double>(incident.since))},
               {"page", page_of(incident, context)}};
  auto out = post(joined(settings["url"], "/repos/" + settings["repo"] + "/dispatches"),
                  {{"event_type", one_line(settings["event"], 100)}, {"client_payload", payload}});
  out.headers.emplace_back("Accept", "application/vnd.github+json");
  out.headers.emplace_back("X-GitHub-Api-Version", "2022-11-28");
  out.headers.emplace_back("Authorization", "Bearer " + settings["token"]);
  return out;
}

}  // namespace

constinit const Notifier github{.name = "github",
                                .summary = "Starts the workflows of a repository on GitHub that retrain a model",
                                .reference = "GitHub REST API, repository_dispatch",
                                .params = kParams,
                                .request = request,
                                .check = check,
                                .trigger = true};

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include "server/notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/iso_time.h"
#include "base/text.h"
#include "server/answers.h"
#include "server/said_internal.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;
using Fate = store::Store::Fate;

constexpr std::array<std::string_view, 3> kStates{"waiting", "sent", "given_up"};  // by Fate

Json json_of(const store::Store::Told& told) {
  const auto& [item, fate, why] = told;
  const auto& incident = item.notice.incident;
  const auto time = iso_time(static_cast<double>(item.due));
  const auto at = item.due == 0 ? Json() : Json(time);
  Json out{{"id", item.id},
           {"target", item.target},
           {"state", kStates.at(static_cast<std::size_t>(fate))},
           {"notice", to_string(item.notice.kind)},
           {"incident", incident.id},
           {"model", incident.model},
           {"summary", incident.summary},
           {"attempts", item.attempts},
           {"why", why.empty() ? Json() : Json(why)}};
  out[fate == Fate::kWaiting ? "due" : "ended"] = at;
  return out;
}

}  // namespace

Reply list_notices(const Request& request, const store::Store& store) {
  const auto asked = Parameters::read(request, {"state", "limit", "after"}, 100);
  if (!asked) return refuse(asked.error(), "query");
  std::optional<Fate> fate;
  if (const auto& state = (*asked)["state"]; asked->has("state")) {
    const auto* at = std::ranges::find(kStates, state);
    if (at == kStates.end())
      return refuse(400,
                    "state: " + unknown_name("state", state, std::vector<std::string>(kStates.begin(), kStates.end())),
                    "query");
    fate = static_cast<Fate>(at - kStates.begin());
  }
  auto below = std::numeric_limits<std::int64_t>::max();
  if (asked->has("after")) {
    const auto after = whole_number("after", (*asked)["after"]);
    if (!after) return refuse(after.error(), "query");
    below = *after;
  }
  const auto found = store.notices(fate, below, asked->most);
  if (!found) return refuse(found.error(), "store");
  Json out = Json::array();
  for (const auto& told : *found) out.push_back(json_of(told));
  auto reply = reply_of(200, out);
  if (found->size() == asked->most) asked->link_next(reply, std::to_string(found->back().item.id));
  return reply;
}

Reply resend_notice(const Request& request, store::Store& store, std::span<const std::string> targets,
                    std::int64_t now) {
  std::string by, note;
  if (!request.body.empty()) {
    const auto said = said::object_of(request.body, "body");
    if (!said) return refuse(said.error(), "body");
    for (const auto& read :
         {said::known(*said, "", {"by", "note"}), said::take(*said, "by", "", by), said::take(*said, "note", "", note)})
      if (!read) return refuse(read.error(), "body");
  }
  const auto id = whole_number("id", request.path[2]);
  if (!id) return refuse(id.error(), "path");
  const auto none = [&] { return refuse(404, fmt::format("there is no notice {}", *id), "path"); };
  if (*id == std::numeric_limits<std::int64_t>::max()) return none();
  const auto found = store.notices({}, *id + 1, 1);
  if (!found) return refuse(found.error(), "store");
  if (found->empty() || found->front().item.id != *id) return none();
  const auto& told = found->front();
  const auto& item = told.item;
  const auto not_now = [&] { return refuse(409, fmt::format("notice {} is none that was given up", *id), "path"); };
  if (told.fate != Fate::kGivenUp) return not_now();
  if (std::ranges::find(targets, item.target) == targets.end())
    return refuse(409, fmt::format("there is no target {}", vigie::quoted(item.target)), "path");
  const Json details{{"incident", item.notice.incident.id},
                     {"notice", to_string(item.notice.kind)},
                     {"target", item.target},
                     {"note", note.empty() ? Json() : Json(note)}};
  const event::AuditEntry entry{.time = now,
                                .happened = event::Happened::kNoticeResent,
                                .model = item.notice.incident.model,
                                .by = by,
                                .details = details.dump(-1, ' ', false, Json::error_handler_t::replace),
                                .key = fmt::format("resent {} {}", *id, now)};
  const auto again = store.resend(*id, std::span(&entry, 1));
  if (!again) return refuse(again.error(), "store");
  if (!*again) return not_now();
  return reply_of(202, {{"accepted", true}, {"target", item.target}, {"incident", item.notice.incident.id}});
}

}  // namespace vigie::server

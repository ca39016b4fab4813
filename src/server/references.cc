// SPDX-License-Identifier: Apache-2.0
#include "server/references.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/iso_time.h"
#include "base/text.h"
#include "engine/profile.h"
#include "event/audit.h"
#include "server/answers.h"
#include "server/follower.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;

std::string_view to_string(ReferenceOrigin::Kind kind) {
  constexpr std::string_view kNames[] = {"posted", "past", "first"};
  return kNames[static_cast<std::size_t>(kind)];
}
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
Json time_or_null(std::int64_t micros, bool known) {
  return known ? Json(iso_time(static_cast<double>(micros))) : Json();
}

}  // namespace

std::string to_record(const ReferenceOrigin& origin, std::string_view profile) {
  return dumped(
      {{"kind", to_string(origin.kind)}, {"from", origin.from}, {"to", origin.to}, {"sha256", event::sha256(profile)}});
}

std::optional<store::Profile> to_keep(const std::string& model, std::string_view record, std::string bytes,
                                      std::int64_t made) {
  const auto profile = engine::load_profile(bytes, model);
  if (!profile) return {};
  store::Profile out{.model = model, .id = event::sha256(bytes), .made = made, .kind = "posted", .body = {}};
  if (!record.empty()) {
    const auto said = Json::parse(record, nullptr, false);
    if (!said.is_object() || said.value("sha256", "") != out.id) return {};
    out.kind = said.value("kind", out.kind), out.from = said.value("from", out.from), out.to = said.value("to", out.to);
  }
  const bool timed = out.from != 0 || out.to != 0;
  out.rows = profile->rows, out.size = std::ssize(bytes), out.bytes = std::move(bytes);
  out.body = dumped({{"id", out.id},
                     {"model", model},
                     {"kind", out.kind},
                     {"made", time_or_null(made, made != 0)},
                     {"from", time_or_null(out.from, timed)},
                     {"to", time_or_null(out.to, timed)},
                     {"rows", out.rows},
                     {"columns", profile->columns.size()},
                     {"window", engine::to_string(profile->window)},
                     {"windows", profile->window_count},
                     {"source", profile->source},
                     {"version", profile->version},
                     {"bytes", out.size}});
  return out;
}

Reply list_references(const Request& request, const store::Store& store, const State& state) {
  const auto asked = Parameters::read(request, {"from", "to", "limit", "after"}, 100);
  if (!asked) return refuse(asked.error(), "query");
  const store::ProfileQuery query{request.path[2], asked->from, asked->to, asked->most, (*asked)["after"]};
  const auto found = store.profiles(query);
  if (!found) return refuse(found.error(), "store");
  const auto used = state.get(Follower::reference_of(query.model));
  if (!used) return refuse(used.error(), "state");
  const auto in_use = *used ? event::sha256(**used) : std::string();
  Reply reply{200, "["};
  for (const auto& profile : *found) {
    reply.body.append(reply.body.size() > 1 ? ",\n" : "\n").append(profile.body);
    reply.body.back() = ',';
    reply.body += fmt::format("\"in_use\":{}}}", profile.id == in_use);
  }
  reply.body += "]\n";
  if (found->size() == query.most) asked->link_next(reply, found->back().id);
  return reply;
}

Reply reference_file(const Request& request, const store::Store& store) {
  const auto asked = Parameters::read(request, {}, 1);
  if (!asked) return refuse(asked.error(), "query");
  const auto &model = request.path[2], &id = request.path[4];
  auto found = store.profile(model, id);
  if (!found) return refuse(found.error(), "store");
  if (!*found)
    return refuse(404, fmt::format("{} has no reference {}", vigie::quoted(model), vigie::quoted(id)), "path");
  return {200, std::move((**found).bytes), "application/vnd.vigie.profile"};
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "notify/notify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string what, kind, incident, page, zone;
  std::vector<std::string> to;
  bool dry_run = false, json = false;
};

// What would be sent, for people; without secrets.
std::string shown(const notify::Target& target, const http::Request& request) {
  auto out = fmt::format("{}: {} {}\n", target.name(),
                         !request.to.empty()   ? "mail by"
                         : request.url.empty() ? "to"
                                               : request.method,
                         target.place());
  for (const auto& [name, value] : request.headers)
    out += fmt::format("{}: {}\n", name, name == "Authorization" ? "***" : value);
  const auto body = Json::parse(request.body, nullptr, false);
  return out + target.redacted(body.is_discarded() ? request.body : body.dump(2)) + "\n";
}

// The notices that try a target: one, and where it would keep the alert open, its end.
Result<std::vector<event::Notice>> notices_for(const notify::Target& target, const Options& o, std::int64_t now) {
  std::vector<std::string> kinds{o.kind.empty() ? "opened" : o.kind};
  if (o.kind.empty() && target.notifier().keeps) kinds.emplace_back("resolved");
  std::vector<event::Notice> out;
  for (const auto& each : kinds) {
    auto notice = notify::example(each, now);
    if (!notice) return fail(Code::kUsage, "--kind: " + notice.error().message);
    if (!o.incident.empty()) {
      VIGIE_ASSIGN(const auto bytes, read_file(o.incident));
      auto incident = event::incident_of_json(bytes);
      if (!incident) return fail(Code::kInput, fmt::format("{}: {}", o.incident, incident.error().message));
      notice->incident = std::move(*incident);
    }
    out.push_back(std::move(*notice));
  }
  return out;
}

Result<int> run(const Options& o) {
  if (o.what != "test")
    return fail(Code::kUsage, fmt::format("notify: {} (test)", unknown_name("action", o.what, {{"test"}})));
  notify::Context context;
  context.page = o.page, context.zone = o.zone;
  context.now = system_now();
  VIGIE_TRY(notify::check(context));
  std::vector<std::unique_ptr<notify::Target>> targets;
  for (const auto& spec : o.to) {
    auto target = notify::make_target(spec, variable);
    if (!target) return fail(Code::kUsage, "--to " + target.error().message);
    targets.push_back(std::move(*target));
  }
  auto results = Json::array();
  std::vector<Error> errors;
  for (const auto& target : targets) {
    VIGIE_ASSIGN(const auto notices, notices_for(*target, o, context.now));
    for (const auto& notice : notices) {
      ++context.number;
      if (o.dry_run) {
        print(shown(*target, target->request(notice, context)));
        continue;
      }
      const auto said = notify::send_now(*target, notice, context, say);
      results.push_back({{"target", target->name()},
                         {"notifier", target->notifier().name},
                         {"notice", to_string(notice.kind)},
                         {"sent", said.has_value()},
                         {"what", said ? *said : said.error().message}});
      if (!said) errors.push_back(said.error());
      if (said && !o.json) print(*said);
      if (!said) break;
    }
  }
  if (o.json && !o.dry_run) print(Json{{"command", "notify"}, {"results", results}}.dump());
  if (errors.empty()) return 0;
  const bool away =
      std::any_of(errors.begin(), errors.end(), [](const Error& e) { return e.code == Code::kUnavailable; });
  std::vector<std::string> lines;
  for (const auto& error : errors) lines.push_back(error.message);
  if (lines.size() > 3) lines.resize(2), lines.push_back(fmt::format("and {} more", errors.size() - 2));
  return fail(away ? Code::kUnavailable : Code::kInput, fmt::format("{}", fmt::join(lines, "\n")));
}

}  // namespace

Command add_notify(CLI::App& program) {
  std::vector<std::string> names;
  for (const auto* n : notify::notifiers()) names.emplace_back(n->name);
  auto* app = program.add_subcommand("notify", "try where incidents are told: chat, mail, pager, webhook");
  app->footer(
      "Examples:\n  vigie notify test --to 'slack(url=${SLACK_URL})'\n"
      "  vigie notify test --to 'webhook(url=https://example.org/hook,\n"
      "    secret=file:hook.key)'\n"
      "  vigie notify test --to 'email(url=smtp://mail:587, from=vigie@example.org,\n"
      "    to=\"ana@example.org, bob@example.org\", user=vigie, password=${PASSWORD})'\n"
      "  vigie notify test --to 'log()' --kind resolved\n"
      "  vigie notify test --to 'teams(url=${TEAMS_URL})' --dry-run\n\n"
      "A test says that it is one; where an alert would stay open, its end is sent too.\n"
      "${NAME} stands for a variable of the environment and file:PATH for the first\n"
      "line of a file. vigie list notifiers --json has all parameters. Exit status:\n"
      "0 all sent; 2 bad usage, or refused; 3 somebody was not reached.");
  auto o = std::make_shared<Options>();
  app->add_option("ACTION", o->what, "test")->required();
  app->add_option("--to", o->to, fmt::format("whom to tell, and how: {}; may be repeated", fmt::join(names, ", ")))
      ->type_name("TARGET")
      ->required()
      ->allow_extra_args(false);
  app->add_option("--kind", o->kind, "opened, worse, reminder or resolved")->type_name("KIND");
  app->add_option("--incident", o->incident,
                  "tell of this incident, in JSON as the API gives it, and not of an example")
      ->type_name("FILE");
  app->add_option("--page", o->page, "address of vigie for the links, as https://vigie.example.org")->type_name("URL");
  app->add_option("--timezone", o->zone, "of the times in messages, as Europe/Paris; default UTC")->type_name("ZONE");
  app->add_flag("--dry-run", o->dry_run, "print what would be sent, without secrets, and send nothing");
  app->add_flag("--json", o->json, "one JSON document");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

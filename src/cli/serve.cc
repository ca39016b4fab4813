// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "cli/command_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/serve_internal.h"
#include "cli/settings_internal.h"
#include "server/service.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string file;
  std::map<std::string_view, std::vector<std::string>> given;  // by Option::name: what the command line says
};

// The file's words, and over them the command line's.
Result<config::Settings> settings_of(const Options& o) {
  auto settings = config::fallbacks(server::serve_options());
  if (!o.file.empty()) VIGIE_TRY(read_settings_file(o.file, settings));
  for (const auto& option : server::serve_options())
    if (const auto said = o.given.find(option.name); said != o.given.end() && !said->second.empty())
      VIGIE_TRY(config::read_flag(option, said->second, settings));
  return settings;
}

Result<server::ServiceOptions> options_of(const config::Settings& settings) {
  VIGIE_ASSIGN(auto options, server::read_settings(settings, variable));
  options.version = kVersion, options.log = say;
  return options;
}

void reload(server::Service& service, const Options& o, config::Settings& settings) {
  const auto source = o.file.empty() ? std::string("the command line") : o.file;
  auto fresh = settings_of(o);
  auto options = fresh ? options_of(*fresh) : Result<server::ServiceOptions>(fresh.error());
  config::Changes changes;
  if (options) changes = config::changes_of(server::serve_options(), settings, *fresh), options->changed = changes.live;
  if (auto done = service.reload(std::move(options)); !done) {
    say(done.error().message);
    return say(fmt::format("{}: not taken over; the settings stay as they were", source));
  }
  settings = std::move(*fresh);
  const auto& later = changes.kept_until_restart;
  if (!later.empty()) say(fmt::format("{}: a change takes a restart: {}", source, fmt::join(later, ", ")));
  say(fmt::format("{}: taken over", source));
}

Result<int> serve(const Options& o) {
  VIGIE_ASSIGN(auto settings, settings_of(o));
  VIGIE_ASSIGN(auto options, options_of(settings));
  const auto scheme = options.http.certificate.empty() ? "http" : "https";
  const CatchSignals signals;
  // Without a file or a certificate there is nothing that could have changed: a terminal that is closed ends it.
  std::optional<CatchHangup> hangup;
  if (!o.file.empty() || !options.http.certificate.empty()) hangup.emplace();
  VIGIE_ASSIGN(const auto service, server::Service::start(std::move(options)));
  if (!service->torn().empty())
    say(fmt::format("the last run was cut off while it wrote; what it had not answered is in {}", service->torn()));
  const auto& listen = settings.find("listen")->second.text;
  print(fmt::format("listening on {}://{}:{}", scheme, listen.substr(0, listen.rfind(':')), service->port()));
  std::fflush(stdout);
  pollfd wake[] = {{signals.fd(), POLLIN, 0}, {hangup ? hangup->fd() : -1, POLLIN, 0}};
  while (!signals.asked()) {
    ::poll(wake, 2, -1);
    if (hangup && hangup->taken() && !signals.asked()) reload(*service, o, settings);
  }
  return 0;
}

}  // namespace

void wait_for(const CatchSignals& signals) {
  pollfd end{signals.fd(), POLLIN, 0};
  while (!signals.asked()) ::poll(&end, 1, -1);
}

Result<server::ServiceOptions> options_at(const std::string& listen) {
  VIGIE_ASSIGN(const auto settings, settings_of({.file = {}, .given = {{"listen", {listen}}}}));
  return options_of(settings);
}

Command add_serve(CLI::App& program) {
  auto* app = program.add_subcommand("serve", "watch models live: predictions and labels come in over HTTP");
  app->footer(
      "Examples:\n  vigie serve &\n"
      "  models=http://127.0.0.1:8090/v1/models\n"
      "  curl --data-binary @reference.vpf $models/credit/reference\n"
      "  curl -d '{\"id\": \"a1\", \"features\": {\"age\": 41}, \"prediction\": \"yes\"}' \\\n"
      "    $models/credit/predictions\n"
      "  curl -d '{\"id\": \"a1\", \"label\": \"no\"}' $models/credit/labels\n"
      "  curl $models\n"
      "  curl $models/credit/windows\n"
      "  vigie serve --config vigie.yaml\n"
      "  vigie serve --listen 0.0.0.0:8443 --certificate vigie.crt --key vigie.key \\\n"
      "    --admin-token '${ADMIN_TOKEN}'\n\n"
      "Records are one JSON object, an array of them, or one a line. 202 means that\n"
      "they last; a repeated id is a duplicate, and the first content wins. SIGTERM and\n"
      "Ctrl-C end it; what is in the folder is gone on with next time.\n\n"
      "Exit status: 0 ended as asked; 2 bad usage, or a folder or an address that\n"
      "cannot be had.");
  auto o = std::make_shared<Options>();
  app->add_option("--config", o->file,
                  "file of these options and of more (vigie config --default); SIGHUP reads it anew")
      ->type_name("FILE");
  for (const auto& option : server::serve_options()) {
    if (option.flag.empty()) continue;
    const std::string flag(option.flag);
    const bool told = !option.fallback.empty() && option.type != config::Option::Type::kFlag;
    const auto doc = told ? fmt::format("{}; default {}", option.doc, option.fallback) : std::string(option.doc);
    auto& given = o->given[option.name];
    if (option.type == config::Option::Type::kFlag) {
      app->add_flag_callback(flag, [&given] { given = {"true"}; }, doc);
      continue;
    }
    auto* added = app->add_option(flag, given, doc)->type_name(std::string(option.metavar))->allow_extra_args(false);
    if (option.type != config::Option::Type::kTexts) added->expected(1);
  }
  return {app, [o] { return serve(*o); }};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/settings_internal.h"
#include "http/client.h"

namespace vigie::cli {
namespace {

struct Options {
  bool defaults = false, schema = false;
  std::string check, token;
};

constexpr std::string_view kHead =
    "What vigie serve --config is told: all there is to say, with what holds where nothing is said.\n"
    "vigie config --check FILE looks it through; kill -HUP makes a running vigie serve read it anew.\n"
    "Secrets do not stand here: ${NAME} is a variable of the environment, file:PATH the first line of a file.";

Result<int> check(const std::string& path) {
  auto settings = config::fallbacks(server::serve_options());
  VIGIE_TRY(read_settings_file(path, settings));
  VIGIE_ASSIGN(const auto read, server::read_settings(settings, variable));
  print(fmt::format("{}: good: {} on {}, {}, {} told of incidents, {} declared{}{}{}{}", path,
                    read.http.certificate.empty() ? "http" : "https", settings.find("listen")->second.text,
                    read.tokens.empty() ? "no tokens" : "tokens", plural(std::ssize(read.targets), "target"),
                    plural(std::ssize(read.models), "model"),
                    read.sources.empty() ? "" : fmt::format(", {} to read", plural(std::ssize(read.sources), "source")),
                    read.indexes.empty() ? "" : fmt::format(", {} watched in indexes", std::ssize(read.indexes)),
                    read.shipping.empty() ? "" : ", shipped to " + http::place_of(read.shipping[0].nodes[0]),
                    read.store ? ", kept in " + http::place_of(read.store->nodes[0]) : ""));
  return 0;
}

Result<int> token(const std::string& name) {
  const auto& names = server::role_names();
  const auto role = std::find(names.begin(), names.end(), name);
  if (role == names.end())
    return fail(Code::kUsage, fmt::format("--token: {} (ingest, read, admin)", unknown_name("role", name, names)));
  const auto made = server::make_token(static_cast<server::Role>(role - names.begin()));
  print(fmt::format("token: {}\ntokens.{}: {}", made.token, name, made.hash));
  return 0;
}

Result<int> run(const Options& o) {
  if (o.defaults + o.schema + !o.check.empty() + !o.token.empty() != 1)
    return fail(Code::kUsage,
                "config: one of --default, --check FILE, --schema and --token ROLE (vigie config --help)");
  if (!o.check.empty()) return check(o.check);
  if (!o.token.empty()) return token(o.token);
  print(o.schema ? server::settings_schema() : config::default_file(server::serve_options(), kHead));
  return 0;
}

}  // namespace

Status read_settings_file(const std::string& path, config::Settings& settings) {
  VIGIE_ASSIGN(const auto text, read_file(path, 1 << 24));
  return config::read_options(text, path, server::serve_options(), settings);
}

Command add_config(CLI::App& program) {
  auto* app = program.add_subcommand("config", "the file of vigie serve: what it may say, and whether it is right");
  app->footer(
      "Examples:\n  vigie config --default > vigie.yaml\n"
      "  vigie config --check vigie.yaml\n"
      "  vigie config --schema > vigie.schema.json\n"
      "  vigie config --token ingest\n\n"
      "A file is right when vigie serve would start with it: variables, files of\n"
      "secrets and certificates are looked for too. Of a token its holder gets the\n"
      "first line, and the file the second, by which nobody can ask.\n\n"
      "Exit status: 0 right; 2 wrong, with file, line and key.");
  auto o = std::make_shared<Options>();
  app->add_flag("--default", o->defaults, "print a file of all keys, what they mean and what holds without them");
  app->add_option("--check", o->check, "look a file through")->type_name("FILE");
  app->add_flag("--schema", o->schema, "print a JSON Schema of such files, for editors");
  app->add_option("--token", o->token, "make a token: ingest, read or admin")->type_name("ROLE");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/serve_internal.h"
#include "server/service.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string data = "./vigie-data", listen = "127.0.0.1:8090", fsync = "always", page, zone;
  std::vector<std::string> notify, samples, prices;
};

Result<int> serve(const Options& o) {
  server::ServiceOptions options;
  options.data = o.data, options.version = kVersion;
  VIGIE_TRY(listen_to(o.listen, options.http));
  const std::vector<std::string> policies{"always", "interval", "never"};
  const auto policy = std::find(policies.begin(), policies.end(), o.fsync);
  if (policy == policies.end())
    return fail(Code::kUsage,
                fmt::format("--fsync: {} (always, interval, never)", unknown_name("policy", o.fsync, policies)));
  options.journal.sync = static_cast<journal::Sync>(policy - policies.begin());
  options.notify = o.notify, options.samples = o.samples, options.prices = o.prices;
  options.environment = variable;
  options.telling.page = o.page, options.telling.zone = o.zone, options.log = say;
  VIGIE_TRY(notify::check(options.telling));
  const CatchSignals signals;
  VIGIE_ASSIGN(const auto service, server::Service::start(std::move(options)));
  if (!service->torn().empty())
    say(fmt::format("the last run was cut off while it wrote; what it had not answered is in {}", service->torn()));
  const auto host = o.listen.substr(0, o.listen.rfind(':'));
  print(fmt::format("listening on http://{}:{}", host, service->port()));
  std::fflush(stdout);
  wait_for(signals);
  return 0;
}

}  // namespace

void wait_for(const CatchSignals& signals) {
  pollfd end{signals.fd(), POLLIN, 0};
  while (!signals.asked()) ::poll(&end, 1, -1);
}

Status listen_to(const std::string& where, server::HttpOptions& http) {
  const auto wrong = [&] {
    return fail(Code::kUsage,
                fmt::format("--listen {}: expected HOST:PORT, as 127.0.0.1:8090 or [::1]:0", vigie::quoted(where)));
  };
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) return wrong();
  http.host = where.substr(0, colon);
  if (http.host.size() > 2 && http.host.front() == '[' && http.host.back() == ']')
    http.host = http.host.substr(1, http.host.size() - 2);
  const auto* end = where.data() + where.size();
  const auto [stop, error] = std::from_chars(where.data() + colon + 1, end, http.port);
  if (error != std::errc() || stop != end || http.host.empty()) return wrong();
  if (http.host == "localhost") http.host = "127.0.0.1";
  if (http.host != "::1" && !http.host.starts_with("127."))
    return fail(Code::kUsage,
                fmt::format("--listen {}: only the loopback is served, as 127.0.0.1:8090: there are no tokens "
                            "and no TLS yet; put a proxy that has them before it",
                            vigie::quoted(where)));
  return {};
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
      "  curl $models/credit/windows\n\n"
      "Records are one JSON object, an array of them, or one a line. 202 means that\n"
      "they last; a repeated id is a duplicate, and the first content wins. SIGTERM and\n"
      "Ctrl-C end it; what is in the folder is gone on with next time.\n\n"
      "Exit status: 0 ended as asked; 2 bad usage, or a folder or an address that\n"
      "cannot be had.");
  auto o = std::make_shared<Options>();
  app->add_option("--data", o->data, "folder of what is kept, else ./vigie-data; made where it is not there")
      ->type_name("DIR");
  app->add_option("--listen", o->listen, "address; port 0 takes a free one")->type_name("HOST:PORT");
  app->add_option("--notify", o->notify, "who is told of incidents, as vigie notify test has it; again for another one")
      ->type_name("TARGET");
  app->add_option(
         "--sample", o->samples,
         "what is sampled beside the models: host, gpu, 'process(name=triton)' (vigie list sources); again for "
         "another one")
      ->type_name("SOURCE");
  app->add_option("--price", o->prices, "of a core or a GPU at work, as cpu=0.04/h or gpu=2.5/h")->type_name("PRICE");
  app->add_option("--page", o->page, "address of the page, for the links in messages")->type_name("URL");
  app->add_option("--timezone", o->zone, "of times in messages; else UTC")->type_name("ZONE");
  app->add_option("--fsync", o->fsync,
                  "when a record counts as kept: always, interval (written, and lasting 0.2 s later) or never")
      ->type_name("WHEN");
  return {app, [o] { return serve(*o); }};
}

}  // namespace vigie::cli

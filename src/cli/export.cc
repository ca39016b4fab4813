// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/service_client_internal.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string what, model, from, to, url = "http://127.0.0.1:8090";
  Credentials credentials;
};

Result<int> run(const Options& o) {
  const std::vector<std::string> kinds{"windows", "merged", "scores", "incidents", "audit", "models", "references"};
  if (std::find(kinds.begin(), kinds.end(), o.what) == kinds.end())
    return fail(Code::kUsage,
                unknown_name("export", o.what, kinds) + " (" + fmt::to_string(fmt::join(kinds, ", ")) + ")");
  VIGIE_ASSIGN(auto service, ServiceClient::make(o.url, "--url", o.credentials));
  auto path = "/v1/export/" + o.what + "?limit=10000";
  for (const auto& [name, value] : {std::pair{"model", &o.model}, {"from", &o.from}, {"to", &o.to}})
    if (!value->empty()) path += fmt::format("&{}={}", name, http::encoded(*value));
  VIGIE_TRY(service.pages(path, [](const http::Answer& page) -> Result<bool> {
    return std::fwrite(page.body.data(), 1, page.body.size(), stdout) == page.body.size();
  }));
  return 0;
}

}  // namespace

Command add_export(CLI::App& program) {
  auto* app = program.add_subcommand("export", "all that a service keeps of one kind, as NDJSON");
  app->footer(
      "Examples:\n  vigie export windows --model credit > windows.ndjson\n"
      "  vigie export audit --from 2026-01-01 | gzip > audit.ndjson.gz\n\n"
      "One JSON object a line. Of the service itself, GET\n"
      "/v1/export/windows?format=parquet gives the same page by page as Parquet. Exit\n"
      "status: 0 done; 2 bad usage; 3 the service does not answer.");
  auto o = std::make_shared<Options>();
  app->add_option("WHAT", o->what,
                  "windows, merged (windows put together), scores, incidents, audit, models or references")
      ->required();
  app->add_option("--model", o->model, "only of this one")->type_name("NAME");
  app->add_option("--from", o->from, "only what is not older")->type_name("TIME");
  app->add_option("--to", o->to, "only what is older")->type_name("TIME");
  app->add_option("--url", o->url, "of the service, else http://127.0.0.1:8090")->type_name("URL");
  o->credentials.add(*app);
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/output_internal.h"
#include "cli/report_input_internal.h"
#include "table/json_rows.h"

namespace vigie::cli {
namespace {

struct Options {
  std::string model, from, to, url = "http://127.0.0.1:8090", output;
  bool json = false;
  Credentials credentials;
};

Result<std::int64_t> time_of(std::string_view option, const std::string& text, std::int64_t otherwise) {
  if (text.empty()) return otherwise;
  const auto time = table::parse_time(text);
  if (!time)
    return fail(Code::kUsage,
                fmt::format("{} {}: is no time: ISO 8601 or epoch numbers", option, vigie::quoted(text, 100)));
  return std::llround(*time);
}

Result<int> run(const Options& o) {
  constexpr std::int64_t kMonth = 30 * 86'400'000'000;
  constexpr std::string_view kEndings[] = {".html", ".json"};
  if (o.output.empty() && !o.json) return fail(Code::kUsage, "-o: expected a file, as report.html; or give --json");
  if (!o.output.empty())
    VIGIE_TRY(check_output(
        o.output, {.what = "a report", .example = "report.html", .instead = "or give --json", .endings = kEndings}));
  view::Governance report;
  report.version = kVersion, report.model = o.model, report.made = system_now();
  VIGIE_ASSIGN(report.to, time_of("--to", o.to, report.made));
  VIGIE_ASSIGN(report.from, time_of("--from", o.from, report.to - kMonth));
  if (report.from >= report.to) return fail(Code::kUsage, "--from: expected a time before --to");
  report.service = http::place_of(o.url);
  VIGIE_ASSIGN(auto service, ServiceClient::make(o.url, "--url", o.credentials));
  VIGIE_TRY(read_report(service, report));
  if (!o.output.empty())
    VIGIE_TRY(write_output(o.output, o.output.ends_with(".json") ? to_json(report) : to_page(report), true));
  print(o.json ? to_json(report) : fmt::format("{}: {}\n{} holds it", o.model, sentence(report), o.output));
  return 0;
}

}  // namespace

Command add_report(CLI::App& program) {
  auto* app = program.add_subcommand("report", "what a model's watch saw in a time, and who did what about it");
  app->footer(
      "Examples:\n  vigie report --model credit -o report.html\n"
      "  vigie report --model credit --from 2026-05-01 --to 2026-06-01 -o may.html\n"
      "  vigie report --model credit --url http://vigie:8090 --json | jq .summary\n\n"
      "Asks a running vigie serve: what ran, what was watched, what fired, who answered\n"
      "and when, how good the model was, and the audit log with the state of its chain.\n"
      "The page opens from disk, and asks the network for nothing. Exit status: 0 done;\n"
      "2 bad usage, or no such model; 3 the service does not answer.");
  auto o = std::make_shared<Options>();
  app->add_option("--model", o->model, "whose report it is")->type_name("NAME")->required();
  app->add_option("--from", o->from, "its begin, else 30 days before its end")->type_name("TIME");
  app->add_option("--to", o->to, "its end, else now")->type_name("TIME");
  app->add_option("--url", o->url, "of the service, else http://127.0.0.1:8090")->type_name("URL");
  o->credentials.add(*app);
  app->add_option("-o", o->output, "file to write: .html or .json")->type_name("FILE");
  app->add_flag("--json", o->json, "print the JSON");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/setup_internal.h"
#include "http/client.h"

namespace vigie::cli {
namespace {

struct Options : Watched {
  std::string what, folder = ".";
  bool dry_run = false, force = false;
};

// What is there already and differs stays, unless it is told to go; else nothing is written.
Status write_all(const std::vector<Written>& files, const Options& o) {
  std::vector<std::string> differing;
  for (const auto& file : files) {
    const auto path = o.folder + "/" + file.name;
    if (::access(path.c_str(), F_OK) != 0) continue;
    const auto there = read_file(path);
    if (!there || *there != file.text) differing.push_back(path);
  }
  if (!differing.empty() && !o.force)
    return fail(Code::kUsage, fmt::format("{}: there already, and different (--force replaces it)", differing.front()));
  std::error_code failed;
  std::filesystem::create_directories(o.folder, failed);
  if (failed) return fail(Code::kIo, fmt::format("{}: cannot make the folder: {}", o.folder, failed.message()));
  for (const auto& file : files) {
    const auto path = o.folder + "/" + file.name;
    VIGIE_TRY(write_file(path, file.text));
    print(fmt::format("{}: {}", path, file.what));
  }
  return {};
}

Result<int> run(const Options& o) {
  const std::vector<std::string> known{"prometheus", "grafana"};
  if (std::find(known.begin(), known.end(), o.what) == known.end())
    return fail(Code::kUsage, fmt::format("setup: {} (prometheus, grafana)", unknown_name("program", o.what, known)));
  const auto scheme = o.url.find("://");
  const auto rest = scheme == o.url.npos ? std::string() : o.url.substr(scheme + 3);
  if ((!o.url.starts_with("http://") && !o.url.starts_with("https://")) || rest.empty() ||
      rest.find_first_of("/?#@ '\"") != rest.npos)
    return fail(Code::kUsage, fmt::format("--url: expected the address of a service, as http://127.0.0.1:8090, got {}",
                                          vigie::quoted(http::place_of(o.url))));
  const auto files = o.what == "prometheus" ? prometheus_files(o) : grafana_files();
  if (!o.dry_run) VIGIE_TRY(write_all(files, o));
  for (const auto& file : files)
    if (o.dry_run) print(fmt::format("# {}: {}\n{}", file.name, file.what, file.text));
  return 0;
}

}  // namespace

Command add_setup(CLI::App& program) {
  auto* app =
      program.add_subcommand("setup", "write what other programs need to watch vigie serve: Prometheus, Grafana");
  app->footer(
      "Examples:\n  vigie setup prometheus -o /etc/prometheus\n"
      "  vigie setup prometheus --url https://vigie.example.org:8443 \\\n"
      "    --token-file /etc/prometheus/vigie.token --ca /etc/prometheus/ca.crt\n"
      "  vigie setup grafana --dry-run\n\n"
      "prometheus: how /metrics is scraped, and rules by which vigie itself is watched\n"
      "and open incidents are told (promtool check config, check rules). grafana: a\n"
      "dashboard to import, and how it is provisioned. Nothing is changed but these\n"
      "files.\n\n"
      "Exit status: 0 done; 2 bad usage, or a file that cannot be written or is there\n"
      "already with other contents.");
  auto o = std::make_shared<Options>();
  app->add_option("PROGRAM", o->what, "prometheus or grafana")->required();
  app->add_option("-o", o->folder, "folder that the files go to, else this one")->type_name("DIR");
  app->add_option("--url", o->url, "the service, else http://127.0.0.1:8090")->type_name("URL");
  app->add_option("--token-file", o->token_file, "file of a token with the role read, as Prometheus finds it")
      ->type_name("FILE");
  app->add_option("--ca", o->ca, "file of certificates by which the service is known, as Prometheus finds it")
      ->type_name("FILE");
  app->add_flag("--force", o->force, "replace files that are there");
  app->add_flag("--dry-run", o->dry_run, "print them and write nothing");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

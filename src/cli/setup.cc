// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/setup_internal.h"
#include "cli/ship_internal.h"
#include "elastic/access.h"
#include "elastic/bulk.h"
#include "elastic/cluster.h"
#include "elastic/link.h"
#include "elastic/session.h"
#include "http/client.h"
#include "http/transfers.h"

namespace vigie::cli {
namespace {

constexpr const char* kMonitors = "/_plugins/_alerting/monitors";

struct Options : Watched {
  std::string what, folder = ".";
  bool dry_run = false, force = false, lens = false, rules = false;
  std::string index = "vigie", to, space, user, password, api_key;  // of Kibana
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

Result<elastic::Access> access_of(const Options& o) {
  elastic::Access access;
  VIGIE_ASSIGN(access.password, elastic_secret("--password", o.password, "VIGIE_ELASTIC_PASSWORD"));
  VIGIE_ASSIGN(const auto key, elastic_secret("--api-key", o.api_key, "VIGIE_ELASTIC_API_KEY"));
  access.user = o.user, access.ca = o.ca, access.gzip = 0;
  if (access.user.empty()) access.api_key = elastic::api_key_of(key);
  return access;
}

Status check_to(const Options& o, std::string_view what, std::string_view example) {
  if (o.to.empty())
    return fail(Code::kUsage, fmt::format("setup {}: --to names {}, as {}; --dry-run prints what it would be sent",
                                          o.what, what, example));
  if (!o.to.starts_with("http://") && !o.to.starts_with("https://"))
    return fail(Code::kUsage, fmt::format("--to: expected the address of {}, as {}, got {}", what, example,
                                          vigie::quoted(http::place_of(o.to))));
  if (o.to.find('@') != o.to.npos)
    return fail(Code::kUsage, "--to: a password in an address is seen by others: --user and --password");
  return {};
}

Status check_index(const Options& o) {
  const auto why = elastic::wrong_name(o.index);
  if (why.empty()) return {};
  return fail(Code::kUsage, fmt::format("--index: {} cannot be a name there: {}", vigie::quoted(o.index), why));
}

// What people added to one that is there, as whom it tells, stays.
Status put_monitor(elastic::Link& link, const std::string& place, const KibanaRule& monitor) {
  const nlohmann::json by_name{{"query", {{"term", {{"monitor.name.keyword", monitor.name}}}}}};
  VIGIE_ASSIGN(const auto known, link.ask("POST", fmt::format("{}/_search", kMonitors), by_name.dump()));
  const auto said = nlohmann::json::parse(known.body, nullptr, false);
  if (known.status == 200 && said.is_object() && !elastic::array_of(said, "hits.hits").empty()) {
    print(fmt::format("{}: the monitor \"{}\" is there already", place, monitor.name));
    return {};
  }
  // Before the first monitor there is no index of them.
  auto answer = known;
  if (known.status == 200 || known.status == 404) {
    VIGIE_ASSIGN(answer, link.ask("POST", kMonitors, monitor.json));
  }
  if (answer.body.find("no handler found") != std::string::npos)
    return fail(Code::kUnavailable, fmt::format("{}: has no alerting plugin, of which --rules makes monitors", place));
  if (answer.status != 200 && answer.status != 201)
    return fail(Code::kUnavailable, fmt::format("{}: the monitor \"{}\" is not taken: {}: {}", place, monitor.name,
                                                answer.status, elastic::why_of(answer.body)));
  print(fmt::format("{}: the monitor \"{}\" is there", place, monitor.name));
  return {};
}

// Templates for what is to come under names that begin so.
Result<int> elastic_templates(const Options& o) {
  VIGIE_TRY(check_index(o));
  const auto monitors = o.rules ? opensearch_monitors(o.index) : std::vector<KibanaRule>();
  std::vector<elastic::SetupOptions> all;
  for (const auto* what : {"prediction", "label", "explanation", "dead-letter"})
    all.push_back({{elastic::Place::Kind::kMonths, fmt::format("{}-{}", o.index, what)}, 0});
  if (o.dry_run) {
    elastic::Cluster newest;
    newest.major = 9;
    for (const auto& options : all)
      for (const auto& step : elastic::setup_of(newest, options))
        print(fmt::format("{} {}\n{}", step.method, step.path, step.body));
    for (const auto& monitor : monitors) print(fmt::format("POST {}\n{}", kMonitors, monitor.json));
    return 0;
  }
  VIGIE_TRY(check_to(o, "a node", "http://localhost:9200"));
  VIGIE_ASSIGN(auto access, access_of(o));
  elastic::Link link({o.to}, std::move(access), {.user_agent = fmt::format("vigie/{}", kVersion)});
  VIGIE_ASSIGN(const auto cluster, link.reach());
  bool all_well = true;
  for (const auto& options : all) {
    VIGIE_ASSIGN(const auto lacks, link.set_up(cluster, options));
    for (const auto& line : lacks) say(line), all_well = false;
  }
  print(fmt::format("{0} ({1}): templates for {2}-prediction-*, {2}-label-*, {2}-explanation-* and {2}-dead-letter-*",
                    http::place_of(o.to), cluster.name(), o.index));
  if (!monitors.empty() && !cluster.opensearch)
    return fail(Code::kUsage, "--rules: are monitors of OpenSearch here; of Kibana: vigie setup kibana --rules");
  for (const auto& monitor : monitors) VIGIE_TRY(put_monitor(link, http::place_of(o.to), monitor));
  return all_well ? 0 : 2;
}

// Kibana, or OpenSearch Dashboards.
class Kibana {
 public:
  static Result<Kibana> make(const Options& o) {
    VIGIE_TRY(check_to(o, "Kibana", "http://localhost:5601"));
    Kibana out;
    VIGIE_ASSIGN(out.access_, access_of(o));
    out.to_ = o.to;
    while (out.to_.ends_with('/')) out.to_.pop_back();
    if (!o.space.empty()) out.to_ += "/s/" + http::encoded(o.space);
    return out;
  }
  std::string place() const { return http::place_of(to_); }

  // Over what is there of the same ids. Whether all were taken.
  Result<bool> import(const std::string& objects) const {
    constexpr std::string_view kBoundary = "vigie-saved-objects-7f3a91";
    VIGIE_ASSIGN(
        const auto answer,
        send("POST", "/api/saved_objects/_import?overwrite=true",
             fmt::format("--{0}\r\nContent-Disposition: form-data; name=\"file\"; "
                         "filename=\"vigie.ndjson\"\r\nContent-Type: application/ndjson\r\n\r\n{1}\r\n--{0}--\r\n",
                         kBoundary, objects),
             fmt::format("multipart/form-data; boundary={}", kBoundary)));
    const auto said = nlohmann::json::parse(answer.body, nullptr, false);
    if (answer.status != 200 || !said.is_object() || !said.contains("success")) return refused(answer);
    for (const auto& error : elastic::array_of(said, "errors"))
      say(fmt::format("{} {}: {}", elastic::text_of(error, "type"), elastic::text_of(error, "id"),
                      elastic::member(error, "error").dump()));
    print(fmt::format("{}: {} imported; open its dashboard \"vigie: models\"", place(),
                      plural(elastic::whole_of(said, "successCount"), "object")));
    return elastic::member(said, "success") == true;
  }

  Status put(const KibanaRule& rule) const {
    VIGIE_ASSIGN(auto answer, send("POST", "/api/alerting/rule/" + rule.id, rule.json, "application/json"));
    if (answer.status == 409) {
      // What may not be altered is not said again.
      auto there = nlohmann::ordered_json::parse(rule.json);
      for (const auto* key : {"rule_type_id", "consumer", "enabled"}) there.erase(key);
      VIGIE_ASSIGN(answer, send("PUT", "/api/alerting/rule/" + rule.id, there.dump(), "application/json"));
    }
    if (answer.status != 200) return refused(answer);
    print(fmt::format("{}: the rule \"{}\" is there", place(), rule.name));
    return {};
  }

 private:
  Result<http::Answer> send(std::string_view method, std::string_view path, std::string body,
                            const std::string& type) const {
    VIGIE_ASSIGN(auto request, access_.request(method, to_, path, std::move(body)));
    for (auto& [name, value] : request.headers)
      if (name == "Content-Type") value = type;
    // The one asks for the first, the other for the second.
    request.headers.emplace_back("kbn-xsrf", "true"), request.headers.emplace_back("osd-xsrf", "true");
    return http::send(request, {.user_agent = fmt::format("vigie/{}", kVersion)});
  }
  Error refused(const http::Answer& answer) const {
    const auto said = nlohmann::json::parse(answer.body, nullptr, false);
    if (answer.body.find("no handler found") != std::string::npos)
      return fail(Code::kUnavailable,
                  fmt::format("{}: is no Kibana, but the cluster itself; Kibana's port is 5601", place()));
    return fail(Code::kUnavailable,
                fmt::format("{}: answers {}: {}", place(), answer.status,
                            said.is_object() && said.contains("message") ? said["message"].dump()
                                                                         : vigie::quoted(answer.body, 200)));
  }
  elastic::Access access_;
  std::string to_;
};

Result<int> kibana(const Options& o) {
  VIGIE_TRY(check_index(o));
  auto objects = kibana_objects(o.index, o.url);
  if (o.lens) objects += lens_objects(o.index);
  const auto rules = o.rules ? kibana_rules(o.index, o.space) : std::vector<KibanaRule>();
  if (o.dry_run) {
    print(objects);
    // Not among the objects, which are a file to import.
    for (const auto& rule : rules) say(fmt::format("POST /api/alerting/rule/{}\n{}", rule.id, rule.json));
    return 0;
  }
  if (!o.to.empty()) {
    VIGIE_ASSIGN(const auto there, Kibana::make(o));
    VIGIE_ASSIGN(const bool all, there.import(objects));
    for (const auto& rule : rules) VIGIE_TRY(there.put(rule));
    return all ? 0 : 2;
  }
  if (o.rules) return fail(Code::kUsage, "--rules: no file holds rules; --to URL puts them into Kibana");
  VIGIE_TRY(write_all(
      {{"vigie.ndjson", "saved objects: Stack Management → Saved Objects → Import, or --to URL", objects}}, o));
  return 0;
}

Result<int> run(const Options& o) {
  const std::vector<std::string> known{"prometheus", "grafana", "kibana", "elastic"};
  if (std::find(known.begin(), known.end(), o.what) == known.end())
    return fail(Code::kUsage,
                fmt::format("setup: {} ({})", unknown_name("program", o.what, known), fmt::join(known, ", ")));
  const auto scheme = o.url.find("://");
  const auto rest = scheme == o.url.npos ? std::string() : o.url.substr(scheme + 3);
  if ((!o.url.starts_with("http://") && !o.url.starts_with("https://")) || rest.empty() ||
      rest.find_first_of("/?#@ '\"") != rest.npos)
    return fail(Code::kUsage, fmt::format("--url: expected the address of a service, as http://127.0.0.1:8090, got {}",
                                          vigie::quoted(http::place_of(o.url))));
  if (o.what == "kibana") return kibana(o);
  if (o.what == "elastic") return elastic_templates(o);
  const auto files = o.what == "prometheus" ? prometheus_files(o) : grafana_files();
  if (!o.dry_run) VIGIE_TRY(write_all(files, o));
  for (const auto& file : files)
    if (o.dry_run) print(fmt::format("# {}: {}\n{}", file.name, file.what, file.text));
  return 0;
}

}  // namespace

Command add_setup(CLI::App& program) {
  auto* app =
      program.add_subcommand("setup", "what other programs need to watch vigie serve: Prometheus, Grafana, Kibana");
  app->footer(
      "Examples:\n  vigie setup prometheus -o /etc/prometheus\n"
      "  vigie setup prometheus --url https://vigie.example.org:8443 \\\n"
      "    --token-file /etc/prometheus/vigie.token --ca /etc/prometheus/ca.crt\n"
      "  vigie setup grafana --dry-run\n"
      "  vigie setup kibana --to http://localhost:5601\n"
      "  vigie setup kibana --lens --rules --to https://kibana:5601 --user elastic\n"
      "  vigie setup elastic --rules --to https://opensearch:9200 --user admin\n\n"
      "prometheus: how /metrics is scraped, and rules by which vigie itself is watched\n"
      "and open incidents are told (promtool check config, check rules). grafana: a\n"
      "dashboard to import, and how it is provisioned. Nothing is changed but these\n"
      "files. kibana: dashboards of what vigie ship and vigie serve --ship sent, and of\n"
      "what vigie serve --store found, for Kibana from 7.10 on and OpenSearch\n"
      "Dashboards, as a file or with --to straight into it. elastic: with --to the\n"
      "templates that vigie ship brings along. Of kibana --dry-run --rules the standard\n"
      "output has the objects, a file to import; the rules, which no file holds, are on\n"
      "standard error, as requests.\n\n"
      "Exit status: 0 done; 2 bad usage, or a file that cannot be written or is there\n"
      "already with other contents; 3 who is asked does not answer, or lets nobody in.");
  auto o = std::make_shared<Options>();
  app->add_option("PROGRAM", o->what, "prometheus, grafana, kibana or elastic")->required();
  app->add_option("-o", o->folder, "folder that the files go to, else this one")->type_name("DIR");
  app->add_option("--url", o->url, "the service, else http://127.0.0.1:8090")->type_name("URL");
  app->add_option("--token-file", o->token_file, "file of a token with the role read, as Prometheus finds it")
      ->type_name("FILE");
  app->add_option("--ca", o->ca, "file of certificates by which the service, or Kibana, is known")->type_name("FILE");
  app->add_option("--index", o->index, "kibana, elastic: what names of indexes begin with, else vigie")
      ->type_name("NAME");
  app->add_option("--to", o->to, "kibana, elastic: its address, as http://localhost:5601")->type_name("URL");
  app->add_option("--space", o->space, "kibana: the space to import into")->type_name("NAME");
  app->add_flag("--lens", o->lens, "kibana: a dashboard of Lens besides, for Kibana 8.9 and later");
  app->add_flag(
      "--rules", o->rules,
      "kibana: rules besides, by which Kibana tells of critical incidents and silence; elastic: the same as monitors "
      "of OpenSearch's alerting");
  app->add_option("--user", o->user, "of those: who asks")->type_name("NAME");
  app->add_option("--password", o->password, "of --user; else VIGIE_ELASTIC_PASSWORD")->type_name("SECRET");
  app->add_option("--api-key", o->api_key, "id:key, or encoded; else VIGIE_ELASTIC_API_KEY")->type_name("SECRET");
  app->add_flag("--force", o->force, "replace files that are there");
  app->add_flag("--dry-run", o->dry_run, "print them and write nothing");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

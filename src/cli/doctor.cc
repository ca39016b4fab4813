// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/clock.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/credentials_internal.h"
#include "cli/doctor_findings_internal.h"
#include "http/client.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string to = "http://127.0.0.1:8090", fail_on;
  std::vector<std::string> models;
  bool json = false, live = false;
  Credentials credentials;
};

constexpr int kMostPages = 1'000;
constexpr const char *kIndexes = "/v1/indexes", *kShipping = "/v1/shipping";

std::string text_of(const Json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

class Service {
 public:
  Service(std::string to, std::string token) : to_(std::move(to)), token_(std::move(token)) {
    while (to_.ends_with('/')) to_.pop_back();
  }
  const std::string& url() const { return to_; }

  /// The JSON of an answer, with the pages that follow it. Code::kUnavailable: nobody is there, or no vigie serve.
  Result<Json> get(std::string path) {
    Json all;
    for (int page = 0; !path.empty() && page < kMostPages; ++page) {
      VIGIE_ASSIGN(const auto answer, client_.send("GET", to_ + path, "", authorized(token_)));
      auto body = Json::parse(answer.body, nullptr, false);
      const auto error = text_of(body, "error");
      const bool health = path == "/healthz";
      const bool good = answer.status == 200 || (health && answer.status == 503 && !error.empty());
      if (!good && answer.status == 404 && !error.empty() && path.starts_with("/v1/models/"))
        return fail(Code::kUsage, "--model: " + error);
      if (answer.status == 404 && path == kIndexes) return Json::array();  // of an older vigie
      if (answer.status == 404 && path == kShipping) return Json();        // who ships nothing
      if (!good && !error.empty()) return fail(Code::kUnavailable, fmt::format("{}: {}", to_, error));
      const bool vigie =
          health ? !good || answer.status == 503 || !text_of(body, "version").empty() : body.is_structured();
      if (!good || !vigie)
        return fail(Code::kUnavailable, fmt::format("{}: what answers there is no vigie serve", to_));
      if (!body.is_array()) return body;
      for (auto& one : body) all.push_back(std::move(one));
      if (all.is_null()) all = Json::array();
      // </v1/…>; rel="next"
      const auto link = std::string(answer.header("link"));
      const bool more = link.starts_with("</v1/") && link.ends_with(">; rel=\"next\"");
      path = more ? link.substr(1, link.find('>') - 1) : "";
    }
    return all;
  }

 private:
  std::string to_, token_;
  http::Client client_{{.user_agent = fmt::format("vigie/{}", kVersion)}};
};

Result<std::vector<Finding>> examine(Service& service, const std::string& model, const Json& indexes, double now) {
  constexpr double kMonth = 30 * 86'400e6;
  ModelAnswers answers;
  for (const auto& one : indexes)
    if (text_of(one, "model") == model) answers.index = one;
  auto said = service.get("/v1/models/" + http::encoded(model));
  // Nothing of an index makes it known as long as it has no reference.
  if (!said && said.error().code == Code::kUsage && !answers.index.is_null()) {
    answers.model = {{"model", model}, {"watched", false}};
    return findings_of(answers, now);
  }
  VIGIE_ASSIGN(answers.model, std::move(said));
  VIGIE_ASSIGN(answers.windows, service.get(fmt::format("/v1/models/{}/windows?from={}&limit=200", http::encoded(model),
                                                        http::encoded(iso_time(now - kMonth)))));
  VIGIE_ASSIGN(answers.incidents, service.get("/v1/incidents?model=" + http::encoded(model)));
  return findings_of(answers, now);
}

std::string document(const Service& service, std::size_t models, const std::vector<Finding>& findings) {
  nlohmann::ordered_json out{{"command", "doctor"}, {"service", service.url()}, {"models", models}};
  auto& list = out["findings"] = nlohmann::ordered_json::array();
  for (const auto& f : findings)
    list.push_back({{"model", f.model.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(f.model)},
                    {"finding", f.what},
                    {"grade", to_string(f.grade)},
                    {"reason", f.reason},
                    {"advice", f.advice}});
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string for_people(const Service& service, std::size_t models, const std::vector<Finding>& findings) {
  std::string out = fmt::format("{}: {}, ", service.url(), plural(static_cast<long long>(models), "model"));
  if (findings.empty()) return out + "nothing to see to";
  out += fmt::format("{} to see to", plural(static_cast<long long>(findings.size()), "thing"));
  std::string last = "/";
  for (const auto& f : findings) {
    if (f.model != last) out += fmt::format("\n\n{}", f.model.empty() ? "the service" : f.model);
    last = f.model;
    out += fmt::format("\n  {:<7}  {}: {}\n           → {}", to_string(f.grade), f.what, f.reason, f.advice);
  }
  return out;
}

Result<int> run(const Options& o) {
  const std::vector<std::string> grades{"hint", "warning", "fail"};
  if (!o.fail_on.empty() && std::find(grades.begin(), grades.end(), o.fail_on) == grades.end())
    return fail(Code::kUsage,
                fmt::format("--fail-on: {} (hint, warning, fail)", unknown_name("grade", o.fail_on, grades)));
  if (!o.to.starts_with("http://") && !o.to.starts_with("https://"))
    return fail(Code::kUsage,
                fmt::format("{}: expected the URL of a service, as http://127.0.0.1:8090", vigie::quoted(o.to)));
  VIGIE_ASSIGN(auto token, o.credentials.read());
  Service service(o.to, std::move(token));
  if (o.live) {
    VIGIE_ASSIGN(const auto health, service.get("/healthz"));
    const auto error = text_of(health, "error");
    if (error.empty()) return 0;
    return fail(Code::kUnavailable, fmt::format("{}: {}", service.url(), error));
  }
  const auto now = static_cast<double>(system_now());
  std::vector<Finding> findings;
  VIGIE_ASSIGN(const auto health, service.get("/healthz"));
  if (const auto error = text_of(health, "error"); !error.empty())
    findings.push_back({Grade::kFail, "", "trouble", error,
                        "records are kept and not read on until it is over: see the disk and the service's log"});
  if (const auto lost = text_of(health, "lost"); !lost.empty())
    findings.push_back({Grade::kFail, "", "lost", lost, "the disk altered what was written: see to it"});
  auto models = o.models;
  VIGIE_ASSIGN(const auto indexes, service.get(kIndexes));
  if (models.empty()) {
    VIGIE_ASSIGN(const auto all, service.get("/v1/models"));
    for (const auto& one : all) models.push_back(text_of(one, "model"));
    for (const auto& one : indexes)
      if (const auto name = text_of(one, "model"); std::find(models.begin(), models.end(), name) == models.end())
        models.push_back(name);
    if (models.empty())
      findings.push_back({Grade::kHint, "", "no models", "nobody has sent a prediction yet",
                          "vigie send FILE --to URL --model M, or POST to /v1/models/M/predictions"});
  }
  if (o.models.empty()) {
    VIGIE_ASSIGN(const auto sources, service.get("/v1/sources"));
    for (auto& one : findings_of_sources(sources)) findings.push_back(std::move(one));
    VIGIE_ASSIGN(const auto shipping, service.get(kShipping));
    for (auto& one : findings_of_shipping(shipping, now)) findings.push_back(std::move(one));
  }
  for (const auto& model : models) {
    VIGIE_ASSIGN(auto found, examine(service, model, indexes, now));
    std::move(found.begin(), found.end(), std::back_inserter(findings));
  }
  print(o.json ? document(service, models.size(), findings) : for_people(service, models.size(), findings));
  if (o.fail_on.empty()) return 0;
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& f) {
                       return std::find(grades.begin(), grades.end(), to_string(f.grade)) >=
                              std::find(grades.begin(), grades.end(), o.fail_on);
                     })
             ? 1
             : 0;
}

}  // namespace

Command add_doctor(CLI::App& program) {
  auto* app =
      program.add_subcommand("doctor", "what of a running vigie serve is misconfigured, unused, silent or noisy");
  app->footer(
      "Examples:\n  vigie doctor\n  vigie doctor http://127.0.0.1:8090 --model credit --fail-on warning\n\n"
      "It looks at each model's last 30 days: whether predictions and labels come, and\n"
      "in time; whether there is a reference, and it is still like what comes; whether\n"
      "windows are large enough; whether alarms are many, false or unanswered; whether\n"
      "monitors name what is there; who owns it; and of the service what it cannot read\n"
      "or ship.\n\n"
      "Exit status: 0 done; 1 done, and what --fail-on names was found; 2 bad usage; 3\nthe service could not be "
      "reached.");
  auto o = std::make_shared<Options>();
  app->add_option("URL", o->to, "the service; else http://127.0.0.1:8090");
  app->add_option("--model", o->models, "only this model; may be repeated")->type_name("M")->allow_extra_args(false);
  o->credentials.add(*app);
  app->add_option("--fail-on", o->fail_on, "exit status 1 for what is at least a hint, a warning or a fail")
      ->type_name("GRADE");
  app->add_flag("--live", o->live, "only whether it answers and is well, for a container; says nothing where it is");
  app->add_flag("--json", o->json, "one JSON document instead of lines");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

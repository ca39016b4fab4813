// SPDX-License-Identifier: Apache-2.0
#include "event/audit.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/service_client_internal.h"
#include "store/store.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string what, data, url, entry;
  bool json = false;
  Credentials credentials;
};

// "12:5f0c…" or "12": an entry that somebody noted.
struct Noted {
  std::int64_t number = 0;
  std::string hash;
};

Result<Noted> read_noted(const std::string& text) {
  Noted out;
  const auto colon = text.find(':');
  const auto* end = text.data() + std::min(colon, text.size());
  const auto [stop, error] = std::from_chars(text.data(), end, out.number);
  if (colon != text.npos) out.hash = text.substr(colon + 1);
  if (error != std::errc() || stop != end || out.number < 1 || out.hash.size() != 64)
    return fail(Code::kUsage, fmt::format("--entry {}: expected NUMBER:SHA256, as vigie serve says it at its start",
                                          vigie::quoted(text, 100)));
  return out;
}

struct Log {
  store::AuditState state;
  std::optional<std::string> noted;  // hash of the entry asked for; nothing: it is not there
};

Result<Log> in_file(const std::string& folder, std::int64_t noted) {
  VIGIE_ASSIGN(const auto store, store::open_sqlite(folder + "/results.sqlite", {.only_there = true}));
  Log out;
  VIGIE_ASSIGN(out.state, store->check_audit());
  if (noted == 0) return out;
  store::AuditQuery query;
  query.after = noted - 1, query.most = 1;
  VIGIE_ASSIGN(const auto found, store->audit(query));
  if (!found.empty() && found[0].number == noted) out.noted = found[0].hash;
  return out;
}

Result<Log> at_service(const Options& o, std::int64_t noted) {
  VIGIE_ASSIGN(auto client, ServiceClient::make(o.url, "--url", o.credentials));
  VIGIE_ASSIGN(const auto said, client.get("/v1/audit/verify"));
  Log out;
  try {
    out.state.entries = said.at("entries"), out.state.last = said.at("last"), out.state.hash = said.at("hash");
    if (!said.at("broken").is_null()) out.state.broken = said.at("broken"), out.state.why = said.at("why");
    if (noted == 0) return out;
    VIGIE_ASSIGN(const auto found, client.get(fmt::format("/v1/audit?after={}&limit=1", noted - 1)));
    if (!found.empty() && found[0].at("number") == noted) out.noted = found[0].at("hash").get<std::string>();
    return out;
  } catch (const Json::exception&) {
    return fail(Code::kUnavailable, fmt::format("{}: the answer is none of vigie serve", http::place_of(o.url)));
  }
}

Result<int> run(const Options& o) {
  if (o.what != "verify")
    return fail(Code::kUsage, fmt::format("audit: {} (verify)", unknown_name("action", o.what, {{"verify"}})));
  if (!o.data.empty() && !o.url.empty()) return fail(Code::kUsage, "--data and --url exclude each other");
  Noted noted;
  if (!o.entry.empty()) {
    VIGIE_ASSIGN(noted, read_noted(o.entry));
  }
  VIGIE_ASSIGN(const auto log, o.url.empty() ? in_file(o.data.empty() ? "./vigie-data" : o.data, noted.number)
                                             : at_service(o, noted.number));
  const auto& state = log.state;
  auto broken = state.broken;
  auto why = state.why;
  if (noted.number > 0 && log.noted != noted.hash && (broken == 0 || noted.number < broken)) {
    broken = noted.number;
    why = log.noted ? fmt::format("its hash is {}, and {} was noted", *log.noted, noted.hash)
                    : "it was noted, and is not there";
  }
  if (o.json) {
    print(Json{{"command", "audit"},
               {"entries", state.entries},
               {"last", state.last},
               {"hash", state.hash},
               {"broken", broken == 0 ? Json() : Json(broken)},
               {"why", why.empty() ? Json() : Json(why)}}
              .dump());
  } else if (broken == 0) {
    print(state.last == 0 ? std::string("the audit log is empty")
                          : fmt::format("{} in one chain; the last is {}:{}",
                                        state.last == 1 ? "1 entry" : fmt::format("{} entries", state.last), state.last,
                                        state.hash));
  } else {
    print(fmt::format("the chain breaks at entry {}: {}\n{}", broken, why,
                      broken == 1 ? "nothing before it can vouch for it"
                                  : fmt::format("what stands before it, 1 to {}, is as it was written", broken - 1)));
  }
  return broken == 0 ? 0 : 1;
}

}  // namespace

Command add_audit(CLI::App& program) {
  auto* app = program.add_subcommand("audit", "check that the audit log of a service is as it was written");
  app->footer(
      "Examples:\n  vigie audit verify\n"
      "  vigie audit verify --data /var/lib/vigie --entry 120:5f0c…\n"
      "  vigie audit verify --url http://127.0.0.1:8090 --json\n\n"
      "Each entry holds the SHA-256 of the one before it: what was altered, put in or\n"
      "taken out shows, at the end too. Whoever can write the file can make all of it\n"
      "anew from some entry on: --entry compares with one that was noted elsewhere;\n"
      "vigie serve says the last one when it starts and ends, and a report holds it.\n"
      "Exit status: 0 the chain holds; 1 it breaks; 2 bad usage, or no such file;\n"
      "3 the service does not answer.");
  auto o = std::make_shared<Options>();
  app->add_option("ACTION", o->what, "verify")->required();
  app->add_option("--data", o->data, "folder of vigie serve, else ./vigie-data; it may be running")->type_name("DIR");
  app->add_option("--url", o->url, "ask the service itself")->type_name("URL");
  o->credentials.add(*app);
  app->add_option("--entry", o->entry, "an entry that was noted, which must be there")->type_name("NUMBER:SHA256");
  app->add_flag("--json", o->json, "one JSON document");
  return {app, [o] { return run(*o); }};
}

}  // namespace vigie::cli

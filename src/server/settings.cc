// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/call.h"
#include "base/text.h"
#include "event/record.h"
#include "http/client.h"
#include "server/openapi.h"
#include "server/tls_internal.h"

namespace vigie::server {
namespace {

using config::Option;
using config::Setting;
using enum Option::Type;

constexpr double kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB, kTiB = 1024 * kGiB, kDay = 86'400;

/// A line of the table, and where its value goes; what takes more than that is read below.
struct Field {
  Option option;
  void (*set)(ServiceOptions&, const Setting&) = nullptr;
};

constexpr auto kMillis = [](double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * seconds));
};
constexpr auto kMicros = [](double seconds) { return static_cast<std::int64_t>(1e6 * seconds); };
constexpr auto kSeconds = [](double seconds) { return std::chrono::seconds(static_cast<std::int64_t>(seconds)); };
constexpr auto kWhole = [](double value) { return static_cast<std::uint64_t>(value); };

constexpr Field kFields[] = {
    {{.name = "data",
      .fallback = "./vigie-data",
      .doc = "folder of what is kept; made where it is not there",
      .flag = "--data",
      .metavar = "DIR"},
     [](auto& o, const auto& s) { o.data = s.text; }},
    {{.name = "listen",
      .fallback = "127.0.0.1:8090",
      .doc = "address; port 0 takes a free one",
      .flag = "--listen",
      .metavar = "HOST:PORT"}},
    {{.name = "fsync",
      .type = kChoice,
      .fallback = "always",
      .choices = "always interval never",
      .doc = "when a record counts as kept: always, interval (written, and lasting 0.2 s later) or never",
      .flag = "--fsync",
      .metavar = "WHEN"},
     [](auto& o, const auto& s) { o.journal.sync = static_cast<journal::Sync>(s.number); }},
    {{.name = "notify",
      .type = kTexts,
      .doc = "who is told of incidents, as vigie notify test has it; again for another one",
      .example = "\n  - slack(url=${SLACK_URL})\n  - webhook(url=https://example.org/hook, secret=file:hook.key)",
      .live = true,
      .flag = "--notify",
      .metavar = "TARGET"}},
    {{.name = "sample",
      .type = kTexts,
      .doc = "what is sampled beside the models: host, gpu, 'process(name=triton)' (vigie list sources); again for "
             "another one",
      .example = "\n  - host\n  - process(name=triton)",
      .flag = "--sample",
      .metavar = "SOURCE"}},
    {{.name = "source",
      .type = kTexts,
      .doc = "files whose lines are records, followed as they grow, - for standard input, or an index whose rows are "
             "counted where they are (vigie list sources); again for another one",
      .example = "\n  - file(path=/var/log/credit/*.ndjson, model=credit)\n"
                 "  - file(path=/var/log/credit-labels.ndjson, model=credit, kind=labels)\n"
                 "  - elastic(to=https://localhost:9200, index=logs-*, model=fraud)",
      .live = true,
      .flag = "--source",
      .metavar = "SOURCE"}},
    {{.name = "ship",
      .type = kTexts,
      .doc = "where predictions, labels and explanations go as documents: Elasticsearch or OpenSearch",
      .example = "elastic(to=https://localhost:9200, api_key=file:elastic.key, ca=ca.crt, keep=30d)",
      .flag = "--ship",
      .metavar = "TARGET"}},
    {{.name = "store",
      .fallback = "sqlite",
      .doc = "where windows, incidents and all else that is found is kept: sqlite, a file in data, or indexes of "
             "Elasticsearch or OpenSearch, which several services may share",
      .example = "elastic(to=https://localhost:9200, api_key=file:elastic.key, ca=ca.crt)",
      .flag = "--store",
      .metavar = "STORE"}},
    {{.name = "price",
      .type = kTexts,
      .doc = "of a core or a GPU at work, as cpu=0.04/h or gpu=2.5/h",
      .example = "\n  - cpu=0.04/h\n  - gpu=2.5/h",
      .flag = "--price",
      .metavar = "PRICE"}},
    {{.name = "page",
      .doc = "address of the page, for the links in messages",
      .example = "https://vigie.example.org",
      .live = true,
      .flag = "--page",
      .metavar = "URL"},
     [](auto& o, const auto& s) { o.telling.page = s.text; }},
    {{.name = "timezone",
      .doc = "of times in messages; else UTC",
      .example = "Europe/Paris",
      .live = true,
      .flag = "--timezone",
      .metavar = "ZONE"},
     [](auto& o, const auto& s) { o.telling.zone = s.text; }},
    {{.name = "tls.certificate",
      .doc = "PEM: the certificate, the ones that vouch for it behind it",
      .example = "/etc/vigie/vigie.crt",
      .live = true,
      .flag = "--certificate",
      .metavar = "FILE"},
     [](auto& o, const auto& s) { o.http.certificate = s.text; }},
    {{.name = "tls.key",
      .doc = "PEM: its key, without a password",
      .example = "/etc/vigie/vigie.key",
      .live = true,
      .flag = "--key",
      .metavar = "FILE"},
     [](auto& o, const auto& s) { o.http.key = s.text; }},
    {{.name = "tokens.ingest",
      .type = kTexts,
      .doc = "who may send predictions, labels and explanations: sha256:… (vigie config --token ingest), ${NAME} or "
             "file:PATH; may be repeated",
      .example = "\n  - sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
      .live = true,
      .flag = "--ingest-token",
      .metavar = "TOKEN"}},
    {{.name = "tokens.read",
      .type = kTexts,
      .doc = "likewise, who may get everything, /metrics and the page among it",
      .example = "\n  - ${VIGIE_READ_TOKEN}",
      .live = true,
      .flag = "--read-token",
      .metavar = "TOKEN"}},
    {{.name = "tokens.admin",
      .type = kTexts,
      .doc = "likewise, who may do everything: models, references, answers to incidents",
      .example = "\n  - file:/run/secrets/vigie_admin",
      .live = true,
      .flag = "--admin-token",
      .metavar = "TOKEN"}},
    {{.name = "behind_proxy",
      .type = kFlag,
      .fallback = "false",
      .doc = "a proxy before it has TLS: no certificate is asked for, and any Host is taken",
      .live = true,
      .flag = "--behind-proxy"},
     [](auto& o, const auto& s) { o.behind_proxy = s.number != 0; }},
    {{.name = "limits.body",
      .type = kBytes,
      .fallback = "64MiB",
      .least = kKiB,
      .most = kGiB / 4,
      .doc = "of a request, packed and unpacked",
      .live = true},
     [](auto& o, const auto& s) { o.http.body_limit = kWhole(s.number); }},
    {{.name = "limits.header",
      .type = kBytes,
      .fallback = "16KiB",
      .least = kKiB,
      .most = kMiB,
      .doc = "of a request",
      .live = true},
     [](auto& o, const auto& s) { o.http.header_limit = static_cast<std::uint32_t>(s.number); }},
    {{.name = "limits.connections",
      .type = kCount,
      .fallback = "10000",
      .least = 1,
      .most = 1e6,
      .doc = "at a time; more are answered 503",
      .live = true},
     [](auto& o, const auto& s) { o.http.connections = kWhole(s.number); }},
    {{.name = "limits.patience",
      .type = kDuration,
      .fallback = "30s",
      .least = 1,
      .most = 3600,
      .doc = "for a request that has begun, and for one that is to come",
      .live = true},
     [](auto& o, const auto& s) { o.http.patience = kSeconds(s.number); }},
    {{.name = "limits.models",
      .type = kCount,
      .fallback = "10000",
      .least = 1,
      .most = 1e6,
      .doc = "records of one more are refused",
      .live = true},
     [](auto& o, const auto& s) { o.limits.models = kWhole(s.number); }},
    {{.name = "limits.features",
      .type = kCount,
      .fallback = "1000",
      .least = 1,
      .most = 1e5,
      .doc = "of a model; a reference with more is refused",
      .live = true},
     [](auto& o, const auto& s) { o.limits.features = kWhole(s.number); }},
    {{.name = "limits.segments",
      .type = kCount,
      .fallback = "1000",
      .least = 0,
      .most = 1e5,
      .doc = "of a model, over all that it is segmented by; a reference with more is refused",
      .live = true},
     [](auto& o, const auto& s) { o.limits.segments = kWhole(s.number); }},
    {{.name = "threads", .type = kCount, .fallback = "0", .most = 1024, .doc = "that answer requests; 0: one per core"},
     [](auto& o, const auto& s) { o.http.threads = static_cast<unsigned>(s.number); }},
    {{.name = "journal.keep_bytes",
      .type = kBytes,
      .fallback = "10GiB",
      .least = kMiB,
      .most = 1024 * kTiB,
      .doc = "of accepted records on disk; the oldest go first, once they are counted",
      .live = true},
     [](auto& o, const auto& s) { o.journal.keep_bytes = kWhole(s.number); }},
    {{.name = "journal.keep_age",
      .type = kDuration,
      .fallback = "7d",
      .least = 60,
      .most = 3650 * kDay,
      .doc = "after which accepted records go, once they are counted; a repeated id is known as long",
      .live = true},
     [](auto& o, const auto& s) { o.journal.keep_age = kSeconds(s.number); }},
    {{.name = "journal.segment_bytes",
      .type = kBytes,
      .fallback = "64MiB",
      .least = kMiB,
      .most = kGiB,
      .doc = "of one of its files"},
     [](auto& o, const auto& s) { o.journal.segment_bytes = kWhole(s.number); }},
    {{.name = "journal.waiting_bytes",
      .type = kBytes,
      .fallback = "64MiB",
      .least = kMiB,
      .most = kGiB,
      .doc = "taken in and not yet written; beyond, requests are answered 429"},
     [](auto& o, const auto& s) { o.journal.waiting_bytes = kWhole(s.number); }},
    {{.name = "journal.interval",
      .type = kDuration,
      .fallback = "200ms",
      .least = 0.001,
      .most = 60,
      .doc = "after which records last, with fsync: interval"},
     [](auto& o, const auto& s) { o.journal.interval = kMillis(s.number); }},
    {{.name = "journal.compression",
      .type = kCount,
      .fallback = "1",
      .least = -7,
      .most = 19,
      .doc = "level of zstd; 0: none"},
     [](auto& o, const auto& s) { o.journal.compression = static_cast<int>(s.number); }},
    {{.name = "keep.details",
      .type = kDuration,
      .fallback = "90d",
      .least = kDay,
      .most = 36'500 * kDay,
      .doc =
          "of windows, from when they were found: then verdict, rows and metrics alone are left, and no sampled rows"},
     [](auto& o, const auto& s) { o.keep.details = kMicros(s.number); }},
    {{.name = "keep.windows",
      .type = kDuration,
      .fallback = "400d",
      .least = kDay,
      .most = 36'500 * kDay,
      .doc = "of windows: then they are gone; and of references that another one took the place of"},
     [](auto& o, const auto& s) { o.keep.windows = kMicros(s.number); }},
    {{.name = "keep.incidents",
      .type = kDuration,
      .fallback = "2000d",
      .least = kDay,
      .most = 36'500 * kDay,
      .doc = "of incidents, from their end, and of what was told of them; the audit log stays for ever"},
     [](auto& o, const auto& s) { o.keep.incidents = kMicros(s.number); }},
    {{.name = "models",
      .type = kObjects,
      .doc = "what PUT /v1/models/NAME takes, by name; holds from the next start or reload on",
      .example = "\n  credit:\n    owner: ana@example.org\n    runbook: https://wiki.example.org/credit\n"
                 "    window: hour\n    positive: \"yes\"\n    segments: [country]\n"
                 "    monitors:\n      - {column: income, severity: critical}",
      .live = true}},
    {{.name = "maintenance",
      .type = kObjects,
      .doc =
          "when all models are worked on, by name: nobody is woken, no incident opens, and nothing is learnt from it",
      .example = "\n  backups: {days: [sat, sun], at: \"02:00\", for: 2h, timezone: Europe/Paris}\n"
                 "  move: {from: 2026-12-24T18:00:00Z, to: 2026-12-27, note: the new data centre}",
      .live = true}}};

Error wrong(const Setting& setting, std::string_view what) {
  return fail(Code::kUsage, fmt::format("{}: {}", setting.place, what));
}

Status read_listen(const Setting& listen, ServiceOptions& out) {
  auto& http = out.http;
  const auto unfit = [&] {
    return wrong(listen,
                 fmt::format("expected HOST:PORT, as 127.0.0.1:8090 or [::1]:0, got {}", vigie::quoted(listen.text)));
  };
  const auto& where = listen.text;
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) return unfit();
  http.host = where.substr(0, colon);
  if (http.host.size() > 2 && http.host.front() == '[' && http.host.back() == ']')
    http.host = http.host.substr(1, http.host.size() - 2);
  const auto* end = where.data() + where.size();
  const auto [stop, error] = std::from_chars(where.data() + colon + 1, end, http.port);
  if (error != std::errc() || stop != end || http.host.empty()) return unfit();
  if (http.host == "localhost") http.host = "127.0.0.1";
  return {};
}

Status read_tokens(const config::Settings& settings, const Environment& environment, Tokens& out) {
  for (std::size_t i = 0; i < role_names().size(); ++i)
    for (const auto& [place, spec] : settings.find("tokens." + role_names()[i])->second.texts)
      VIGIE_TRY(out.add(static_cast<Role>(i), place, spec, environment));
  return {};
}

Status check_tls(const Setting& certificate, const Setting& key) {
  if (certificate.text.empty() != key.text.empty()) {
    const auto& lone = certificate.text.empty() ? key : certificate;
    return wrong(lone,
                 fmt::format("{} is missing beside it", certificate.text.empty() ? "the certificate" : "its key"));
  }
  if (certificate.text.empty()) return {};
  const auto tls = make_tls(certificate.text, key.text);
  if (tls) return {};
  const bool of_key = tls.error().message.starts_with(key.text + ":");
  return wrong(of_key ? key : certificate, tls.error().message);
}

// Beyond this machine others listen, and ask.
Status check_open(const Setting& listen, const ServiceOptions& o) {
  if (o.http.host == "::1" || o.http.host.starts_with("127.")) return {};
  std::vector<std::string_view> lacks;
  if (o.http.certificate.empty() && !o.behind_proxy)
    lacks.emplace_back("TLS (tls.certificate and tls.key, or behind_proxy where a proxy has it)");
  if (o.tokens.empty()) lacks.emplace_back("tokens (vigie config --token admin makes one)");
  if (lacks.empty()) return {};
  return wrong(listen, fmt::format("{} is open to others, and that takes {}", listen.text, fmt::join(lacks, " and ")));
}

// What each of the texts makes; an error says which of them it is of.
template <class Make, class T>
Status make_each(const Setting& setting, const Make& make, std::vector<T>& out) {
  for (const auto& [place, text] : setting.texts) {
    auto made = make(text);
    if (!made) return fail(Code::kUsage, fmt::format("{}: {}", place, made.error().message));
    out.push_back(std::move(*made));
  }
  return {};
}

Status read_targets(const Setting& notify, const Environment& environment, ServiceOptions& out) {
  VIGIE_TRY(make_each(notify, [&](const auto& spec) { return notify::make_target(spec, environment); }, out.targets));
  if (auto named = notify::check(out.targets); !named) return wrong(notify, named.error().message);
  return {};
}

Status read_samples(const Setting& samples, const Setting& prices, const Environment& environment,
                    ServiceOptions& out) {
  VIGIE_TRY(make_each(samples, [&](const auto& spec) { return source::make_sample(spec, environment); }, out.samples));
  for (const auto& [place, price] : prices.texts)
    if (auto read = out.prices.read(price); !read)
      return fail(Code::kUsage, fmt::format("{}: {}", place, read.error().message));
  return {};
}

Status read_sources(const Setting& sources, const Environment& environment, ServiceOptions& out) {
  Setting feeds = sources, indexes = sources;
  std::erase_if(feeds.texts, [](const auto& text) { return is_indexed_rows(text.text); });
  std::erase_if(indexes.texts, [](const auto& text) { return !is_indexed_rows(text.text); });
  VIGIE_TRY(make_each(indexes, [&](const auto& spec) { return make_indexed_model(spec, environment); }, out.indexes));
  for (const auto& one : out.indexes)
    if (std::count_if(out.indexes.begin(), out.indexes.end(), [&](const auto& o) { return o.model == one.model; }) > 1)
      return wrong(sources, fmt::format("{} is watched in an index twice", vigie::quoted(one.model)));
  VIGIE_TRY(make_each(feeds, [&](const auto& spec) { return source::make_feed(spec, environment); }, out.sources));
  if (auto good = source::check(out.sources); !good) return wrong(sources, good.error().message);
  for (const auto& feed : out.sources)
    if (std::any_of(out.indexes.begin(), out.indexes.end(), [&](const auto& o) { return o.model == feed.model; }))
      return wrong(sources,
                   fmt::format("{} is watched in an index, and takes no records besides", vigie::quoted(feed.model)));
  return {};
}

Status read_shipping(const Setting& ship, const Environment& environment, ServiceOptions& out) {
  VIGIE_TRY(make_each(ship, [&](const auto& spec) { return elastic::make_target(spec, environment); }, out.shipping));
  if (out.shipping.size() > 1)
    return wrong(ship, "expected one: a cluster may have several nodes, to=\"https://a:9200 https://b:9200\"");
  return {};
}

Status read_store(const Setting& store, const Environment& environment, ServiceOptions& out) {
  if (store.text == "sqlite") return {};
  const auto name = store.text.substr(0, store.text.find('('));
  if (name == "sqlite") return wrong(store, "sqlite is a file in data, and takes no parameters: data says where");
  if (name.starts_with("http://") || name.starts_with("https://"))
    return wrong(store,
                 fmt::format("an address alone is no store; did you mean \"elastic(to={})\"?", http::place_of(name)));
  if (const std::vector<std::string> known{"sqlite", "elastic"}; name != known[1])
    return wrong(store, unknown_of("store", name, known));
  auto target = elastic::make_cluster(store.text, environment);
  if (!target) return wrong(store, target.error().message);
  out.store = std::move(*target);
  return {};
}

Status read_models(const Setting& models, ServiceOptions& out) {
  for (const auto& object : models.objects) {
    if (auto named = event::check_model(object.name); !named) return object.at(named.error());
    auto config = read_model_config(object.json);
    if (!config) return object.at(config.error());
    if (auto fits = admit(*config, out.limits); !fits) return object.at(fits.error());
    if (auto fits = check_privacy(*config, {}); !fits) return object.at(fits.error());
    if (!config->checks.empty() && std::ranges::count(out.indexes, object.name, &IndexedModel::model) > 0)
      return object.at(fail(Code::kInput, std::string(kNoRules)));
    out.models.push_back({object.name, std::move(*config)});
  }
  if (out.models.size() > out.limits.models)
    return wrong(models, fmt::format("{} are more than limits.models, {}", out.models.size(), out.limits.models));
  return {};
}

Status read_maintenance(const Setting& maintenance, ServiceOptions& out) {
  auto all = nlohmann::ordered_json::object();
  for (const auto& object : maintenance.objects) {
    auto work = read_planned_work(object.json, "", {});
    if (!work) return object.at(work.error());
    if (work->note.empty()) work->note = object.name;
    out.maintenance.push_back(std::move(*work));
    all[object.name] = nlohmann::ordered_json::parse(object.json);
  }
  if (out.maintenance.size() > 50) return wrong(maintenance, "expected 50 of them at most");
  out.maintenance_json = all.dump();
  return {};
}

}  // namespace

std::span<const Option> serve_options() {
  static const auto options = [] {
    std::vector<Option> out;
    for (const auto& field : kFields) out.push_back(field.option);
    return out;
  }();
  return options;
}

Result<ServiceOptions> read_settings(const config::Settings& settings, const Environment& environment) {
  ServiceOptions out;
  const auto at = [&](std::string_view name) -> const Setting& { return settings.find(name)->second; };
  for (const auto& field : kFields)
    if (field.set) field.set(out, at(field.option.name));
  VIGIE_TRY(read_listen(at("listen"), out));
  VIGIE_TRY(read_tokens(settings, environment, out.tokens));
  VIGIE_TRY(check_tls(at("tls.certificate"), at("tls.key")));
  VIGIE_TRY(check_open(at("listen"), out));
  out.telling.token = !out.tokens.empty();
  notify::Context page, zone;
  page.page = out.telling.page, zone.zone = out.telling.zone;
  if (auto good = notify::check(page); !good) return wrong(at("page"), good.error().message);
  if (auto good = notify::check(zone); !good) return wrong(at("timezone"), good.error().message);
  VIGIE_TRY(read_targets(at("notify"), environment, out));
  VIGIE_TRY(read_samples(at("sample"), at("price"), environment, out));
  VIGIE_TRY(read_sources(at("source"), environment, out));
  VIGIE_TRY(read_shipping(at("ship"), environment, out));
  VIGIE_TRY(read_store(at("store"), environment, out));
  VIGIE_TRY(read_models(at("models"), out));
  VIGIE_TRY(read_maintenance(at("maintenance"), out));
  return out;
}

std::string settings_schema() {
  // What a model takes is what the API says that it takes.
  auto text = std::string(kOpenapi);
  constexpr std::string_view kThere = "#/components/schemas/", kHere = "#/$defs/";
  for (std::size_t i = 0; (i = text.find(kThere, i)) != text.npos;) text.replace(i, kThere.size(), kHere);
  const auto schemas = nlohmann::ordered_json::parse(text).at("components").at("schemas");
  const nlohmann::ordered_json definitions{{"ModelConfig", schemas.at("ModelConfig")},
                                           {"Monitor", schemas.at("Monitor")},
                                           {"PlannedWork", schemas.at("PlannedWork")}};
  return config::json_schema(
      serve_options(), "vigie.yaml",
      [](std::string_view option) {
        return option == "models" ? R"({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/ModelConfig"}]})"
                                  : R"({"$ref": "#/$defs/PlannedWork"})";
      },
      definitions.dump());
}

}  // namespace vigie::server

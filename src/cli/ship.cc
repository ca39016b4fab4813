// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <span>

#include "base/call.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/quantity.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/ship_heads_internal.h"
#include "cli/ship_internal.h"
#include "elastic/documents.h"
#include "elastic/link.h"
#include "table/record_texts.h"

namespace vigie::cli {
namespace {

using Steady = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;
constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
constexpr std::uint64_t kMostRejected = std::uint64_t{1} << 40;  // bytes: as many as there are

struct Options {
  std::vector<std::string> files, to;
  std::string model, index, stream, by = "month", id, timestamp, keep, rejected = "vigie-rejected.ndjson";
  std::string user, password, api_key, aws, ca, fingerprint, patience = "10m";
  int gzip = 1;
  bool dry_run = false, no_setup = false, json = false;
  DataOptions reading;
};

// What the options say.
struct Plan {
  table::ReadOptions reading;
  elastic::Place place;
  std::int64_t keep_days = 0;
  elastic::Access access;
  double patience = 0;  // s
  table::RecordKeys keys;
  ShipHeads heads;
  std::optional<table::RecordData> piped{};  // standard input, which can be read once
};

Result<elastic::Place> place_of(const Options& o) {
  using Kind = elastic::Place::Kind;
  elastic::Place out;
  if (!o.index.empty() && !o.stream.empty()) return fail(Code::kUsage, "--index and --data-stream exclude each other");
  const std::vector<std::string> every{"month", "day", "none"};
  if (std::find(every.begin(), every.end(), o.by) == every.end())
    return fail(Code::kUsage, "--by: " + unknown_of("kind", o.by, every));
  out.kind = !o.stream.empty() ? Kind::kStream
             : o.by == "month" ? Kind::kMonths
             : o.by == "day"   ? Kind::kDays
                               : Kind::kIndex;
  out.name = !o.stream.empty()  ? o.stream
             : !o.index.empty() ? o.index
                                : "vigie-prediction-" + elastic::name_of(o.model.empty() ? "logs" : o.model);
  if (const auto wrong = elastic::wrong_name(out.name); !wrong.empty())
    return fail(Code::kUsage,
                fmt::format("{}: {} cannot be a name there: {}", o.stream.empty() ? "--index" : "--data-stream",
                            vigie::quoted(out.name), wrong));
  return out;
}

Result<elastic::Access> access_of(const Options& o) {
  elastic::Access out;
  VIGIE_ASSIGN(const auto key, elastic_secret("--api-key", o.api_key, "VIGIE_ELASTIC_API_KEY"));
  VIGIE_ASSIGN(out.password, elastic_secret("--password", o.password, "VIGIE_ELASTIC_PASSWORD"));
  out.api_key = elastic::api_key_of(key), out.user = o.user, out.gzip = o.gzip;
  if (!o.aws.empty()) {
    const auto slash = o.aws.find('/');
    const auto region = o.aws.substr(0, slash), service = slash == o.aws.npos ? "es" : o.aws.substr(slash + 1);
    out.sigv4 = fmt::format("aws:amz:{}:{}", region, service);
    out.user = variable("AWS_ACCESS_KEY_ID").value_or(""),
    out.password = variable("AWS_SECRET_ACCESS_KEY").value_or("");
    out.session = variable("AWS_SESSION_TOKEN").value_or(""), out.api_key.clear();
    if (out.user.empty() || out.password.empty())
      return fail(Code::kUsage, "--aws: needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  } else if (!out.user.empty()) {
    if (out.password.empty()) return fail(Code::kUsage, "--user: needs --password, or VIGIE_ELASTIC_PASSWORD");
    out.api_key.clear();
  }
  if (!o.fingerprint.empty()) {
    auto pin = elastic::pin_of(o.fingerprint);
    if (!pin) return fail(Code::kUsage, "--ca-fingerprint: " + pin.error().message);
    out.pin = std::move(*pin);
  }
  if (!o.ca.empty()) VIGIE_TRY(InputFile::open(o.ca));
  out.ca = o.ca;
  return out;
}

Status look(const Options& o, const std::string& file, const table::RecordData& data, Plan& plan) {
  o.reading.remark(file, data.kind());
  if (data.kind() == "NDJSON" && !o.reading.schema.empty())
    say(fmt::format("--schema: has no effect on {}, which is NDJSON", file));
  return plan.heads.look(file, data);
}

Result<Plan> plan_of(const Options& o) {
  VIGIE_ASSIGN(auto place, place_of(o));
  const auto kind = place.kind;
  VIGIE_ASSIGN(auto access, access_of(o));
  VIGIE_ASSIGN(auto reading, o.reading.reading());
  const table::RecordKeys keys{.time = o.timestamp, .id = o.id};
  Plan plan{.reading = std::move(reading),
            .place = std::move(place),
            .access = std::move(access),
            .keys = keys,
            .heads = ShipHeads(keys, kind == elastic::Place::Kind::kStream)};
  for (const auto& node : o.to) {
    const bool http = node.starts_with("http://") || node.starts_with("https://");
    if (!http || node.find_first_of(" ?#") != node.npos)
      return fail(Code::kUsage, fmt::format("--to: expected an address as https://host:9200, got {}",
                                            vigie::quoted(http::place_of(node))));
    if (node.find('@') != node.npos)
      return fail(Code::kUsage, "--to: a password in an address is seen by others: --user and --password");
  }
  for (const auto& [option, given] : {std::pair{"--keep", &o.keep}, std::pair{"--patience", &o.patience}}) {
    if (given->empty()) continue;
    const auto seconds = parse_duration(*given);
    if (!seconds)
      return fail(Code::kUsage,
                  fmt::format("{}: expected a time, as 30s, 15m, 2h or 7d, got {}", option, vigie::quoted(*given)));
    if (given == &o.patience) {
      plan.patience = *seconds;
      continue;
    }
    plan.keep_days = static_cast<std::int64_t>(std::ceil(*seconds / 86400));
    if (plan.place.kind == elastic::Place::Kind::kIndex)
      return fail(Code::kUsage, "--keep: goes index by index: --by month, --by day or --data-stream");
  }
  if (std::count(o.files.begin(), o.files.end(), "-") > 1)
    return fail(Code::kUsage, "-: standard input can be one file only");
  // What is not there is told before anybody is asked.
  for (const auto& file : o.files) {
    if (file == "-") continue;
    VIGIE_TRY(check_in_files(file));
    VIGIE_ASSIGN(const auto data, table::RecordData::open(file, plan.reading));
    VIGIE_TRY(look(o, file, data, plan));
  }
  return plan;
}

// The end of standard input is waited for, and so the server is asked before whether it is there.
Status look_at_input(const Options& o, Plan& plan) {
  if (std::find(o.files.begin(), o.files.end(), "-") != o.files.end()) {
    VIGIE_ASSIGN(plan.piped, table::RecordData::open("-", plan.reading));
    VIGIE_TRY(look(o, "-", *plan.piped, plan));
  }
  return plan.heads.end(o.reading);
}

Result<std::unique_ptr<table::RecordTexts>> texts_of(const Plan& plan, const std::string& file) {
  if (file == "-") return plan.piped->texts(plan.keys);
  VIGIE_ASSIGN(const auto data, table::RecordData::open(file, plan.reading));
  return data.texts(plan.keys);
}

// Files as they are called in ids, from wherever they are shipped: of two of one name each is another.
void add_places(std::span<const std::string> files, std::vector<std::string>& places) {
  for (const auto& file : files) {
    std::error_code failed;
    const auto whole = std::filesystem::weakly_canonical(file, failed);
    places.push_back(file == "-" || failed ? file : whole.string());
  }
}

// A record as a document.
elastic::Document document_of(elastic::Documents& documents, const table::RecordText& record,
                              const std::vector<std::string>& places, std::size_t before) {
  const auto file = before + record.file;
  auto id = record.id.empty() ? documents.id_at(places[file], record.number, record.json) : documents.id_of(record.id);
  auto out = documents.of(std::move(id), record.json, record.time, record.stamped);
  out.file = file, out.number = record.number;
  return out;
}

bool is_timeless(const table::RecordText& record) {
  return !record.stamped && std::isnan(record.time);
}

// Without a time no time filter sees a document, and no data stream takes it.
Status check_times(const Plan& plan, std::span<const table::RecordText> records, const std::string& file,
                   std::int64_t& undated) {
  const auto timeless = std::count_if(records.begin(), records.end(), is_timeless);
  undated += timeless;
  if (plan.place.kind != elastic::Place::Kind::kStream || timeless < std::ssize(records)) return {};
  return fail(Code::kUsage, fmt::format("{}: no record has a time, which a data stream needs: --timestamp COL", file));
}

std::string undated_line(std::int64_t undated, const std::string& records) {
  return fmt::format("{} of {} have no time, and Kibana's time filter does not show them: --timestamp COL",
                     with_commas(undated), records);
}

struct Shipped {
  elastic::Shipper::Counts counts;
  std::int64_t unreadable = 0, records = 0, undated = 0;
  bool interrupted = false;
  std::string stopped{}, cluster{};  // why it ended before all was there
  Status wrong{};                    // what could not be read
};

class Ship {
 public:
  Ship(const Options& o, const Plan& plan, elastic::Link& link, const CatchSignals& signals)
      : o_(o),
        plan_(plan),
        link_(link),
        signals_(signals),
        documents_(plan.place, o.model),
        rejects_(o.rejected, kMostRejected),
        shipper_({.nodes = o.to.size()}, std::random_device()()) {}

  Result<Shipped> run() {
    Shipped out;
    ProgressBar bar("shipping");
    progress_ = bar.callback();
    std::size_t read = 0;
    for (; read < o_.files.size() && out.wrong && !ended(); ++read) out.wrong = ship_file(read, out);
    const bool all_read = !ended();
    // What was read goes, whatever is wrong with the rest.
    while (!shipper_.empty() && !ended()) VIGIE_TRY(turn(true, kLongest));
    // What is under way is heard, for a while.
    const auto until = Steady::now() + std::chrono::seconds(10);
    while (under_way_ > 0 && Steady::now() < until && signals_.asked()) VIGIE_TRY(hear(std::chrono::milliseconds(100)));
    out.counts = shipper_.counts(), out.interrupted = signals_.asked() && (!all_read || !shipper_.empty());
    if (!out.interrupted && !shipper_.stopped().empty()) out.stopped = shipper_.stopped();
    if (!out.interrupted && out.stopped.empty() && given_up_)
      out.stopped = fmt::format("nothing was taken for {}: {}", duration(plan_.patience * 1e6), shipper_.trouble());
    return out;
  }
  const elastic::Rejects& rejects() const { return rejects_; }

 private:
  static constexpr std::chrono::milliseconds kLongest{200};
  static std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(Steady::now().time_since_epoch()).count();
  }
  bool ended() const { return signals_.asked() || given_up_ || !shipper_.stopped().empty(); }

  Status ship_file(std::size_t index, Shipped& out) {
    VIGIE_ASSIGN(auto texts, texts_of(plan_, o_.files[index]));
    const auto before = files_.size();
    files_.insert(files_.end(), texts->files().begin(), texts->files().end());
    add_places(texts->files(), places_);
    const auto all = [&]() -> Status {
      while (!ended()) {
        VIGIE_ASSIGN(const auto records, texts->next());
        if (records.empty()) break;
        VIGIE_TRY(check_times(plan_, records, files_.back(), out.undated));
        for (const auto& record : records) {
          while (shipper_.full() && !ended()) VIGIE_TRY(turn(false, kLongest));
          if (ended()) break;
          shipper_.add(document_of(documents_, record, places_, before));
          ++out.records;
        }
        const auto bytes = static_cast<double>(std::max<std::uint64_t>(1, texts->bytes()));
        if (progress_)
          progress_((static_cast<double>(index) + static_cast<double>(texts->consumed()) / bytes) /
                    static_cast<double>(o_.files.size()));
        VIGIE_TRY(turn(false, {}));
      }
      return {};
    };
    auto done = all();
    say_all(texts->problems());
    out.unreadable += texts->problems().rejected;
    return done;
  }

  // Sends what can go, and hears what is answered; waits for that at most so long.
  Status turn(bool all, std::chrono::milliseconds at_most) {
    // Nobody is waited for: what is read may take its time.
    if (under_way_ == 0 && shipper_.trouble().empty()) progressed_ = Steady::now();
    while (auto order = shipper_.next(now(), all)) {
      VIGIE_TRY(link_.send(*order));
      orders_[order->id] = std::move(order->bulk);
      ++under_way_;
    }
    if (const auto due = shipper_.due(); due && at_most.count() > 0)
      at_most = std::clamp(std::chrono::milliseconds((*due - now()) / 1000 + 1), std::chrono::milliseconds(1), at_most);
    VIGIE_TRY(hear(at_most));
    if (const auto settled = shipper_.counts().settled(); settled != settled_)
      settled_ = settled, progressed_ = Steady::now(), told_ = false;
    const auto idle = std::chrono::duration<double>(Steady::now() - progressed_).count();
    if (idle > 5 && !told_ && !shipper_.trouble().empty())
      say(fmt::format("{} waits: {}", plural(shipper_.left(), "document"), shipper_.trouble())), told_ = true;
    given_up_ = idle > plan_.patience && !shipper_.empty();
    return {};
  }

  Status hear(std::chrono::milliseconds at_most) {
    for (const auto& done : link_.wait(at_most)) {
      const auto order = orders_.extract(done.id);
      shipper_.settle(done.id, elastic::settle(*order.mapped(), done.answer), now());
      --under_way_;
    }
    return rejects_.add(shipper_.take_rejected(), files_);
  }

  static void say_all(const table::Problems& problems) {
    for (const auto& message : problems.messages) say(message);
    for (const auto& note : problems.notes) say(note);
  }

  const Options& o_;
  const Plan& plan_;
  elastic::Link& link_;
  const CatchSignals& signals_;
  elastic::Documents documents_;
  elastic::Rejects rejects_;
  elastic::Shipper shipper_;
  engine::Progress progress_;
  std::vector<std::string> files_, places_;
  std::map<std::int64_t, std::shared_ptr<const elastic::Bulk>> orders_;
  std::int64_t settled_ = 0;
  int under_way_ = 0;
  Steady::time_point progressed_ = Steady::now();
  bool told_ = false, given_up_ = false;
};

int show_plan(const Options& o, const Plan& plan) {
  elastic::Cluster cluster;
  cluster.major = 8, cluster.minor = 19, cluster.version = "8.19 or what answers";
  for (const auto& step : elastic::setup_of(cluster, {plan.place, plan.keep_days}))
    print(fmt::format("{} {}\n{}\n", step.method, step.path, step.body));
  elastic::Documents documents(plan.place, o.model);
  for (const auto& file : o.files) {
    auto texts = texts_of(plan, file);
    if (!texts) return say(texts.error().message), 2;
    const auto records = (*texts)->next();
    if (!records) return say(records.error().message), 2;
    elastic::Bulk bulk;
    std::vector<std::string> places;
    add_places((*texts)->files(), places);
    for (const auto& record : records->first(std::min<std::size_t>(2, records->size())))
      bulk.add(document_of(documents, record, places, 0));
    print("POST /_bulk\n" + bulk.text());
    std::int64_t undated = 0;
    if (const auto timed = check_times(plan, *records, (*texts)->files().back(), undated); !timed)
      return say(timed.error().message), 2;
    if (undated > 0 && !plan.heads.told_untimed(file))
      say(undated_line(undated, fmt::format("{} at the begin of {}", plural(std::ssize(*records), "record"), file)));
  }
  return 0;
}

std::string sentence(const Options& o, const Plan& plan, const Shipped& shipped, double seconds) {
  const auto& c = shipped.counts;
  return fmt::format("{} to {} ({}): {} stored, {} there already, {}{} rejected, {} unreadable; {}",
                     o.files.size() == 1 ? o.files[0] : plural(static_cast<long long>(o.files.size()), "file"),
                     plan.place.name, shipped.cluster, with_commas(c.stored), with_commas(c.there),
                     c.diverted > 0 ? with_commas(c.diverted) + " in the failure store, " : "", with_commas(c.rejected),
                     with_commas(shipped.unreadable), duration(seconds * 1e6));
}

std::string document(const Options& o, const Plan& plan, const Shipped& shipped, const elastic::Rejects& rejects,
                     double seconds) {
  const auto& c = shipped.counts;
  Json out{{"command", "ship"},
           {"files", o.files},
           {"index", plan.place.pattern()},
           {"cluster", shipped.cluster},
           {"records", shipped.records},
           {"stored", c.stored},
           {"there", c.there},
           {"diverted", c.diverted},
           {"rejected", c.rejected},
           {"unreadable", shipped.unreadable},
           {"sent_again", c.again},
           {"rejected_file", rejects.any() ? Json(rejects.path()) : Json()},
           {"seconds", std::round(seconds * 1e3) / 1e3}};
  if (shipped.interrupted) out["interrupted"] = true;
  if (!shipped.stopped.empty()) out["stopped"] = shipped.stopped;
  return out.dump(-1, ' ', false, kReplace);
}

// What of the records is not there and never will be, in one line; empty: all are.
std::string not_there(const Shipped& shipped, const elastic::Rejects& rejects) {
  const auto rejected = shipped.counts.rejected, lost = rejected + shipped.unreadable;
  if (lost == 0) return {};
  auto line = fmt::format("{} of {} {} not there:", with_commas(lost),
                          plural(shipped.records + shipped.unreadable, "record"), lost == 1 ? "is" : "are");
  if (shipped.unreadable > 0) line += fmt::format(" {} could not be read", with_commas(shipped.unreadable));
  if (rejected > 0)
    line += fmt::format("{} {} rejected, with the reasons in {}", shipped.unreadable > 0 ? "," : "",
                        rejected == 1 ? "1 was" : with_commas(rejected) + " were", rejects.path());
  return line;
}

Result<int> ship(const Options& o) {
  VIGIE_ASSIGN(auto plan, plan_of(o));
  if (o.dry_run) {
    VIGIE_TRY(look_at_input(o, plan));
    return show_plan(o, plan);
  }
  http::ClientOptions client;
  client.user_agent = fmt::format("vigie/{}", kVersion);
  elastic::Link link(o.to, plan.access, client);
  VIGIE_ASSIGN(const auto cluster, link.reach());
  VIGIE_TRY(look_at_input(o, plan));
  if (!o.no_setup) {
    VIGIE_ASSIGN(const auto lacks, link.set_up(cluster, {plan.place, plan.keep_days}));
    for (const auto& message : lacks) say(message + "; documents go all the same");
  }
  CatchSignals signals;
  const auto began = Steady::now();
  Ship ship(o, plan, link, signals);
  VIGIE_ASSIGN(auto shipped, ship.run());
  shipped.cluster = cluster.name();
  const double seconds = std::chrono::duration<double>(Steady::now() - began).count();
  for (const auto& line : ship.rejects().first()) say(line);
  if (!shipped.wrong && shipped.records == 0) return shipped.wrong.error();
  if (shipped.undated > 0) say(undated_line(shipped.undated, plural(shipped.records, "record")));
  print(o.json ? document(o, plan, shipped, ship.rejects(), seconds) : sentence(o, plan, shipped, seconds));
  if (const auto line = not_there(shipped, ship.rejects()); !line.empty()) say(line);
  if (shipped.interrupted || !shipped.stopped.empty()) {
    constexpr std::string_view kAgain = "the same command again stores the rest, and nothing twice";
    if (shipped.interrupted) return say(fmt::format("ended: {}", kAgain)), 128 + signals.number();
    return fail(Code::kUnavailable, fmt::format("{}: {}; {}", http::place_of(o.to[0]), shipped.stopped, kAgain));
  }
  if (!shipped.wrong) return shipped.wrong.error();
  const auto& c = shipped.counts;
  return c.rejected + shipped.unreadable > 0 && c.stored + c.there + c.diverted == 0 ? 2 : 0;
}

}  // namespace

Result<std::string> elastic_secret(const std::string& option, const std::string& given, const char* otherwise) {
  if (given.empty()) return variable(otherwise).value_or("");
  // Others see what stands on a command line.
  if (!refers(given))
    return fail(Code::kUsage,
                fmt::format("{}: a secret itself does not belong here: ${{NAME}} or file:PATH; without it {} is taken",
                            option, otherwise));
  return reveal(given, option, variable);
}

Command add_ship(CLI::App& program) {
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("ship", "model logs into Elasticsearch or OpenSearch, each record once");
  app->footer(
      "Examples:\n  vigie ship june.ndjson --to http://localhost:9200 --model credit\n"
      "  vigie ship logs/*.csv.gz --to https://es1:9200 --to https://es2:9200 \\\n"
      "      --ca ca.crt --user shipper --password file:password --id request_id\n"
      "  vigie ship june.ndjson --to http://localhost:9200 --dry-run\n\n"
      "Records keep their own fields; @timestamp and vigie.model.id are added. Where\n"
      "the server is busy it goes on by itself, more slowly; what is rejected goes into\n"
      "a file with the reason. Each document has an id made of --id, or of what the\n"
      "record is and where it stands, so that the same command may be run again, also\n"
      "after Ctrl-C or a crash: what is there is told of and not stored twice. Of a\n"
      "data stream that holds only until it rolls over. Nothing is sent where --id or\n"
      "--timestamp names what a table, or the first file of NDJSON, does not have.\n\n"
      "Secrets come from ${NAME} or file:PATH, else from VIGIE_ELASTIC_API_KEY and\n"
      "VIGIE_ELASTIC_PASSWORD.\n\n"
      "Exit status: 0 done, also where some records could not be read or were rejected,\n"
      "which the last line on standard error says; 2 bad usage or input, or none was\n"
      "taken; 3 the server could not be reached, lets nobody in or takes nothing; 130\n"
      "ended by Ctrl-C.");
  app->add_option("FILE", o->files, "DATA: files, quoted globs or -")->required();
  app->add_option("--to", o->to, "a node, as https://localhost:9200; may be repeated")
      ->type_name("URL")
      ->required()
      ->allow_extra_args(false);
  app->add_option("--model", o->model, "name of the model, as vigie.model.id and in the index' name")->type_name("M");
  app->add_option("--index", o->index, "name to begin with; default vigie-prediction-MODEL")->type_name("NAME");
  app->add_option("--by", o->by, "an index each month (default) or day of @timestamp, or none: one index")
      ->type_name("KIND");
  app->add_option("--data-stream", o->stream, "a data stream instead of indexes")->type_name("NAME");
  app->add_option("--keep", o->keep, "how long documents stay there, as 30d, where the server can do that")
      ->type_name("TIME");
  app->add_option("--id", o->id, "key or column that tells records apart")->type_name("COL");
  app->add_option("--timestamp", o->timestamp, "key or column of the time; default @timestamp or timestamp")
      ->type_name("COL");
  app->add_option("--rejected", o->rejected, "where rejected documents go, behind what is there")->type_name("FILE");
  app->add_option("--patience", o->patience, "how long to go on when nothing is taken; default 10m")->type_name("TIME");
  app->add_option("--gzip", o->gzip, "how hard requests are packed, 0 to 9; default 1")
      ->type_name("LEVEL")
      ->check(CLI::Range(0, 9, ""));
  app->add_flag("--no-setup", o->no_setup, "leave templates and lifecycle as they are");
  app->add_flag("--dry-run", o->dry_run, "print what would be set up, and the first documents, and ask nobody");
  app->add_flag("--json", o->json, "one JSON document instead of a line");
  app->add_option("--user", o->user, "who asks")->type_name("NAME")->group("Access");
  app->add_option("--password", o->password, "of --user")->type_name("SECRET")->group("Access");
  app->add_option("--api-key", o->api_key, "id:key, or encoded")->type_name("SECRET")->group("Access");
  app->add_option("--aws", o->aws, "sign for AWS, as eu-west-1 or eu-west-1/aoss, by AWS_ACCESS_KEY_ID and so on")
      ->type_name("REGION")
      ->group("Access");
  app->add_option("--ca", o->ca, "certificates by which the server is known, PEM; else the system's")
      ->type_name("FILE")
      ->group("Access");
  app->add_option("--ca-fingerprint", o->fingerprint, "SHA-256 of the certificate by which it is known instead")
      ->type_name("HEX")
      ->group("Access");
  o->reading.add_reading(*app);
  return {app, [o] { return ship(*o); }};
}

}  // namespace vigie::cli

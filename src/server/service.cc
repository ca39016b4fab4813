// SPDX-License-Identifier: Apache-2.0
#include "server/service.h"

#include <fcntl.h>
#include <fmt/compile.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/call.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "server/answers.h"
#include "server/audit_trail.h"
#include "server/export.h"
#include "server/follower.h"
#include "server/housekeeping.h"
#include "server/index_reference.h"
#include "server/ingest.h"
#include "server/intake.h"
#include "server/live_attributions.h"
#include "server/live_lines.h"
#include "server/metrics.h"
#include "server/notices.h"
#include "server/openapi.h"
#include "server/ops_api.h"
#include "server/outside_work.h"
#include "server/past_rows.h"
#include "server/references.h"
#include "server/streams_api.h"
#include "server/telling_internal.h"
#include "store/elastic.h"
#include "table/json_rows.h"
#include "view/live_page.h"

namespace vigie::server {
namespace {

constexpr const char* kShipping = "shipping";
using Json = nlohmann::ordered_json;

Reply nothing_of_model(const std::string& model, const std::string& what) {
  static const std::vector<std::string> parts{"predictions",  "labels",      "explanations", "reference",
                                              "references",   "maintenance", "rows",         "windows",
                                              "attributions", "ops",         "detectors"};
  if (what == "scores" || what == "score" || what == "metrics")
    return refuse(404, fmt::format("scores are in the windows: GET /v1/models/{}/windows", http::encoded(model)),
                  "path");
  return refuse(404, unknown_of("part of a model", what, parts), "path");
}

Reply wrong_method(std::string_view allowed) {
  auto reply = refuse(405, fmt::format("only {} here", allowed), "method");
  reply.headers.emplace_back("Allow", allowed);
  return reply;
}

// What is said of columns that a reference has.
Status fits_columns(const engine::Profile& profile, const ModelConfig& config) {
  if (config.detectors) VIGIE_TRY(check_streams(*config.detectors, profile));
  VIGIE_TRY(check_privacy(config, profile));
  VIGIE_TRY(check_rules(config, profile));
  return config.compare.methods.empty() ? Status() : check_methods(config, profile);
}

// A profile was made with windows, a task and a positive class of its own.
Status fits_config(const engine::Profile& profile, const ModelConfig& config) {
  using Kind = engine::WindowSpec::Kind;
  VIGIE_TRY(fits_columns(profile, config));
  const auto differs = [](std::string_view what, std::string_view has, std::string_view wanted,
                          std::string_view option) {
    return fail(Code::kInput,
                fmt::format("the reference has {} {}, and the model was said to have {}: make it with vigie "
                            "profile {}, or PUT the model anew",
                            what, has, wanted, option));
  };
  if (config.window.kind != Kind::kNone && profile.window != config.window)
    return differs("windows:", to_string(profile.window), to_string(config.window), "--window");
  const auto has = [&](const std::vector<std::string>& wanted) {
    return std::ranges::any_of(profile.segmentations, [&](const auto& by) {
      return std::is_permutation(by.begin(), by.end(), wanted.begin(), wanted.end());
    });
  };
  for (const auto& by : config.segments)
    if (!has(by)) return differs("no segments by", fmt::format("{}", fmt::join(by, ", ")), "them", "--segment");
  if (!profile.scores) return {};
  const auto& o = profile.scores->options;
  if (config.task && *config.task != o.task)
    return differs("task", to_string(o.task), to_string(*config.task), "--task");
  if (config.positive && o.task == metric::Task::kBinary && !o.classes.empty() &&
      o.positive.value_or(o.classes.back()) != *config.positive)
    return differs("positive class", o.positive.value_or(o.classes.back()), *config.positive, "--positive");
  return {};
}

// Until the program ends, so that no second one, here or elsewhere, touches what is in the folder.
Result<int> lock_folder(const std::string& folder) {
  const auto path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Code::kIo, fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  const int error = errno;
  ::close(fd);
  if (error == EWOULDBLOCK) return fail(Code::kUsage, fmt::format("{}: another vigie has this folder", folder));
  return fail(Code::kIo, fmt::format("{}: cannot lock: {}", path, std::strerror(error)));
}

Status make_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(Code::kIo, fmt::format("{}: cannot make the folder: {}", folder, std::strerror(errno)));
}

}  // namespace

class Service::Impl {
 public:
  explicit Impl(ServiceOptions options) : options_(std::move(options)) {}

  Status start() {
    // Bodies are large and many: memory that is given back each time is paid for again, page by page.
    ::mallopt(M_MMAP_THRESHOLD, 64 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
    VIGIE_TRY(make_folder(options_.data));
    VIGIE_ASSIGN(lock_, lock_folder(options_.data));
    VIGIE_ASSIGN(state_, State::open(options_.data + "/state"));
    VIGIE_ASSIGN(auto known, state_->models());
    auto writing = options_.journal;
    VIGIE_ASSIGN(writing.consumers[std::string(Follower::kConsumer)], state_->offset());
    // No number that was shipped is given again, should the journal have lost its end; else shipping holds up nothing.
    if (!options_.shipping.empty()) {
      VIGIE_ASSIGN(writing.consumers[kShipping], shipped_until(options_.data));
    }
    if (options_.log)
      writing.trouble = [this](const std::string& trouble) {
        options_.log(trouble.empty() ? "records are accepted again"
                                     : fmt::format("no record is accepted: {}", trouble));
      };
    VIGIE_ASSIGN(journal_, journal::Journal::open(options_.data + "/journal", writing));
    journal_->forget(kShipping);
    VIGIE_ASSIGN(store_, open_store());
    models_.emplace(std::move(known), options_.limits.models);
    ingest_.emplace(*journal_, *state_, *models_);
    telling_.emplace(*store_, options_.log);
    follower_.emplace(
        *journal_, *state_, *models_, *store_,
        [this](const event::Notice& notice) { return telling_->targets_of(notice); },
        [this](auto to) { ingest_->committed(to); });
    if (options_.store) follower_->peers = std::make_unique<Peers>(store::open_exchange({*options_.store, node_}));
    VIGIE_TRY(telling_->set(std::exchange(options_.targets, {}), options_.telling));
    follower_->told = [this] { telling_->wake(); };
    follower_->first_over = [this](const auto& model, auto from, auto to) {
      const PastRows first{.from = static_cast<double>(from), .to = static_cast<double>(to), .version = {}};
      const auto say = [this, model](const Reply& reply) {
        if (!options_.log) return;
        const bool made = reply.status == 202;
        options_.log(fmt::format("{}: what came first is {}its reference{}", model, made ? "" : "not made ",
                                 made ? "" : ": " + reply.body));
      };
      return look_back(model, first, say, true);
    };
    follower_->log = options_.log;
    if (!options_.maintenance.empty()) plan();
    start_samples();
    VIGIE_ASSIGN(follower_->hash_key, read_or_make_key(options_.data + "/privacy.key"));
    VIGIE_TRY(follower_->catch_up());
    VIGIE_ASSIGN(const bool said, declare(options_.models));
    if (said) VIGIE_TRY(follower_->catch_up());
    follower_->start();
    let_in(std::move(options_.tokens), options_.behind_proxy);
    VIGIE_ASSIGN(http_, HttpServer::listen(
                            options_.http, [this](const Request& head) { return refused(head); },
                            [this](Request request, Answer answer) {
                              if (!reads(request))
                                return handle(request, std::move(answer)), takes(request).has_value();
                              boost::asio::post(
                                  reading_, [this, request = std::move(request), answer = std::move(answer)]() mutable {
                                    handle(request, std::move(answer));
                                  });
                              return false;
                            }));
    housekeeping_.emplace(*store_, options_.keep, beside());
    running_ = true;
    note("the start", service_started(*store_, options_.version, system_now()));
    intake_.emplace(*ingest_, options_.data + "/sources", options_.log);
    VIGIE_TRY(intake_->set(std::move(options_.sources)));
    if (!options_.shipping.empty()) {
      VIGIE_ASSIGN(shipping_, Shipping::start(std::move(options_.shipping[0]), *journal_, options_.data,
                                              options_.version, options_.log));
    }
    watch_indexes();
    http_->run();
    return {};
  }

  Status reload(Result<ServiceOptions> fresh) {
    const auto changed = fresh ? fresh->changed : std::vector<std::string>();
    auto done = fresh ? take_over(std::move(*fresh)) : Status(std::move(fresh.error()));
    reloaded_ = done.has_value();
    if (done) reloaded_at_ = system_now();
    if (done && !changed.empty()) note("the change of settings", settings_changed(changed, system_now()));
    return done;
  }

  Status take_over(ServiceOptions fresh) {
    VIGIE_TRY(declare(fresh.models));
    VIGIE_TRY(http_->adopt(fresh.http));
    VIGIE_TRY(intake_->set(std::move(fresh.sources)));
    options_.indexes = std::move(fresh.indexes);
    watch_indexes();
    let_in(std::move(fresh.tokens), fresh.behind_proxy);
    models_->limit(fresh.limits.models);
    most_features_ = fresh.limits.features, most_segments_ = fresh.limits.segments;
    journal_->limit(fresh.journal.keep_bytes, fresh.journal.keep_age);
    if (fresh.maintenance_json != options_.maintenance_json) {
      options_.maintenance = std::move(fresh.maintenance),
      options_.maintenance_json = std::move(fresh.maintenance_json);
      plan();
    }
    return telling_->set(std::move(fresh.targets), fresh.telling);
  }

  ~Impl() {
    ends_ = true;
    if (http_) http_->stop();
    reading_.join();
    {
      std::lock_guard lock(looking_back_);
      if (looking_.valid()) looking_.wait();
    }
    intake_.reset();
    end_watching();
    shipping_.reset();
    {
      std::lock_guard lock(ending_);
      follower_.reset();
    }
    machine_.reset();
    telling_.reset();
    housekeeping_.reset();
    journal_.reset();  // writes and answers what waits, while there still is somebody to answer to
    http_.reset();
    state_.reset();
    if (running_) note("the end", service_stopped(options_.version, system_now()));
    store_.reset();
    if (lock_ >= 0) ::close(lock_);
  }

  std::uint16_t port() const { return http_->port(); }
  const std::string& torn() const { return journal_->torn(); }

 private:
  // It may have to wait for an answer, and nobody is to wait for it.
  void end_watching() {
    std::unique_ptr<IndexWatch> before;
    const std::lock_guard lock(watching_);
    std::swap(before, indexes_);
  }

  void watch_indexes() {
    end_watching();
    std::set<std::string, std::less<>> models;
    for (const auto& one : options_.indexes) models.insert(one.model);
    ingest_->counted_elsewhere(std::move(models));
    if (options_.indexes.empty()) return;
    auto now = std::make_unique<IndexWatch>(
        std::move(options_.indexes), options_.data,
        IndexWatch::Service{[this](const auto& model) {
                              return state_->get(Follower::reference_of(model)).value_or(std::nullopt).value_or("");
                            },
                            [this](const auto& model, const auto& bytes) -> Status {
                              std::promise<Reply> said;
                              set_reference(model, bytes, [&](Reply reply) { said.set_value(std::move(reply)); });
                              const auto reply = said.get_future().get();
                              if (reply.status == 202) return {};
                              return fail(Code::kUnavailable,
                                          fmt::format("its reference is not taken: {}", reply.body));
                            },
                            [this](auto records) -> Status {
                              VIGIE_TRY(journal_->append(std::move(records)));
                              return {};
                            }},
        options_.log);
    const std::lock_guard lock(watching_);
    indexes_ = std::move(now);
    for (const auto& [model, since] : std::exchange(refused_, {})) indexes_->refused(model, since);
  }

  Result<std::unique_ptr<store::Store>> open_store() {
    if (!options_.store) return store::open_sqlite(options_.data + "/results.sqlite");
    VIGIE_ASSIGN(const auto own, read_or_make_key(options_.data + "/node.id"));
    const std::string_view parts[] = {own};
    node_ = stable_id(parts);
    return store::open_elastic({*options_.store, node_});
  }

  void start_samples() {
    machine_.emplace(*store_, beside());
    dependencies_.emplace(*machine_);
    machine_->seen = [this](const auto& name, const auto* figures, const auto& why, auto now) {
      dependencies_->seen(name, figures, why, now);
    };
    follower_->configured = [this](const auto& model, const auto& config) {
      dependencies_->configure(model, config.depends_on);
    };
    follower_->context = [this](const auto& model, auto from, auto to) {
      return dependencies_->failed(model, from, to);
    };
    follower_->window_taken = [this](const auto& model, const auto& window, auto rows) {
      const std::lock_guard lock(watching_);
      if (!rows && !indexes_) refused_.emplace_back(model, window.since);
      if (indexes_) rows ? indexes_->taken(model, *rows) : indexes_->refused(model, window.since);
    };
    follower_->prices = options_.prices;
    for (auto& sample : options_.samples) machine_->add(std::move(sample));
  }

  void plan() {
    follower_->maintenance.plan_for_all(options_.maintenance);
    note("planned maintenance", maintenance_planned(options_.maintenance_json, system_now()));
  }

  // What keeps the follower, too, it has said.
  std::function<void(const std::string&)> beside() {
    return [this](const std::string& line) {
      const std::unique_lock ends(ending_, std::try_to_lock);
      const auto said = ends && follower_ ? follower_->trouble() : std::string();
      if (options_.log && (said.empty() || !line.ends_with(said))) options_.log(line);
    };
  }

  // The end of the log is said where the owner of its file may have no hand: that proves later that nothing before it
  // was made anew.
  void note(std::string_view what, const Result<event::AuditEntry>& entry) {
    const auto kept = entry ? store_->put(std::span(&*entry, 1)) : Status(entry.error());
    if (!options_.log) return;
    if (!kept && kept.error().code == Code::kUnavailable)  // why, the follower says
      return options_.log(fmt::format("audit log: {} is not in it, as its store does not answer", what));
    options_.log("audit log: " + (kept ? head_of_audit(*store_) : kept.error().message));
  }

  // What asks the store, and may take as long as that does: records are taken in meanwhile.
  static bool reads(const Request& request) {
    const auto& path = request.path;
    if (path.size() == 1 && (path[0] == "healthz" || path[0] == "readyz")) return false;
    return request.method != "POST" || (path.size() > 1 && (path[1] == "incidents" || path[1] == "notices"));
  }

  // The kind of the records that are posted, which are in the journal's order once they were handled.
  static std::optional<event::Kind> takes(const Request& request) {
    const auto& path = request.path;
    if (path.size() != 4 || path[0] != "v1" || path[1] != "models") return {};
    if (path[3] == "predictions") return event::Kind::kPredictions;
    if (path[3] == "labels") return event::Kind::kLabels;
    if (path[3] == "explanations") return event::Kind::kExplanations;
    return {};
  }

  void handle(const Request& request, Answer answer) {
    const auto& path = request.path;
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (path.empty() || (path.size() == 1 && path[0].empty())) return answer(get ? home() : wrong_method("GET"));
    if (path.size() == 1 && path[0] == "healthz") return answer(get ? health() : wrong_method("GET"));
    // What is wrong elsewhere, as with a store that is away, keeps no records out.
    if (path.size() == 1 && path[0] == "readyz") return answer(get ? well() : wrong_method("GET"));
    if (path.size() == 1 && path[0] == "openapi.json")
      return answer(get ? Reply{200, std::string(kOpenapi)} : wrong_method("GET"));
    if (path.size() == 1 && path[0] == "metrics") return answer(get ? metrics(request) : wrong_method("GET"));
    if (path.size() >= 2 && path[0] == "v1" && path[1] == "models") {
      if (path.size() == 2) return answer(get ? list(request) : wrong_method("GET"));
      if (path.size() == 3) {
        if (request.method == "PUT") return configure(request, std::move(answer));
        return answer(get ? one(path[2]) : wrong_method("GET, HEAD, PUT"));
      }
      if (const auto kind = takes(request))
        return request.method == "POST" ? take(request, *kind, std::move(answer)) : answer(wrong_method("POST"));
    }
    if (path.size() == 5 && path[0] == "v1" && path[1] == "models" && path[3] == "references")
      return answer(get ? reference_file(request, *store_) : wrong_method("GET"));
    if (path.size() == 4 && path[0] == "v1" && path[1] == "models") {
      if (path[3] == "reference")
        return request.method == "POST" ? set_reference(request, std::move(answer)) : answer(wrong_method("POST"));
      if (path[3] == "references") return answer(get ? references(request) : wrong_method("GET"));
      if (path[3] == "maintenance") return maintain(request, std::move(answer));
      if (path[3] == "rows") return answer(get ? sampled_rows(request, *store_) : wrong_method("GET"));
      if (path[3] == "windows") return answer(get ? windows(request) : wrong_method("GET"));
      if (path[3] == "attributions") return answer(get ? attributions_of(request) : wrong_method("GET"));
      if (path[3] == "ops") return answer(get ? ops(request) : wrong_method("GET"));
      if (path[3] == "detectors") return answer(get ? detectors_of(path[2]) : wrong_method("GET"));
      return answer(nothing_of_model(path[2], path[3]));
    }
    if (path.size() == 2 && path[0] == "v1" && path[1] == "ops")
      return answer(get ? machine_ops(request, *machine_, *store_, system_now()) : wrong_method("GET"));
    if (path.size() == 2 && path[0] == "v1" && path[1] == "sources")
      return answer(get ? sources() : wrong_method("GET"));
    if (path.size() == 2 && path[0] == "v1" && path[1] == "indexes")
      return answer(get ? indexes() : wrong_method("GET"));
    if (path.size() == 2 && path[0] == "v1" && path[1] == "shipping") {
      if (!get) return answer(wrong_method("GET"));
      return answer(shipping_ ? Reply{200, to_json(shipping_->state()) + "\n"}
                              : refuse(404, "nothing is shipped: --ship, or ship in vigie.yaml", "path"));
    }
    if (path.size() >= 2 && path[0] == "v1" && path[1] == "incidents") {
      if (path.size() == 2) return answer(get ? incidents(request) : wrong_method("GET"));
      if (path.size() == 3) return answer(get ? incident(path[2]) : wrong_method("GET"));
      if (path.size() == 4)
        return request.method == "POST" ? answer_incident(request, std::move(answer)) : answer(wrong_method("POST"));
    }
    if (path.size() == 2 && path[0] == "v1" && path[1] == "notices")
      return answer(get ? list_notices(request, *store_) : wrong_method("GET"));
    if (path.size() == 4 && path[0] == "v1" && path[1] == "notices" && path[3] == "resend") {
      if (request.method != "POST") return answer(wrong_method("POST"));
      auto reply = resend_notice(request, *store_, telling_->names(), system_now());
      telling_->wake();
      return answer(std::move(reply));
    }
    if (path.size() >= 2 && path[0] == "v1" && path[1] == "audit" &&
        (path.size() == 2 || (path.size() == 3 && path[2] == "verify"))) {
      if (!get) return answer(wrong_method("GET"));
      return answer(path.size() == 2 ? list_audit(request, *store_) : verify_audit(*store_));
    }
    if (path.size() == 3 && path[0] == "v1" && path[1] == "export")
      return answer(get ? export_page(request, *store_, *models_) : wrong_method("GET"));
    answer(refuse(404, "nothing is here", "path"));
  }

  void let_in(Tokens tokens, bool any_host) {
    auto keeper = std::make_shared<const Gate>(
        [tokens = std::move(tokens), any_host](const Request& head) { return tokens.refuse(head, any_host); });
    std::lock_guard lock(admitting_);
    keeper_ = std::move(keeper);
  }
  Limits limits() const { return {.features = most_features_, .segments = most_segments_}; }
  std::optional<Reply> refused(const Request& head) const {
    std::shared_ptr<const Gate> keeper;
    {
      std::lock_guard lock(admitting_);
      keeper = keeper_;
    }
    return (*keeper)(head);
  }

  // A declared model is said anew where something else is known of it. Whether there was any.
  Result<bool> declare(const std::vector<DeclaredModel>& models) {
    journal::Records records;
    for (const auto& [name, config] : models) {
      const auto known = models_->find(name);
      if (known && known->config == config.json) continue;
      auto fits = fits_store(config.window);
      if (fits) fits = fits_reference(name, config);
      if (!fits) return fail(fits.error().code, fmt::format("models.{}: {}", name, fits.error().message));
      models_->number_of(name, true);  // how many there may be was looked at with the file
      records.add(event::encode({event::Kind::kModel, name, config.json}));
    }
    if (records.count() == 0) return false;
    VIGIE_TRY(journal_->append(std::move(records)));
    return true;
  }

  // Written to the journal, and answered once it was read again.
  void write(event::Kind kind, std::string_view model, std::string_view body, std::function<Reply()> reply,
             Answer answer) {
    journal::Records records;
    records.add(event::encode({kind, model, body}));
    journal_->append(std::move(records), [this, kind, reply = std::move(reply),
                                          answer = std::move(answer)](Result<journal::Sequence> written) mutable {
      if (!written) return answer(refuse(written.error(), "journal"));
      std::lock_guard lock(ending_);
      if (!follower_) return;
      const auto later = [] {
        return reply_of(202, {{"accepted", true}, {"note", "what came before is being read; it is applied then"}});
      };
      if (follower_->behind()) return answer(later());
      auto shared = std::make_shared<Answer>(std::move(answer));
      const auto then = [=, reply = std::move(reply)](bool read) { (*shared)(read ? reply() : later()); };
      kind == event::Kind::kAnswer ? follower_->after(*written, then) : follower_->after_all(*written, then);
    });
  }

  void configure(const Request& request, Answer answer) {
    const auto& model = request.path[2];
    if (auto named = event::check_model(model); !named) return answer(refuse(named.error(), "path"));
    const auto config = read_model_config(request.body);
    if (!config) return answer(refuse(config.error(), "body"));
    if (auto fits = admit(*config, limits()); !fits) return answer(refuse(fits.error(), "body"));
    if (auto fits = fits_store(config->window); !fits) return answer(refuse(fits.error(), "body"));
    if (!config->checks.empty() && counted_in_indexes().contains(model))
      return answer(refuse(400, std::string(kNoRules), "body"));
    if (auto fits = fits_reference(model, *config); !fits) return answer(refuse(fits.error(), "body"));
    if (auto known = known_targets(*config); !known) return answer(refuse(known.error(), "body"));
    if (!models_->number_of(model))
      return answer(refuse(429, fmt::format("{} would be one model too many", vigie::quoted(model)), "path"));
    write(event::Kind::kModel, model, config->json, [this, model] { return one(model); }, std::move(answer));
  }

  // What overlaps is put together by one alone.
  Status fits_store(const engine::WindowSpec& window) const {
    if (!options_.store || window.every == 0) return {};
    return fail(Code::kInput,
                "window.every: not with a store that services may share: each would judge its own rows alone");
  }

  // Whether all that are to be told are there.
  Status known_targets(const ModelConfig& config) const {
    const auto targets = telling_->names();
    const auto known = [&](const std::vector<std::string>& names, const std::string& where) -> Status {
      for (const auto& name : names)
        if (std::find(targets.begin(), targets.end(), name) == targets.end())
          return fail(Code::kInput, fmt::format("{}notify: {}", where, unknown_name("target", name, targets)));
      return {};
    };
    VIGIE_TRY(known(config.notify, ""));
    for (std::size_t i = 0; i < config.monitors.size(); ++i)
      VIGIE_TRY(known(config.monitors[i].notify, fmt::format("monitors[{}].", i)));
    return {};
  }

  void maintain(const Request& request, Answer answer) {
    const auto& model = request.path[2];
    const auto now = system_now();
    if (request.method == "GET" || request.method == "HEAD") return answer(maintenance_of(request));
    if (request.method != "POST" && request.method != "DELETE") return answer(wrong_method("GET, HEAD, POST, DELETE"));
    if (!models_->find(model)) return answer(one(model));
    auto record = Maintenance::ended(now);
    if (request.method == "POST") {
      const auto work = read_work_said(request.body, now);
      if (!work) return answer(refuse(work.error(), "body"));
      record = Maintenance::begun(*work);
    }
    write(
        event::Kind::kMaintenance, model, record, [this, model] { return planned(model, kFromNow, 1000); },
        std::move(answer));
  }

  // ?from=&to=&limit=
  Reply maintenance_of(const Request& request) {
    const auto asked = Parameters::read(request, {"from", "to", "limit"}, 1000);
    if (!asked) return refuse(asked.error(), "query");
    if (!models_->find(request.path[2])) return one(request.path[2]);
    return planned(request.path[2], std::pair(asked->from, asked->to), asked->most);
  }

  static constexpr std::pair kFromNow{std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max()};
  // Within a time, or else within 30 days from now on.
  Reply planned(const std::string& model, std::pair<std::int64_t, std::int64_t> time, std::size_t most) {
    constexpr std::int64_t kAhead = 30 * 86'400'000'000, kFarthest = 200'000'000'000'000'000;
    const auto now = system_now();
    const auto from = time.first > -kFarthest ? std::min(time.first, kFarthest) : now;
    const auto to = time.second < kFarthest ? time.second : from + kAhead;
    Json out = Json::array();
    for (const auto& work : follower_->maintenance.within(model, from, to, most)) out.push_back(json_of(work));
    return reply_of(200, out);
  }

  // ?model=&state=&limit=&after=
  Reply incidents(const Request& request) {
    using enum event::Incident::State;
    const auto asked = Parameters::read(request, {"model", "state", "from", "to", "limit", "after"}, 100);
    if (!asked) return refuse(asked.error(), "query");
    store::IncidentQuery query{.model = (*asked)["model"], .most = asked->most, .after = (*asked)["after"]};
    query.from = asked->from, query.to = asked->to;
    std::vector<std::string> states;
    for (auto state : {kOpen, kAcknowledged, kSnoozed, kResolved}) {
      states.emplace_back(to_string(state));
      if ((*asked)["state"] == states.back()) query.state = state;
    }
    if (asked->has("state") && !query.state)
      return refuse(400, unknown_name("state", (*asked)["state"], states), "query");
    const auto found = store_->incidents(query);
    if (!found) return refuse(found.error(), "store");
    std::string body = "[";
    for (const auto& incident : *found) body.append(body.size() > 1 ? ",\n" : "\n").append(to_json(incident));
    Reply reply{200, body + "]\n"};
    if (found->size() == query.most) asked->link_next(reply, found->back().id);
    return reply;
  }

  Reply incident(const std::string& id) {
    const auto found = store_->incident(id);
    if (!found) return refuse(found.error(), "store");
    if (!*found) return refuse(404, fmt::format("there is no incident {}", vigie::quoted(id)), "path");
    return {200, to_json(**found) + "\n"};
  }

  void answer_incident(const Request& request, Answer answer) {
    const auto& id = request.path[2];
    const auto read = read_answer(request.path[3], request.body, system_now());
    if (!read)
      return answer(refuse(read.error(), read.error().message.starts_with("unknown action") ? "path" : "body"));
    const auto found = store_->incident(id);
    if (!found) return answer(refuse(found.error(), "store"));
    if (!*found) return answer(incident(id));
    const bool over = (**found).state == event::Incident::State::kResolved;
    if (over && read->action != engine::Incidents::Action::kFalseAlarm)
      return answer(refuse(409, fmt::format("incident {} is over", vigie::quoted(id)), "path"));
    write(
        event::Kind::kAnswer, (**found).model, answer_to_json(id, *read), [this, id] { return incident(id); },
        std::move(answer));
  }

  void take(const Request& request, event::Kind kind, Answer answer) {
    if (auto named = event::check_model(request.path[2]); !named) return answer(refuse(named.error(), "path"));
    const bool lasting = options_.journal.sync == journal::Sync::kAlways;
    ingest_->add(
        kind, request.path[2], request.body,
        [answer = std::move(answer), lasting](Result<Ingest::Reply> taken) mutable {
          if (!taken && taken.error().code == Code::kUsage) return answer(refuse(409, taken.error().message, "path"));
          if (!taken) return answer(refuse(taken.error(), taken.error().code == Code::kInput ? "body" : "journal"));
          Json rejected = Json::array();
          for (const auto& reject : taken->rejected)
            rejected.push_back({{"index", reject.index}, {"error", reject.text()}});
          if (taken->accepted + taken->duplicates == 0) {
            const bool none = taken->rejected.empty();
            return answer(reply_of(400, {{"error", none ? "the body holds no record" : taken->rejected[0].text()},
                                         {"where", none ? "body" : fmt::format("record {}", taken->rejected[0].index)},
                                         {"accepted", 0},
                                         {"duplicates", 0},
                                         {"rejected", std::move(rejected)}}));
          }
          // Said so often that what makes JSON of anything would be a tenth of all the work.
          const auto& unknown = taken->unknown_keys;
          answer(
              {202, fmt::format(FMT_COMPILE(R"({{"accepted":{},"duplicates":{},"rejected":{}{}{}}})"), taken->accepted,
                                taken->duplicates, rejected.empty() ? "[]" : reply_of(202, rejected).body,
                                unknown.empty() ? "" : R"(,"unknown_keys":)" + reply_of(202, unknown).body,
                                lasting ? "" : R"(,"durable":false)")});
        });
  }

  void set_reference(const Request& request, Answer answer) {
    const auto& model = request.path[2];
    if (auto named = event::check_model(model); !named) return answer(refuse(named.error(), "path"));
    const auto past = read_past_rows(request.body);
    if (!past) return answer(refuse(past.error(), "body"));
    if (!*past) return set_reference(model, request.body, std::move(answer));
    auto once = std::make_shared<Answer>(std::move(answer));
    const auto say = [once](Reply reply) {
      if (*once) std::exchange(*once, nullptr)(std::move(reply));
    };
    if (!look_back(model, **past, say)) say(refuse(429, "another reference is being made", "body"));
  }

  // Reading much takes a while, in which others are to be answered. False: another one is being made. `unless_there`:
  // only where the model has none by then.
  bool look_back(const std::string& model, const PastRows& past, const std::function<void(Reply)>& answer,
                 bool unless_there = false) {
    std::lock_guard lock(looking_back_);
    if (ends_ || looks_back_.exchange(true)) return false;
    // Who was answered may ask for another one at once.
    const auto say = [this, answer](Reply reply) {
      looks_back_ = false;
      answer(std::move(reply));
    };
    const auto make = [this, model, past, say, unless_there] {
      try {
        const auto rows = past_rows_of(model, past);
        if (!rows) return say(refuse(rows.error(), "body"));
        const auto there =
            unless_there ? state_->get(Follower::reference_of(model)).value_or(std::nullopt) : std::nullopt;
        if (there) return say(refuse(409, "it has one by now", "body"));
        using enum ReferenceOrigin::Kind;
        set_reference(model, rows->body, say, {unless_there ? kFirst : kPast, rows->from, rows->to}, rows->left_out);
      } catch (const std::exception& odd) {
        say(refuse(fail(Code::kCorrupt, fmt::format("no reference can be made of what came before: {}", odd.what())),
                   "body"));
      }
    };
    try {
      looking_ = std::async(std::launch::async, make);
    } catch (const std::system_error& none) {
      say(refuse(503, fmt::format("no thread is to be had: {}", none.what()), "body"));
    }
    return true;
  }

  // As a body of POST …/reference, from which rows may have been left out already.
  Result<OutsideWork> past_rows_of(const std::string& model, const PastRows& past) {
    const auto stop = [this] { return ends_.load(); };
    auto indexed = [&]() -> std::optional<IndexedModel> {
      const std::lock_guard lock(watching_);
      return indexes_ ? indexes_->found(model) : std::nullopt;
    }();
    OutsideWork out;
    if (!indexed) {
      VIGIE_ASSIGN(out.body, past_rows(*journal_, model, past, stop));
      return out;
    }
    if (past.version) return fail(Code::kInput, "version: rows in an index are chosen by from and to alone");
    // Of those that have come.
    auto& rows = indexed->rows;
    // What was before it is watched is what a reference is usually made of.
    if (std::isfinite(past.from)) rows.from = std::llround(past.from);
    if (std::isfinite(past.to)) rows.to = std::min<std::int64_t>(rows.to, std::llround(past.to));
    rows.to = std::min<std::int64_t>(rows.to, system_now() - std::llround(indexed->settle * 1e6));
    if (rows.from >= rows.to)
      return fail(Code::kInput, "from, to: of no time between them rows are whole: they may still come");
    out.from = rows.from, out.to = rows.to;
    IndexReferenceOptions options;
    options.stop = stop, options.version = options_.version;
    const auto works = [&](auto from, auto to, auto most) {
      return follower_->maintenance.within(model, from, to, most);
    };
    VIGIE_ASSIGN(const auto made, make_index_reference(std::move(rows), config_of(model), works, std::move(options)));
    out.body = engine::save_profile(made.profile), out.left_out = made.in_maintenance;
    return out;
  }

  void set_reference(const std::string& model, const std::string& said, Answer answer, ReferenceOrigin origin = {},
                     std::int64_t left_out = 0) {
    const bool made = engine::is_profile(said);
    auto config = config_of(model);
    OutsideWork rows{.body = {}, .window = config.window};
    if (!made) {
      auto outside = outside_work(said, config.window, [&](auto from, auto to) {
        return follower_->maintenance.touching(model, from, to).has_value();
      });
      if (!outside) return answer(refuse(outside.error(), "body"));
      rows = std::move(*outside);
      origin.from = rows.from, origin.to = rows.to;
    }
    const auto& body = made ? said : rows.body;
    config.window = rows.window;
    auto profile =
        made ? engine::load_profile(body, "body") : reference_of_rows(body, "body", options_.version, config);
    if (!profile) return answer(refuse(400, profile.error().message, "body"));
    if (auto fits = admit(*profile, limits()); !fits) return answer(refuse(fits.error(), "body"));
    if (auto fits = fits_config(*profile, config); !fits) return answer(refuse(400, fits.error().message, "body"));
    // Rows that end a window, and how windows overlap, are nothing to a profile.
    auto& cuts = profile->window;
    const bool cut = config.window.calendar() && (cuts.rows != config.window.rows || cuts.every != config.window.every);
    if (cut) cuts.rows = config.window.rows, cuts.every = config.window.every;
    if (auto fits = fits_store(cuts); !fits) return answer(refuse(fits.error(), "body"));
    // What cannot be watched by is told now, not by the follower.
    auto windows = profile->window;
    if (windows.kind == engine::WindowSpec::Kind::kNone)
      windows.kind = engine::WindowSpec::Kind::kRows, windows.rows = 1;
    Json summary{{"rows", profile->rows},
                 {"rejected", profile->rejected},
                 {"columns", profile->columns.size()},
                 {"windows", profile->window_count},
                 {"window", to_string(profile->window)}};
    if (left_out + rows.left_out > 0) summary["in_maintenance"] = left_out + rows.left_out;
    if (made && !profile->notes.empty()) summary["notes"] = profile->notes;
    if (profile->scores) {
      const auto& o = profile->scores->options;
      summary["task"] = to_string(o.task);
      if (o.task == metric::Task::kBinary && !o.classes.empty())
        summary["positive"] = o.positive.value_or(o.classes.back());
    }
    const auto bytes = made && !cut ? body : engine::save_profile(*profile);
    const auto explained =
        made ? Result<std::optional<std::string>>(std::nullopt) : attributions_of_rows(body, profile->window);
    if (!explained) return answer(refuse(explained.error(), "body"));
    if (*explained) summary["attributions"] = true;
    auto trial = Watch::make(model, std::make_shared<const engine::Profile>(std::move(*profile)), windows, 0);
    if (!trial) return answer(refuse(400, trial.error().message, "body"));
    if (!models_->number_of(model))
      return answer(refuse(429, fmt::format("{} would be one model too many", vigie::quoted(model)), "path"));
    journal::Records records;
    records.add(event::encode({event::Kind::kReference, model, bytes}));
    records.add(event::encode({event::Kind::kOrigin, model, to_record(origin, bytes)}));
    if (*explained) records.add(event::encode({event::Kind::kImportances, model, **explained}));
    journal_->append(
        std::move(records), [this, answer = std::move(answer), summary](Result<journal::Sequence> written) mutable {
          if (!written) return answer(refuse(written.error(), "journal"));
          if (!options_.store) return answer(reply_of(202, summary));
          // Rows that somebody else takes now would be in no window.
          std::lock_guard lock(ending_);
          if (!follower_) return;
          auto shared = std::make_shared<Answer>(std::move(answer));
          follower_->after_all(*written, [shared, summary](bool known) mutable {
            if (!known)
              summary["note"] =
                  "the store has not answered: it is applied, and known to services that share it, once it does";
            (*shared)(reply_of(202, summary));
          });
        });
  }

  // ?merged=&from=&to=&limit=&after=
  Reply windows(const Request& request) {
    const auto asked = Parameters::read(request, {"merged", "from", "to", "limit", "after"}, 1000);
    if (!asked) return refuse(asked.error(), "query");
    const auto& merged = (*asked)["merged"];
    if (asked->has("merged") && merged != "true" && merged != "false")
      return refuse(400, fmt::format("merged: expected true or false, got {}", vigie::quoted(merged)), "query");
    const auto& name = request.path[2];
    const store::WindowQuery query{merged == "true" ? merged_of(name) : name, asked->from, asked->to, asked->most,
                                   (*asked)["after"]};
    const auto found = store_->windows(query);
    if (!found) return refuse(found.error(), "store");
    if (found->empty())
      if (auto model = one(name); model.status != 200) return model;
    std::string body = "[";
    for (const auto& window : *found) {
      body.append(body.size() > 1 ? ",\n" : "\n").append(window.body);
      // One object of all.
      body.back() = ',';
      body += fmt::format("\"key\": {}", Json(window.key).dump());
      body.append(window.score.empty() ? "}" : "," + window.score.substr(1));
    }
    Reply reply{200, body + "]\n"};
    if (found->size() == query.most) asked->link_next(reply, found->back().key);
    return reply;
  }

  Reply attributions_of(const Request& request) {
    const auto model = models_->find(request.path[2]);
    return model ? attributions(request, *state_, model->number) : one(request.path[2]);
  }

  Reply ops(const Request& request) {
    const auto model = models_->find(request.path[2]);
    return model ? model_ops(request, *state_, *store_, *model, follower_->prices) : one(request.path[2]);
  }

  Reply references(const Request& request) {
    return models_->find(request.path[2]) ? list_references(request, *store_, *state_) : one(request.path[2]);
  }

  Reply detectors_of(const std::string& name) {
    auto model = one(name);
    return model.status == 200 ? detectors(*state_, name) : model;
  }

  // Of the reference that a model has, or of none.
  Status fits_reference(const std::string& name, const ModelConfig& config) const {
    VIGIE_ASSIGN(const auto bytes, state_->get(Follower::reference_of(name)));
    if (!bytes) return check_privacy(config, {});
    VIGIE_ASSIGN(const auto profile, engine::load_profile(*bytes, name));
    return fits_columns(profile, config);
  }

  Reply home() {
    constexpr std::size_t kModels = 500, kLines = 100, kWindows = 60, kIncidents = 50;
    view::LivePage page;
    page.version = options_.version, page.now = static_cast<double>(system_now()), page.trouble = trouble();
    if (const auto shipped = shipping_ ? shipping_->state() : ShippingState(); !shipped.trouble.empty())
      page.shipping = fmt::format("since {}: {}", clock_time(shipped.since, system_now()), shipped.trouble);
    auto models = all_models();
    const auto grave = [](const Model& model) { return model.state == "drift" ? 2 : model.state == "warning" ? 1 : 0; };
    std::stable_sort(models.begin(), models.end(), [&](const Model& a, const Model& b) { return grave(a) > grave(b); });
    for (const auto& model : models) {
      auto& shown = page.models.emplace_back();
      const auto config = Json::parse(model.config, nullptr, false);
      const auto said = [&](const char* key) {
        return config.is_object() && config.contains(key) && config[key].is_string() ? config[key].get<std::string>()
                                                                                     : std::string();
      };
      shown.name = model.name, shown.state = model.state, shown.owner = said("owner");
      shown.description = said("description");
      if (const auto work = follower_->maintenance.touching(model.name, system_now(), system_now() + 1))
        shown.maintenance = fmt::format("until {} UTC{}", iso_time(static_cast<double>(work->to)).substr(0, 16),
                                        work->note.empty() ? "" : ": " + work->note);
      shown.predictions = model.predictions, shown.labels = model.labels, shown.last_seen = model.last_seen;
      shown.watched = follower_->astray(model.name).has_value();
      shown.drawn = page.models.size() <= kModels;
      if (!shown.drawn) continue;
      const auto windows = store_->latest(model.name, kWindows);
      if (!windows) return refuse(windows.error(), "store");
      for (const auto& w : *windows) shown.windows.push_back({w.start, w.end, w.verdict, w.score_verdict});
      auto changed = changed_streams(*state_, model.name);
      if (!changed) return refuse(changed.error(), "state");
      shown.changed = std::move(*changed);
      constexpr std::int64_t kDay = 86'400'000'000;  // µs
      if (const auto schema = schema_of(model.name); schema.last_change().second > system_now() - kDay)
        shown.changed.push_back(
            {"schema", fmt::format("version {}: {}", schema.version(), schema.last_change().first)});
      if (page.models.size() > kLines) continue;
      auto lines = lines_of(*state_, model.name, *store_);
      if (!lines) return refuse(lines.error(), "store");
      shown.lines = std::move(*lines);
    }
    auto sources = sources_of(*store_, system_now());
    if (!sources) return refuse(sources.error(), "store");
    page.sources = std::move(*sources);
    auto incidents = store_->incidents({.most = kIncidents, .unresolved = true});
    if (!incidents) return refuse(incidents.error(), "store");
    const auto over = store_->incidents({.state = event::Incident::State::kResolved, .most = kIncidents});
    if (!over) return refuse(over.error(), "store");
    page.incidents = std::move(*incidents);
    page.incidents.insert(page.incidents.end(), over->begin(), over->end());
    return {200, view::to_page(page), "text/html; charset=utf-8"};
  }

  // ?limit=&after=
  Reply list(const Request& request) {
    const auto asked = Parameters::read(request, {"limit", "after"}, 1000);
    if (!asked) return refuse(asked.error(), "query");
    Json out = Json::array();
    std::string last;
    for (const auto& model : all_models()) {
      if (model.name <= (*asked)["after"]) continue;
      out.push_back(json_of(model)), last = model.name;
      if (out.size() == asked->most) break;
    }
    auto reply = reply_of(200, out);
    if (out.size() == asked->most) asked->link_next(reply, last);
    return reply;
  }

  // In an index all services count the same.
  std::set<std::string> counted_in_indexes() {
    const std::lock_guard lock(watching_);
    std::set<std::string> models;
    for (auto& state : indexes_ ? indexes_->states() : std::vector<IndexState>()) models.insert(std::move(state.model));
    return models;
  }
  std::int64_t late_in_index(const std::string& model) {
    const std::lock_guard lock(watching_);
    for (const auto& state : indexes_ ? indexes_->states() : std::vector<IndexState>())
      if (state.model == model) return state.late;
    return 0;
  }
  // With what other services that share the store counted, each of rows of its own.
  Model with_others(Model model, const std::set<std::string>& in_indexes) {
    const auto others = follower_->elsewhere(model.name);
    if (in_indexes.contains(model.name)) return model;
    model.predictions += static_cast<std::uint64_t>(others.predictions);
    if (!(model.last_seen >= static_cast<double>(others.last_seen)) && others.last_seen > 0)
      model.last_seen = static_cast<double>(others.last_seen);
    return model;
  }
  std::vector<Model> all_models() {
    auto models = models_->all();
    const auto in_indexes = counted_in_indexes();
    for (auto& model : models) model = with_others(std::move(model), in_indexes);
    return models;
  }

  Reply sources() {
    std::string body = "[";
    for (const auto& state : intake_->states()) body.append(body.size() > 1 ? ",\n" : "\n").append(to_json(state));
    return {200, body + "]\n"};
  }

  Reply indexes() {
    const std::lock_guard lock(watching_);
    std::string body = "[";
    for (const auto& state : indexes_ ? indexes_->states() : std::vector<IndexState>())
      body.append(body.size() > 1 ? ",\n" : "\n").append(to_json(state));
    return {200, body + "]\n"};
  }

  Reply one(const std::string& name) {
    if (const auto model = models_->find(name)) {
      auto json = json_of(with_others(*model, counted_in_indexes()));
      const auto astray = follower_->astray(name);
      json["watched"] = astray.has_value();
      if (astray) json["late_rows"] = astray->late + late_in_index(name), json["early_rows"] = astray->early;
      if (const auto unknown = ingest_->unknown_keys(model->number); !unknown.empty()) json["unknown_keys"] = unknown;
      const auto work = follower_->maintenance.touching(name, system_now(), system_now() + 1);
      json["maintenance"] = work ? json_of(*work) : Json();
      json["config"] = Json::parse(model->config, nullptr, false);
      if (const auto schema = schema_of(name).to_json(); !schema.empty())
        json["schema"] = Json::parse(schema, nullptr, false);
      return reply_of(200, json);
    }
    {
      const std::lock_guard lock(watching_);
      if (indexes_ && indexes_->found(name))
        return refuse(404,
                      fmt::format("{} is watched in an index, and known once it has a reference: POST …/reference",
                                  vigie::quoted(name)),
                      "path");
    }
    std::vector<std::string> names;
    for (const auto& model : models_->all()) names.push_back(model.name);
    return refuse(404, unknown_name("model", name, names), "path");
  }

  // As of the last commit.
  RecordSchema schema_of(const std::string& name) const {
    RecordSchema out;
    if (const auto kept = state_->get(RecordSchema::name_of(name)); kept && *kept)
      static_cast<void>(out.load(**kept));  // then nothing is known of it
    return out;
  }

  ModelConfig config_of(const std::string& name) const {
    const auto model = models_->find(name);
    return kept_model_config(model ? model->config : "{}");
  }

  Reply health() {
    if (const auto why = trouble(); !why.empty()) return refuse(503, why, "state");
    return well();
  }
  // Why nothing is accepted, or what was is not read.
  std::string trouble() const {
    auto why = journal_->trouble();
    return why.empty() ? follower_->trouble() : why;
  }
  Reply well() {
    Json body{{"status", "ok"}, {"version", options_.version}};
    if (auto lost = follower_->lost(); !lost.empty()) body["lost"] = std::move(lost);
    return reply_of(200, body);
  }

  Reply metrics(const Request& request) {
    // Of a store that is away nothing is told; the rest is.
    auto unresolved = store_->incidents({.most = 10'000, .unresolved = true});
    const bool there = unresolved.has_value();
    return metrics_of({.version = options_.version,
                       .data = options_.data,
                       .now = system_now(),
                       .models = models_->all(),
                       .unresolved = there ? std::move(*unresolved) : std::vector<event::Incident>(),
                       .figures = follower_->figures(),
                       .lag = follower_->lag(),
                       .lost = follower_->lost_pieces(),
                       .records = ingest_->counts(),
                       .sources = intake_->states(),
                       .shipping = shipping_ ? std::optional(shipping_->state()) : std::nullopt,
                       .http = http_->counts(),
                       .targets = telling_->states(),
                       .journal_bytes = journal_->bytes(),
                       .journal_records = journal_->end(),
                       .healthy = trouble().empty(),
                       .reloaded = reloaded_,
                       .reloaded_at = reloaded_at_,
                       .samples = machine_->metrics(system_now())},
                      request.accept);
  }

  ServiceOptions options_;
  int lock_ = -1;
  bool running_ = false;
  std::unique_ptr<State> state_;
  boost::asio::thread_pool reading_{2};
  std::unique_ptr<IndexWatch> indexes_;
  std::unique_ptr<store::Store> store_;
  std::optional<Models> models_;
  std::optional<Ingest> ingest_;  // outlives the journal, whose thread answers
  std::unique_ptr<journal::Journal> journal_;
  std::optional<Intake> intake_;
  std::unique_ptr<Shipping> shipping_;  // of who ships
  std::optional<MachineOps> machine_;
  std::optional<Dependencies> dependencies_;
  std::optional<Telling> telling_;
  std::atomic<bool> reloaded_ = true;  // the last time that it was asked for
  std::atomic<std::int64_t> reloaded_at_ = system_now();
  std::atomic<std::size_t> most_features_ = options_.limits.features, most_segments_ = options_.limits.segments;
  mutable std::mutex admitting_, watching_;
  std::vector<std::pair<std::string, std::int64_t>> refused_;  // windows while no index was watched, and since when
  std::shared_ptr<const Gate> keeper_;
  std::mutex ending_, looking_back_;
  std::future<void> looking_;  // makes a reference of what came before
  std::atomic<bool> ends_ = false, looks_back_ = false;
  std::string node_;  // this service's name among those that share its store
  std::optional<Follower> follower_;
  std::unique_ptr<HttpServer> http_;
  std::optional<Housekeeping> housekeeping_;
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Status Service::reload(Result<ServiceOptions> options) {
  return impl_->reload(std::move(options));
}

std::uint16_t Service::port() const {
  return impl_->port();
}

const std::string& Service::torn() const {
  return impl_->torn();
}

Result<std::unique_ptr<Service>> Service::start(ServiceOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  VIGIE_TRY(impl->start());
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

}  // namespace vigie::server

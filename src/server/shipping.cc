// SPDX-License-Identifier: Apache-2.0
#include "server/shipping.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/iso_time.h"
#include "base/text.h"

namespace vigie::server {
namespace {

constexpr const char* kOffsetFile = "/shipped";
using std::chrono::steady_clock;
constexpr auto kFlush = std::chrono::seconds(1);       // after which what is little goes too
constexpr auto kPause = std::chrono::seconds(5);       // before who let nobody in, or did not answer, is asked again
constexpr std::int64_t kMostUnsettled = 50'000;        // documents that a crash repeats
constexpr std::uint64_t kMostRejected = 256ULL << 20;  // bytes of the file of what was rejected

std::string_view name_of(event::Kind kind) {
  return kind == event::Kind::kLabels ? "label" : kind == event::Kind::kExplanations ? "explanation" : "prediction";
}

std::int64_t now_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count();
}

elastic::Shipper::Counts sum(elastic::Shipper::Counts a, const elastic::Shipper::Counts& b) {
  a.stored += b.stored, a.there += b.there, a.diverted += b.diverted, a.rejected += b.rejected, a.again += b.again;
  return a;
}

constexpr const char* kDeadLetter = "dead-letter";

struct DeadLetter {
  std::string index, id, model, json;
  double time = 0;
};

// What was refused, by name, and why. Not what was in it: that is in the file of what was rejected.
DeadLetter dead_letter_of(const elastic::Shipper::Rejected& rejected) {
  const auto action = nlohmann::json::parse(rejected.action, nullptr, false);
  const auto document = nlohmann::json::parse(rejected.source, nullptr, false);
  const auto text_at = [](const nlohmann::json& in, const char* path) {
    const nlohmann::json::json_pointer at(path);
    return in.is_object() && in.contains(at) && in[at].is_string() ? in[at].get<std::string>() : std::string();
  };
  DeadLetter out;
  out.index = text_at(action, "/create/_index"), out.id = text_at(action, "/create/_id");
  out.model = text_at(document, "/vigie/model/id"), out.time = static_cast<double>(system_now());
  // What Elasticsearch shows of a value is of the record's body.
  auto reason = rejected.reason.substr(0, rejected.reason.find(" Preview of field's value"));
  nlohmann::ordered_json json{{"@timestamp", iso_time(out.time)},
                              {"vigie",
                               {{"kind", "dead_letter"},
                                {"dead_letter",
                                 {{"index", out.index},
                                  {"id", out.id},
                                  {"record", text_at(document, "/id")},
                                  {"status", rejected.status},
                                  {"type", rejected.type},
                                  {"reason", std::move(reason)}}}}}};
  if (!out.model.empty()) json["vigie"]["model"]["id"] = out.model;
  out.json = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return out;
}

}  // namespace

Result<journal::Sequence> shipped_until(const std::string& folder) {
  const auto path = folder + kOffsetFile;
  const auto text = read_file(path, 100);
  if (!text) return text.error().code == Code::kIo ? Result<journal::Sequence>(0) : text.error();
  journal::Sequence out = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc() || end == text->data())
    return fail(Code::kCorrupt, fmt::format("{}: is no place in the journal", path));
  return out;
}

Result<std::unique_ptr<Shipping>> Shipping::start(elastic::Target target, journal::Journal& journal,
                                                  const std::string& folder, const std::string& version,
                                                  std::function<void(const std::string&)> log) {
  std::unique_ptr<Shipping> out(new Shipping(std::move(target), journal, folder, version, std::move(log)));
  VIGIE_ASSIGN(out->committed_, shipped_until(folder));
  out->thread_ = std::thread([shipping = out.get()] { shipping->run(); });
  pthread_setname_np(out->thread_.native_handle(), "vigie-ship");
  return out;
}

Shipping::Shipping(elastic::Target target, journal::Journal& journal, const std::string& folder,
                   const std::string& version, std::function<void(const std::string&)> log)
    : target_(std::move(target)),
      journal_(journal),
      offset_file_(folder + kOffsetFile),
      log_(std::move(log)),
      link_(target_.nodes, target_.access, {.user_agent = "vigie/" + version}),
      rejects_(folder + "/ship-rejected.ndjson", kMostRejected),
      reader_(journal.read(0)) {
  state_.to = target_.nodes;
}

Shipping::~Shipping() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

ShippingState Shipping::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void Shipping::told(std::string trouble) {
  std::string line;
  {
    std::lock_guard lock(mutex_);
    if (trouble != state_.trouble && log_) line = trouble.empty() ? "shipping goes on" : "shipping waits: " + trouble;
    if (state_.trouble.empty()) state_.since = system_now();
    state_.trouble = std::move(trouble);
  }
  if (!line.empty()) log_(line);
}

// Whether it may go on.
bool Shipping::rest(std::chrono::milliseconds time) const {
  for (const auto until = steady_clock::now() + time; !stop_ && steady_clock::now() < until;)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return !stop_;
}

void Shipping::run() {
  begin();
  while (!stop_) {
    const auto there = reach();
    auto done = there ? Status() : Status(there.error());
    if (done) done = turn();
    if (!done) {
      told(done.error().message);
      if (!rest(kPause)) return;
      begin();
    }
  }
}

// From where all is known to be there.
void Shipping::begin() {
  if (shipper_) before_ = sum(before_, shipper_->counts());
  shipper_.emplace(elastic::ShipperOptions{.nodes = link_.nodes(), .first_id = now_micros()},
                   static_cast<std::uint64_t>(now_micros()));
  orders_.clear();
  reader_ = journal_.read(committed_);
  unsettled_ = 0, committed_at_ = steady_clock::now();
}

Result<bool> Shipping::reach() {
  if (cluster_) return true;
  VIGIE_ASSIGN(cluster_, link_.reach());
  std::lock_guard lock(mutex_);
  state_.cluster = cluster_->name();
  return true;
}

Status Shipping::set_up(const elastic::Place& place) {
  auto& known = places_[place.name];
  if (known || !target_.set_up) return {};
  VIGIE_ASSIGN(const auto lacks, link_.set_up(*cluster_, {place, target_.keep_days}));
  for (const auto& line : lacks)
    if (log_) log_(line + "; documents go all the same");
  known = true;
  return {};
}

Status Shipping::turn() {
  bool more = true;
  // What is to be committed must be settled first; but for what a block keeps out nobody waits.
  const auto settles = [&] { return unsettled_ >= kMostUnsettled && shipper_->left() > shipper_->blocked(); };
  while (more && !shipper_->full() && !settles() && !stop_) {
    VIGIE_ASSIGN(more, read());
  }
  const bool all = settles() || steady_clock::now() - first_ >= kFlush;
  while (auto order = shipper_->next(now_micros(), unsettled_ > 0 && all)) {
    VIGIE_TRY(link_.send(*order));
    orders_[order->id] = std::move(order->bulk);
  }
  if (orders_.empty() && !more && shipper_->empty()) {
    if (unsettled_ == 0) journal_.wait(reader_.position(), std::chrono::milliseconds(200));
  } else {
    for (const auto& done : link_.wait(std::chrono::milliseconds(orders_.empty() ? 50 : 200))) {
      const auto order = orders_.extract(done.id);
      if (order) shipper_->settle(done.id, elastic::settle(*order.mapped(), done.answer), now_micros());
    }
  }
  const auto rejected = shipper_->take_rejected();
  VIGIE_TRY(rejects_.add(rejected, {"journal"}));
  // Beside what was taken, for who looks there; of one that is refused itself there is none.
  const auto dead = target_.prefix + "-" + kDeadLetter + "-";
  for (const auto& one : rejected) {
    const auto letter = dead_letter_of(one);
    if (letter.index.starts_with(dead)) continue;
    const auto place = target_.place(kDeadLetter, letter.model);
    VIGIE_TRY(set_up(place));
    elastic::Documents documents(place, letter.model);
    if (shipper_->left() == shipper_->blocked()) first_ = steady_clock::now();
    shipper_->add(documents.of(documents.id_at(letter.index, 0, letter.id), letter.json, letter.time, true));
    ++unsettled_;
  }
  if (rejects_.full() && !told_full_ && log_)
    log_(fmt::format("{}: is full ({} MiB): what is rejected from now on is counted and not kept", rejects_.path(),
                     kMostRejected >> 20));
  told_full_ = rejects_.full();
  if (!shipper_->stopped().empty()) return fail(Code::kUnavailable, shipper_->stopped());
  look();
  // What failed before is over once something is taken, or nothing is left.
  if (!shipper_->trouble().empty() || shipper_->empty() || shipper_->counts().settled() > 0) told(shipper_->trouble());
  if (shipper_->empty() && reader_.position() > committed_) VIGIE_TRY(commit());
  const auto end = journal_.end(), at = reader_.position();
  std::lock_guard lock(mutex_);
  state_.counts = sum(before_, shipper_->counts());
  state_.lag = end > committed_ && unsettled_ > 0 ? end - committed_ : end > at ? end - at : 0;
  return {};
}

// Who does not answer is not left alone for as long as a busy one is: once it answers again, what waits goes.
void Shipping::look() {
  if (!shipper_->away() || !orders_.empty() || steady_clock::now() - looked_at_ < kPause) return;
  looked_at_ = steady_clock::now();
  if (const auto answer = link_.ask("GET", "/"); answer && answer->status == 200) shipper_->retry(now_micros());
}

Status Shipping::commit() {
  const auto to = reader_.position();
  // Where little comes, not with each of it.
  if (unsettled_ == 0 && steady_clock::now() - committed_at_ < kPause) return {};
  VIGIE_TRY(write_file(offset_file_, std::to_string(to) + "\n"));
  committed_ = to, unsettled_ = 0, committed_at_ = steady_clock::now();
  return {};
}

// Whether there was anything.
Result<bool> Shipping::read() {
  // What the journal keeps no longer went before it was shipped.
  if (const auto begin = journal_.begin(); begin > committed_) {
    std::lock_guard lock(mutex_);
    const auto at = std::max(committed_, reader_.position());
    if (at < begin && committed_ > 0) state_.dropped += static_cast<std::int64_t>(begin - at);
    if (unsettled_ == 0) committed_ = begin;
  }
  const auto block = reader_.next();
  if (!block) {
    if (block.error().code != Code::kCorrupt) return block.error();
    VIGIE_TRY(reader_.skip());
    return true;
  }
  if (!*block) return false;
  auto number = (*block)->first;
  for (const auto bytes : (*block)->records) {
    const auto at = number++;
    const auto record = event::decode(bytes);
    if (!record) continue;
    using enum event::Kind;
    if (record->kind != kPredictions && record->kind != kLabels && record->kind != kExplanations) continue;
    VIGIE_TRY(set_up(target_.place(name_of(record->kind), record->model)));
    add(*record, (*block)->arrived, at);
  }
  return true;
}

void Shipping::add(const event::Record& record, std::int64_t arrived, journal::Sequence number) {
  const auto what = name_of(record.kind);
  const auto [at, fresh] = documents_.try_emplace({record.kind, std::string(record.model)},
                                                  target_.place(what, record.model), std::string(record.model));
  auto& documents = at->second;
  rows_.read(record.body, event::keys_of(record.kind, table::OtherKeys::kSkipped), table::JsonForm::kAny);
  const auto ids = rows_.column(event::kPredictionId), times = rows_.column(event::kPredictionTime);
  if (!ids || !times) return;
  // A label may be corrected, and corrected back: each that was said is a document, by when it came.
  const bool label = record.kind == event::Kind::kLabels;
  const auto said_at = label ? fmt::format("{} {} {}", what, arrived, number) : std::string(what);
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows_.rows()); ++row) {
    if (ids->codes[row] < 0) continue;
    const auto id = ids->dictionary[static_cast<std::size_t>(ids->codes[row])];
    const double said = times->numbers.empty() ? std::nan("") : times->numbers[row];
    const double time = std::isnan(said) ? static_cast<double>(arrived) : said;
    // Of an object that was sent over several lines.
    std::string one_line;
    auto json = rows_.text_of(row);
    if (json.find('\n') != json.npos) {
      one_line = json;
      std::replace(one_line.begin(), one_line.end(), '\n', ' ');
      json = one_line;
    }
    auto key = record.kind == event::Kind::kPredictions ? documents.id_of(id)
                                                        : documents.id_at(said_at, label ? row : 0, json);
    auto document = documents.of(std::move(key), json, time, false);
    document.number = number;
    if (shipper_->left() == shipper_->blocked()) first_ = steady_clock::now();
    shipper_->add(document);
    ++unsettled_;
  }
}

std::string to_json(const ShippingState& state) {
  nlohmann::ordered_json to = nlohmann::ordered_json::array();
  for (const auto& node : state.to) to.push_back(http::place_of(node));
  const auto text = [](const std::string& s) {
    return s.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(s);
  };
  const auto since = state.trouble.empty() ? std::string() : iso_time(static_cast<double>(state.since));
  return nlohmann::ordered_json{{"to", std::move(to)},
                                {"cluster", text(state.cluster)},
                                {"stored", state.counts.stored},
                                {"there", state.counts.there},
                                {"diverted", state.counts.diverted},
                                {"rejected", state.counts.rejected},
                                {"sent_again", state.counts.again},
                                {"dropped", state.dropped},
                                {"lag_records", state.lag},
                                {"trouble", text(state.trouble)},
                                {"trouble_since", text(since)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "server/follower.h"

#include <chrono>
#include <utility>

namespace vigie::server {
namespace {

using std::chrono::steady_clock;
constexpr auto kCommitEvery = std::chrono::milliseconds(200);
constexpr std::int64_t kMostPending = 50'000;  // rows that a crash makes it read again

}  // namespace

Follower::Follower(journal::Journal& journal, State& state, Models& models,
                   std::function<void(journal::Sequence)> committed)
    : journal_(journal), state_(state), models_(models), committed_(std::move(committed)), reader_(journal.read(0)) {}

Follower::~Follower() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Follower::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

Status Follower::start_again() {
  pending_rows_ = 0;
  VIGIE_ASSIGN(auto offset, state_.offset());
  VIGIE_ASSIGN(auto models, state_.models());
  reader_ = journal_.read(offset);
  for (const auto& known : models) models_.update(known.name, [&](Model& model) { model = known; });
  return {};
}

Status Follower::catch_up() {
  VIGIE_TRY(start_again());
  while (true) {
    VIGIE_ASSIGN(const bool more, step());
    if (!more) break;
  }
  return commit(reader_.position());
}

void Follower::start() {
  thread_ = std::thread([this] { run(); });
}

void Follower::run() {
  while (!stop_) {
    auto more = step();
    Status done = more ? Status() : Status(more.error());
    if (done && pending_rows_ > 0 && (!*more || pending_rows_ >= kMostPending) &&
        (pending_rows_ >= kMostPending || steady_clock::now() - committed_at_ >= kCommitEvery))
      done = commit(reader_.position());
    if (!done) done = start_again(), std::this_thread::sleep_for(kCommitEvery);
    {
      std::lock_guard lock(mutex_);
      trouble_ = !more ? more.error().message : !done ? done.error().message : "";
    }
    if (more && !*more) journal_.wait(reader_.position(), kCommitEvery);
  }
  if (pending_rows_ > 0) (void)commit(reader_.position());
}

Result<bool> Follower::step() {
  auto block = reader_.next();
  if (!block) {
    if (block.error().code == Code::kCorrupt) (void)reader_.skip();
    return block.error();
  }
  if (!*block) return false;
  VIGIE_TRY(read(**block));
  return true;
}

Status Follower::read(const journal::Block& block) {
  auto sequence = block.first;
  for (auto bytes : block.records) {
    VIGIE_ASSIGN(const auto record, event::decode(bytes));
    const auto number = models_.number_of(record.model);
    rows_.read(record.rows, event::keys_of(record.kind));
    VIGIE_ASSIGN(const auto id, rows_.column(0));
    const auto rows = static_cast<std::size_t>(rows_.rows());
    std::uint64_t predictions = 0, labels = 0;
    table::Column label;
    if (record.kind == event::Kind::kLabels) {
      VIGIE_ASSIGN(label, rows_.column(event::kLabelValue));
    }
    for (std::size_t row = 0; number && row < rows; ++row) {
      if (id.codes[row] < 0) continue;
      const auto name = id.dictionary[static_cast<std::size_t>(id.codes[row])];
      if (record.kind == event::Kind::kPredictions) {
        VIGIE_ASSIGN(const bool fresh, state_.add_prediction(*number, name, sequence));
        predictions += fresh;
      } else if (label.codes[row] >= 0) {
        VIGIE_ASSIGN(const auto was,
                     state_.add_label(*number, name, label.dictionary[static_cast<std::size_t>(label.codes[row])]));
        labels += was == State::Labelled::kFirst;
      }
    }
    models_.update(record.model, [&](Model& model) {
      model.predictions += predictions, model.labels += labels;
      model.last_seen = static_cast<double>(block.arrived);
    });
    pending_rows_ += static_cast<std::int64_t>(rows);
    ++sequence;
  }
  return {};
}

Status Follower::commit(journal::Sequence offset) {
  VIGIE_TRY(state_.commit(offset, models_.all()));
  committed_at_ = steady_clock::now();
  pending_rows_ = 0;
  journal_.keep(std::string(kConsumer), offset);
  committed_(offset);
  return {};
}

}  // namespace vigie::server

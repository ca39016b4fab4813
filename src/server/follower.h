// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "event/record.h"
#include "journal/journal.h"
#include "server/models.h"
#include "server/watch.h"

namespace vigie::server {

/// Reads the journal behind its writers: counts what it holds, once, and watches the models that have a reference. What
/// was read is committed with the offset of the next record; windows are in the store before.
class Follower {
 public:
  static constexpr std::string_view kConsumer = "state";

  /// `committed` is told the offset below which all is in the State, from the follower's thread.
  Follower(journal::Journal& journal, State& state, Models& models, store::Store& store,
           std::function<void(journal::Sequence)> committed);
  ~Follower();
  Follower(const Follower&) = delete;

  /// Reads all that is there; before start().
  Status catch_up();
  void start();
  /// What keeps it from reading on, as a full disk; empty when nothing does.
  std::string trouble() const;
  /// What of the journal was altered, and passed over; empty when nothing was.
  std::string lost() const;

 private:
  void run();
  Result<bool> step();
  Status read(const journal::Block& block);
  Status read(const event::Record& record, journal::Sequence place, std::int64_t arrived);
  Status read_labels(const event::Record& record, std::uint32_t model, std::int64_t arrived);
  Status set_reference(const Model& model, std::string_view profile, journal::Sequence place, bool anew);
  Status close(Watch& watch, std::int64_t clock, bool all);
  Status commit(journal::Sequence offset);
  Status start_again();
  void lose(std::string why);

  journal::Journal& journal_;
  State& state_;
  Models& models_;
  store::Store& store_;
  std::function<void(journal::Sequence)> committed_;
  journal::Reader reader_;
  journal::Sequence counted_ = 0;  // records below are in the State; they are read again for windows alone
  table::JsonRows rows_;
  std::map<std::string, std::unique_ptr<Watch>, std::less<>> watches_;
  std::int64_t pending_rows_ = 0, arrived_ = 0;
  std::chrono::steady_clock::time_point committed_at_{}, closed_at_{};
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::string trouble_, lost_why_;
  std::int64_t lost_ = 0;
  std::thread thread_;
};

}  // namespace vigie::server

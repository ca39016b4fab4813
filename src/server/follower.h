// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "event/record.h"
#include "journal/journal.h"
#include "server/models.h"

namespace vigie::server {

/// Reads the journal behind its writers and counts what it holds, once: what was read is committed with the offset of
/// the next record.
class Follower {
 public:
  static constexpr std::string_view kConsumer = "state";

  /// `committed` is told the offset below which all is in the State, from the follower's thread.
  Follower(journal::Journal& journal, State& state, Models& models, std::function<void(journal::Sequence)> committed);
  ~Follower();
  Follower(const Follower&) = delete;

  /// Reads all that is there; before start().
  Status catch_up();
  void start();
  /// What keeps it from reading on, as a full disk or an altered journal; empty when nothing does.
  std::string trouble() const;

 private:
  void run();
  Result<bool> step();
  Status read(const journal::Block& block);
  Status commit(journal::Sequence offset);
  Status start_again();

  journal::Journal& journal_;
  State& state_;
  Models& models_;
  std::function<void(journal::Sequence)> committed_;
  journal::Reader reader_;
  table::JsonRows rows_;
  std::int64_t pending_rows_ = 0;
  std::chrono::steady_clock::time_point committed_at_{};
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::string trouble_;
  std::thread thread_;
};

}  // namespace vigie::server

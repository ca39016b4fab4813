// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/ingest.h"
#include "source/feed.h"

namespace vigie::server {

/// A line of a file that is no record.
struct RejectedLine {
  std::string file;
  std::uint64_t line = 0;
  std::string error;
};

/// How a source of records stands.
struct FeedState {
  source::Feed feed;
  std::vector<source::Lines::File> files;
  std::uint64_t lag = 0;              ///< bytes of its files that are not read
  Ingest::Count records;              ///< since it was started
  std::deque<RejectedLine> rejected;  ///< the latest kRejected
  std::string trouble;                ///< what keeps it from reading, in one line; empty: nothing
};

/// Takes records from files and standard input, each source in a thread of its own. How far it is read is written to a
/// file of `folder` once what was read lasts: a crash repeats up to a second of lines, which are known by their ids,
/// and loses none. Where the journal takes nothing, it waits. All functions may be called from any thread.
class Intake {
 public:
  static constexpr std::size_t kRejected = 20;
  /// `log` is told lines for people.
  Intake(Ingest& ingest, std::string folder, std::function<void(const std::string&)> log);
  /// What is under way is finished, and the rest left.
  ~Intake();
  Intake(const Intake&) = delete;

  /// From now on these, which passed check(): those that are there already go on undisturbed. Code::kIo: the folder.
  Status set(std::vector<source::Feed> feeds);
  std::vector<FeedState> states() const;

 private:
  class Following;
  Ingest& ingest_;
  std::string folder_;
  std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Following>> following_;
};

/// GET /v1/sources.
std::string to_json(const FeedState& state);

}  // namespace vigie::server

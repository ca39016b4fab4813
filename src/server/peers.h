// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/record.h"
#include "journal/reader.h"
#include "server/live_scores.h"
#include "server/state.h"
#include "store/exchange.h"

namespace vigie::server {

/// Other services that watch the same models and share the store: what this one tells them, and what it heard of them.
/// Whatever is not yet told when the service dies is told when it reads its journal again. One thread at a time.
class Peers {
 public:
  explicit Peers(std::unique_ptr<store::Exchange> exchange) : exchange_(std::move(exchange)) {}
  const std::string& name() const { return exchange_->name(); }
  store::Exchange& exchange() { return *exchange_; }
  /// Goes on from what the State says was heard; what waits to be told is forgotten.
  Status load(const State& state);

  /// A record of this service's journal that the others are to know too. Waits for tell().
  void say(const event::Record& record, journal::Sequence place);
  /// What was counted of a window. Likewise.
  void count(const std::string& model, std::int64_t window, std::string part);
  /// All that waits.
  Status tell();

  /// What one counted of a model by itself.
  struct Counted {
    std::int64_t predictions = 0, last_seen = 0;  ///< last_seen: µs
  };
  using Counts = std::map<std::string, Counted, std::less<>>;
  /// How far this service is.
  struct Sign {
    Counts models;
    std::int64_t read_until = 0;                            ///< µs: all that arrived before was read
    std::map<std::string, std::int64_t, std::less<>> open;  ///< by model the first window that more is to be told of
    bool leaves = false;
  };
  Status sign(const Sign& sign);

  /// What the others told since, as records for the own journal, and windows.
  struct Part {
    std::string by, model, body;
    std::int64_t window = 0;
  };
  struct Heard {
    std::vector<std::string> records;
    std::vector<Part> parts;
  };
  Result<Heard> hear();
  /// What hear() gave is dealt with, so that the next one gives what is newer: windows that nobody could take, as their
  /// reference is not there yet, are given again.
  void heard(std::vector<Part> left);
  /// Whether a record that hear() gave comes for the first time; and keeps that it did.
  Result<bool> first(std::string_view by, std::int64_t number, State& state);
  /// Keeps which windows were taken.
  Status save(State& state);
  /// What the others counted so far.
  Counts counted() const;
  /// Whether all others that live told what they have of a window that is over since then, by the clock.
  bool complete(std::string_view model, std::int64_t window, std::int64_t since) const;

 private:
  struct Peer {
    std::int64_t count = 0;                         // of its last sign
    std::chrono::steady_clock::time_point lived{};  // when that came
    Sign sign;
    bool signed_ = false;                // there is one
    std::int64_t message = 0, part = 0;  // that were heard
    std::int64_t kept_part = 0;          // as the State has it
  };
  std::unique_ptr<store::Exchange> exchange_;
  std::map<std::string, Peer, std::less<>> peers_;
  std::map<std::string, std::int64_t, std::less<>> read_;  // messages that were read from the own journal
  std::vector<store::Exchange::Message> messages_;
  std::vector<store::Exchange::Part> parts_;
  std::vector<Part> left_;
  std::int64_t last_message_ = 0, last_part_ = 0, signs_ = 0;
  bool listened_ = false;
};

/// A record of another service, as the own journal has it: whose, its number there, and what it is.
struct HeardRecord {
  std::string_view by;
  std::int64_t number = 0;
  std::string_view record;  ///< as event::encode()
};
std::string encode(const HeardRecord& heard, std::string_view model);
/// Code::kCorrupt.
Result<HeardRecord> heard_of(std::string_view body);

/// Rows that are to be scored: the body of a record of Kind::kScored.
struct ScoredRows {
  std::uint64_t reference = 0;  ///< hash64() of its bytes
  LiveScores::Lines lines;
};
std::string encode(const ScoredRows& rows);
Result<ScoredRows> scored_rows_of(std::string_view body);

}  // namespace vigie::server

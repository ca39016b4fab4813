// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/record.h"
#include "journal/reader.h"
#include "server/live_scores.h"
#include "server/state.h"
#include "store/exchange.h"

namespace vigie::server {

/// A record of another service, as the own journal has it.
struct HeardRecord {
  std::string_view by;
  std::int64_t number = 0;  ///< there, rising
  std::int64_t stamp = 0;   ///< of two that say the same of a model the greater holds, and of equal ones the later name
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

/// Other services that watch the same models and share the store: what this one tells them, and what it heard of them.
/// Whatever is not yet told when the service dies is told when it reads its journal again, under the same numbers. One
/// thread at a time.
class Peers {
 public:
  explicit Peers(std::unique_ptr<store::Exchange> exchange) : exchange_(std::move(exchange)) {}
  const std::string& name() const { return exchange_->name(); }
  store::Exchange& exchange() { return *exchange_; }
  /// Goes on from what the State says was told and heard; `offset`: of the next record. What waits is forgotten.
  Status load(const State& state, journal::Sequence offset);

  /// A record of this service's journal that the others are to know too. Waits for tell().
  void say(const event::Record& record, journal::Sequence place, std::int64_t stamp = 0);
  /// Of what was there before there were others: before any say() of a record behind `offset`.
  void say_before(const event::Record& record, journal::Sequence offset, std::int64_t stamp);
  /// What was counted of a window. Likewise.
  void count(const std::string& model, std::int64_t window, std::string part);
  /// All that waits. What the store will never take is passed over, and `lost` is told why.
  Status tell(const std::function<void(std::string why)>& lost);

  /// What one counted of a model by itself.
  struct Counted {
    std::int64_t predictions = 0, last_seen = 0;  ///< last_seen: µs
  };
  using Counts = std::map<std::string, Counted, std::less<>>;
  /// How far this service is.
  struct Sign {
    Counts models{};
    std::int64_t read_until = 0;                               ///< µs: all that arrived before was read
    std::map<std::string, std::int64_t, std::less<>> open{};   ///< by model the first window that more is to be told of
    std::map<std::string, std::int64_t, std::less<>> heard{};  ///< by name the last message that was read of it
    bool leaves = false;
  };
  Status sign(Sign sign);
  /// Whether it read what the others do not know that it did.
  bool news() const { return read_ != signed_read_; }
  /// Below that record of this service all others that live know what they are to.
  journal::Sequence known_below() const;

  /// What the others told since, as records for the own journal, and windows.
  struct Part {
    std::string by, model;
    std::int64_t window = 0;
    std::string body;
    std::chrono::steady_clock::time_point came{};
  };
  struct Heard {
    std::vector<std::string> records;
    std::vector<Part> parts;
  };
  Result<Heard> hear();
  /// The records that hear() gave are in the journal.
  void kept();
  /// The windows are dealt with: those that nobody could take, as their reference is not there yet, are given again for
  /// some minutes.
  void heard(std::vector<Part> left);
  /// Whether a record that hear() gave comes for the first time; and keeps that it did.
  Result<bool> first(const HeardRecord& heard, State& state);
  /// Whether what is said of a model under a stamp, by this service or that one, is newer than what was said before;
  /// and keeps it. An own one is newer, and gets a greater stamp where it must.
  Result<bool> newer(const event::Record& record, std::string_view by, std::int64_t& stamp, State& state);
  /// Keeps which windows were taken.
  Status save(State& state);
  /// What the others counted so far.
  Counts counted() const;
  /// Whether all others that live told what they have of a window that is over since then, by the clock.
  bool complete(std::string_view model, std::int64_t window, std::int64_t since) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Peer {
    std::int64_t count = 0;     // of its last sign
    Clock::time_point lived{};  // when that came
    Sign sign;
    bool is_signed = false;                        // there is one
    std::int64_t message = 0, part = 0;            // that were asked for
    std::int64_t kept_message = 0, kept_part = 0;  // that are in the journal; as the State has it
    int missed = 0;                                // how often what it signed for was not found
  };
  bool lives(const Peer& peer) const;
  Status hear(const store::Exchange::Sign& sign, Peer& peer, std::vector<std::pair<std::int64_t, std::string>>& records,
              Heard& out);
  std::unique_ptr<store::Exchange> exchange_;
  std::map<std::string, Peer, std::less<>> peers_;
  std::map<std::string, std::int64_t, std::less<>> read_, signed_read_;  // messages that were read from the own journal
  std::vector<store::Exchange::Message> messages_;
  std::vector<store::Exchange::Part> parts_;
  std::vector<Part> left_;
  std::int64_t last_message_ = 0, last_part_ = 0, before_ = 0;
  std::int64_t signs_ = 0, signed_ = 0;  // counts: the last one that was given to a sign, and that is known to be there
  std::vector<std::int64_t> unsure_;     // those that were given since
  Clock::time_point listened_{};         // when it last did; never: it did not since load()
  Clock::time_point copied_{};           // when another one last signed with its name
};

}  // namespace vigie::server

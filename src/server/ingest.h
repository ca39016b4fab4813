// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/record.h"
#include "journal/journal.h"
#include "server/models.h"

namespace vigie::server {

/// The way of a request's rows into the journal: what is no record is told, what was there already is counted, and the
/// rest is accepted once it lasts. All functions may be called from any thread. Cost: about 2 µs a row of 600 bytes.
class Ingest {
 public:
  Ingest(journal::Journal& journal, const State& state, Models& models)
      : journal_(journal), state_(state), models_(models) {}

  struct Reject {
    std::size_t index;  ///< of the record in the body
    std::string error;
    std::uint64_t line = 0;  ///< of the body, where it is no JSON
    std::string text() const;
  };
  struct Reply {
    std::uint64_t accepted = 0, duplicates = 0;
    std::vector<Reject> rejected;
    std::vector<std::string> unknown_keys{};  ///< see Ingest::unknown_keys(); of one record of the request
  };
  /// Of predictions, labels or explanations. `done` is told once, now or from the journal's thread, which waits for it.
  /// Code::kInput: no name of a model, explanations of too many features; Code::kUsage: see counted_elsewhere();
  /// Code::kUnavailable: the journal is full, or
  /// there are too many models, and nothing was accepted.
  void add(event::Kind kind, std::string_view model, std::string_view body,
           std::move_only_function<void(Result<Reply>)> done, table::JsonForm form = table::JsonForm::kAny);
  /// From now on records of these models are refused: theirs are counted where they lie, and would be counted twice or
  /// mixed with others.
  void counted_elsewhere(std::set<std::string, std::less<>> models);
  /// Keys of a model's predictions that nothing is made of, as "feature" for "features": the first of them that were
  /// met since the start in the first record of one of its first kLooked requests or of each kLookedEach-th.
  std::vector<std::string> unknown_keys(std::uint32_t model) const;
  static constexpr std::uint64_t kLooked = 100, kLookedEach = 1'000;
  static constexpr std::size_t kUnknownKeys = 10;
  /// Counts what was rejected before it could be added.
  void count_rejected(event::Kind kind, std::uint64_t records);

  /// What became of records since the start.
  struct Count {
    std::uint64_t accepted = 0, duplicates = 0, rejected = 0;
  };
  enum : std::uint8_t { kPredictions, kLabels, kExplanations };
  using Counts = std::array<Count, 3>;
  Counts counts() const;

  /// The records below `offset` are in the State: their ids need not be remembered here any more.
  void committed(journal::Sequence offset);

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  struct Mixed {
    using is_avalanching = void;
    std::size_t operator()(const Key& key) const { return key.first; }
  };
  /// What is known of an id: nothing, that another request is about to write it, or that it lasts.
  enum class Known : std::uint8_t { kNew, kUnderWay, kLasting };
  static constexpr std::size_t kMostWaiting = 2'000'000;  // ids of 40 bytes
  bool behind();
  /// Nearly all requests have one of them.
  template <class T>
  using Few = boost::container::small_vector<T, 1>;
  Status claim(std::uint32_t model, std::span<const std::string_view> ids, Few<Known>& known, Few<Key>& claimed);
  void settle(const Result<journal::Sequence>& written, Few<Key> claimed, event::Kind kind, const Reply& reply);

  std::vector<std::string> look(std::uint32_t model, std::string_view record);

  Count& of(event::Kind kind);  // under the lock, as the next one
  void tally(event::Kind kind, const Reply& reply);
  void count(event::Kind kind, const Reply& reply);

  journal::Journal& journal_;
  const State& state_;
  Models& models_;
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> elsewhere_;
  struct Looked {
    std::uint64_t requests = 0;
    std::set<std::string> unknown;
  };
  boost::unordered_flat_map<std::uint32_t, Looked> looked_;
  Counts counts_{};
  boost::unordered_flat_map<Key, Known, Mixed> waiting_;          // ids that are not yet in the State
  std::deque<std::pair<journal::Sequence, Few<Key>>> by_record_;  // of them those that last
  journal::Sequence committed_ = 0;
};

}  // namespace vigie::server

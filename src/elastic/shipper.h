// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "elastic/bulk.h"

namespace vigie::elastic {

struct ShipperOptions {
  std::size_t nodes = 1;
  std::size_t most_bytes = 5'000'000, most_documents = 5'000;  ///< of a request, before it is packed
  int most_requests = 4;  ///< under way at a node; half as many at first, and whenever it is busy
  std::int64_t soonest = 100'000, latest = 60'000'000;  ///< µs after which what a busy node did not take comes again
  std::int64_t first_id = 1;         ///< of orders: of one that takes another's place, beyond those that are under way
  std::int64_t blocked = 5'000'000;  ///< µs at first for what a block keeps out
  std::size_t most_blocked = std::size_t{64} << 20;  ///< bytes of documents that a block keeps out
};

/// Decides what is sent when, and what becomes of it; sends nothing itself. A document is stored, there already,
/// diverted, rejected, or still here: none is forgotten, and none is sent again for ever that the server will not take.
/// What a document is sent as, id and index, never changes, so that a second try stores nothing twice. Times are µs of
/// any clock that does not go back. What a block keeps out of one index keeps back no other's. One thread at a time.
/// Memory: kWaiting requests, those under way, and `most_blocked`.
class Shipper {
 public:
  static constexpr std::size_t kWaiting = 2;

  Shipper(const ShipperOptions& options, std::uint64_t seed);

  /// One more; rejected at once where its id cannot be one.
  void add(const Document& document);
  /// Enough waits: add() none before something was settled.
  bool full() const;

  struct Order {
    std::int64_t id = 0;  ///< for settle()
    std::size_t node = 0;
    std::shared_ptr<const Bulk> bulk;
  };
  /// What is to be sent now, if anything. `all`: no more will be added, so that what is there goes though it is little.
  std::optional<Order> next(std::int64_t now, bool all);
  /// What became of an order.
  void settle(std::int64_t id, const Outcome& outcome, std::int64_t now);
  /// When next() may have something that it has not yet, though nothing is settled; nothing: never.
  std::optional<std::int64_t> due() const;
  /// Nothing is left.
  bool empty() const;

  struct Counts {
    std::int64_t stored = 0, there = 0, diverted = 0, rejected = 0;
    std::int64_t again = 0;  ///< sendings that were in vain, a document each
    std::int64_t settled() const { return stored + there + diverted + rejected; }
  };
  const Counts& counts() const { return counts_; }
  std::int64_t left() const;                              ///< documents that are still here
  std::int64_t blocked() const { return blocked_left_; }  ///< of those: that a block kept out when they were sent last

  struct Rejected {
    std::string id, action, source;
    std::uint64_t file = 0, number = 0;
    std::uint32_t status = 0;
    std::string type, reason;
  };
  /// Since it was last asked.
  std::vector<Rejected> take_rejected() { return std::exchange(rejected_, {}); }
  /// Why nothing more is sent: the server lets nobody in, or does not know what it is asked. Empty: it is.
  const std::string& stopped() const { return stopped_; }
  /// Why something waits, by what was last heard; empty: nothing does.
  const std::string& trouble() const { return trouble_.empty() && blocked_left_ > 0 ? block_ : trouble_; }
  /// Some node gave no answer when it was sent something last, and is left alone for a while.
  bool away() const;
  /// Such nodes may answer again: what waits for them goes now.
  void retry(std::int64_t now);

 private:
  struct Batch {
    std::shared_ptr<const Bulk> bulk;
    int attempts = 0;  // of its documents, without any being taken
    int refused = 0;   // whole, by a busy node
    std::int64_t due = 0;
    bool blocked = false;  // of documents that a block kept out
  };
  // What a block keeps out is put together, as each request may leave little of it.
  struct Blocked {
    std::shared_ptr<Bulk> bulk;
    int attempts = 0;
    std::int64_t due = 0;
  };
  struct Node {
    double room = 1;  // requests at a time
    int under_way = 0, failures = 0;
    bool away = false;
    std::int64_t until = 0;  // nothing is sent before
  };
  // One that fails is tried with one request.
  static bool has_room(const Node& node) { return node.under_way < (node.failures > 0 ? 1 : node.room); }
  void close();
  void reject(const Bulk& bulk, std::size_t item, std::uint32_t status, std::string type, std::string reason);
  void keep(const Batch& batch, const std::vector<std::size_t>& items, int attempts, std::int64_t due);
  void keep_blocked(const Batch& batch, const std::vector<std::size_t>& items, std::int64_t now);
  void halve(const Batch& batch);
  void settle_items(const Batch& batch, Node& node, const std::vector<Told>& items, std::int64_t now);
  std::int64_t later(std::int64_t first, int times);

  ShipperOptions options_;
  Rng rng_;
  std::vector<Node> nodes_;
  Bulk open_;
  std::deque<Batch> ready_;     // in the order in which they go
  std::vector<Batch> waiting_;  // for their time
  std::vector<Blocked> blocked_;
  std::size_t blocked_bytes_ = 0;
  std::int64_t blocked_left_ = 0;
  struct UnderWay {
    Batch batch;
    std::size_t node;
  };
  std::map<std::int64_t, UnderWay> under_way_;
  std::int64_t next_id_ = 1;
  int lone_ = 0;  // documents whose request of their own was refused
  std::size_t turn_ = 0;
  Counts counts_;
  std::vector<Rejected> rejected_;
  std::string stopped_, trouble_, block_;
};

}  // namespace vigie::elastic

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "notify/delivery.h"

namespace vigie::notify {

/// What is tried next, and when: all of Delivery but the sending. One target has one item under way. Times in µs since
/// 1970.
class Schedule {
 public:
  /// Targets outlive it.
  Schedule(const std::vector<std::unique_ptr<Target>>& targets, const DeliveryOptions& options);

  /// Of ids that grow. false: there is no such target.
  bool add(Item item);
  /// Items to be tried now; they are under way until ended() is told of them.
  struct Start {
    const Item& item;
    const Target& target;
  };
  std::vector<Start> start(std::int64_t now);
  /// What became of it: the item as it is now, and whether it is over.
  struct End {
    Item item;
    enum class Kind : std::uint8_t { kSent, kLater, kDead } kind;
    std::string why;
  };
  End ended(std::int64_t id, const Outcome& outcome, std::int64_t now);
  /// When something can be tried again; nothing: only once something ends or comes.
  std::optional<std::int64_t> next() const;

  std::vector<TargetState> states() const;

 private:
  struct Lane {
    const Target* target;
    std::deque<Item> items;  // by id
    std::optional<std::int64_t> under_way;
    std::int64_t free_at = 0;  // by its rate, or by what the receiver asked for
    TargetState state;
  };
  // The first that can be tried, or will be: no other of its incident stands before it.
  const Item* candidate(const Lane& lane) const;
  std::int64_t wait_after(int attempts);
  void follow(std::int64_t now);

  const DeliveryOptions& options_;
  Rng rng_;
  std::int64_t last_ = 0;  // time that was
  std::map<std::string, Lane, std::less<>> lanes_;
};

}  // namespace vigie::notify

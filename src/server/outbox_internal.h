// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "notify/delivery.h"
#include "store/store.h"

namespace vigie::server {

/// What is to be told, as the store keeps it.
class StoreOutbox final : public notify::Outbox {
 public:
  explicit StoreOutbox(store::Store& store) : store_(store) {}

  Result<std::vector<notify::Item>> pending(std::int64_t after) override {
    VIGIE_ASSIGN(auto found, store_.outgoing(after));
    std::vector<notify::Item> out;
    for (auto& o : found)
      out.push_back({o.id, std::move(o.target), std::move(o.notice), static_cast<int>(o.attempts), o.due});
    return out;
  }
  Status sent(const notify::Item& item, std::string_view what) override {
    return ended(item, store::Store::Fate::kSent, what);
  }
  Status later(const notify::Item& item, std::string_view why) override {
    return settle(item, store::Store::Fate::kWaiting, why, {});
  }
  Status dead(const notify::Item& item, std::string_view why) override {
    return ended(item, store::Store::Fate::kGivenUp, why);
  }

 private:
  Status ended(const notify::Item& item, store::Store::Fate fate, std::string_view why) {
    const auto now = system_now();
    const auto entry = event::entry_of(item.notice, item.target, fate == store::Store::Fate::kSent, why, now);
    auto ended = item;
    ended.due = now;
    return settle(ended, fate, why, std::span(&entry, 1));
  }
  Status settle(const notify::Item& item, store::Store::Fate fate, std::string_view why,
                std::span<const event::AuditEntry> entries) {
    return store_.settle({item.id, item.target, item.notice, item.attempts, item.due}, fate, why, entries);
  }

  store::Store& store_;
};

}  // namespace vigie::server

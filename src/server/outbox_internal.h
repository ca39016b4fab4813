// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

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
    return settle(item, store::Store::Fate::kSent, what);
  }
  Status later(const notify::Item& item, std::string_view why) override {
    return settle(item, store::Store::Fate::kWaiting, why);
  }
  Status dead(const notify::Item& item, std::string_view why) override {
    return settle(item, store::Store::Fate::kGivenUp, why);
  }

 private:
  Status settle(const notify::Item& item, store::Store::Fate fate, std::string_view why) {
    return store_.settle({.id = item.id, .target = {}, .notice = {}, .attempts = item.attempts, .due = item.due}, fate,
                         why);
  }

  store::Store& store_;
};

}  // namespace vigie::server

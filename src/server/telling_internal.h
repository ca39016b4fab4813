// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "notify/delivery.h"
#include "server/outbox_internal.h"

namespace vigie::server {

/// Whom the service tells of incidents: targets that may be replaced while it runs. All functions may be called from
/// any thread.
class Telling {
 public:
  Telling(store::Store& store, std::function<void(const std::string&)> log) : outbox_(store), log_(std::move(log)) {}

  /// From now on these. What is under way to the ones before is broken off, stays in the store, and is told again under
  /// the same number. Code::kUsage, and the ones before stay: two of one name.
  Status set(std::vector<std::unique_ptr<notify::Target>> targets, const notify::Context& context) {
    VIGIE_TRY(notify::check(targets));
    VIGIE_TRY(notify::check(context));
    notify::DeliveryOptions options;
    options.context = context, options.log = log_;
    std::lock_guard lock(mutex_);
    delivery_.reset();
    VIGIE_ASSIGN(delivery_, notify::Delivery::start(outbox_, std::move(targets), std::move(options)));
    return {};
  }
  /// Names of the targets that a notice is for: of those that its incident names, where one of them is there.
  std::vector<std::string> targets_of(const event::Notice& notice) const {
    const auto is_named = [&](const std::string& name) {
      return std::ranges::find(notice.incident.notify, name) != notice.incident.notify.end();
    };
    std::vector<std::string> names;
    std::lock_guard lock(mutex_);
    if (!delivery_) return names;
    const auto& targets = delivery_->targets();
    const bool some = std::any_of(targets.begin(), targets.end(), [&](const auto& t) { return is_named(t->name()); });
    for (const auto& target : targets)
      if ((!some || is_named(target->name())) && target->wants(notice)) names.push_back(target->name());
    return names;
  }
  std::vector<std::string> names() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    if (!delivery_) return names;
    for (const auto& target : delivery_->targets()) names.push_back(target->name());
    return names;
  }
  /// The store holds more.
  void wake() {
    std::lock_guard lock(mutex_);
    if (delivery_) delivery_->wake();
  }
  std::vector<notify::TargetState> states() const {
    std::lock_guard lock(mutex_);
    return delivery_ ? delivery_->states() : std::vector<notify::TargetState>();
  }

 private:
  StoreOutbox outbox_;
  std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  std::unique_ptr<notify::Delivery> delivery_;
};

}  // namespace vigie::server

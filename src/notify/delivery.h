// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notify/notify.h"

namespace vigie::notify {

/// A notice for one target, until it is sent or given up.
struct Item {
  std::int64_t id = 0;  ///< grows from notice to notice, and is never used twice
  std::string target;   ///< Target::name()
  event::Notice notice;
  int attempts = 0;      ///< that failed
  std::int64_t due = 0;  ///< µs since 1970: not to be tried before
};

/// Where items lie until then; it outlives the program. Called from the thread of Delivery alone.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// Those with a greater id, in the order of their ids. Code::kUnavailable: not now, which somebody else says.
  virtual Result<std::vector<Item>> pending(std::int64_t after) = 0;
  /// It is there no more.
  virtual Status sent(const Item& item, std::string_view what) = 0;
  /// Its attempts and when it is due have changed.
  virtual Status later(const Item& item, std::string_view why) = 0;
  /// It is no more among the pending ones, and kept for people to look at.
  virtual Status dead(const Item& item, std::string_view why) = 0;
};

struct DeliveryOptions {
  Context context;          ///< `now` and `number` are set for each notice
  int most_attempts = 100;  ///< with the times below a day; then an item is given up
  std::chrono::milliseconds first_wait{5'000}, longest_wait{900'000};  ///< doubled from try to try, less up to a half
  http::ClientOptions http{.answer = std::chrono::seconds(30)};
  std::uint64_t seed = 1;             ///< of how much less
  std::function<std::int64_t()> now;  ///< µs since 1970; the system's clock where it is empty
  std::function<void(const std::string&)>
      log;  ///< lines for the log, from its thread: of the notifier log, and what went wrong
};

/// What a target did since the start.
struct TargetState {
  std::string name, notifier, place;
  std::int64_t waiting = 0, sent = 0, dead = 0;
  std::int64_t last_sent = 0;      ///< µs since 1970; 0: never
  std::int64_t failing_since = 0;  ///< 0: the last try succeeded, or there was none
  std::string last_error;          ///< of the tries since then
};

/// Code::kUsage: two targets of one name.
Status check(std::span<const std::unique_ptr<Target>> targets);

/// Sends what an outbox holds, in a thread of its own. An item leaves the outbox when it is sent, refused for good, or
/// tried in vain for too long, and only then; a crash between may repeat one, under the same number. Notices of one
/// incident reach a target in order; targets do not wait for each other. What is for a target that is not there is
/// dead.
class Delivery {
 public:
  /// Begins with what the outbox holds. Targets differ in name. `outbox` outlives it.
  static Result<std::unique_ptr<Delivery>> start(Outbox& outbox, std::vector<std::unique_ptr<Target>> targets,
                                                 DeliveryOptions options);
  ~Delivery();  ///< at once: what is under way is broken off and stays in the outbox
  Delivery(const Delivery&) = delete;

  /// The outbox holds more. From any thread, never waits.
  void wake();
  /// From any thread.
  std::vector<TargetState> states() const;
  const std::vector<std::unique_ptr<Target>>& targets() const;

 private:
  struct Impl;
  explicit Delivery(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigie::notify

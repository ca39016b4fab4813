// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "notify/schedule_internal.h"

namespace vigie::notify {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

}  // namespace

struct Delivery::Impl {
  Outbox& outbox;
  const std::vector<std::unique_ptr<Target>> targets;
  const DeliveryOptions options;
  Schedule schedule;
  http::Transfers transfers;
  std::map<std::int64_t, const Target*> under_way;
  std::int64_t read_to = 0;  // the last id that the outbox gave
  std::int64_t read_at = 0;  // not before, after a failure
  std::string trouble;       // why it was not read
  std::atomic<bool> more{true}, stop{false};
  mutable std::mutex mutex;
  std::vector<TargetState> states;  // under the mutex
  std::thread thread;

  Impl(Outbox& o, std::vector<std::unique_ptr<Target>> t, DeliveryOptions given)
      : outbox(o),
        targets(std::move(t)),
        options(std::move(given)),
        schedule(targets, options),
        transfers(options.http),
        states(schedule.states()) {}

  std::int64_t now() const { return options.now ? options.now() : system_now(); }

  void say(const std::string& line) const {
    if (options.log) options.log(line);
  }

  void kept(const Status& status, const Item& item) const {
    if (!status)
      say(fmt::format("{}: notice {}: what became of it is not kept: {}", item.target, item.id,
                      status.error().message));
  }

  void read() {
    auto items = outbox.pending(read_to);
    if (!items) {
      read_at = now() + 5 * kSecond, more = true;
      const auto& [code, why] = items.error();
      if (std::exchange(trouble, why) != why && code != Code::kUnavailable)
        say(fmt::format("notices cannot be read, tried again every 5 s: {}", why));
      return;
    }
    trouble.clear();
    for (auto& item : *items) {
      read_to = std::max(read_to, item.id);
      if (schedule.add(item)) continue;
      say(fmt::format("{}: there is no target of that name; notice {} is given up", item.target, item.id));
      kept(outbox.dead(item, "there is no target of that name"), item);
    }
  }

  void begin(const Schedule::Start& start) {
    const auto id = start.item.id;
    const auto& target = start.target;
    auto context = options.context;
    context.now = now(), context.number = id;
    http::Request request;
    try {
      request = target.request(start.item.notice, context);
    } catch (const std::exception& e) {  // of the library that writes JSON
      return end(id, {Outcome::Kind::kRefused, false, 0, fmt::format("cannot be written: {}", e.what())});
    }
    if (request.url.empty()) {
      say(request.body);
      return end(id, {});
    }
    under_way[id] = &target;
    if (const auto status = transfers.start(id, std::move(request)); !status) end(id, target.judge(status.error()));
  }

  void end(std::int64_t id, const Outcome& outcome) {
    under_way.erase(id);
    const auto at = now();
    const auto ended = schedule.ended(id, outcome, at);
    publish();
    const auto& item = ended.item;
    switch (ended.kind) {
      case Schedule::End::Kind::kSent:
        return kept(outbox.sent(item, ended.why), item);
      case Schedule::End::Kind::kLater:
        say(fmt::format("{}: {}; tried again in {}", item.target, ended.why,
                        duration(static_cast<double>(item.due - at))));
        return kept(outbox.later(item, ended.why), item);
      case Schedule::End::Kind::kDead:
        say(fmt::format("{}: notice {} of {} is lost: {}", item.target, item.id, item.notice.incident.model,
                        ended.why));
        kept(outbox.dead(item, ended.why), item);
    }
  }

  void publish() {
    auto fresh = schedule.states();
    const std::lock_guard lock(mutex);
    states = std::move(fresh);
  }

  std::chrono::milliseconds until_next() const {
    auto at = schedule.next();
    if (more && (!at || read_at < *at)) at = read_at;
    const auto wait = at ? std::clamp<std::int64_t>(*at - now(), 0, 60 * kSecond) : 60 * kSecond;
    return std::chrono::milliseconds((wait + 999) / 1000);
  }

  void run() {
    while (!stop) {
      read_at = std::min(read_at, now() + 5 * kSecond);  // where the clock was put back
      if (now() >= read_at && more.exchange(false)) read();
      // What is started without a transfer ends at once, and its successor may start.
      for (auto starts = schedule.start(now()); !starts.empty() && !stop; starts = schedule.start(now()))
        for (const auto& start : starts) begin(start);
      publish();
      for (auto& done : transfers.wait(until_next())) {
        const auto target = under_way.find(done.id);
        end(done.id, target->second->judge(done.answer));
      }
    }
  }
};

Delivery::Delivery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Status check(std::span<const std::unique_ptr<Target>> targets) {
  std::set<std::string> names;
  for (const auto& target : targets)
    if (!names.insert(target->name()).second)
      return fail(Code::kUsage,
                  fmt::format("{}: two targets of that name; give one another with name=", target->name()));
  return {};
}

Result<std::unique_ptr<Delivery>> Delivery::start(Outbox& outbox, std::vector<std::unique_ptr<Target>> targets,
                                                  DeliveryOptions options) {
  VIGIE_TRY(check(targets));
  VIGIE_TRY(check(options.context));
  auto impl = std::make_unique<Impl>(outbox, std::move(targets), std::move(options));
  VIGIE_TRY(impl->transfers.usable());
  impl->thread = std::thread([raw = impl.get()] { raw->run(); });
  return std::unique_ptr<Delivery>(new Delivery(std::move(impl)));
}

Delivery::~Delivery() {
  impl_->stop = true;
  impl_->transfers.wake();
  impl_->thread.join();
}

void Delivery::wake() {
  impl_->more = true;
  impl_->transfers.wake();
}

std::vector<TargetState> Delivery::states() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->states;
}

const std::vector<std::unique_ptr<Target>>& Delivery::targets() const {
  return impl_->targets;
}

}  // namespace vigie::notify

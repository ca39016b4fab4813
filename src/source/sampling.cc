// SPDX-License-Identifier: Apache-2.0
#include "source/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"

namespace vigie::source {
namespace {

constexpr std::chrono::milliseconds kLook{500};  // at what was added or removed

http::ClientOptions options() {
  return {.connect = std::chrono::milliseconds(3'000),
          .answer = std::chrono::milliseconds(5'000),
          .most_bytes = std::size_t{16} << 20,
          .user_agent = "vigie"};
}

}  // namespace

Sampling::Sampling(Listener listener) : listener_(std::move(listener)), transfers_(options()) {
  thread_ = std::thread([this] { run(); });
}

Sampling::~Sampling() {
  stop_ = true;
  transfers_.wake();
  thread_.join();
}

void Sampling::add(Sample sample) {
  auto running = std::make_unique<Running>();
  auto name = sample.name;
  running->sample = std::move(sample);
  std::lock_guard lock(mutex_);
  wanted_.emplace_back(std::move(name), std::move(running));
  transfers_.wake();
}

void Sampling::remove(const std::string& name) {
  std::lock_guard lock(mutex_);
  wanted_.emplace_back(name, nullptr);
}

void Sampling::run() {
  while (!stop_) {
    {
      std::lock_guard lock(mutex_);
      for (auto& [name, fresh] : std::exchange(wanted_, {})) {
        if (const auto at = ids_.find(name); at != ids_.end()) running_.erase(at->second), ids_.erase(at);
        if (!fresh) continue;
        ids_[name] = ++next_;
        running_[next_] = std::move(fresh);
      }
    }
    auto now = system_now();
    for (auto& [id, running] : running_) {
      // A clock that was set back does not make it wait for hours.
      if (running->due - now > running->sample.every) running->due = now;
      if (running->asked > 0 || running->due > now) continue;
      running->due = std::max(running->due + running->sample.every, now + running->sample.every / 2);
      begin(id, *running, transfers_);
    }
    if (std::exchange(any_, false)) listener_.round(system_now());
    now = system_now();
    std::int64_t next = now + std::chrono::microseconds(kLook).count();
    for (const auto& [id, running] : running_)
      if (running->asked == 0) next = std::min(next, running->due);
    const auto wait = std::chrono::microseconds(std::max<std::int64_t>(next - now, 0));
    if (const bool asks = transfers_.usable().has_value(); !asks) {
      std::this_thread::sleep_for(wait);
      continue;
    }
    for (auto& done : transfers_.wait(std::chrono::ceil<std::chrono::milliseconds>(wait))) {
      const auto at = running_.find(done.id);
      if (at == running_.end()) continue;
      const Reached reached{std::move(done.answer), system_now() - at->second->asked};
      at->second->asked = 0;
      end(*at->second, &reached);
    }
    if (std::exchange(any_, false)) listener_.round(system_now());
  }
}

void Sampling::begin(std::int64_t id, Running& running, http::Transfers& transfers) {
  auto request = running.sample.sampler->request();
  if (!request) return end(running, nullptr);
  running.asked = system_now();
  if (auto started = transfers.start(id, std::move(*request)); !started) {
    running.asked = 0;
    const Reached reached{started.error(), 0};
    end(running, &reached);
  }
}

void Sampling::end(Running& running, const Reached* reached) {
  const auto now = system_now();
  const auto& name = running.sample.name;
  const auto figures = running.sample.sampler->read(reached, now);
  any_ = true;
  if (figures) {
    if (!running.trouble.empty()) listener_.log(fmt::format("{}: there again", name));
    running.trouble.clear();
    return listener_.took(name, *figures, now);
  }
  if (running.trouble != figures.error().message) {
    running.trouble = figures.error().message;
    listener_.log(fmt::format("{}: {}", name, running.trouble));
  }
  listener_.failed(name, running.trouble, now);
}

}  // namespace vigie::source

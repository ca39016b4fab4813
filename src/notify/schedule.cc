// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/text.h"
#include "notify/schedule_internal.h"

namespace vigie::notify {

Schedule::Schedule(const std::vector<std::unique_ptr<Target>>& targets, const DeliveryOptions& options)
    : options_(options), rng_(options.seed) {
  for (const auto& target : targets) {
    auto& lane = lanes_[target->name()];
    lane.target = target.get();
    lane.state.name = target->name();
    lane.state.notifier = target->notifier().name;
    lane.state.place = target->place();
  }
}

bool Schedule::add(Item item) {
  const auto lane = lanes_.find(item.target);
  if (lane == lanes_.end()) return false;
  lane->second.items.push_back(std::move(item));
  return true;
}

const Item* Schedule::candidate(const Lane& lane) const {
  const Item* best = nullptr;
  std::set<std::string_view> before;
  for (const auto& item : lane.items)
    if (before.insert(item.notice.incident.id).second && (!best || item.due < best->due)) best = &item;
  return best;
}

// A clock that is put back keeps nobody waiting for longer.
void Schedule::follow(std::int64_t now) {
  if (const auto back = last_ - now; back > 0)
    for (auto& [name, lane] : lanes_) {
      lane.free_at -= back;
      for (auto& item : lane.items) item.due -= back;
    }
  last_ = now;
}

std::vector<Schedule::Start> Schedule::start(std::int64_t now) {
  follow(now);
  std::vector<Start> out;
  for (auto& [name, lane] : lanes_) {
    if (lane.under_way || lane.free_at > now) continue;
    const auto* item = candidate(lane);
    if (!item || item->due > now) continue;
    lane.under_way = item->id;
    lane.free_at = now + lane.target->interval();
    out.push_back({*item, *lane.target});
  }
  return out;
}

std::optional<std::int64_t> Schedule::next() const {
  std::optional<std::int64_t> out;
  for (const auto& [name, lane] : lanes_) {
    if (lane.under_way) continue;
    const auto* item = candidate(lane);
    if (!item) continue;
    const auto at = std::max(item->due, lane.free_at);
    if (!out || at < *out) out = at;
  }
  return out;
}

std::int64_t Schedule::wait_after(int attempts) {
  const double first = 1000.0 * static_cast<double>(options_.first_wait.count());
  const double longest = 1000.0 * static_cast<double>(options_.longest_wait.count());
  const double whole = std::min(longest, std::ldexp(first, std::min(attempts - 1, 60)));
  return static_cast<std::int64_t>(whole * (1 - rng_.uniform() / 2));
}

Schedule::End Schedule::ended(std::int64_t id, const Outcome& outcome, std::int64_t now) {
  follow(now);
  const auto of =
      std::find_if(lanes_.begin(), lanes_.end(), [&](const auto& each) { return each.second.under_way == id; });
  auto& lane = of->second;
  lane.under_way.reset();
  const auto at = std::find_if(lane.items.begin(), lane.items.end(), [&](const Item& item) { return item.id == id; });
  auto& state = lane.state;
  lane.free_at = std::max(lane.free_at, now + outcome.retry_after);
  if (outcome.kind == Outcome::Kind::kSent) {
    ++state.sent;
    state.last_sent = now, state.failing_since = 0, state.last_error.clear();
  } else {
    ++at->attempts;
    if (state.failing_since == 0) state.failing_since = now;
    state.last_error = outcome.what;
    if (outcome.kind == Outcome::Kind::kLater && at->attempts < options_.most_attempts) {
      at->due = now + std::max(wait_after(at->attempts), outcome.retry_after);
      return {*at, End::Kind::kLater, outcome.what};
    }
    ++state.dead;
  }
  const bool sent = outcome.kind == Outcome::Kind::kSent;
  End end{std::move(*at), sent ? End::Kind::kSent : End::Kind::kDead, outcome.what};
  if (outcome.kind == Outcome::Kind::kLater)
    end.why += fmt::format(", given up after {}", plural(end.item.attempts, "attempt"));
  lane.items.erase(at);
  return end;
}

std::vector<TargetState> Schedule::states() const {
  std::vector<TargetState> out;
  for (const auto& [name, lane] : lanes_) {
    out.push_back(lane.state);
    out.back().waiting = static_cast<std::int64_t>(lane.items.size());
  }
  return out;
}

}  // namespace vigie::notify

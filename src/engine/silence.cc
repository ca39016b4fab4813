// SPDX-License-Identifier: Apache-2.0
#include "engine/silence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::int64_t kBack = 3'600'000'000;  // µs: a clock that goes back so far was wrong before

Sighting seen(std::int64_t start, std::int64_t end) {
  Sighting out{Sighting::Track::kSilence, start, end};
  out.judged = true;
  return out;
}

}  // namespace

void Silence::came(std::int64_t time) {
  if (last_ == 0 || time < last_ - kBack) {
    days_.clear();
    first_ = last_ = time;
    if (silent()) over_ = time;
    return;
  }
  if (time <= last_) return;
  const auto gap = std::max<std::int64_t>(time - std::max(last_, deaf_until_), 0);
  last_ = time;
  auto& day = days_[time / kDay];
  if (silent()) {
    over_ = time;
    ++day.silences, day.longest_told = std::max(day.longest_told, gap);
  } else {
    ++day.gaps, day.longest = std::max(day.longest, gap);
  }
  days_.erase(days_.begin(), days_.lower_bound(time / kDay - kDays + 1));
}

// Of the pauses that are usual; 0: nobody knows.
std::int64_t Silence::longest(std::int64_t now) const {
  // A week is known once something came behind it: what it began with may be the longest pause.
  if (last_ - first_ < kFewest * kDay) return 0;
  Day all;
  for (auto it = days_.lower_bound(now / kDay - kDays + 1); it != days_.end(); ++it) {
    const auto& day = it->second;
    all.gaps += day.gaps, all.longest = std::max(all.longest, day.longest);
    all.silences += day.silences, all.longest_told = std::max(all.longest_told, day.longest_told);
  }
  if (all.gaps < kFewestGaps) return 0;
  return all.silences < kAccepted ? all.longest : std::max(all.longest, all.longest_told);
}

std::optional<Sighting> Silence::see(std::int64_t now, const Worked& worked) {
  if (over_ > 0) {
    const auto due = over_ + calm_ * kCalm;
    if (now < due) return {};
    if (++calm_ == 2) told_ = over_ = calm_ = 0;
    return seen(due, due + 1);
  }
  if (last_ == 0) return {};
  const bool told = told_ > 0;
  auto since = told ? since_ : std::max(last_, deaf_until_);
  while (!told && since < now) {
    const auto until = worked(since, now);
    if (!until) break;
    since = std::max(*until, since + 1);
  }
  const auto pause = now - since;
  const auto usual = longest(now);
  const auto allowed = told ? allowed_ : said_ ? *said_ : usual > 0 ? std::max(kTimes * usual, kLeast) : 0;
  if (allowed == 0 || pause < (told ? 2 * told_ : allowed)) return {};
  told_ = pause, since_ = since, allowed_ = allowed;
  auto out = seen(since, now);
  out.firm = true;
  const auto most = duration(static_cast<double>(allowed));
  out.causes.push_back(
      {"", "", std::string(kSilence), event::Severity::kCritical,
       static_cast<double>(pause) / static_cast<double>(allowed),
       fmt::format("no prediction came for {}; {}", duration(static_cast<double>(pause)),
                   said_ ? most + " without one was said to be too long"
                         : fmt::format("pauses of up to {} are usual", duration(static_cast<double>(usual)))),
       since, 1});
  return out;
}

void Silence::save(ByteWriter& out) const {
  out.fixed(kVersion);
  for (auto number : {first_, last_, told_, since_, allowed_, over_, calm_}) out.fixed(number);
  out.varint(days_.size());
  for (const auto& [day, of] : days_)
    for (auto number : {day, of.gaps, of.longest, of.silences, of.longest_told}) out.fixed(number);
}

Result<Silence> Silence::load(ByteReader& in) {
  Silence out;
  const auto version = in.fixed<std::uint8_t>();
  for (auto* number : {&out.first_, &out.last_, &out.told_, &out.since_, &out.allowed_, &out.over_, &out.calm_})
    *number = in.fixed<std::int64_t>();
  for (auto left = in.count(5 * sizeof(std::int64_t)); left > 0 && in.ok(); --left) {
    auto& of = out.days_[in.fixed<std::int64_t>()];
    for (auto* number : {&of.gaps, &of.longest, &of.silences, &of.longest_told}) *number = in.fixed<std::int64_t>();
  }
  if (!in.ok() || version != kVersion) return fail(Code::kCorrupt, "what was kept of a model's pauses cannot be read");
  return out;
}

}  // namespace vigie::engine

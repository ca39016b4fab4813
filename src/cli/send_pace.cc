// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <algorithm>
#include <cmath>

#include "cli/send_pace_internal.h"

namespace vigie::cli {
namespace {

using Micros = std::chrono::duration<double, std::micro>;
using std::chrono::milliseconds;

constexpr double kForever = std::numeric_limits<double>::infinity();
constexpr milliseconds kTick{10}, kLongest{60'000};  // rows within a tick go together

}  // namespace

double Pace::now() const {
  if (options_.speed == 0 || std::isinf(event_)) return event_;
  return event_ + Micros(Clock::now() - began_).count() * options_.speed;
}

Result<bool> Pace::flush() {
  if (signals_.asked()) return false;
  if (parcel_.empty()) return true;
  parcel_.reached = last_;
  return courier_.hand_over(std::exchange(parcel_, {}));
}

Result<bool> Pace::release(double time) {
  while (!waiting_.empty() && waiting_.top().due <= time) {
    parcel_.labels.body += waiting_.top().json;
    parcel_.labels.rows.push_back(waiting_.top().row);
    waiting_.pop();
    if (!parcel_.full()) continue;
    VIGIE_ASSIGN(const bool on, flush());
    if (!on) return false;
  }
  return true;
}

Result<bool> Pace::until(double time) {
  if (options_.speed == 0) {
    event_ = std::max(event_, time);
    return release(event_);
  }
  if (std::isinf(event_)) event_ = time, began_ = Clock::now();
  while (true) {
    const double present = now();
    VIGIE_ASSIGN(bool on, release(present));
    if (!on || present >= time) return on;
    VIGIE_ASSIGN(on, flush());
    if (!on) return false;
    const double next = waiting_.empty() ? time : std::min(time, waiting_.top().due);
    const double span = std::ceil((next - now()) / options_.speed / 1e3);
    const auto ms = std::clamp(span, static_cast<double>(kTick.count()), static_cast<double>(kLongest.count()));
    pollfd end{signals_.fd(), POLLIN, 0};
    ::poll(&end, 1, static_cast<int>(ms));
  }
}

Result<bool> Pace::row(const Records& records, std::size_t i, std::int64_t number) {
  const double time = records.time(i);
  if (!std::isnan(time)) {
    VIGIE_ASSIGN(const bool on, until(time));
    if (!on) return false;
  }
  if (options_.predictions) {
    records.prediction(i, parcel_.predictions.body);
    parcel_.predictions.rows.push_back(number);
  }
  if (options_.labels) {
    const double given = time + options_.delay;
    if (std::isnan(given)) {
      if (records.label(i, given, parcel_.labels.body)) parcel_.labels.rows.push_back(number);
    } else if (std::string json; records.label(i, given, json)) {
      waiting_.push({given, number, std::move(json)});
    }
  }
  last_ = number;
  return parcel_.full() ? flush() : true;
}

Result<bool> Pace::finish() {
  if (options_.speed == 0) {
    VIGIE_ASSIGN(const bool on, release(kForever));
    if (!on) return false;
  }
  while (!waiting_.empty()) {
    VIGIE_ASSIGN(const bool on, until(waiting_.top().due));
    if (!on) return false;
  }
  return flush();
}

}  // namespace vigie::cli

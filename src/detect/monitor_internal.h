// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "detect/detect.h"

namespace vigie::detect {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What a core has to say of the state it just answered with. `age`: how many values ago the change began, 0 for the
/// value just taken; anything that is no such number stands for 0.
struct Evidence {
  double statistic = kNaN, threshold = kNaN;
  Direction direction = Direction::kNone;
  double age = 0, before = kNaN, after = kNaN;
};

/// Writes and reads the fields that a core lists. Vectors keep the size they were made with.
class SaveFields {
 public:
  explicit SaveFields(ByteWriter& out) : out_(out) {}
  template <class... T>
  void operator()(const T&... values) {
    (one(values), ...);
  }

 private:
  template <class T>
  void one(const T& value) {
    if constexpr (std::is_enum_v<T>)
      out_.fixed(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::is_arithmetic_v<T>)
      out_.fixed(value);
    else
      for (const auto& item : value) one(item);
  }
  ByteWriter& out_;
};

class LoadFields {
 public:
  explicit LoadFields(ByteReader& in) : in_(in) {}
  template <class... T>
  void operator()(T&... values) {
    (one(values), ...);
  }

 private:
  template <class T>
  void one(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = in_.fixed<std::uint8_t>();
      value = byte == 1;
      if (byte > 1) in_.fail();
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(in_.fixed<std::underlying_type_t<T>>());
    } else if constexpr (std::is_arithmetic_v<T>) {
      value = in_.fixed<T>();
    } else {
      for (auto& item : value) one(item);
    }
  }
  ByteReader& in_;
};

/// The algorithm of a detector is a core, a plain value:
///   static constexpr Stream kStream;
///   explicit Core(const Args&);            // everything that it will ever allocate
///   State step(double);                    // takes a value of its stream
///   double to_learn() const;               // see Monitor::to_learn; 0 or less once at work
///   Evidence evidence() const;             // asked only after step() gave kWarning or kDrift
///   void reset();
///   void fields(auto& io);                 // io(a, b, …) of what changes
///   bool valid() const;                    // optional: whether loaded fields can be worked with
///   void keep_recent();                    // optional: forget what is older than the change; else values are replayed
///   static Status check(const Args&);      // optional: parameters that contradict each other
/// Running makes a Monitor of it: skips, counts, raises alarms and obeys OnDrift.
template <class Core>
class Running final : public Monitor {
 public:
  Running(const Detector& detector, const Args& given) : Monitor(detector, given), core_(args()) {}

  const Alarm* update(double value) override {
    ++seen_;
    value = taken(value);
    if (std::isnan(value)) return ++skipped_, nullptr;
    if (on_drift_ == OnDrift::kHold && state_ == State::kDrift) return nullptr;
    if (replays()) remember(value);
    const State now = core_.step(value);
    if (now == State::kStable && state_ == State::kStable) [[likely]]
      return nullptr;
    return changed(now) ? &alarm_ : nullptr;
  }

  void update(std::span<const double> values, std::vector<Alarm>& alarms) override {
    if (on_drift_ == OnDrift::kHold || replays()) {
      for (const double value : values)
        if (const Alarm* alarm = update(value)) alarms.push_back(*alarm);
      return;
    }
    // A local core whose address goes nowhere can live in registers.
    Core core = std::move(core_);
    const std::int64_t base = seen_;
    std::int64_t skipped = 0;
    State state = state_;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = taken(values[i]);
      if (std::isnan(value)) [[unlikely]] {
        ++skipped;
        continue;
      }
      const State now = core.step(value);
      if (now == State::kStable && state == State::kStable) [[likely]]
        continue;
      seen_ = base + static_cast<std::int64_t>(i) + 1;
      core_ = std::move(core);
      if (changed(now)) alarms.push_back(alarm_);
      core = std::move(core_);
      state = state_;
    }
    core_ = std::move(core);
    seen_ = base + static_cast<std::int64_t>(values.size());
    skipped_ += skipped;
  }

  std::int64_t to_learn() const override {
    return on_drift_ == OnDrift::kHold && state_ == State::kDrift
               ? 0
               : static_cast<std::int64_t>(std::max(0.0, core_.to_learn()));
  }
  void reset() override {
    reset_counts();
    resume();
  }
  void resume() override {
    core_.reset();
    state_ = State::kStable;
    held_ = 0;
    recent_ = {};
  }

 private:
  static constexpr bool kKeeps = requires(Core core) { core.keep_recent(); };
  static constexpr std::size_t kRecent = 64;

  // NaN for what is no value of the stream.
  static double taken(double value) {
    if constexpr (Core::kStream == Stream::kValues)
      return as_value(value);
    else
      return value >= 0 && value <= (Core::kStream == Stream::kErrors ? 1 : 3) ? value : kNaN;
  }
  bool replays() const { return !kKeeps && on_drift_ == OnDrift::kKeepRecent; }
  void remember(double value) { recent_[held_++ % kRecent] = value; }

  bool changed(State now) {
    const bool event = now == State::kDrift || (now == State::kWarning && state_ != State::kWarning);
    state_ = now;
    if (!event) return false;
    const Evidence found = core_.evidence();
    const std::int64_t index = seen_ - 1;
    const auto age =
        found.age >= 0 && found.age <= static_cast<double>(index) ? static_cast<std::int64_t>(found.age) : 0;
    alarm_ = {.index = index,
              .state = now,
              .statistic = found.statistic,
              .threshold = found.threshold,
              .direction = found.direction,
              .onset = index - age,
              .before = found.before,
              .after = found.after};
    if (now == State::kWarning) return ++warnings_, true;
    ++drifts_;
    if (on_drift_ == OnDrift::kHold) return true;
    if constexpr (kKeeps) {
      if (on_drift_ == OnDrift::kKeepRecent) return core_.keep_recent(), true;
    }
    core_.reset();
    if (replays()) replay(static_cast<std::uint64_t>(age) + 1);
    return true;
  }

  void replay(std::uint64_t wanted) {
    const std::uint64_t have = std::min({wanted, held_, std::uint64_t{kRecent}});
    for (std::uint64_t i = held_ - have; i < held_; ++i)
      if (core_.step(recent_[i % kRecent]) == State::kDrift) core_.reset();
  }

  void save_state(ByteWriter& out) const override {
    SaveFields io(out);
    const_cast<Core&>(core_).fields(io);
    if (replays()) io(held_, recent_);
  }
  bool load_state(ByteReader& in) override {
    LoadFields io(in);
    core_.fields(io);
    if (replays()) io(held_, recent_);
    if (held_ > static_cast<std::uint64_t>(seen_)) return false;
    if constexpr (requires { core_.valid(); }) return in.ok() && core_.valid();
    return in.ok();
  }

  Core core_;
  std::uint64_t held_ = 0;
  std::array<double, kRecent> recent_{};
};

template <class Core>
Result<std::unique_ptr<Monitor>> make(const Detector& detector, const Args& args) {
  if constexpr (requires { Core::check(args); }) VIGIE_TRY(Core::check(args));
  return std::unique_ptr<Monitor>(new Running<Core>(detector, args));
}

/// Level up to a mark and since: what the onset of a change is estimated by.
struct Mark {
  double n = 0, sum = 0;  ///< values before the mark
  double age(double all) const { return all - n - 1; }
  double before() const { return n > 0 ? sum / n : kNaN; }
  double after(double all, double total) const { return all > n ? (total - sum) / (all - n) : kNaN; }
};

/// When an error rate began to rise, or to fall: since when the sum of deviations from a rate half-way to a changed one
/// has not been back at zero. The extreme of the running rate, which detectors test by, lies long before that.
class RateOnset {
 public:
  void rise(double x, double rate, double n, double sum) { add(x - std::min(1.5 * rate, 0.5 * (1 + rate)), n, sum); }
  void fall(double x, double rate, double n, double sum) { add(std::max(rate / 1.5, 1.5 * rate - 0.5) - x, n, sum); }
  const Mark& mark() const { return mark_; }
  void fields(auto& io) { io(score_, mark_.n, mark_.sum); }

 private:
  void add(double deviation, double n, double sum) {
    score_ += deviation;
    if (!(score_ > 0)) score_ = 0, mark_ = {n, sum};
  }
  double score_ = 0;
  Mark mark_;
};

inline Direction direction_of(double change) {
  return change > 0 ? Direction::kUp : change < 0 ? Direction::kDown : Direction::kNone;
}

}  // namespace vigie::detect

// SPDX-License-Identifier: Apache-2.0
#include "detect/bit_window_internal.h"
#include "detect/monitor_internal.h"

namespace vigie::detect {
namespace {

constexpr Param kParams[] = {
    {.name = "sliding_window_size",
     .fallback = 100,
     .min = 2,
     .max = 1e6,
     .doc = "values in the window",
     .whole = true},
    {.name = "confidence_level", .fallback = 1e-6, .min = 1e-300, .max = 1, .doc = "level of Hoeffding's bound"},
    {.name = "short_window_size",
     .fallback = 0,
     .min = 0,
     .max = 1e6,
     .doc = "values in a second, shorter window; 0: none",
     .whole = true}};

// Tested is a fall of the share of correct predictions. River's test, on a stream of errors, is of a fall of the share
// of errors: parity keeps that.
class Fhddm {
 public:
  static constexpr Stream kStream = Stream::kErrors;
  static Status check(const Args& args) {
    if (args[2] >= args[0]) return fail(Code::kUsage, "fhddm: short_window_size must be below sliding_window_size");
    return {};
  }
  explicit Fhddm(const Args& args)
      : river_(args.parity == Parity::kRiver),
        windows_{Window(args[0], args[1]), Window(args[2] > 0 ? args[2] : 1, args[1])},
        used_(args[2] > 0 ? 2 : 1) {}

  State step(double x) {
    const bool bit = (x > 0.5) == river_;
    windows_[0].bits.push(bit);
    bool drift = windows_[0].bits.full() && windows_[0].look();
    if (used_ == 2) {
      windows_[1].bits.push(bit);
      // River looks at the short window only once the long one is full.
      if (windows_[river_ ? 0 : 1].bits.full()) drift |= windows_[1].look();
    }
    return drift ? State::kDrift : State::kStable;
  }

  Evidence evidence() const {
    const Window& window = windows_[0].beyond() || used_ == 1 ? windows_[0] : windows_[1];
    const double best = window.best / window.size, now = window.bits.ones() / window.size;
    return {.statistic = best - now,
            .threshold = window.slack / window.size,
            .direction = river_ ? Direction::kDown : Direction::kUp,
            .age = window.size - 1,
            .before = river_ ? best : 1 - best,
            .after = river_ ? now : 1 - now};
  }
  double to_learn() const { return windows_[river_ ? 0 : used_ - 1].bits.missing(); }
  void reset() {
    for (Window& window : windows_) {
      window.bits.clear();
      window.best = 0;
    }
  }
  void fields(auto& io) {
    for (Window& window : windows_) {
      io(window.best);
      window.bits.fields(io);
    }
  }
  bool valid() { return windows_[0].bits.restore() && windows_[1].bits.restore(); }

 private:
  struct Window {
    Window(double values, double level)
        : bits(values),
          size(values),
          slack(values * std::sqrt(-std::log(level) / (2 * values))),
          unlikely(static_cast<std::uint32_t>(slack) + 1) {}
    bool look() {
      best = std::max(best, bits.ones());
      return beyond();
    }
    bool beyond() const { return best - bits.ones() >= unlikely; }
    BitWindow bits;
    double size, slack;
    std::uint32_t unlikely, best = 0;
  };
  bool river_;
  std::array<Window, 2> windows_;
  std::size_t used_;
};

}  // namespace

constinit const Detector fhddm{.name = "fhddm",
                               .summary = "Share of correct predictions in a window against the best it has been",
                               .paper = "Pesaranghader & Viktor 2016",
                               .stream = Fhddm::kStream,
                               .params = kParams,
                               .river = kParams,
                               .tuned = "confidence_level",
                               .make = make<Fhddm>};

}  // namespace vigie::detect

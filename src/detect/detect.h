// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::detect {

/// What the numbers of a stream are. A value that is none of its stream (NaN and infinities everywhere) is counted in
/// Monitor::skipped() and otherwise ignored.
enum class Stream : std::uint8_t {
  kValues,    ///< any number that as_value() lets pass: a residual, a score, a latency
  kErrors,    ///< 0 correct … 1 error. Methods that count errors take what is above 0.5 as one.
  kOutcomes,  ///< of a binary classifier: 2·(true class) + (predicted class), so 0 TN, 1 FP, 2 FN, 3 TP
};

/// Beyond the one no sum of squares holds a value, below the other none tells it from 0.
inline constexpr double kLargest = 1e100, kSmallest = 1e-100;
/// What a detector of values takes a number as: itself, 0 where it is smaller than kSmallest, NaN where it is larger
/// than kLargest.
inline double as_value(double number) {
  const double size = std::abs(number);
  return size < kSmallest ? 0 : size <= kLargest ? number : std::numeric_limits<double>::quiet_NaN();
}

enum class State : std::uint8_t { kStable, kWarning, kDrift };
enum class Direction : std::int8_t { kDown = -1, kNone = 0, kUp = 1 };
std::string_view to_string(State state);
std::string_view to_string(Direction direction);

/// Said when a warning begins, and at every drift.
struct Alarm {
  std::int64_t index = 0;  ///< of the value that raised it, from 0, skipped ones counted
  State state = State::kStable;
  double statistic = 0, threshold = 0;     ///< on one scale; the alarm rose because the statistic is beyond
  Direction direction = Direction::kNone;  ///< where the level of the stream went
  std::int64_t onset = 0;                  ///< estimated index of the first value after the change
  double before = 0, after = 0;            ///< level on both sides of the onset; NaN where the method has none
  bool operator==(const Alarm&) const = default;
};

/// Whose rules. kRiver: parameters, defaults, polarity and quirks of River 0.26; kMoa: those of MOA 2024.
enum class Parity : std::uint8_t { kNone, kRiver, kMoa };

/// What a monitor does after a drift.
enum class OnDrift : std::uint8_t {
  kUsual,       ///< what the detector's descriptor says
  kRestart,     ///< forget everything and learn anew from the next value
  kKeepRecent,  ///< forget what was before the onset; detectors without a window of their own keep at most 64 values
  kHold,        ///< stay in drift, say nothing more until resume()
};

/// Parameter of a detector, for help, configuration and the reference page. With `choices` ("both|up|down") it is
/// written as one of these words and its number is the word's place.
struct Param {
  std::string_view name;
  double fallback, min, max;
  std::string_view doc;
  bool whole = false;
  std::string_view choices = {};
};

/// Arguments of one monitor; `params` are parallel to Detector::params_of(parity). `seed` feeds whatever is random.
struct Args {
  std::span<const double> params;
  Parity parity = Parity::kNone;
  OnDrift on_drift = OnDrift::kUsual;
  std::uint64_t seed = 1;
  double operator[](std::size_t i) const { return params[i]; }
};

class Monitor;

/// Descriptor of a detector: see conventions "A unit".
struct Detector {
  std::string_view name;
  std::string_view summary;
  std::string_view paper;
  Stream stream;
  std::span<const Param> params;
  std::span<const Param> river = {};  ///< parameters under Parity::kRiver; empty: there is no such variant
  std::span<const Param> moa = {};
  OnDrift on_drift = OnDrift::kRestart;  ///< what kUsual stands for
  std::string_view tuned = {};           ///< the parameter that a target_arl sets; empty: none
  std::string_view freed_by = {};        ///< the choice whose second word frees it of the stream's mean and scale
  Result<std::unique_ptr<Monitor>> (*make)(const Detector&, const Args&);  ///< nullptr: offline, see segment
  Result<std::vector<Alarm>> (*segment)(std::span<const double>, const Args&) = nullptr;  ///< changes of a whole series
  std::span<const Param> params_of(Parity parity) const;
};

/// A detector at work on one stream. Memory is bounded and, once running, update() allocates nothing (the batch form
/// only where `alarms` grows). Not safe for use by two threads at once.
class Monitor {
 public:
  virtual ~Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Takes one value. The alarm it raised, valid until the next call, or nullptr.
  virtual const Alarm* update(double value) = 0;
  /// Takes many, and appends what they raise: the same, to the bit, as one by one, and faster.
  virtual void update(std::span<const double> values, std::vector<Alarm>& alarms) = 0;
  /// As newly made.
  virtual void reset() = 0;
  /// Learns anew from the next value on; indices and counts go on. Ends a held drift.
  virtual void resume() = 0;

  /// Everything needed to go on exactly as this would: a sealed frame, below 1 kB for the detectors without windows.
  std::string save() const;

  const Detector& detector() const { return detector_; }
  State state() const { return state_; }
  /// Values, at least, that the detector still learns from before one can raise an alarm; 0 once it is at work.
  virtual std::int64_t to_learn() const = 0;
  std::int64_t seen() const { return seen_; }        ///< values taken, skipped ones counted
  std::int64_t skipped() const { return skipped_; }  ///< values that are none of the stream
  std::int64_t drifts() const { return drifts_; }
  std::int64_t warnings() const { return warnings_; }  ///< beginnings of a warning

 protected:
  Monitor(const Detector& detector, const Args& args);
  Args args() const { return {params_, parity_, on_drift_, seed_}; }
  void reset_counts();
  /// Of what only the deriving class knows. load_state: false for what no save_state wrote.
  virtual void save_state(ByteWriter& out) const = 0;
  virtual bool load_state(ByteReader& in) = 0;
  friend Result<std::unique_ptr<Monitor>> load_monitor(std::string_view bytes);

  const Detector& detector_;
  std::vector<double> params_;
  Parity parity_;
  OnDrift on_drift_;
  std::uint64_t seed_;
  std::int64_t seen_ = 0, skipped_ = 0, drifts_ = 0, warnings_ = 0;
  State state_ = State::kStable;
  Alarm alarm_;
};

#define VIGIE_DETECTOR(name) extern const Detector name;
#include "detect/detectors.def"
#undef VIGIE_DETECTOR

/// All detectors, in the order of detectors.def.
std::span<const Detector* const> detectors();
/// What holds detectors: any, majority, at_least, confirmed. They are no detectors of the registry, and have no `make`.
std::span<const Detector* const> ensembles();
/// The detector of that name, or nullptr.
const Detector* find_detector(std::string_view name);

/// "name" and "value" as a person writes them: a parameter of the detector, or `parity` (river, moa), `on_drift`
/// (restart, keep_recent, hold), `seed`, or `target_arl`: the number of values within which a stable stream raises an
/// alarm with probability 1 − 1/e at most, least_target() to 100,000. It sets the detector's `tuned` parameter from a
/// table of seeded simulations (calibration.def, made by tools/detect_calibrate.cc) for errors at any rate from 0.02 to
/// 0.5, for outcomes with such errors, or for normal values of any mean and standard deviation (see
/// Detector::freed_by), with the other parameters at their defaults.
using Setting = std::pair<std::string, std::string>;
/// Code::kUsage for an unknown name (with the nearest one), a value that is no number, no choice or out of bounds, a
/// parity the detector does not have, an offline detector.
Result<std::unique_ptr<Monitor>> make_monitor(const Detector& detector, std::span<const Setting> settings = {});
/// A detector or an ensemble with what is set of it, not yet looked at.
struct Spec {
  const Detector* detector = nullptr;
  std::vector<Setting> settings;
  std::vector<Spec> members;  ///< of an ensemble
};
/// From text: "ddm", "adwin(delta=0.01, parity=river)"; ensembles hold detectors: "any(ddm,
/// hddm_a(two_sided_test=true))", "majority(…)", "at_least(2, …)", "confirmed(100, …)": see ensemble.cc. Code::kUsage
/// for brackets that do not match and for an unknown detector, with the nearest one.
Result<Spec> parse_spec(std::string_view text);
/// Errors as above.
Result<std::unique_ptr<Monitor>> make_monitor(const Spec& spec);
Result<std::unique_ptr<Monitor>> make_monitor(std::string_view text);
/// What Monitor::save wrote. Code::kCorrupt for anything else.
Result<std::unique_ptr<Monitor>> load_monitor(std::string_view bytes);
/// The shortest target_arl that a detector has in the table; 0: none. It is longer than others' where the detector
/// learns for longer than those.
double least_target(const Detector& detector);
/// What target_arl sets the tuned parameter to: by the table, and beyond it by its last two rows. NaN where it has
/// none.
double calibrated(const Detector& detector, double target_arl);
/// Sets the tuned parameter, and with it those of a warning, which must not be stricter than a drift: a threshold of
/// one keeps its share of the drift's.
void tune(const Detector& detector, double value, std::span<double> params);
/// The changes of a whole series by an offline detector (one with `segment`). Errors as make_monitor. Pelt's are those
/// of the cheapest segmentation, in a second for a million values. With cost=normal they are so for up to 256 values
/// between changes; beyond, begins of a segment less than a 16th of its length apart are one, the cheapest, and each
/// change is then moved to the best place that near: a million values take some seconds and memory for a few hundred
/// begins, whether there are changes or not.
Result<std::vector<Alarm>> segment(const Detector& detector, std::span<const double> series,
                                   std::span<const Setting> settings = {});

}  // namespace vigie::detect

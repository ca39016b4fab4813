// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "detect/detect.h"
#include "engine/incidents.h"
#include "engine/profile.h"
#include "engine/scoring.h"

namespace vigie::engine {

/// A detector on a stream of a model.
struct StreamSpec {
  std::string on;        ///< kErrors, kResiduals, kScores, or a feature
  std::string detector;  ///< as `vigie detect` takes it: "adwin", "adwin(delta=0.01)"
  bool operator==(const StreamSpec&) const = default;
};
inline constexpr std::string_view kErrors = "error", kResiduals = "residual", kScores = "score";
inline constexpr std::string_view kUsualDetector = "adwin";

/// What there is of a stream before its first value.
struct StreamReference {
  Bins bins{};      ///< of the reference's values; empty: they are taken as they are
  double rate = 0;  ///< values in 30 days; 0: not known
};

/// A detector at work on the values of one stream, one after the other, with its share of the model's false alarms.
///
/// The share, so many in 30 days, becomes target_arl, with a margin, by the rate of the values: that of the reference
/// until a day of them was seen (where there is none: an hour, with the longest target_arl until then), then as they
/// come. Beyond the tables of run lengths their law is gone on with, up to ten million; beyond that one update is the
/// mean of several values, or of fewer than a hundred errors the first, since the mean of few is no normal number.
/// Below the table its least is taken. It begins anew where the rate asks for one and a half times as much, or for a
/// quarter. `sprt` gets the share as its alpha. Parameters that were given stay, and the share
/// does not hold then.
///
/// With bins, values become normal scores of their ranks in the reference, so that heavy tails are none.
///
/// Healthy hours differ, by night and day or by chance of more than the values: an alarm counts where the level moved
/// by more than they do, at the level that one of kHour would be judged at, and from a day of them on; that is of what
/// a detector has levels of, and of hours with kFewestOfHour values, or of as many as have them together.
///
/// It counts from a watch level on, in standard deviations; of a detector that has no levels always. An error
/// rate counts in points, or as a loss does in a score (kGrowthLevels) where that is less: 0.1 from 0.12 on, and 0.02
/// from 0.03. A lower one is no cause: that is what a repair looks like. A cause that labels tell of is critical from a
/// major level on, as a metric that drifts is, and a warning below; of what else there is it is a warning, as features
/// are.
///
/// What counted is `changed` until the means of kCalm hours in a row are nearer to the level before, or until
/// kUsualAfter: a detector compares with what was, and after as long as it takes for requests what was is the new
/// level.
///
/// Cost: that of the detector, and 10 ns. Memory: what it holds, at most kMostBytes, and 6 kB.
class StreamDetector {
 public:
  static constexpr std::int64_t kHour = 3'600'000'000, kDay = 24 * kHour, kUsualAfter = 14 * kDay;  ///< µs
  static constexpr Levels kPoints{.02, .05};   ///< of an error rate
  static constexpr double kLeastErrors = .01;  ///< rate that lower ones are taken for
  static constexpr std::size_t kMostBytes = 65'536;
  static constexpr double kFewest = 100;       ///< values that the level of an hour, or of some, is told from
  static constexpr double kFewestOfHour = 30;  ///< that an hour, or some, are learnt from
  static constexpr double kFewestHours = 24;   ///< healthy ones that it must have seen
  static constexpr std::int64_t kCalm = 2;     ///< such hours in a row after which it is as before

  /// Code::kUsage as make_monitor(); for a detector of other numbers than the stream has, one that holds after an
  /// alarm, and one of more than kMostBytes.
  static Result<StreamDetector> make(StreamSpec spec, StreamReference reference = {});
  static Result<StreamDetector> load(ByteReader& in);
  void save(ByteWriter& out) const;
  void attach(StreamReference reference);
  const StreamSpec& spec() const { return spec_; }
  bool of_errors() const { return spec_.on == kErrors; }

  /// False alarms in 30 days that are its share.
  void bear(double false_alarms);

  struct Change {
    std::int64_t at = 0, onset = 0;  ///< µs: of the values that raised it, and that it began with
    double before = 0, after = 0;    ///< mean; NaN where there is none
    bool counts = false;             ///< or it is too small to matter, or for the better
    bool operator==(const Change&) const = default;
  };
  /// A value of that time, in µs; infinities and NaN are skipped. The cause, where it raised an alarm that counts.
  std::optional<event::Cause> add(double value, std::int64_t time);
  enum class Hour : std::uint8_t { kNothing, kHealthy, kChanged };
  /// An hour of the stream is over.
  Hour end_hour(std::int64_t now);
  /// Whether it knows how healthy hours differ.
  bool speaks() const { return hours_.count > kFewestHours - 1; }
  /// What changed, and did not change back.
  const std::optional<event::Cause>& changed() const { return changed_; }

  std::int64_t values() const { return values_; }
  std::int64_t skipped() const { return skipped_; }
  std::int64_t alarms() const { return alarms_; }
  double target_arl() const { return target_; }  ///< updates; NaN: not by the share
  std::int64_t block() const { return block_; }  ///< values that make an update
  double share() const { return share_; }
  double rate() const;   ///< values in 30 days; NaN: not known
  double level() const;  ///< mean since the last change
  std::int64_t to_learn() const { return monitor_->to_learn() * block_; }
  const std::optional<Change>& last() const { return last_; }

 private:
  // Sums of all values before an update.
  struct Mark {
    std::int64_t update = 0, time = 0;
    double sum = 0, fed = 0, squares = 0;
  };
  StreamDetector() = default;
  Status prepare();
  double wanted() const;
  void consider();
  void begin_anew(double target, std::int64_t block);
  double scored(double value) const;
  void mark(std::int64_t time);
  double values_since(const Mark& mark) const;
  void learn_hour();
  bool beyond_hours(double apart) const;
  Levels levels(double usual) const;
  std::optional<event::Cause> alarm(const detect::Alarm& found, std::int64_t time);

  StreamSpec spec_;
  detect::Spec parsed_;
  StreamReference reference_;
  std::vector<double> below_ = {0};  // rows of the reference below each cell of its bins
  std::unique_ptr<detect::Monitor> monitor_;
  enum class Budget : std::uint8_t { kNone, kTarget, kAlpha } budget_ = Budget::kNone;
  bool counts_errors_ = false;
  double share_ = 0, target_ = std::numeric_limits<double>::quiet_NaN(), in_force_ = 0;
  std::int64_t block_ = 1, in_block_ = 0;
  double block_sum_ = 0;
  std::int64_t values_ = 0, skipped_ = 0, alarms_ = 0;
  std::int64_t rated_ = 0, first_ = 0, latest_ = 0;  // values that the rate is of, and their times
  Mark now_;
  std::vector<Mark> marks_;
  std::optional<Change> last_;
  std::optional<event::Cause> changed_;
  struct Usual {
    double level = 0, fed = 0, sd = 0;  // mean of the values, of what the detector is fed with, and the latter's spread
  } usual_;                             // before, while it is changed
  double moved_ = 0;                    // level after
  std::int64_t calm_ = 0;               // hours in a row that are as before
  bool sized_ = true;
  struct Sums {
    double values = 0, sum = 0, fed = 0, squares = 0;
  } hour_;
  struct Hours {
    double count = 0, squares = 0, noise = 0;
  } hours_;  // that were healthy
};

}  // namespace vigie::engine

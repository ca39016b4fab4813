// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/comparison.h"
#include "engine/scorecard.h"
#include "event/incident.h"

namespace vigie::engine {

/// What one window says of a model's health. A window is seen once by each track: when it is over, by what was compared
/// and checked, and when its labels are there, by the score; requests and attributions have windows of their own, and
/// of a stream an alarm is one, and each hour without; windows that were put together are one; and that nothing comes.
struct Sighting {
  enum class Track : std::uint8_t { kData, kScores, kRequests, kAttributions, kStreams, kMerged, kSilence };
  Track track = Track::kData;
  std::int64_t start = 0, end = 0;     ///< µs since 1970
  bool judged = false;                 ///< false: nothing could be said, which is neither healthy nor not
  bool firm = false;                   ///< it holds more than warnings
  std::vector<event::Cause> causes{};  ///< empty of a healthy one
  std::vector<std::string> context{};  ///< what else went on then
  std::string compared_with{};         ///< of kData, in words; empty: the reference that was posted
  bool restated = false;               ///< by rows that came late: it may open an incident though it was seen before
  bool still = false;                  ///< what was told before has not ended: it opens no incident
  std::int64_t since = 0;              ///< of one that may overlap others: when what it found began; else 0
  bool overlaps =
      false;  ///< others have rows of it: it counts as healthy, or as one of some with warnings, behind those alone
};
/// The level at which what is found in a window of that length, in µs, may wake somebody, where so many false alarms in
/// 30 days are borne with: never above that of compare().
double level_of(double false_alarms, std::int64_t length);

/// A change of what the model answers or of the truth, a metric that got worse and data that are broken are critical; a
/// change of its features is not, by itself. A rule that is broken is critical, or a warning, as it says. What is not
/// significant at `level`, corrected for all that the window tests, is no cause.
Sighting sighting_of(const WindowResult& window, std::int64_t start, std::int64_t end, double level);
Sighting sighting_of(const ScoreWindow& window, std::int64_t start, std::int64_t end, double level);

/// What is said of some causes: those of a column, of a metric, check or method, or of both.
struct Monitor {
  std::string column{}, what{};               ///< empty: any
  std::optional<event::Severity> severity{};  ///< in place of what sighting_of() says
  bool off = false;                           ///< they make no incident
  std::string owner{}, runbook{};             ///< of an incident whose weightiest cause is one; empty: the model's
  std::vector<std::string> notify{};          ///< likewise: names of the targets that are told; empty: the model's
  bool operator==(const Monitor&) const = default;
};

struct IncidentOptions {
  int warnings = 2;  ///< windows in a row with warnings alone that make an incident; of a drift or a failure one does
  int healthy = 2;   ///< windows in a row after which it is over
  std::int64_t cool_down = 2;  ///< windows after its end within which the same opens it again, and makes no new one
  std::int64_t remind = 24LL * 3'600'000'000;  ///< µs after which one that nobody answered is told of again
  double worse_than_false = 1.25;  ///< times the weight of what was marked as a false alarm, from which it counts again
};

/// The incidents of one model: what goes wrong together, from the first window until it is healthy again, is one, with
/// its causes ranked. A change of one column is told of once, not window by window. One thread at a time. Cost of a
/// window: its causes times those of the open incident.
class Incidents {
 public:
  explicit Incidents(std::string model, IncidentOptions options = {});

  /// A window; `now`: µs. One that comes again, as labels come, may alter an open incident that it is of, and opens
  /// none: each is looked at once. What is to be told of it.
  std::vector<event::Notice> see(const Sighting& sighting, std::int64_t now);
  /// Time passed without a window: snoozed ones that wake up, reminders.
  std::vector<event::Notice> tick(std::int64_t now);
  /// Whether tick() has something to tell.
  bool due(std::int64_t now) const;

  enum class Action : std::uint8_t { kAcknowledge, kSnooze, kResolve, kFalseAlarm };
  struct Answer {
    Action action = Action::kAcknowledge;
    std::string by, note;
    std::int64_t until = 0;  ///< of kSnooze: µs
  };
  /// What a person says of an incident. Code::kInput: there is none of that id that is not over.
  Result<std::vector<event::Notice>> answer(std::string_view id, const Answer& answer, std::int64_t now);
  /// One that is over was a false alarm: it is learnt from as where answer() says so.
  void was_false(event::Incident over, const Answer& answer);

  /// Windows are compared with something else from now on, and scored or not: what was said of false alarms is over.
  void compare_anew(bool scored);
  /// Nobody looks for that any more: it keeps no incident open.
  void forget(Sighting::Track track) { courses_.at(static_cast<std::size_t>(track)) = {}; }
  /// From the next window on; the first monitor that speaks of a cause counts.
  void configure(std::string owner, std::string runbook, std::vector<Monitor> monitors,
                 std::vector<std::string> notify = {});
  /// The one that is not over.
  const std::optional<event::Incident>& open() const { return open_; }
  /// Those that were altered since it was last asked.
  std::vector<event::Incident> take_changed();

  std::string save() const;
  Status load(std::string_view bytes);

 private:
  struct Course {                            // of one track
    std::set<std::int64_t> seen;             // starts of the latest windows
    std::int64_t warnings = 0, healthy = 0;  // windows in a row
    std::int64_t first_warning = 0;
    bool troubled = false;  // has causes in the open incident
    /// End of the last window that was counted as healthy, or with warnings alone; not kept.
    std::int64_t apart_until = std::numeric_limits<std::int64_t>::min();
  };
  bool counts(const event::Cause& cause) const;
  const Monitor* monitor_of(const event::Cause& cause) const;
  void assign(bool fresh);
  void learn_false(event::Incident& incident);
  std::vector<event::Notice> bad(const Sighting& sighting, Course& course, bool again, std::int64_t now);
  void open_at(std::int64_t since, const std::vector<event::Cause>& causes, std::int64_t now);
  event::Notice resolve(std::int64_t now);
  event::Notice tell(event::Notice::Kind kind, std::int64_t now);

  std::string model_;
  IncidentOptions options_;
  std::string owner_, runbook_;
  std::vector<std::string> notify_;  // empty: all
  std::vector<Monitor> monitors_;
  std::optional<event::Incident> open_, last_;
  std::array<Course, 7> courses_;
  std::map<std::string, double> false_;   // weights of causes that were no cause to wake anybody
  std::int64_t told_ = 0;                 // when of the open one
  std::int64_t since_last_ = 0;           // windows since the last one ended
  std::int64_t latest_ = 0, opened_ = 0;  // since when the youngest is, and how many there were
  std::map<std::string, event::Incident> changed_;
};

}  // namespace vigie::engine

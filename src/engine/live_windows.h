// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/expectation.h"
#include "engine/compare.h"
#include "engine/quality_reference.h"
#include "engine/sliding_windows.h"
#include "engine/windows.h"

namespace vigie::engine {

class TallyBuilder;

struct LiveOptions {
  CompareOptions compare;                 ///< its window: by rows, by a calendar unit, or that and rows
  std::string name;                       ///< of the data, for messages
  std::int64_t lateness = 0;              ///< µs of event time that a window stays open behind the latest row
  std::int64_t allowed_lateness = 0;      ///< µs behind its end within which late rows restate a calendar window
  std::int64_t idle = 1'000'000;          ///< µs without a row after which a window whose end has passed is over, …
  std::int64_t idle_replay = 60'000'000;  ///< … and where that was longer ago than the window is long
  std::int64_t ahead = 3'600'000'000;     ///< µs: a row whose time is so far ahead of the clock is in no window
  std::size_t most_open = 1'000;          ///< windows; beyond, the oldest is closed
  std::chrono::nanoseconds slice = std::chrono::nanoseconds::max();  ///< after which close() leaves off
  /// Gives the reference again, once rest() gave it up; without it the reference is kept.
  std::function<Result<std::shared_ptr<const Profile>>()> again;
};

/// Compares rows with a reference as they come: window by window, each once it is over, with the verdict that compare()
/// has of the same rows in a file. A window is over when a row's time is past its end by `lateness`, or the clock is
/// and no row came for `idle`, or it has its rows. Rows that come later, and within `allowed_lateness`, restate it: it
/// is told of again once no more of them came for `idle`, and each minute while they do. Rows later than that are
/// counted.
/// Calendar windows that have rows as well are cut into parts of so many, in the order in which they came: each part is
/// a window, the last one what is left when the calendar's ends. A full one is not whole but not partial either:
/// nothing is said of its volume. None is restated, put together with what others counted, or the same in a file.
/// Windows with `every` overlap: rows are counted in panes, which are over as windows are, and with each the window
/// that it ends is judged, of all its panes; keys are those of panes. It has the verdicts of a window of the calendar
/// with the same rows. Late rows of a pane restate all windows that have it, not more often than every so many seconds
/// as a window has panes. None is put together with what others counted. Cost of a window: reading its panes, of each
/// what it takes to save it. One thread at a time.
class LiveWindows {
 public:
  /// `profile`: its columns of labels are left out, since labels come later. Code::kUsage as compare().
  static Result<std::unique_ptr<LiveWindows>> make(std::shared_ptr<const Profile> profile, LiveOptions options);
  ~LiveWindows();

  /// What batches must hold: the profile's columns, times and segments, in this order.
  const table::Schema& schema() const { return schema_; }
  /// Whether rows need a time of their own.
  bool calendar() const { return options_.compare.window.calendar(); }
  /// That end a calendar window before its time; 0: none do.
  std::int64_t most_rows() const { return most_rows_; }
  /// Whether others may count rows of the same windows.
  bool shares() const { return calendar() && most_rows_ == 0 && !slides_; }
  /// Of windows that overlap; else nullptr.
  const SlidingWindows* sliding() const { return slides_ ? &*slides_ : nullptr; }
  /// Where what was counted of panes is kept; before the first add().
  void keep_panes(SlidingWindows::Keep keep) { slides_->keep_in(std::move(keep)); }
  /// From when on rows of a window that was just told of show what is found in them by column: the start of the first
  /// pane from which on they are most likely others than before; where there is none the window's.
  Result<std::map<std::string, std::int64_t>> began(std::int64_t key) const;
  void allow_lateness(std::int64_t micros) { options_.allowed_lateness = most_rows_ > 0 ? 0 : micros; }
  /// What of the reference stays in memory all the time.
  const std::shared_ptr<const Profile>& axes() const { return axes_; }
  /// Gives the rest of the reference up, until a window is judged.
  void rest();
  bool rests() const { return !comparer_; }

  /// Without most_rows() and `every`.
  const WindowSpec& window() const { return options_.compare.window; }

  struct Closed;
  /// Compares a window with something else than the profile: what was counted of it may be altered, and `own` is what
  /// compares with the profile. Asked each time that a window is told of, in their order.
  /// `apart`: of it what was counted of rows that were set apart; nullptr where there was none.
  using Judge = std::function<Result<Comparison>(const Closed& window, const CurrentData& data, Tally& counted,
                                                 const Tally* apart, const Profile& profile, const Comparer& own)>;
  void judge_by(Judge judge) { judge_ = std::move(judge); }
  const CompareOptions& comparing() const { return options_.compare; }
  /// How windows are judged that are told of from now on. Code::kUsage as Comparer::make(), and nothing changes.
  Status compare_by(double alpha, std::optional<Levels> levels, std::vector<MethodChoice> methods);

  /// By which explicit rules windows are judged that are met from now on, besides the checks: findings behind theirs,
  /// which make the verdict worse where they are broken; rows are numbered as they came. What was counted elsewhere has
  /// none. Windows that are put together of parts, or of panes, which were counted by different rules have the findings
  /// of all of them, each of the rows that were counted by it. Code::kUsage: a regex that is none, and nothing changes.
  Status check_by(std::vector<Expectation> rules);
  /// Which of those cannot be judged on what rows have, as RuleStates::unfit().
  Result<std::vector<std::string>> unfit() const;

  /// Rows that came at `now`, µs since 1970; those that `apart` names, row by row, are counted a second time, by
  /// themselves. Empty: none is.
  Status add(table::Batch& batch, std::int64_t now, std::span<const std::uint8_t> apart = {});

  /// What was counted elsewhere of a whole calendar window, on axes(), as its only window; it is over. False:
  /// one of that key was told of before. Code::kUsage: windows are by rows, or overlap.
  Result<bool> add_counts(std::int64_t key, Tally counted, std::int64_t now);

  /// Others watch the same model, each by rows of its own. What all of them counted of a calendar window is put
  /// together when it is judged, whoever judges it: in the order of their names, so that all find the same.
  struct Sharing {
    std::string name;  ///< of this one among them; empty: there are no others
    /// Whether the others, as far as they live, have said all that they have of a window, which is over since then.
    std::function<bool(std::int64_t key, std::int64_t since)> complete;
    std::int64_t wait = 300'000'000;  ///< µs by the clock that a window waits for parts that restate it
  };
  void share(Sharing sharing) { sharing_ = std::move(sharing); }
  /// What one of them counted so far of a window; a later one of the same takes its place.
  struct Part {
    std::int64_t key = 0, rows = 0;
    double first = 0, last = 0;  ///< times of its rows: µs
    bool over = false;
    std::string counted{};  ///< as TallyBuilder::save(), and what was set apart
  };
  /// Of those windows that others are to be told of: with rows that they were not told of, once the window is over;
  /// while it is not each `every` µs at most, where enough rows came for what it takes. 0: all.
  std::vector<Part> parts(std::int64_t now, std::int64_t every);
  /// Another one's; false: a later one was there, or nothing restates that window any more. Code::kCorrupt; then it is
  /// as before.
  Result<bool> add_part(const std::string& name, Part part, std::int64_t now);
  /// The first window that this one may still add rows to of which parts() did not tell; nothing where there is none.
  std::optional<std::int64_t> first_untold(std::int64_t now) const;

  struct Closed {
    std::int64_t key = 0;             ///< of the window, rising with time
    std::int64_t part = 0;            ///< which one of its calendar window it is
    std::int64_t start = 0, end = 0;  ///< µs; of windows by rows when they came, each after the last
    WindowResult result;
    std::vector<std::string> notes;
    std::int64_t late_rows = 0;  ///< of its rows those that came when it was over
    int restated = 0;            ///< how often it was told of before
    bool overlaps = false;       ///< it is none of the calendar, and those before and behind it have rows of it
  };
  /// The windows that are over by now or restated, oldest first; `all`: every one that has rows which it was not told
  /// with, partial where it lacks an end. Where that takes longer than a slice, and not `all`, the rest are left.
  Result<std::vector<Closed>> close(std::int64_t now, bool all = false);

  /// Whether close() left some.
  bool behind() const { return behind_; }
  /// Whether it left one that is over, as others have not told of it.
  bool waits() const { return waits_; }

  /// In which window row `row` of the batch last added is, by its key; nothing where it is in none.
  std::optional<std::int64_t> window_of(std::size_t row) const;
  /// Windows with lower keys are over.
  std::int64_t closed_below() const { return closed_below_; }
  /// Nothing restates those with lower keys.
  std::int64_t gone_below() const { return gone_below_; }
  /// Rows that are in no window: too late for theirs, or of a time that is too far ahead.
  struct Astray {
    std::int64_t late = 0, early = 0;
    bool operator==(const Astray&) const = default;
  };
  const Astray& astray() const { return astray_; }
  /// Those of rows that come again were counted.
  void astray(const Astray& counted) { astray_ = counted; }
  std::size_t open() const;

  /// A window that is over, and that late rows may restate.
  struct Told {
    std::int64_t key = 0;
    std::int64_t at_first = 0, rows = 0;  ///< that it was first told with, and last
    std::int64_t when = 0;                ///< µs, by the clock: when it was first
    std::int32_t times = 0;
    bool first = false;  ///< of all
  };
  /// Which part of a calendar window rows go to.
  struct Filling {
    std::int64_t calendar = 0;  ///< the window's key
    std::int64_t part = 0;
    std::int64_t first = 0;  ///< of all rows that ever came, the first that may be in it: those before it are in others
    std::int64_t rows = 0;   ///< that it has
  };
  /// From where rows must be read again, that nothing is lacking after a start anew.
  struct Resume {
    static constexpr auto kNowhere = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t place = 0;  ///< of the first of them, as at() was told; kNowhere: all are in what keep() gave
    std::int64_t rows = 0;    ///< that came before it
    std::int64_t closed_below = std::numeric_limits<std::int64_t>::min();  ///< key: windows that are over
    std::int64_t gone_below = std::numeric_limits<std::int64_t>::min();    ///< key: those that nothing restates
    Astray astray{};
    std::vector<Told> told{};
    std::vector<Filling> filling{};
    std::string panes{};  ///< of windows that overlap
  };
  Resume resume() const;
  /// Before the first add(), and behind load() and keep_panes().
  void resume(const Resume& from);
  /// What was counted of windows that may still change. Rows before `place`, all that were added, need not be read
  /// again: another one of the same reference goes on from there, once it was told what resume() said later. Cost: that
  /// of TallyBuilder::save() for each window.
  std::string keep(std::uint64_t place);
  /// In one that was just made. Code::kCorrupt; then it is as before.
  Status load(std::string_view kept);
  /// Where the rows of the next add() are, as in a journal; never falls.
  void at(std::uint64_t place);

 private:
  struct Open;
  LiveWindows(std::shared_ptr<const Profile> profile, LiveOptions options);
  Result<std::map<std::int64_t, Open>::iterator> open_window(std::int64_t key, std::int64_t now);
  void recall(std::int64_t key, Open& open);  // what was told of it before a start anew
  Result<Open*> add_to(std::int64_t key, table::Batch& batch, std::int64_t now, std::span<const std::int64_t> numbers);
  std::int64_t calendar_of(std::int64_t key) const;
  double start_of(std::int64_t key) const;
  double end_of(std::int64_t key) const;
  std::string text_of(double time) const;
  bool full(const Open& open) const;
  std::pair<double, double> seen(const Open& open) const;
  std::int64_t cut(std::int64_t calendar, std::int64_t row, std::int64_t now);
  std::vector<Filling> refilling() const;
  Status add_apart(Open& open, table::Batch& batch, std::vector<std::uint32_t> rows);
  Status wake();
  Result<TallyBuilder> counting(bool quality = true) const;
  Result<std::map<std::int64_t, Open>> load_open(ByteReader& in);
  bool ended(std::int64_t key, const Open& open, double now) const;
  bool too_late(std::int64_t key, std::int64_t now) const;
  bool over(std::int64_t key, const Open& open, std::int64_t now) const;
  bool may_be_restated(const Open& open, std::int64_t now) const;  // by rows of its own
  Result<Tally> count(Open& open, bool last, bool apart) const;
  Status check(const Part& part) const;
  Result<Closed> judge(std::int64_t key, Open& open, bool over, std::int64_t now, bool last);
  Status put_pane(std::int64_t key, Open& open, std::int64_t now);
  Result<std::optional<Closed>> judge_panes(std::int64_t key, bool over);
  Status restate(std::vector<Closed>& closed, std::int64_t now, bool all, std::chrono::steady_clock::time_point began);
  Status compare(Closed& closed, bool cut_off, Tally& counted, const Tally* apart);
  Result<std::optional<std::pair<Tally, Tally>>> count_panes(std::span<const std::int64_t> panes) const;
  static void save_counted(ByteWriter& out, const Open& open);
  static std::string counted_in(const Open& open);
  struct Counted;
  Result<Counted> load_counted(ByteReader& in) const;
  Status put_in(TallyBuilder& all, std::string_view counted, bool apart) const;

  std::shared_ptr<const Profile> axes_, profile_;  // profile_ and comparer_: none while it rests
  LiveOptions options_;
  table::Schema schema_;
  QualityReference fences_;
  TallyOptions counting_;
  std::unique_ptr<Comparer> comparer_;
  Judge judge_;
  std::vector<Expectation> rules_;
  Sharing sharing_;
  std::unique_ptr<Windower> windower_;
  std::size_t time_column_ = 0;
  std::map<std::int64_t, Open> windows_;  // by key
  std::int64_t rows_ = 0, rows_at_place_ = 0, last_start_ = 0;
  Astray astray_;
  std::int64_t closed_below_ = std::numeric_limits<std::int64_t>::min(), gone_below_ = closed_below_;
  std::vector<Told> told_;  // before a start anew, of windows whose rows did not yet come again
  double latest_ = -std::numeric_limits<double>::infinity();
  std::uint64_t place_ = 0;
  std::int64_t rows_kept_ = -1;  // rows_ when keep() was called last
  bool behind_ = false, waits_ = false;
  std::int64_t most_rows_ = 0;
  std::optional<SlidingWindows> slides_;
  std::int64_t last_restated_ = 0;  // µs by the clock
  bool restating_ = false;
  std::map<std::int64_t, Filling> filling_;  // by key of the calendar
  std::vector<std::int32_t> assigned_;
  std::vector<std::int64_t> keys_;  // of the windows of the batch's rows
  std::vector<double> times_, known_times_;
};

}  // namespace vigie::engine

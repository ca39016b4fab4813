// SPDX-License-Identifier: Apache-2.0
#include "engine/live_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/tally_builder_internal.h"

namespace vigie::engine {
namespace {

constexpr std::int64_t kRowBytes = 100, kColumnBytes = 1'000;  // of what is told of a window that is not over
constexpr std::int64_t kTrickle = 5'000'000;                   // µs
constexpr std::int64_t kRestated = 1'000'000;                  // µs a pane, between times at which windows are
constexpr int kPartBits = 20;                                  // of a key, for the part
constexpr std::int64_t kMostParts = std::int64_t{1} << kPartBits;
constexpr std::uint8_t kApart = 1, kRules = 2;  // what was counted besides
constexpr auto kNowhere = std::numeric_limits<std::int64_t>::min();
constexpr double kCut = 0.1;  // share at an end of the first window, or of one that is not over, that may lack rows

// Some rows of a batch, in their order.
class Some final : public table::Batch {
 public:
  Some(table::Batch& all, std::size_t columns, std::vector<std::uint32_t> rows)
      : all_(all), rows_(std::move(rows)), columns_(columns) {}
  std::int64_t rows() const override { return static_cast<std::int64_t>(rows_.size()); }

  Result<table::Column> column(std::size_t i) override {
    auto& held = columns_[i];
    VIGIE_ASSIGN(auto column, all_.column(i));
    held = {};
    for (std::uint32_t k = 0, misfit = 0; k < rows_.size(); ++k) {
      const auto row = rows_[k];
      if (!column.numbers.empty()) held.numbers.push_back(column.numbers[row]);
      if (!column.codes.empty()) held.codes.push_back(column.codes[row]);
      if (!column.missing.empty()) held.missing.push_back(column.missing[row]);
      if (!column.offsets.empty()) {
        const auto list =
            column.values.subspan(static_cast<std::size_t>(column.offsets[row]),
                                  static_cast<std::size_t>(column.offsets[row + 1] - column.offsets[row]));
        held.values.insert(held.values.end(), list.begin(), list.end());
        held.offsets.push_back(static_cast<std::int64_t>(held.values.size()));
      }
      while (misfit < column.misfits.size() && column.misfits[misfit] < row) ++misfit;
      if (misfit < column.misfits.size() && column.misfits[misfit] == row) held.misfits.push_back(k);
    }
    column.numbers = held.numbers, column.codes = held.codes, column.missing = held.missing;
    column.values = held.values, column.misfits = held.misfits;
    if (!column.offsets.empty()) column.offsets = held.offsets;
    return column;
  }

 private:
  struct Held {
    std::vector<double> numbers, values;
    std::vector<std::int32_t> codes;
    std::vector<std::uint8_t> missing;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint32_t> misfits;
  };
  table::Batch& all_;
  std::vector<std::uint32_t> rows_;
  std::vector<Held> columns_;
};

}  // namespace

struct LiveWindows::Open {
  std::optional<TallyBuilder> builder, apart;
  std::optional<Tally> counted;                                           // elsewhere, and nothing here
  std::int64_t came = 0, last_came = 0;                                   // when its first and latest row did
  double end = std::numeric_limits<double>::quiet_NaN();                  // µs; of windows by rows NaN
  std::uint64_t place = 0;                                                // of its first row
  std::int64_t rows_before = 0;                                           // at that place
  std::size_t window = 0;                                                 // in the windower
  double first = std::numeric_limits<double>::infinity(), last = -first;  // µs; of a part the times of its rows
  std::int64_t first_row = 0;                                             // among all
  Told told{};
  std::int64_t last_told = 0;
  std::map<std::string, Part> parts{};   // of others, by name
  std::int64_t last_part = 0;            // when the latest came
  std::int64_t over_since = 0;           // by the clock; 0: it is not
  std::int64_t said = 0, last_said = 0;  // of its own rows, to others
  std::int64_t said_bytes = 0;
  bool said_over = false;
  std::int64_t own() const { return counted ? 0 : builder->rows(); }
  bool over_elsewhere() const {
    return std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.second.over; });
  }
  std::int64_t rows() const {
    auto all = counted ? counted->rows : builder->rows();
    for (const auto& [name, part] : parts) all += part.rows;
    return all;
  }
};

struct LiveWindows::Counted {
  TallyBuilder rows;
  std::optional<TallyBuilder> apart{};
};

LiveWindows::LiveWindows(std::shared_ptr<const Profile> profile, LiveOptions options)
    : profile_(std::move(profile)), options_(std::move(options)) {}
LiveWindows::~LiveWindows() = default;

Result<std::unique_ptr<LiveWindows>> LiveWindows::make(std::shared_ptr<const Profile> profile, LiveOptions options) {
  std::unique_ptr<LiveWindows> live(new LiveWindows(std::move(profile), std::move(options)));
  auto windows = live->options_.compare.window;
  if (live->calendar()) live->most_rows_ = std::exchange(live->options_.compare.window.rows, 0);
  if (windows.every > 0) {
    VIGIE_TRY(check_panes(windows));
    VIGIE_ASSIGN(live->slides_, SlidingWindows::make(windows));
    windows = live->slides_->panes().each;
  }
  live->options_.compare.window.every = 0;
  const auto& reference = *live->profile_;
  live->axes_ = live->options_.again ? std::make_shared<const Profile>(axes_of(reference)) : live->profile_;
  VIGIE_ASSIGN(live->comparer_, Comparer::make(reference, live->options_.compare));
  auto& counting = live->counting_ = live->comparer_->counting();
  counting.progress = {};
  if (counting.quality) {
    std::vector<quality::ColumnSpec> columns;
    for (const auto& column : counting.quality->state->columns()) columns.push_back(column.spec());
    live->fences_.state = std::make_shared<const quality::TableState>(std::move(columns), counting.quality->state.get(),
                                                                      quality::Depth::kCounts);
    counting.quality = &live->fences_;
  }
  VIGIE_ASSIGN(auto windower, Windower::make(windows));
  live->windower_ = std::make_unique<Windower>(std::move(windower));
  live->schema_ = TallyBuilder::wanted(reference, counting);
  if (!live->calendar() || live->slides_) counting.window = {};
  counting.check_times = live->slides_.has_value();
  std::erase_if(live->schema_, [&](const auto& field) {
    return std::any_of(reference.columns.begin(), reference.columns.end(),
                       [&](const auto& c) { return c.name == field.name && c.role == Role::kLabel; });
  });
  live->time_column_ = find_column(live->schema_, reference.timestamp);
  return live;
}

void LiveWindows::at(std::uint64_t place) {
  place_ = place, rows_at_place_ = rows_;
  if (rows_ != rows_kept_) return;
  for (auto& [key, open] : windows_)
    if (!open.counted) open.place = place, open.rows_before = rows_;
}

Status LiveWindows::add(table::Batch& batch, std::int64_t now, std::span<const std::uint8_t> apart) {
  const auto rows = batch.rows();
  std::span<const double> times;
  if (calendar()) {
    VIGIE_ASSIGN(times, read_times(batch, time_column_, times_));
    // Of a clock that is wrong: a window of a time to come would stay, and what it holds be kept, until then.
    const auto last = static_cast<double>(now + options_.ahead);
    // Rows of a clock that was wrong and is right again: by theirs, all that comes now would be late.
    if (latest_ > last) {
      latest_ = -std::numeric_limits<double>::infinity();
      closed_below_ = gone_below_ = std::numeric_limits<std::int64_t>::min();
    }
    const auto early = std::count_if(times.begin(), times.end(), [&](double time) { return time > last; });
    if (early > 0) {
      astray_.early += early;
      known_times_.assign(times.begin(), times.end());
      for (auto& time : known_times_)
        if (time > last) time = std::numeric_limits<double>::quiet_NaN();
      times = known_times_;
    }
    for (double time : times)
      if (time > latest_) latest_ = time;
  }
  windower_->assign(rows_, rows, times, assigned_);
  keys_.assign(assigned_.size(), kNowhere);
  struct Together {
    std::int64_t key = 0, first_row = 0;
    std::vector<std::uint32_t> rows{};
  };
  std::map<std::pair<std::int32_t, std::int64_t>, Together> windows;
  for (std::size_t i = 0; i < assigned_.size(); ++i) {
    if (assigned_[i] < 0) continue;
    const auto row = rows_ + static_cast<std::int64_t>(i);
    auto key = (*windower_)[static_cast<std::size_t>(assigned_[i])].key;
    if (most_rows_ > 0 && (key = cut(key, row, now)) == kNowhere) continue;
    keys_[i] = key;
    auto& of = windows[{assigned_[i], key}];
    if (of.rows.empty()) of.key = key, of.first_row = row;
    of.rows.push_back(static_cast<std::uint32_t>(i));
  }
  rows_ += rows;
  for (auto& [place, of] : windows) {
    auto& rows_of = of.rows;
    const auto count = std::ssize(rows_of);
    if (too_late(of.key, now)) {
      astray_.late += count;
      for (auto row : rows_of) keys_[row] = kNowhere;
      continue;
    }
    auto first = std::numeric_limits<double>::infinity(), last = -first;
    if (most_rows_ > 0)
      for (auto row : rows_of) first = std::min(first, times[row]), last = std::max(last, times[row]);
    std::vector<std::uint32_t> rows_apart;
    if (!apart.empty())
      std::copy_if(rows_of.begin(), rows_of.end(), std::back_inserter(rows_apart),
                   [&](auto row) { return apart[row]; });
    // Rules alone tell of rows; an open window may be judged by those of before.
    const auto known = windows_.find(of.key);
    std::vector<std::int64_t> numbers;
    if (!rules_.empty() || (known != windows_.end() && known->second.builder->demands()))
      for (auto row : rows_of) numbers.push_back(rows_ - rows + row);
    Open* open = nullptr;
    if (count == rows) {
      VIGIE_ASSIGN(open, add_to(of.key, batch, now, numbers));
    } else {
      Some some(batch, schema_.size(), std::move(rows_of));
      VIGIE_ASSIGN(open, add_to(of.key, some, now, numbers));
    }
    if (open->rows() == count) open->first_row = of.first_row;
    open->first = std::min(open->first, first), open->last = std::max(open->last, last);
    if (!rows_apart.empty()) VIGIE_TRY(add_apart(*open, batch, std::move(rows_apart)));
  }
  return {};
}

std::int64_t LiveWindows::calendar_of(std::int64_t key) const {
  return most_rows_ > 0 ? key >> kPartBits : key;
}
double LiveWindows::start_of(std::int64_t key) const {
  return windower_->start(calendar_of(key));
}
double LiveWindows::end_of(std::int64_t key) const {
  return windower_->start(calendar_of(key) + 1);
}
bool LiveWindows::full(const Open& open) const {
  return most_rows_ > 0 && !open.counted && open.rows() >= most_rows_;
}
std::pair<double, double> LiveWindows::seen(const Open& open) const {
  if (most_rows_ > 0) return {open.first, open.last};
  const auto& window = (*windower_)[open.window];
  return {window.first, window.last};
}

// The key of the part that a row goes to; kNowhere where it went to one that is over, and comes again.
std::int64_t LiveWindows::cut(std::int64_t calendar, std::int64_t row, std::int64_t now) {
  auto& into = filling_.try_emplace(calendar, Filling{calendar, 0, 0, 0}).first->second;
  if (row < into.first) return kNowhere;
  while (into.rows >= most_rows_ && into.part + 1 < kMostParts) {
    ++into.part, into.first = row;
    const auto had = windows_.find((calendar << kPartBits) + into.part);
    into.rows = had == windows_.end() ? 0 : had->second.own();
  }
  const auto key = (calendar << kPartBits) + into.part;
  if (!too_late(key, now)) ++into.rows;
  return key;
}

// What of them is added again after a start anew, which begins with a row of a part that is not over.
std::vector<LiveWindows::Filling> LiveWindows::refilling() const {
  std::vector<Filling> out;
  for (const auto& [calendar, into] : filling_) {
    const auto key = calendar << kPartBits;
    const auto open = windows_.lower_bound(key);
    if (open != windows_.end() && open->first < key + kMostParts)
      out.push_back({calendar, open->first - key, open->second.first_row, 0});
    else
      out.push_back({calendar, into.part, rows_, into.rows});
  }
  return out;
}

// With the zone's offset, to the second.
std::string LiveWindows::text_of(double time) const {
  WindowSpec minute;
  minute.kind = WindowSpec::Kind::kMinutes, minute.minutes = 1, minute.zone = window().zone;
  const auto windower = Windower::make(minute);
  if (!windower) return {};
  const auto key = windower->key_of(time);
  auto text = windower->start_text(key);
  const auto seconds = static_cast<int>((time - windower->start(key)) / 1e6);
  return text.replace(text.find('T') + 7, 2, fmt::format("{:02}", seconds));
}

bool LiveWindows::too_late(std::int64_t key, std::int64_t now) const {
  if (key < gone_below_) return true;
  if (const auto at = windows_.find(key); at != windows_.end()) {
    // What was counted elsewhere is whole, and what waits for others alone is over; but rows may come again.
    const auto& open = at->second;
    const bool waits = open.told.times > 0 && now > open.told.when && shares() && !sharing_.name.empty();
    return open.counted || (waits && !may_be_restated(open, now));
  }
  if (key >= closed_below_) return false;
  return !(end_of(key) + static_cast<double>(options_.allowed_lateness) > latest_);
}

void LiveWindows::rest() {
  if (options_.again) comparer_.reset(), profile_.reset();
}

Status LiveWindows::compare_by(double alpha, std::optional<Levels> levels, std::vector<MethodChoice> methods) {
  // Whether they fit is told now.
  if (!methods.empty()) VIGIE_TRY(wake());
  auto& options = options_.compare;
  std::swap(options.alpha, alpha), std::swap(options.levels, levels), std::swap(options.methods, methods);
  if (!comparer_) return {};
  auto comparer = Comparer::make(*profile_, options);
  if (!comparer) {
    options.alpha = alpha, options.levels = levels, options.methods = std::move(methods);
    return comparer.error();
  }
  comparer_ = std::move(*comparer);
  return {};
}

Status LiveWindows::wake() {
  if (comparer_) return {};
  VIGIE_ASSIGN(profile_, options_.again());
  VIGIE_ASSIGN(comparer_, Comparer::make(*profile_, options_.compare));
  return {};
}

Status LiveWindows::add_apart(Open& open, table::Batch& batch, std::vector<std::uint32_t> rows) {
  if (!open.apart) {
    VIGIE_ASSIGN(open.apart, counting(false));
  }
  Some some(batch, schema_.size(), std::move(rows));
  return open.apart->add(some);
}

Result<TallyBuilder> LiveWindows::counting(bool quality) const {
  auto counting = counting_;
  if (!quality) counting.quality = nullptr;
  return TallyBuilder::make(*axes_, schema_, options_.name, std::move(counting));
}

Status LiveWindows::check_by(std::vector<Expectation> rules) {
  VIGIE_TRY(quality::RuleStates::make(rules, {}, options_.name));
  rules_ = std::move(rules);
  return {};
}

Result<std::vector<std::string>> LiveWindows::unfit() const {
  VIGIE_ASSIGN(auto builder, counting());
  VIGIE_TRY(builder.demand(rules_));
  return builder.unfit();
}

Result<LiveWindows::Open*> LiveWindows::add_to(std::int64_t key, table::Batch& batch, std::int64_t now,
                                               std::span<const std::int64_t> numbers) {
  auto found = windows_.find(key);
  if (found == windows_.end()) {
    VIGIE_ASSIGN(found, open_window(key, now));
  }
  auto& open = found->second;
  open.last_came = now;
  VIGIE_TRY(open.builder->add(batch, numbers));
  return &open;
}

Result<std::map<std::int64_t, LiveWindows::Open>::iterator> LiveWindows::open_window(std::int64_t key,
                                                                                     std::int64_t now) {
  VIGIE_ASSIGN(auto builder, counting());
  VIGIE_TRY(builder.demand(rules_));
  const auto it = windows_.try_emplace(key).first;
  auto& open = it->second;
  open.builder = std::move(builder), open.came = open.last_came = now;
  constexpr auto kNone = std::numeric_limits<double>::infinity();
  open.window = windower_->met(calendar_of(key), kNone, -kNone);
  if (calendar()) open.end = end_of(key);
  open.place = place_, open.rows_before = rows_at_place_;
  open.told.key = key;
  open.told.first = closed_below_ == std::numeric_limits<std::int64_t>::min() && it == windows_.begin();
  recall(key, open);
  return it;
}

void LiveWindows::recall(std::int64_t key, Open& open) {
  std::erase_if(told_, [&](const Told& told) {
    if (told.key == key) open.told = told;
    return told.key == key;
  });
}

Result<bool> LiveWindows::add_counts(std::int64_t key, Tally counted, std::int64_t now) {
  if (!calendar()) return fail(Code::kUsage, "windows by rows cannot be counted elsewhere");
  if (slides_) return fail(Code::kUsage, "windows that overlap cannot be counted elsewhere");
  const auto calendar = key;
  if (most_rows_ > 0) key <<= kPartBits;
  if (key < closed_below_ || windows_.contains(key)) return false;
  const auto start = start_of(key), end = end_of(key);
  VIGIE_ASSIGN(counted.windower, Windower::make(options_.compare.window));
  counted.windower->met(calendar, start, end - 1);
  auto& open = windows_[key];
  open.window = windower_->met(calendar, start, end - 1), open.first = start, open.last = end - 1;
  open.counted = std::move(counted), open.end = end, open.came = open.last_came = now;
  open.place = place_, open.rows_before = rows_at_place_, open.told.key = key;
  return true;
}

bool LiveWindows::ended(std::int64_t key, const Open& open, double now) const {
  const auto lateness = static_cast<double>(options_.lateness);
  if (open.end + lateness <= latest_) return true;
  if (open.end + lateness > now) return false;
  // Of rows that are told again, others may have told of later ones.
  const bool replay = !open.over_elsewhere() && now - open.end > open.end - start_of(key);
  return static_cast<double>(open.last_came + (replay ? options_.idle_replay : options_.idle)) <= now;
}

// Others may have seen that it is, where nothing came here.
bool LiveWindows::over(std::int64_t key, const Open& open, std::int64_t now) const {
  if (open.counted) return true;
  if (!calendar()) return open.rows() >= options_.compare.window.rows;
  if (full(open)) return true;
  if (ended(key, open, static_cast<double>(now))) return true;
  return open.own() == 0 && open.over_elsewhere();
}

bool LiveWindows::may_be_restated(const Open& open, std::int64_t now) const {
  const auto allowed = options_.allowed_lateness;
  if (!calendar() || allowed <= 0) return false;
  return open.end + static_cast<double>(allowed) > latest_ && (open.told.times == 0 || now - open.told.when < allowed);
}

Result<std::vector<LiveWindows::Closed>> LiveWindows::close(std::int64_t now, bool all) {
  std::vector<Closed> closed;
  behind_ = waits_ = false;
  const auto began = std::chrono::steady_clock::now();
  if (shares() && !sharing_.name.empty())
    for (auto& [key, open] : windows_)
      if (open.over_since == 0 && over(key, open, now)) open.over_since = now;
  for (auto it = windows_.begin(); it != windows_.end();) {
    if (!all && !closed.empty() && std::chrono::steady_clock::now() - began > options_.slice) {
      behind_ = true;
      break;
    }
    auto& [key, open] = *it;
    const bool oldest = it == windows_.begin(), pressed = all || (oldest && windows_.size() > options_.most_open);
    const bool over = this->over(key, open, now), shared = shares() && !open.counted && !sharing_.name.empty();
    const bool fresh = open.told.times == 0;
    if (fresh && !over && !pressed) break;
    // Since then nothing came; late rows that trickle in do not hold it up.
    const auto since = std::clamp(open.last_came, open.over_since, open.over_since + kTrickle);
    waits_ = fresh && shared && !pressed && !sharing_.complete(key, since);
    if (waits_) break;
    closed_below_ = std::max(closed_below_, key + 1);
    const bool waits = shared && (fresh || now - open.told.when < sharing_.wait);
    const bool leaves = pressed || open.counted || (oldest && !waits && !may_be_restated(open, now));
    const bool changed = open.rows() > open.told.rows;
    const auto latest = std::max(open.last_came, open.last_part);
    const bool settled = now - latest >= options_.idle || now - open.last_told >= options_.idle_replay;
    if (changed && (fresh || leaves || settled) && slides_) {
      VIGIE_TRY(put_pane(key, open, now));
      VIGIE_ASSIGN(auto one, fresh ? judge_panes(key, over) : std::optional<Closed>());
      if (one) closed.push_back(std::move(*one));
    } else if (changed && (fresh || leaves || settled)) {
      VIGIE_ASSIGN(auto one, judge(key, open, over, now, leaves));
      closed.push_back(std::move(one));
    }
    if (leaves) gone_below_ = std::max(gone_below_, key + 1);
    it = leaves ? windows_.erase(it) : std::next(it);
  }
  if (most_rows_ > 0 && gone_below_ != kNowhere)
    filling_.erase(filling_.begin(), filling_.lower_bound(calendar_of(gone_below_ - 1)));
  if (slides_) VIGIE_TRY(restate(closed, now, all, began));
  return closed;
}

// What was counted of a pane is kept, for all windows that have it.
Status LiveWindows::put_pane(std::int64_t key, Open& open, std::int64_t now) {
  auto& told = open.told;
  if (told.times++ == 0) told.at_first = open.rows(), told.when = now;
  told.rows = open.rows(), open.last_told = now;
  const auto [first, last] = seen(open);
  return slides_->put(key, {open.rows(), first, last}, counted_in(open));
}

// Others that have rows of panes which changed since. Late rows that trickle in do not hold it up for long.
Status LiveWindows::restate(std::vector<Closed>& closed, std::int64_t now, bool all,
                            std::chrono::steady_clock::time_point began) {
  // A clock that was ahead is nothing to wait for.
  const auto since = now - last_restated_;
  const bool due = all || restating_ || since < 0 || since >= slides_->panes().count * kRestated;
  restating_ = false;
  const auto stale = slides_->stale();
  if (!due && !stale.empty()) return {};
  for (const auto key : stale) {
    if (!all && !closed.empty() && std::chrono::steady_clock::now() - began > options_.slice) {
      behind_ = restating_ = true;
      return {};
    }
    last_restated_ = now;
    VIGIE_ASSIGN(auto one, judge_panes(key, true));
    if (one) closed.push_back(std::move(*one));
  }
  return gone_below_ == kNowhere ? Status() : slides_->forget_below(gone_below_);
}

// What was counted of panes: of all rows, and of those that were set apart. Nothing where some cannot be read, as what
// another version of vigie kept.
Result<std::optional<std::pair<Tally, Tally>>> LiveWindows::count_panes(std::span<const std::int64_t> panes) const {
  std::optional<std::pair<Tally, Tally>> out;
  VIGIE_ASSIGN(auto all, counting());
  VIGIE_ASSIGN(auto apart, counting(false));
  for (const auto pane : panes) {
    VIGIE_ASSIGN(const auto counted, slides_->counted(pane));
    for (const bool set_apart : {false, true})
      if (auto put = put_in(set_apart ? apart : all, counted, set_apart); !put) {
        if (put.error().code == Code::kCorrupt) return out;
        return put.error();
      }
  }
  out.emplace();
  VIGIE_ASSIGN(out->first, all.finish({}));
  if (apart.rows() > 0) {
    VIGIE_ASSIGN(out->second, apart.finish({}));
  }
  return out;
}

Result<std::optional<LiveWindows::Closed>> LiveWindows::judge_panes(std::int64_t key, bool over) {
  std::optional<Closed> out;
  const auto window = slides_->window(key);
  if (!window) return out;
  VIGIE_ASSIGN(auto panes, count_panes(window->panes));
  // So it is told of, lest it be looked at again and again.
  slides_->tell(key);
  if (!panes) return out;
  auto& [counted, apart] = *panes;
  out.emplace();
  out->key = key, out->start = window->start, out->end = window->end;
  out->late_rows = window->late_rows, out->restated = window->told;
  out->overlaps = !slides_->whole(window->end);
  VIGIE_ASSIGN(counted.windower, Windower::make(options_.compare.window));
  const auto calendar = slides_->calendar_key(*window);
  counted.windower->met(calendar, counted.windower->start(calendar), counted.windower->start(calendar + 1) - 1);
  const double most = kCut * static_cast<double>(window->end - window->start);
  const bool cut_off = window->first - static_cast<double>(window->start) > most ||
                       (!over && static_cast<double>(window->end) - window->last > most);
  VIGIE_TRY(compare(*out, cut_off, counted, judge_ && apart.rows > 0 ? &apart : nullptr));
  out->result.start = text_of(static_cast<double>(out->start)),
  out->result.end = text_of(static_cast<double>(out->end));
  return out;
}

Result<std::map<std::string, std::int64_t>> LiveWindows::began(std::int64_t key) const {
  std::map<std::string, std::int64_t> out;
  const auto window = slides_ ? slides_->window(key) : std::nullopt;
  if (!window) return out;
  std::vector<std::vector<std::vector<std::int64_t>>> counts(axes_->columns.size());  // by pane and cell, last missing
  for (const auto pane : window->panes) {
    VIGIE_ASSIGN(const auto found, count_panes(std::span(&pane, 1)));
    if (!found) return std::map<std::string, std::int64_t>();
    const auto& counted = found->first;
    for (std::size_t c = 0; c < counts.size(); ++c) {
      const auto* some = counted.present[c] ? counted.at(c, 0, 0, 0) : nullptr;
      auto& cells = counts[c].emplace_back(axes_->columns[c].cells() + 1);
      if (!some) continue;
      for (std::size_t i = 0; i < some->cells.size(); ++i) cells[std::min(i, cells.size() - 2)] += some->cells[i];
      cells.back() = some->total_missing();
    }
  }
  for (std::size_t c = 0; c < counts.size(); ++c) {
    const auto at = change_of(counts[c]);
    out[axes_->columns[c].name] = at ? slides_->start_of(window->panes[*at]) : window->start;
  }
  return out;
}

Result<LiveWindows::Closed> LiveWindows::judge(std::int64_t key, Open& open, bool over, std::int64_t now, bool last) {
  auto& told = open.told;
  if (told.times == 0) told.at_first = open.rows(), told.when = now;
  told.rows = open.rows(), open.last_told = now;
  const bool ends_full = full(open);
  VIGIE_ASSIGN(auto counted, count(open, last, false));
  std::optional<Tally> apart;
  if (judge_) {
    VIGIE_ASSIGN(auto rows, count(open, last, true));
    if (rows.rows > 0) apart = std::move(rows);
  }
  Closed closed;
  closed.key = key;
  closed.late_rows = told.rows - told.at_first, closed.restated = told.times++;
  bool cut_off = false;
  if (calendar()) {
    const auto [first_seen, last_seen] = seen(open);
    if (most_rows_ > 0) closed.part = key & (kMostParts - 1);
    const double start = closed.part > 0 ? first_seen : start_of(key), most = kCut * (open.end - start);
    closed.start = std::llround(start);
    closed.end = std::llround(ends_full ? std::min(last_seen + 1, open.end) : open.end);
    cut_off = (told.first && first_seen - start > most) || (!over && open.end - last_seen > most);
  } else {
    // Several may have come at once.
    closed.start = std::max(open.came, last_start_ + 1), closed.end = std::max(open.last_came, closed.start) + 1;
    last_start_ = closed.start;
  }
  VIGIE_TRY(compare(closed, cut_off, counted, apart ? &*apart : nullptr));
  if (ends_full || closed.part > 0) {
    if (closed.part > 0) closed.result.start = text_of(static_cast<double>(closed.start));
    if (ends_full) closed.result.end = text_of(static_cast<double>(closed.end));
    // How many rows a part has says nothing.
    std::erase_if(closed.result.quality, [](const auto& check) { return check.check == "volume"; });
  }
  return closed;
}

Status LiveWindows::compare(Closed& closed, bool cut_off, Tally& counted, const Tally* apart) {
  CurrentData data{options_.name, schema_, {}};
  data.labels_later = true, data.cut_off = cut_off;
  // What is not compared is there as well, and not looked at.
  for (const auto& field : axes_->others) data.columns.push_back(field);
  if (!calendar() && !axes_->timestamp.empty()) data.columns.push_back({axes_->timestamp, table::Type::kTimestamp});
  VIGIE_TRY(wake());
  VIGIE_ASSIGN(auto found,
               judge_ ? judge_(closed, data, counted, apart, *profile_, *comparer_) : comparer_->judge(data, counted));
  closed.result = std::move(found.windows.at(0));
  closed.result.index = closed.key;
  closed.notes = std::move(found.notes);
  return {};
}

// Of its own rows, by rules where there are any, and of those that were set apart.
void LiveWindows::save_counted(ByteWriter& out, const Open& open) {
  const bool rules = open.builder->demands();
  open.builder->save(out);
  out.fixed(static_cast<std::uint8_t>((open.apart ? kApart : 0) | (rules ? kRules : 0)));
  if (rules) open.builder->save_rules(out);
  if (open.apart) open.apart->save(out);
}

Result<LiveWindows::Counted> LiveWindows::load_counted(ByteReader& in) const {
  VIGIE_ASSIGN(auto rows, counting());
  Counted out{std::move(rows)};
  VIGIE_TRY(out.rows.load(in));
  const auto more = in.fixed<std::uint8_t>();
  if ((more & kRules) != 0) VIGIE_TRY(out.rows.load_rules(in));
  if ((more & kApart) == 0) return out;
  VIGIE_ASSIGN(out.apart, counting(false));
  VIGIE_TRY(out.apart->load(in));
  return out;
}

std::string LiveWindows::counted_in(const Open& open) {
  ByteWriter out;
  save_counted(out, open);
  return out.take();
}

// What counted_in() gave, of all its rows or of those that were set apart.
Status LiveWindows::put_in(TallyBuilder& all, std::string_view counted, bool apart) const {
  ByteReader in(counted);
  VIGIE_ASSIGN(const auto some, load_counted(in));
  if (!apart) return all.merge(some.rows);
  return some.apart ? all.merge(*some.apart) : Status();
}

// Of its rows, or of those that were set apart; without any rows where there are none.
Result<Tally> LiveWindows::count(Open& open, bool last, bool apart) const {
  if (open.counted) return apart ? Tally() : std::move(*open.counted);
  auto& own = apart ? open.apart : open.builder;
  if (open.parts.empty()) {
    if (!own) return Tally();
    return last ? own->finish({}) : own->so_far();
  }
  VIGIE_ASSIGN(auto all, counting(!apart));
  const auto add_own = [&] { return own ? all.merge(*own) : Status(); };
  bool added = false;
  for (const auto& [name, part] : open.parts) {
    if (!added && name > sharing_.name) {
      VIGIE_TRY(add_own());
      added = true;
    }
    VIGIE_TRY(put_in(all, part.counted, apart));
  }
  if (!added) VIGIE_TRY(add_own());
  if (apart && all.rows() == 0) return Tally();
  return all.finish({});
}

std::vector<LiveWindows::Part> LiveWindows::parts(std::int64_t now, std::int64_t every) {
  std::vector<Part> out;
  if (!shares()) return out;
  for (auto& [key, open] : windows_) {
    if (open.own() == 0) continue;
    const bool over = ended(key, open, static_cast<double>(now));
    if (open.own() == open.said && over == open.said_over) continue;
    // While it is not over, what is told costs no more than some bytes a row.
    const auto due = std::max(open.said_bytes, kColumnBytes * static_cast<std::int64_t>(axes_->counted()));
    if (!over && (now - open.last_said < every || (every > 0 && (open.own() - open.said) * kRowBytes < due))) continue;
    open.said = open.own(), open.said_over = over, open.last_said = now;
    const auto& seen = (*windower_)[open.window];
    auto counted = counted_in(open);
    open.said_bytes = std::ssize(counted);
    out.push_back({key, open.said, seen.first, seen.last, over, std::move(counted)});
  }
  return out;
}

Result<bool> LiveWindows::add_part(const std::string& name, Part part, std::int64_t now) {
  if (!shares() || part.key < gone_below_) return false;
  VIGIE_TRY(check(part));
  auto found = windows_.find(part.key);
  if (found != windows_.end() && found->second.counted) return false;
  if (found == windows_.end()) {
    VIGIE_ASSIGN(found, open_window(part.key, now));
  }
  auto& open = found->second;
  auto& had = open.parts[name];
  if (part.rows < had.rows) return false;
  windower_->met(part.key, part.first, part.last);
  had = std::move(part), open.last_part = now;
  return true;
}

// Whether it can be put together with others: it may come from anywhere.
Status LiveWindows::check(const Part& part) const {
  ByteReader in(part.counted);
  VIGIE_ASSIGN(const auto counted, load_counted(in));
  const auto& [rows, apart] = counted;
  const auto of_its_window = [&](const TallyBuilder& some) {
    return some.windows().size() == 1 && some.windows()[0].key == part.key;
  };
  if (!in.ok() || rows.rows() != part.rows || !of_its_window(rows) || (apart && !of_its_window(*apart)))
    return fail(Code::kCorrupt, "a part of a window is of other rows than it says");
  for (const auto* some : {&rows, apart ? &*apart : nullptr}) {
    if (!some) continue;
    VIGIE_ASSIGN(auto all, counting(some == &rows));
    if (auto merged = all.merge(*some); !merged) return fail(Code::kCorrupt, merged.error().message);
  }
  return {};
}

std::optional<std::int64_t> LiveWindows::first_untold(std::int64_t now) const {
  if (most_rows_ > 0 || slides_) return {};
  for (const auto& [key, open] : windows_)
    if (open.own() > 0 && (open.own() != open.said || !ended(key, open, static_cast<double>(now)))) return key;
  return {};
}

std::optional<std::int64_t> LiveWindows::window_of(std::size_t row) const {
  if (keys_.at(row) == kNowhere) return {};
  return keys_[row];
}

std::size_t LiveWindows::open() const {
  return static_cast<std::size_t>(
      std::count_if(windows_.begin(), windows_.end(), [](const auto& w) { return w.second.told.times == 0; }));
}

LiveWindows::Resume LiveWindows::resume() const {
  Resume from{place_, rows_at_place_, closed_below_, gone_below_, astray_, told_, refilling(), {}};
  if (slides_) from.panes = slides_->save();
  for (const auto& [key, open] : windows_) {
    if (open.place < from.place) from.place = open.place, from.rows = open.rows_before;
    if (open.told.times > 0) from.told.push_back(open.told);
  }
  const bool elsewhere = std::any_of(windows_.begin(), windows_.end(),
                                     [](const auto& window) { return window.second.counted.has_value(); });
  if (rows_ == rows_kept_ && !elsewhere) from.place = Resume::kNowhere, from.rows = rows_;
  return from;
}

void LiveWindows::resume(const Resume& from) {
  // What cannot be read any more begins anew.
  if (slides_) static_cast<void>(slides_->load(from.panes));
  place_ = from.place, rows_ = rows_at_place_ = from.rows, closed_below_ = from.closed_below;
  gone_below_ = from.gone_below, astray_ = from.astray, told_ = from.told;
  if (from.place != Resume::kNowhere) rows_kept_ = -1;
  windows_.erase(windows_.begin(), windows_.lower_bound(gone_below_));
  for (auto into : from.filling) {
    const auto kept = windows_.find((into.calendar << kPartBits) + into.part);
    if (kept != windows_.end()) into.rows = kept->second.own();
    filling_[into.calendar] = into;
  }
  // What was kept is older than what is known of them.
  for (auto& [key, open] : windows_) {
    open.place = from.place, open.rows_before = from.rows;
    recall(key, open);
  }
}

std::string LiveWindows::keep(std::uint64_t place) {
  ByteWriter out;
  for (auto number : {rows_, last_start_}) out.fixed(number);
  out.fixed(latest_);
  out.varint(static_cast<std::size_t>(std::count_if(
      windows_.begin(), windows_.end(), [](const auto& window) { return !window.second.counted.has_value(); })));
  for (auto& [key, open] : windows_) {
    if (open.counted) continue;  // the next close() tells of it
    open.place = place, open.rows_before = rows_;
    for (auto number : {key, open.came, open.last_came, open.last_told}) out.fixed(number);
    const auto& told = open.told;
    for (auto number : {told.at_first, told.rows, told.when}) out.fixed(number);
    out.fixed(told.times), out.fixed(std::uint8_t{told.first});
    const auto [first, last] = seen(open);
    out.fixed(first), out.fixed(last);
    save_counted(out, open);
  }
  rows_kept_ = rows_;
  return out.take();
}

Status LiveWindows::load(std::string_view kept) {
  ByteReader in(kept);
  const auto rows = in.fixed<std::int64_t>(), last_start = in.fixed<std::int64_t>();
  const auto latest = in.fixed<double>();
  VIGIE_ASSIGN(windows_, load_open(in));
  rows_ = rows_at_place_ = rows_kept_ = rows, last_start_ = last_start, latest_ = latest;
  return {};
}

Result<std::map<std::int64_t, LiveWindows::Open>> LiveWindows::load_open(ByteReader& in) {
  std::map<std::int64_t, Open> windows;
  for (auto left = in.count(8 * sizeof(std::int64_t)); left > 0; --left) {
    const auto key = in.fixed<std::int64_t>();
    if (!windower_->possible(calendar_of(key)))
      return fail(Code::kCorrupt, "what was kept of open windows cannot be read");
    auto& open = windows[key];
    for (auto* number : {&open.came, &open.last_came, &open.last_told}) *number = in.fixed<std::int64_t>();
    auto& told = open.told;
    told.key = key;
    for (auto* number : {&told.at_first, &told.rows, &told.when}) *number = in.fixed<std::int64_t>();
    told.times = in.fixed<std::int32_t>(), told.first = in.fixed<std::uint8_t>() != 0;
    const auto first = in.fixed<double>(), last = in.fixed<double>();
    VIGIE_ASSIGN(auto counted, load_counted(in));
    open.builder = std::move(counted.rows), open.apart = std::move(counted.apart);
    open.window = windower_->met(calendar_of(key), first, last), open.first = first, open.last = last;
    if (calendar()) open.end = end_of(key);
  }
  if (!in.ok()) return fail(Code::kCorrupt, "what was kept of open windows cannot be read");
  return windows;
}

}  // namespace vigie::engine

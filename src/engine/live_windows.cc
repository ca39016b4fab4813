// SPDX-License-Identifier: Apache-2.0
#include "engine/live_windows.h"

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
  std::optional<Tally> counted;                           // elsewhere, and nothing here
  std::int64_t came = 0, last_came = 0;                   // when its first and latest row did
  double end = std::numeric_limits<double>::quiet_NaN();  // µs; of windows by rows NaN
  std::uint64_t place = 0;                                // of its first row
  std::int64_t rows_before = 0;                           // at that place
  std::size_t window = 0;                                 // in the windower
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

LiveWindows::LiveWindows(std::shared_ptr<const Profile> profile, LiveOptions options)
    : profile_(std::move(profile)), options_(std::move(options)) {}
LiveWindows::~LiveWindows() = default;

Result<std::unique_ptr<LiveWindows>> LiveWindows::make(std::shared_ptr<const Profile> profile, LiveOptions options) {
  std::unique_ptr<LiveWindows> live(new LiveWindows(std::move(profile), std::move(options)));
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
  VIGIE_ASSIGN(auto windower, Windower::make(live->options_.compare.window));
  live->windower_ = std::make_unique<Windower>(std::move(windower));
  live->schema_ = TallyBuilder::wanted(reference, counting);
  if (!live->calendar()) counting.window = {};
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
  rows_ += rows;
  std::map<std::int32_t, std::vector<std::uint32_t>> parts;
  for (std::size_t i = 0; i < assigned_.size(); ++i)
    if (assigned_[i] >= 0) parts[assigned_[i]].push_back(static_cast<std::uint32_t>(i));
  for (auto& [window, rows_of] : parts) {
    if (too_late((*windower_)[static_cast<std::size_t>(window)].key, now)) {
      astray_.late += std::ssize(rows_of);
      for (auto row : rows_of) assigned_[row] = -1;
      continue;
    }
    std::vector<std::uint32_t> rows_apart;
    if (!apart.empty())
      std::copy_if(rows_of.begin(), rows_of.end(), std::back_inserter(rows_apart),
                   [&](auto row) { return apart[row]; });
    Open* open = nullptr;
    if (std::ssize(rows_of) == rows) {
      VIGIE_ASSIGN(open, add_to(static_cast<std::size_t>(window), batch, now));
    } else {
      Some some(batch, schema_.size(), std::move(rows_of));
      VIGIE_ASSIGN(open, add_to(static_cast<std::size_t>(window), some, now));
    }
    if (!rows_apart.empty()) VIGIE_TRY(add_apart(*open, batch, std::move(rows_apart)));
  }
  return {};
}

bool LiveWindows::too_late(std::int64_t key, std::int64_t now) const {
  if (key < gone_below_) return true;
  if (const auto at = windows_.find(key); at != windows_.end()) {
    // What was counted elsewhere is whole, and what waits for others alone is over; but rows may come again.
    const auto& open = at->second;
    const bool waits = open.told.times > 0 && now > open.told.when && !sharing_.name.empty();
    return open.counted || (waits && !may_be_restated(open, now));
  }
  if (key >= closed_below_) return false;
  return !(windower_->start(key + 1) + static_cast<double>(options_.allowed_lateness) > latest_);
}

void LiveWindows::rest() {
  if (options_.again) comparer_.reset(), profile_.reset();
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

Result<LiveWindows::Open*> LiveWindows::add_to(std::size_t window, table::Batch& batch, std::int64_t now) {
  const auto key = (*windower_)[window].key;
  auto found = windows_.find(key);
  if (found == windows_.end()) {
    VIGIE_ASSIGN(found, open_window(key, now));
  }
  auto& open = found->second;
  open.last_came = now;
  VIGIE_TRY(open.builder->add(batch));
  return &open;
}

Result<std::map<std::int64_t, LiveWindows::Open>::iterator> LiveWindows::open_window(std::int64_t key,
                                                                                     std::int64_t now) {
  VIGIE_ASSIGN(auto builder, counting());
  const auto it = windows_.try_emplace(key).first;
  auto& open = it->second;
  open.builder = std::move(builder), open.came = open.last_came = now;
  constexpr auto kNone = std::numeric_limits<double>::infinity();
  open.window = windower_->met(key, kNone, -kNone);
  if (calendar()) open.end = windower_->start(key + 1);
  open.place = place_, open.rows_before = rows_at_place_;
  open.told.key = key;
  open.told.first = closed_below_ == std::numeric_limits<std::int64_t>::min() && it == windows_.begin();
  if (const auto told = std::find_if(told_.begin(), told_.end(), [&](const Told& t) { return t.key == key; });
      told != told_.end())
    open.told = *told, told_.erase(told);
  return it;
}

Result<bool> LiveWindows::add_counts(std::int64_t key, Tally counted, std::int64_t now) {
  if (!calendar()) return fail(Code::kUsage, "windows by rows cannot be counted elsewhere");
  if (key < closed_below_ || windows_.contains(key)) return false;
  const auto start = windower_->start(key), end = windower_->start(key + 1);
  VIGIE_ASSIGN(counted.windower, Windower::make(options_.compare.window));
  counted.windower->met(key, start, end - 1);
  auto& open = windows_[key];
  open.window = windower_->met(key, start, end - 1);
  open.counted = std::move(counted), open.end = end, open.came = open.last_came = now;
  open.place = place_, open.rows_before = rows_at_place_, open.told.key = key;
  return true;
}

bool LiveWindows::ended(std::int64_t key, const Open& open, double now) const {
  const auto lateness = static_cast<double>(options_.lateness);
  if (open.end + lateness <= latest_) return true;
  if (open.end + lateness > now) return false;
  // Of rows that are told again, others may have told of later ones.
  const bool replay = !open.over_elsewhere() && now - open.end > open.end - windower_->start(key);
  return static_cast<double>(open.last_came + (replay ? options_.idle_replay : options_.idle)) <= now;
}

// Others may have seen that it is, where nothing came here.
bool LiveWindows::over(std::int64_t key, const Open& open, std::int64_t now) const {
  if (open.counted) return true;
  if (!calendar()) return open.rows() >= options_.compare.window.rows;
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
  if (!sharing_.name.empty())
    for (auto& [key, open] : windows_)
      if (open.over_since == 0 && over(key, open, now)) open.over_since = now;
  for (auto it = windows_.begin(); it != windows_.end();) {
    if (!all && !closed.empty() && std::chrono::steady_clock::now() - began > options_.slice) {
      behind_ = true;
      break;
    }
    auto& [key, open] = *it;
    const bool oldest = it == windows_.begin(), pressed = all || (oldest && windows_.size() > options_.most_open);
    const bool over = this->over(key, open, now), shared = calendar() && !open.counted && !sharing_.name.empty();
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
    if (changed && (fresh || leaves || settled)) {
      VIGIE_ASSIGN(auto one, judge(key, open, over, now, leaves));
      closed.push_back(std::move(one));
    }
    if (leaves) gone_below_ = std::max(gone_below_, key + 1);
    it = leaves ? windows_.erase(it) : std::next(it);
  }
  return closed;
}

Result<LiveWindows::Closed> LiveWindows::judge(std::int64_t key, Open& open, bool over, std::int64_t now, bool last) {
  auto& told = open.told;
  if (told.times == 0) told.at_first = open.rows(), told.when = now;
  told.rows = open.rows(), open.last_told = now;
  VIGIE_ASSIGN(auto counted, count(open, last, false));
  std::optional<Tally> apart;
  if (judge_) {
    VIGIE_ASSIGN(auto rows, count(open, last, true));
    if (rows.rows > 0) apart = std::move(rows);
  }
  CurrentData data{options_.name, schema_, {}};
  data.labels_later = true;
  // What is not compared is there as well, and not looked at.
  for (const auto& field : axes_->others) data.columns.push_back(field);
  if (!calendar() && !axes_->timestamp.empty()) data.columns.push_back({axes_->timestamp, table::Type::kTimestamp});
  Closed closed;
  closed.key = key;
  closed.late_rows = told.rows - told.at_first, closed.restated = told.times++;
  if (calendar()) {
    const double start = windower_->start(key), most = kCut * (open.end - start);
    closed.start = std::llround(start), closed.end = std::llround(open.end);
    const auto& seen = (*windower_)[open.window];
    data.cut_off = (told.first && seen.first - start > most) || (!over && open.end - seen.last > most);
  } else {
    // Several may have come at once.
    closed.start = std::max(open.came, last_start_ + 1), closed.end = std::max(open.last_came, closed.start) + 1;
    last_start_ = closed.start;
    data.cut_off = false;
  }
  VIGIE_TRY(wake());
  VIGIE_ASSIGN(auto found, judge_ ? judge_(closed, data, counted, apart ? &*apart : nullptr, *profile_, *comparer_)
                                  : comparer_->judge(data, counted));
  closed.result = std::move(found.windows.at(0));
  closed.result.index = key;
  closed.notes = std::move(found.notes);
  return closed;
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
    ByteReader in(part.counted);
    VIGIE_ASSIGN(auto rows, counting());
    VIGIE_TRY(rows.load(in));
    if (apart) {
      if (in.fixed<std::uint8_t>() == 0) continue;
      VIGIE_ASSIGN(rows, counting(false));
      VIGIE_TRY(rows.load(in));
    }
    VIGIE_TRY(all.merge(rows));
  }
  if (!added) VIGIE_TRY(add_own());
  if (apart && all.rows() == 0) return Tally();
  return all.finish({});
}

std::vector<LiveWindows::Part> LiveWindows::parts(std::int64_t now, std::int64_t every) {
  std::vector<Part> out;
  if (!calendar()) return out;
  for (auto& [key, open] : windows_) {
    if (open.own() == 0) continue;
    const bool over = ended(key, open, static_cast<double>(now));
    if (open.own() == open.said && over == open.said_over) continue;
    // While it is not over, what is told costs no more than some bytes a row.
    const auto due = std::max(open.said_bytes, kColumnBytes * static_cast<std::int64_t>(axes_->counted()));
    if (!over && (now - open.last_said < every || (every > 0 && (open.own() - open.said) * kRowBytes < due))) continue;
    open.said = open.own(), open.said_over = over, open.last_said = now;
    const auto& seen = (*windower_)[open.window];
    ByteWriter counted;
    open.builder->save(counted);
    counted.fixed(std::uint8_t{open.apart.has_value()});
    if (open.apart) open.apart->save(counted);
    open.said_bytes = std::ssize(counted.bytes());
    out.push_back({key, open.said, seen.first, seen.last, over, counted.take()});
  }
  return out;
}

Result<bool> LiveWindows::add_part(const std::string& name, Part part, std::int64_t now) {
  if (!calendar() || part.key < gone_below_) return false;
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
  VIGIE_ASSIGN(auto rows, counting());
  VIGIE_TRY(rows.load(in));
  const auto of_its_window = [&](const TallyBuilder& some) {
    return some.windows().size() == 1 && some.windows()[0].key == part.key;
  };
  const bool apart = in.fixed<std::uint8_t>() != 0;
  VIGIE_ASSIGN(auto set_apart, counting(false));
  if (apart) VIGIE_TRY(set_apart.load(in));
  if (!in.ok() || rows.rows() != part.rows || !of_its_window(rows) || (apart && !of_its_window(set_apart)))
    return fail(Code::kCorrupt, "a part of a window is of other rows than it says");
  for (const auto* some : {&rows, &set_apart}) {
    VIGIE_ASSIGN(auto all, counting(some == &rows));
    if (auto merged = all.merge(*some); !merged) return fail(Code::kCorrupt, merged.error().message);
  }
  return {};
}

std::optional<std::int64_t> LiveWindows::first_untold(std::int64_t now) const {
  for (const auto& [key, open] : windows_)
    if (open.own() > 0 && (open.own() != open.said || !ended(key, open, static_cast<double>(now)))) return key;
  return {};
}

std::optional<std::int64_t> LiveWindows::window_of(std::size_t row) const {
  if (assigned_.at(row) < 0) return {};
  return (*windower_)[static_cast<std::size_t>(assigned_[row])].key;
}

std::size_t LiveWindows::open() const {
  return static_cast<std::size_t>(
      std::count_if(windows_.begin(), windows_.end(), [](const auto& w) { return w.second.told.times == 0; }));
}

LiveWindows::Resume LiveWindows::resume() const {
  Resume from{place_, rows_at_place_, closed_below_, gone_below_, astray_, told_};
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
  place_ = from.place, rows_ = rows_at_place_ = from.rows, closed_below_ = from.closed_below;
  gone_below_ = from.gone_below, astray_ = from.astray, told_ = from.told;
  if (from.place != Resume::kNowhere) rows_kept_ = -1;
  windows_.erase(windows_.begin(), windows_.lower_bound(gone_below_));
  // What was kept is older than what is known of them.
  for (auto& [key, open] : windows_) {
    open.place = from.place, open.rows_before = from.rows;
    const auto told = std::find_if(told_.begin(), told_.end(), [&](const Told& t) { return t.key == key; });
    if (told != told_.end()) open.told = *told, told_.erase(told);
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
    const auto& seen = (*windower_)[open.window];
    out.fixed(seen.first), out.fixed(seen.last);
    open.builder->save(out);
    out.fixed(std::uint8_t{open.apart.has_value()});
    if (open.apart) open.apart->save(out);
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
    if (!windower_->possible(key)) return fail(Code::kCorrupt, "what was kept of open windows cannot be read");
    auto& open = windows[key];
    for (auto* number : {&open.came, &open.last_came, &open.last_told}) *number = in.fixed<std::int64_t>();
    auto& told = open.told;
    told.key = key;
    for (auto* number : {&told.at_first, &told.rows, &told.when}) *number = in.fixed<std::int64_t>();
    told.times = in.fixed<std::int32_t>(), told.first = in.fixed<std::uint8_t>() != 0;
    const auto first = in.fixed<double>(), last = in.fixed<double>();
    VIGIE_ASSIGN(open.builder, counting());
    VIGIE_TRY(open.builder->load(in));
    if (in.fixed<std::uint8_t>() != 0) {
      VIGIE_ASSIGN(open.apart, counting(false));
      VIGIE_TRY(open.apart->load(in));
    }
    open.window = windower_->met(key, first, last);
    if (calendar()) open.end = windower_->start(key + 1);
  }
  if (!in.ok()) return fail(Code::kCorrupt, "what was kept of open windows cannot be read");
  return windows;
}

}  // namespace vigie::engine

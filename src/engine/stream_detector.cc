// SPDX-License-Identifier: Apache-2.0
#include "engine/stream_detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/iso_time.h"
#include "base/text.h"
#include "stats/distributions.h"

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMonth = 30 * 8.64e10;  // µs
constexpr double kTabled = 100'000, kMostTarget = 1e7;
// Going on from its recent values, and beyond the table, adwin alarms up to 1.9 times as often as its target says
// (normal values, a target of 1.7 million): so many times as long a one is asked for.
constexpr double kSooner = 2.5;
constexpr std::int64_t kEnough = 100;                             // errors of which the mean is like a normal number
constexpr double kMoreBy = 1.5, kLessBy = 4;                      // from when on it begins anew
constexpr std::int64_t kConsiderEvery = 256, kLongestRated = 30;  // values; days
constexpr double kMostWeight = 100;                               // of what was constant
constexpr double kFade = 1 - 1. / (14 * 24);                      // of healthy hours
constexpr std::int64_t kMarksPerStep = 16;                        // more: finer, and more bytes

detect::Stream stream_of(const detect::Spec& spec) {
  return spec.members.empty() ? spec.detector->stream : stream_of(spec.members[0]);
}

bool holds(const detect::Spec& spec) {
  return std::any_of(spec.settings.begin(), spec.settings.end(),
                     [](const auto& s) { return s == detect::Setting("on_drift", "hold"); }) ||
         std::any_of(spec.members.begin(), spec.members.end(), holds);
}

// Where target_arl itself says no more than was simulated.
std::vector<detect::Setting> beyond_the_table(const detect::Detector& detector, double target) {
  std::vector<detect::Setting> out;
  for (const auto& p : detector.params) {
    if (p.name == detector.tuned)
      out.emplace_back(p.name, fmt::format("{}", std::clamp(detect::calibrated(detector, target), p.min, p.max)));
    if (p.name == detector.freed_by) out.emplace_back(p.name, p.choices.substr(p.choices.find('|') + 1));
  }
  return out;
}

template <class... T>
void write(ByteWriter& out, T... values) {
  (out.fixed(values), ...);
}
template <class... T>
void read(ByteReader& in, T&... values) {
  ((values = in.fixed<T>()), ...);
}

}  // namespace

Status StreamDetector::prepare() {
  VIGIE_ASSIGN(parsed_, detect::parse_spec(spec_.detector));
  const auto stream = stream_of(parsed_);
  counts_errors_ = stream == detect::Stream::kErrors;
  if (stream == detect::Stream::kOutcomes || (counts_errors_ && !of_errors()))
    return fail(Code::kUsage, fmt::format("{}: is for {}, and {} is a stream of {}", parsed_.detector->name,
                                          counts_errors_ ? "errors of 0 and 1" : "outcomes of a classifier", spec_.on,
                                          of_errors() ? "errors" : "numbers"));
  if (holds(parsed_)) return fail(Code::kUsage, fmt::format("{}: on_drift=hold would end it", parsed_.detector->name));
  const bool fixed = std::any_of(parsed_.settings.begin(), parsed_.settings.end(),
                                 [](const auto& s) { return s.first != "on_drift" && s.first != "seed"; });
  if (!fixed && detect::least_target(*parsed_.detector) > 0) budget_ = Budget::kTarget;
  if (!fixed && parsed_.detector == &detect::sprt) budget_ = Budget::kAlpha;
  return {};
}

Result<StreamDetector> StreamDetector::make(StreamSpec spec, StreamReference reference) {
  StreamDetector out;
  out.spec_ = std::move(spec), out.attach(std::move(reference));
  VIGIE_TRY(out.prepare());
  VIGIE_ASSIGN(out.monitor_, detect::make_monitor(out.parsed_));
  if (const auto bytes = out.monitor_->save().size(); bytes > kMostBytes)
    return fail(Code::kUsage, fmt::format("{}: holds {} bytes, at most {}", out.parsed_.detector->name,
                                          with_commas(static_cast<long long>(bytes)), with_commas(kMostBytes)));
  if (out.budget_ == Budget::kTarget) out.begin_anew(kMostTarget, 1);
  return out;
}

double StreamDetector::rate() const {
  const auto span = latest_ - first_;
  if (rated_ > 1 && span >= (reference_.rate > 0 ? kDay : kHour))
    return static_cast<double>(rated_) * kMonth / static_cast<double>(span);
  return reference_.rate > 0 ? reference_.rate : kNaN;
}

// Values between two false alarms; NaN: not known.
double StreamDetector::wanted() const {
  return share_ > 0 ? kSooner * rate() / share_ : kNaN;
}

void StreamDetector::bear(double false_alarms) {
  if (false_alarms == share_) return;
  share_ = false_alarms;
  consider();
}

void StreamDetector::consider() {
  const double values = budget_ == Budget::kAlpha ? 1 / share_ : wanted();
  if (budget_ == Budget::kNone || !(values > 0) || !std::isfinite(values)) return;
  if (in_force_ > 0 && values <= kMoreBy * in_force_ && values * kLessBy >= in_force_) return;
  in_force_ = values;
  const double block = budget_ == Budget::kAlpha ? 1 : std::clamp(std::ceil(values / kMostTarget), 1., 1e9);
  begin_anew(values / block, static_cast<std::int64_t>(block));
}

void StreamDetector::begin_anew(double target, std::int64_t block) {
  auto spec = parsed_;
  if (budget_ == Budget::kAlpha) {
    const auto& alpha = spec.detector->params[0];
    spec.settings.emplace_back("alpha", fmt::format("{}", std::clamp(1 / target, alpha.min, alpha.max)));
    target_ = kNaN;
  } else {
    target = std::clamp(target, detect::least_target(*spec.detector), kMostTarget);
    if (monitor_ && target == target_ && block == block_) return;
    if (target <= kTabled)
      spec.settings.emplace_back("target_arl", fmt::format("{}", target));
    else
      for (auto& setting : beyond_the_table(*spec.detector, target)) spec.settings.push_back(std::move(setting));
  }
  auto made = detect::make_monitor(spec);
  if (!made) return;
  monitor_ = std::move(*made);
  if (budget_ == Budget::kTarget) target_ = target;
  block_ = block, in_block_ = 0, block_sum_ = 0;
  now_ = {}, hour_ = {}, marks_.clear();
}

void StreamDetector::attach(StreamReference reference) {
  reference_ = std::move(reference);
  below_.assign(1, 0);
  for (const auto count : reference_.bins.counts) below_.push_back(below_.back() + static_cast<double>(count));
}

double StreamDetector::scored(double value) const {
  const auto& bins = reference_.bins;
  const double rows = below_.back();
  if (bins.cuts.empty() || !(rows > 0)) return value;
  const auto cell =
      static_cast<std::size_t>(std::upper_bound(bins.cuts.begin(), bins.cuts.end(), value) - bins.cuts.begin());
  double part = .5;
  if (!bins.lattice && cell > 0 && cell < bins.cuts.size() && bins.cuts[cell] > bins.cuts[cell - 1])
    part = (value - bins.cuts[cell - 1]) / (bins.cuts[cell] - bins.cuts[cell - 1]);
  const double p = (below_[cell] + part * static_cast<double>(bins.counts[cell])) / rows;
  return stats::normal_quantile(std::clamp(p, .5 / rows, 1 - .5 / rows));
}

// The older, the fewer are kept: of an age of n updates one in n / kMarksPerStep.
void StreamDetector::mark(std::int64_t time) {
  now_.time = time;
  marks_.push_back(now_);
  if (now_.update % kMarksPerStep != 0) return;
  std::erase_if(marks_, [&](const Mark& m) {
    const int step = m.update == 0 ? 62 : std::countr_zero(static_cast<std::uint64_t>(m.update));
    return step < 40 && now_.update - m.update >= kMarksPerStep << step && &m != &marks_.front();
  });
}

std::optional<event::Cause> StreamDetector::add(double value, std::int64_t time) {
  value = detect::as_value(value);
  if (!std::isfinite(value) || (of_errors() && !(value >= 0 && value <= 1))) {
    ++skipped_;
    return {};
  }
  if (rated_++ == 0) first_ = latest_ = time;
  latest_ = std::max(latest_, time);
  first_ = std::min(first_, std::max(time, latest_ - kLongestRated * kDay));
  if (latest_ - first_ > kLongestRated * kDay) first_ += (latest_ - first_) / 2, rated_ /= 2;
  if (values_++ % kConsiderEvery == 0) consider();

  const double fed = of_errors() ? value : scored(value);
  if (in_block_ == 0) mark(time);
  const bool first = in_block_++ == 0;
  const bool picks = counts_errors_ || (of_errors() && block_ < kEnough);
  block_sum_ += picks && !first ? 0 : fed;
  now_.sum += value, now_.fed += fed, now_.squares += fed * fed;
  hour_.values += 1, hour_.sum += value, hour_.fed += fed, hour_.squares += fed * fed;
  if (in_block_ < block_) return {};
  const double update = picks ? block_sum_ : block_sum_ / static_cast<double>(block_);
  in_block_ = 0, block_sum_ = 0, ++now_.update;
  const auto* found = monitor_->update(update);
  if (!found || found->state != detect::State::kDrift) return {};
  return alarm(*found, time);
}

std::optional<event::Cause> StreamDetector::alarm(const detect::Alarm& found, std::int64_t time) {
  ++alarms_;
  const auto onset = std::find_if(marks_.rbegin(), marks_.rend(),
                                  [&](const Mark& m) { return m.update <= std::max<std::int64_t>(found.onset, 0); });
  const Mark from = onset == marks_.rend() ? marks_.front() : *onset, begin = marks_.front();
  const double n_after = values_since(from), n_before = values_since(begin) - n_after;
  Change change{time, std::min(from.time, time), n_before > 0 ? (from.sum - begin.sum) / n_before : kNaN,
                n_after > 0 ? (now_.sum - from.sum) / n_after : kNaN, false};
  const double fed = (from.fed - begin.fed) / n_before;
  auto usual = Usual{change.before, fed, std::sqrt((from.squares - begin.squares) / n_before - fed * fed)};
  // Several alarms may tell of one change, as more of it is seen.
  if (changed_ && sized_) usual = usual_, change.before = usual.level;
  const double apart = (now_.fed - from.fed) / n_after - usual.fed;
  const double effect = std::abs(apart) / (of_errors() ? 1 : usual.sd);
  const auto [watch, major] = levels(usual.level);
  const bool sized = std::isfinite(found.before) && std::isfinite(found.after);
  const bool better = of_errors() && change.after < change.before;
  // As where it ends, which a mean of both sides may still put farther off.
  const bool back = changed_ && sized_ && (found.after - found.before) * (moved_ - usual.level) < 0;
  const bool farther = !changed_ || !sized_ || std::abs(change.after - usual.level) > std::abs(moved_ - usual.level);
  const bool matters = !sized || std::isnan(effect) || (effect >= watch && beyond_hours(apart));
  change.counts = !better && !back && farther && matters && speaks();
  last_ = change;
  // Small steps that go one way, and hours that come and go, are measured from where they began.
  if (matters) {
    std::erase_if(marks_, [&](const Mark& m) { return m.update < from.update; });
    hour_ = {};
  }
  if (!change.counts) return {};

  calm_ = 0, usual_ = usual, moved_ = change.after, sized_ = sized && std::isfinite(usual.level);
  const double weight = sized && !std::isnan(effect) ? std::min(effect / major, kMostWeight) : 1;
  const bool grave = of_errors() || spec_.on == kResiduals;
  const auto since = fmt::format("since about {} ({}, {})", clock_time(change.onset, time), parsed_.detector->name,
                                 plural(values_, grave ? "label" : "value"));
  const auto what = of_errors() ? "its rate" : "its mean";
  std::string reason;
  if (std::isnan(change.before))
    reason = fmt::format("{} is {} {}", what, human(change.after), since);
  else if (sized)
    reason = fmt::format("{} {} from {} to {} {}", what, change.after > change.before ? "rose" : "fell",
                         human(change.before), human(change.after), since);
  else
    reason = fmt::format("its values are other ones {}; {} was {} and is {}", since, what, human(change.before),
                         human(change.after));
  changed_ = event::Cause{grave ? "" : spec_.on,
                          "",
                          spec_.on,
                          grave && weight >= 1 ? event::Severity::kCritical : event::Severity::kWarning,
                          weight,
                          std::move(reason),
                          change.onset,
                          1};
  return changed_;
}

Levels StreamDetector::levels(double usual) const {
  if (!of_errors()) return kSdLevels;
  const double grown = std::isfinite(usual) ? std::max(usual, kLeastErrors) : 1;
  return {std::min(kPoints.watch, kGrowthLevels.watch * grown), std::min(kPoints.major, kGrowthLevels.major * grown)};
}

// How far a healthy hour is from the level before it, and how far chance alone would put it.
void StreamDetector::learn_hour() {
  const double n = hour_.values, before = values_since(marks_.front()) - n;
  if (before < n) return;
  const double mean = hour_.fed / n, level = (now_.fed - marks_.front().fed - hour_.fed) / before;
  for (auto* sum : {&hours_.count, &hours_.squares, &hours_.noise}) *sum *= kFade;
  hours_.count += 1, hours_.squares += (mean - level) * (mean - level);
  hours_.noise += (hour_.squares - n * mean * mean) / (n - 1) / n * (1 + n / before);
}

// Student's t for one more hour, of what chance does not explain, with what chance may add to that.
bool StreamDetector::beyond_hours(double apart) const {
  const double n = hours_.count;
  if (!(n > 1)) return true;
  const double between = (hours_.squares - hours_.noise * (1 + 2 * std::sqrt(2 / (n - 1)))) / n;
  if (!(between > 0)) return true;
  return 2 * stats::student_t_sf(std::abs(apart) / std::sqrt(between * (1 + 1 / n)), n - 1) <= level_of(share_, kHour);
}

StreamDetector::Hour StreamDetector::end_hour(std::int64_t now) {
  const double mean = hour_.sum / hour_.values;
  if (!changed_) {
    const bool any = hour_.values > 0;
    if (hour_.values < kFewestOfHour) return any ? Hour::kHealthy : Hour::kNothing;
    learn_hour();
    hour_ = {};
    return Hour::kHealthy;
  }
  const bool usual = now - changed_->since > kUsualAfter;
  if (hour_.values < kFewest && !usual) return Hour::kNothing;
  hour_ = {};
  if (sized_ && !usual && std::abs(mean - moved_) < std::abs(mean - usual_.level)) {
    calm_ = 0;
    return Hour::kChanged;
  }
  // Of few values one hour may be so by chance.
  if (!sized_ || usual || ++calm_ == kCalm) changed_.reset(), calm_ = 0;
  return Hour::kHealthy;
}

double StreamDetector::values_since(const Mark& mark) const {
  return static_cast<double>((now_.update - mark.update) * block_ + in_block_);
}

double StreamDetector::level() const {
  if (marks_.empty()) return kNaN;
  const auto& begin = marks_.front();
  const double n = values_since(begin);
  return n > 0 ? (now_.sum - begin.sum) / n : kNaN;
}

void StreamDetector::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.string(spec_.on), out.string(spec_.detector);
  out.string(monitor_->save());
  write(out, share_, target_, in_force_, block_, in_block_, block_sum_, values_, skipped_, alarms_, rated_, first_,
        latest_, usual_.level, usual_.fed, usual_.sd, moved_, calm_, std::uint8_t{sized_}, reference_.rate);
  write(out, hour_.values, hour_.sum, hour_.fed, hour_.squares, hours_.count, hours_.squares, hours_.noise);
  out.varint(marks_.size());
  for (const auto& m : marks_) write(out, m.update, m.time, m.sum, m.fed, m.squares);
  write(out, now_.update, now_.time, now_.sum, now_.fed, now_.squares);
  out.fixed(std::uint8_t{last_.has_value()});
  if (last_) write(out, last_->at, last_->onset, last_->before, last_->after, std::uint8_t{last_->counts});
  out.fixed(std::uint8_t{changed_.has_value()});
  if (!changed_) return;
  write(out, static_cast<std::uint8_t>(changed_->severity), changed_->weight, changed_->since);
  out.string(changed_->reason);
}

Result<StreamDetector> StreamDetector::load(ByteReader& in) {
  StreamDetector out;
  const auto version = in.fixed<std::uint8_t>();
  out.spec_.on = in.string(), out.spec_.detector = in.string();
  const auto monitor = in.string();
  std::uint8_t sized = 0, counts = 0, severity = 0;
  read(in, out.share_, out.target_, out.in_force_, out.block_, out.in_block_, out.block_sum_, out.values_, out.skipped_,
       out.alarms_, out.rated_, out.first_, out.latest_, out.usual_.level, out.usual_.fed, out.usual_.sd, out.moved_,
       out.calm_, sized, out.reference_.rate);
  read(in, out.hour_.values, out.hour_.sum, out.hour_.fed, out.hour_.squares, out.hours_.count, out.hours_.squares,
       out.hours_.noise);
  out.sized_ = sized != 0;
  const auto read_mark = [&](Mark& m) { read(in, m.update, m.time, m.sum, m.fed, m.squares); };
  for (auto left = in.count(sizeof(Mark)); left > 0 && in.ok(); --left) read_mark(out.marks_.emplace_back());
  read_mark(out.now_);
  if (in.fixed<std::uint8_t>() != 0) {
    Change last;
    read(in, last.at, last.onset, last.before, last.after, counts);
    last.counts = counts != 0;
    out.last_ = last;
  }
  if (in.fixed<std::uint8_t>() != 0) {
    auto& cause = out.changed_.emplace();
    read(in, severity, cause.weight, cause.since);
    cause.severity = severity == 0 ? event::Severity::kWarning : event::Severity::kCritical;
    cause.reason = in.string();
    cause.what = out.spec_.on, cause.windows = 1;
    if (out.spec_.on != kErrors && out.spec_.on != kResiduals) cause.column = out.spec_.on;
  }
  if (!in.ok() || version != kVersion || out.block_ < 1)
    return fail(Code::kCorrupt, "what was kept of a detector cannot be read");
  VIGIE_TRY(out.prepare());
  VIGIE_ASSIGN(out.monitor_, detect::load_monitor(monitor));
  return out;
}

}  // namespace vigie::engine

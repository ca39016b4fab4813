// SPDX-License-Identifier: Apache-2.0
#include "engine/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>

#include "base/bytes.h"
#include "base/text.h"
#include "engine/counts_bytes_internal.h"
#include "engine/quality_reference.h"
#include "engine/score_reference.h"
#include "engine/sliding_windows.h"

namespace vigie::engine {
namespace {

constexpr std::string_view kMagic = "VPF1";
constexpr std::uint8_t kVersion = 8, kWithoutOverlaps = 7, kWithoutMinutes = 6, kOldest = 2;
constexpr std::size_t kColumnBytes = 50'000;  // of a file, on average over its columns

constexpr std::int64_t kMostRows = 1LL << 60;
constexpr std::int64_t kHour = 60;      // minutes
constexpr std::uint8_t kSlides = 0x80;  // of a kind of windows: how often one ends stands behind it

std::int64_t load_count(ByteReader& in) {
  auto v = in.varint();
  if (v <= static_cast<std::uint64_t>(kMostRows)) return static_cast<std::int64_t>(v);
  in.fail();
  return 0;
}

void save_summary(ByteWriter& out, const drift::WindowSummary& s) {
  out.varint(static_cast<std::uint64_t>(s.rows));
  for (double v : {s.location, s.log_scale, s.skew, s.log_kurtosis, s.chi2}) out.fixed(static_cast<float>(v));
  std::vector<float> shares(s.arcsine.begin(), s.arcsine.end());
  out.array(std::span<const float>(shares));
  out.fixed(static_cast<std::int8_t>(s.hour));
  out.fixed(static_cast<std::int8_t>(s.weekday));
}

drift::WindowSummary load_summary(ByteReader& in) {
  drift::WindowSummary s;
  s.rows = static_cast<double>(load_count(in));
  for (double* v : {&s.location, &s.log_scale, &s.skew, &s.log_kurtosis, &s.chi2}) *v = in.fixed<float>();
  std::vector<float> shares;
  in.array(shares);
  s.arcsine.assign(shares.begin(), shares.end());
  const std::int8_t hour = in.fixed<std::int8_t>(), weekday = in.fixed<std::int8_t>();
  s.hour = hour;
  s.weekday = weekday;
  return s;
}

void save_column(ByteWriter& out, const ColumnProfile& c) {
  out.string(c.name);
  out.fixed(static_cast<std::uint8_t>(c.role));
  out.fixed(static_cast<std::uint8_t>(c.type));
  out.fixed(static_cast<std::uint8_t>(c.source));
  out.varint(static_cast<std::uint64_t>(c.infinite));
  out.varint(static_cast<std::uint64_t>(c.mismatches));
  out.array(std::span<const double>(c.bins.cuts));
  out.array(std::span<const double>(c.bins.centers));
  out.fixed(c.bins.sd);
  out.fixed(static_cast<std::uint8_t>(c.bins.lattice));
  out.varint(c.categories.size());
  for (const auto& k : c.categories) {
    out.string(k.name);
    out.varint(static_cast<std::uint64_t>(k.count));
  }
  out.varint(static_cast<std::uint64_t>(c.other));
  out.fixed(static_cast<std::uint8_t>(c.halved));
  out.fixed(static_cast<std::uint8_t>(c.texts_as_meant));
  out.fixed(c.distinct);
  out.fixed(static_cast<std::uint8_t>(c.exact));
  out.fixed(c.error_bound);
  out.varint(c.parts.size());
  for (const auto& parts : c.parts) {
    out.varint(parts.size());
    for (const auto& part : parts) {
      save_counts(out, part.counts);
      out.varint(part.windows.size());
      for (const auto& w : part.windows) save_summary(out, w);
      out.varint(part.missing_windows.size());
      for (const auto& w : part.missing_windows) save_summary(out, w);
    }
  }
  out.fixed(static_cast<std::uint8_t>(c.quantiles.has_value()));
  if (!c.quantiles) return;
  c.moments.save(out);
  c.quantiles->save(out);
  c.tails->save(out);
  c.cardinality->save(out);
}

// A count of cells that does not fit the axis would be read past its end later on.
bool consistent(const ColumnProfile& c, const std::vector<std::vector<std::string>>& segments) {
  auto cells = c.cells();
  if (c.parts.empty() || c.parts.size() != segments.size() || c.parts[0].size() != 1) return false;
  for (std::size_t k = 1; k < segments.size(); ++k)
    if (segments[k].empty() || c.parts[k].size() != segments[k].size()) return false;
  if (!c.categorical() && (c.bins.centers.size() != cells && !c.bins.cuts.empty())) return false;
  if (c.bins.cuts.size() > sketch::CutIndex::kMostCuts) return false;
  for (std::size_t i = 1; i < c.bins.cuts.size(); ++i)
    if (!(c.bins.cuts[i - 1] < c.bins.cuts[i])) return false;
  for (const auto& parts : c.parts)
    for (const auto& part : parts)
      if (part.counts.cells.size() > cells || (!c.categorical() && c.bins.cuts.empty() && part.counts.rows() != 0))
        return false;
  return true;
}

Result<ColumnProfile> load_column(ByteReader& in) {
  ColumnProfile c;
  c.name = in.string();
  auto role = in.fixed<std::uint8_t>(), type = in.fixed<std::uint8_t>(), source = in.fixed<std::uint8_t>();
  if (role > static_cast<std::uint8_t>(Role::kWeight) || type > static_cast<std::uint8_t>(ColumnType::kEmbedding) ||
      source > static_cast<std::uint8_t>(table::Type::kList))
    in.fail();
  c.role = static_cast<Role>(role), c.type = static_cast<ColumnType>(type), c.source = static_cast<table::Type>(source);
  c.infinite = load_count(in);
  c.mismatches = load_count(in);
  in.array(c.bins.cuts);
  in.array(c.bins.centers);
  c.bins.sd = in.fixed<double>();
  c.bins.lattice = in.fixed<std::uint8_t>() != 0;
  c.categories.resize(in.count(2));
  for (auto& k : c.categories) {
    k.name = in.string();
    k.count = load_count(in);
  }
  c.other = load_count(in);
  c.halved = in.fixed<std::uint8_t>() != 0;
  c.texts_as_meant = in.fixed<std::uint8_t>() != 0;
  c.distinct = in.fixed<double>();
  c.exact = in.fixed<std::uint8_t>() != 0;
  c.error_bound = in.fixed<double>();
  c.parts.resize(in.count(1));
  for (auto& parts : c.parts) {
    parts.resize(in.count(3));
    for (auto& part : parts) {
      part.counts = load_counts(in);
      part.windows.resize(in.count(20));
      for (auto& w : part.windows) w = load_summary(in);
      part.missing_windows.resize(in.count(20));
      for (auto& w : part.missing_windows) w = load_summary(in);
    }
  }
  if (in.fixed<std::uint8_t>()) {
    VIGIE_ASSIGN(c.moments, sketch::Moments::load(in));
    VIGIE_ASSIGN(c.quantiles, sketch::Kll::load(in));
    VIGIE_ASSIGN(c.tails, sketch::RelativeQuantiles::load(in));
    VIGIE_ASSIGN(c.cardinality, sketch::HyperLogLog::load(in));
  }
  if (!c.categorical() && !c.parts.empty() && !c.parts[0].empty()) c.bins.counts = c.parts[0][0].counts.cells;
  return c;
}

}  // namespace

void save_counts(ByteWriter& out, const Counts& counts) {
  out.varint(counts.cells.size());
  for (auto c : counts.cells) out.varint(static_cast<std::uint64_t>(c));
  for (auto c : {counts.missing, counts.uncounted, counts.uncounted_missing}) out.varint(static_cast<std::uint64_t>(c));
}

void save_windows(ByteWriter& out, const WindowSpec& windows) {
  const bool slides = windows.every > 0;
  out.fixed(static_cast<std::uint8_t>(static_cast<std::uint8_t>(windows.kind) | (slides ? kSlides : 0)));
  out.varint(static_cast<std::uint64_t>(windows.rows));
  out.string(windows.zone);
  if (windows.kind == WindowSpec::Kind::kMinutes) out.varint(static_cast<std::uint64_t>(windows.minutes));
  if (slides) out.varint(static_cast<std::uint64_t>(windows.every));
}

WindowSpec load_windows(ByteReader& in) {
  WindowSpec out;
  const auto kind_byte = in.fixed<std::uint8_t>();
  const auto kind = static_cast<std::uint8_t>(kind_byte & ~kSlides);
  out.rows = load_count(in);
  out.zone = in.string();
  if (kind > static_cast<std::uint8_t>(WindowSpec::Kind::kMinutes)) return in.fail(), out;
  out.kind = static_cast<WindowSpec::Kind>(kind);
  if (out.kind == WindowSpec::Kind::kMinutes) {
    out.minutes = load_count(in);
    if (out.minutes < 1 || out.minutes >= kHour || kHour % out.minutes != 0) in.fail(), out.minutes = 1;
  }
  if (kind_byte == kind) return out;
  out.every = load_count(in);
  if (!check_panes(out)) in.fail(), out.every = 0;
  return out;
}

Counts load_counts(ByteReader& in) {
  Counts counts;
  counts.cells.resize(in.count(1));
  for (auto& c : counts.cells) c = load_count(in);
  for (auto* c : {&counts.missing, &counts.uncounted, &counts.uncounted_missing}) *c = load_count(in);
  // Each of them can be held, their sum need not.
  std::int64_t all = saturating_add(saturating_add(counts.missing, counts.uncounted), counts.uncounted_missing);
  for (auto c : counts.cells) all = saturating_add(all, c);
  if (all > kMostRows) in.fail();
  return counts;
}

std::string_view to_string(Verdict verdict) {
  constexpr std::string_view kNames[] = {"no_data", "ok", "warning", "drift"};
  return kNames[static_cast<std::size_t>(verdict)];
}
std::string_view to_string(ColumnType type) {
  constexpr std::string_view kNames[] = {"numeric", "boolean", "categorical", "timestamp", "text", "embedding"};
  return kNames[static_cast<std::size_t>(type)];
}
std::string_view to_string(Role role) {
  constexpr std::string_view kNames[] = {"feature", "prediction", "score", "label", "timestamp", "id", "weight"};
  return kNames[static_cast<std::size_t>(role)];
}

std::string to_string(const WindowSpec& spec) {
  constexpr std::string_view kNames[] = {"none", "rows", "hour", "day", "week", "month"};
  if (spec.kind == WindowSpec::Kind::kRows) return fmt::format("{} rows", spec.rows);
  const bool minutes = spec.kind == WindowSpec::Kind::kMinutes;
  auto name = minutes ? fmt::format("{}m", spec.minutes) : std::string(kNames[static_cast<std::size_t>(spec.kind)]);
  if (spec.calendar() && spec.rows > 0) name += fmt::format(" or {} rows", spec.rows);
  if (spec.every > 0) name += " each " + pane_text(spec.every);
  return spec.zone.empty() || !spec.calendar() ? name : fmt::format("{} ({})", name, spec.zone);
}
std::string units_of(const WindowSpec& spec, bool one) {
  const auto name = to_string({.kind = spec.kind, .rows = 0, .zone = {}, .minutes = spec.minutes, .every = 0});
  if (spec.kind != WindowSpec::Kind::kMinutes) return name + (one ? "" : "s");
  return fmt::format("window{} of {}", one ? "" : "s", name);
}

Result<WindowSpec> calendar_windows(std::string_view unit) {
  using Kind = WindowSpec::Kind;
  WindowSpec out;
  std::vector<std::string> units;
  for (auto kind : {Kind::kHour, Kind::kDay, Kind::kWeek, Kind::kMonth}) {
    out.kind = kind;
    if (units.emplace_back(to_string(out)) == unit) return out;
  }
  out.kind = Kind::kMinutes;
  const auto [end, error] = std::from_chars(unit.data(), unit.data() + unit.size(), out.minutes);
  const bool number = error == std::errc() && std::string_view(end, unit.data() + unit.size()) == "m" && unit[0] != '0';
  if (!number || out.minutes <= 0)
    return fail(Code::kUsage,
                fmt::format("{} ({}, or minutes as 15m)", unknown_name("unit", unit, units), fmt::join(units, ", ")));
  if (out.minutes < kHour && kHour % out.minutes == 0) return out;
  std::int64_t nearest = 1;
  for (std::int64_t some = 1; some <= kHour; ++some)
    if (kHour % some == 0 && std::abs(some - out.minutes) < std::abs(nearest - out.minutes)) nearest = some;
  return fail(Code::kUsage, fmt::format("windows of {} do not divide an hour; did you mean {}?", unit,
                                        nearest == kHour ? std::string("hour") : fmt::format("{}m", nearest)));
}

std::string to_string(const SegmentBy& by) {
  return fmt::format("{}", fmt::join(by, ","));
}

Profile axes_of(const Profile& profile) {
  Profile axes = profile;
  for (std::size_t i = 0; i < axes.counted(); ++i) {
    auto& c = axes.counted(i);
    if (!c.parts.empty() && !c.parts[0].empty()) {
      auto counts = c.whole();
      c.parts = {};
      c.parts.emplace_back().emplace_back().counts = std::move(counts);
    }
    c.moments = {};
    c.quantiles.reset(), c.tails.reset(), c.cardinality.reset();
  }
  axes.quality.reset(), axes.quality_windows = {};
  return axes;
}

std::int64_t Counts::rows() const {
  return std::accumulate(cells.begin(), cells.end(), std::int64_t{0});
}

std::int64_t Counts::total_rows() const {
  return rows() + uncounted;
}

std::int64_t Counts::total_missing() const {
  return missing + uncounted_missing;
}

void Counts::merge(const Counts& other) {
  cells.resize(std::max(cells.size(), other.cells.size()));
  for (std::size_t i = 0; i < other.cells.size(); ++i) cells[i] += other.cells[i];
  missing += other.missing;
  uncounted += other.uncounted;
  uncounted_missing += other.uncounted_missing;
  beyond = saturating_add(beyond, other.beyond);
}

bool ColumnProfile::counts_up() const {
  constexpr std::int64_t kFewest = 100;  // rows from which it means something, as for the checks
  const auto& cuts = bins.cuts;
  if (type != ColumnType::kNumeric || source != table::Type::kInteger || cuts.size() < 2) return false;
  if (whole().rows() < kFewest) return false;
  auto whole_numbers = [](double from, double to) { return std::ceil(to) - std::ceil(from); };
  for (std::size_t j = 1; j < cuts.size(); ++j)
    if (static_cast<double>(bins.counts[j]) != whole_numbers(cuts[j - 1], cuts[j])) return false;
  return true;
}

std::size_t Profile::column_of(std::size_t i) const {
  const auto& name = counted(i).name;
  return static_cast<std::size_t>(
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; }) - columns.begin());
}

drift::Axis ColumnProfile::axis() const {
  if (categorical()) return {.kind = drift::kCategorical, .cuts = {}, .centers = {}, .sd = 0, .lattice = false};
  return {.kind = drift::kNumeric, .cuts = bins.cuts, .centers = bins.centers, .sd = bins.sd, .lattice = bins.lattice};
}

std::string save_profile(const Profile& p) {
  ByteWriter out;
  out.string(p.version);
  out.string(p.source);
  out.varint(static_cast<std::uint64_t>(p.rows));
  out.varint(static_cast<std::uint64_t>(p.rejected));
  save_windows(out, p.window);
  out.varint(static_cast<std::uint64_t>(p.window_count));
  out.fixed(static_cast<std::uint8_t>(p.has_time));
  auto strings = [&](const std::vector<std::string>& list) {
    out.varint(list.size());
    for (const auto& s : list) out.string(s);
  };
  out.varint(p.segmentations.size());
  for (std::size_t k = 0; k < p.segmentations.size(); ++k) strings(p.segmentations[k]), strings(p.segments[k]);
  out.string(p.timestamp);
  out.string(p.weight);
  out.varint(p.others.size());
  for (const auto& f : p.others) out.string(f.name), out.fixed(static_cast<std::uint8_t>(f.type));
  strings(p.problems);
  strings(p.notes);
  out.varint(p.columns.size());
  for (const auto& c : p.columns) save_column(out, c);
  out.varint(p.aspects.size());
  for (const auto& a : p.aspects) {
    out.fixed(static_cast<std::uint8_t>(a.aspect));
    save_column(out, a.profile);
    out.array(std::span<const std::uint64_t>(a.known.words.bits()));
    out.array(std::span<const float>(a.known.center));
  }
  const auto room = [&] {
    const std::size_t all = kColumnBytes * p.columns.size(), used = out.bytes().size() + 1000;
    return all > used ? all - used : 0;
  };
  save_scores(out, p.scores.get(), room() / 2);
  save_quality(out, p, room());
  // Others can be read by a vigie before this one.
  const auto minutes = [](const WindowSpec& spec) { return spec.kind == WindowSpec::Kind::kMinutes; };
  const auto overlaps = [](const WindowSpec& spec) { return spec.every > 0; };
  const auto any = [&](auto is) { return is(p.window) || (p.scores && is(p.scores->options.window)); };
  return seal(kMagic, any(overlaps) ? kVersion : any(minutes) ? kWithoutOverlaps : kWithoutMinutes, out.bytes());
}

Result<Profile> load_profile(std::string_view bytes, std::string_view name) {
  if (!is_profile(bytes))
    return fail(Code::kCorrupt, fmt::format("{}: not a vigie profile (vigie profile DATA -o FILE makes one)", name));
  VIGIE_ASSIGN(auto sealed, unseal(kMagic, kVersion, bytes, name));
  if (sealed.version < kOldest)
    return fail(Code::kCorrupt,
                fmt::format("{}: made by an older vigie (format version {}); make it again", name, sealed.version));
  ByteReader in(sealed.payload);
  Profile p;
  p.version = in.string();
  p.source = in.string();
  p.rows = load_count(in);
  p.rejected = load_count(in);
  p.window = load_windows(in);
  p.window_count = load_count(in);
  p.has_time = in.fixed<std::uint8_t>() != 0;
  auto strings = [&] {
    std::vector<std::string> list(in.count(1));
    for (auto& s : list) s = in.string();
    return list;
  };
  p.segmentations.resize(in.count(2));
  p.segments.resize(p.segmentations.size());
  for (std::size_t k = 0; k < p.segmentations.size(); ++k) p.segmentations[k] = strings(), p.segments[k] = strings();
  p.timestamp = in.string();
  if (sealed.version > 4) p.weight = in.string();
  p.others.resize(in.count(2));
  for (auto& f : p.others) {
    f.name = in.string();
    auto type = in.fixed<std::uint8_t>();
    if (type > static_cast<std::uint8_t>(table::Type::kList))
      in.fail();
    else
      f.type = static_cast<table::Type>(type);
  }
  p.problems = strings();
  p.notes = strings();
  auto columns = in.count(1);
  for (std::uint64_t i = 0; i < columns && in.ok(); ++i) {
    VIGIE_ASSIGN(auto column, load_column(in));
    if (in.ok() && !consistent(column, p.segments)) in.fail();
    p.columns.push_back(std::move(column));
  }
  const auto count = sealed.version > 2 && in.ok() ? in.count(1) : 0;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto aspect = in.fixed<std::uint8_t>();
    VIGIE_ASSIGN(auto column, load_column(in));
    const bool known = aspect < aspects().size() &&
                       std::any_of(
                           p.columns.begin(), p.columns.end(),
                           [&](const auto& c) { return c.name == column.name && c.type == aspects()[aspect].of; });
    if (in.ok() && (!known || aspects()[aspect].categorical != column.categorical() || !consistent(column, p.segments)))
      in.fail();
    std::vector<std::uint64_t> words;
    std::vector<float> center;
    in.array(words);
    in.array(center);
    if (!words.empty() && words.size() != Vocabulary::kCells) in.fail();
    p.aspects.push_back(
        {static_cast<Aspect>(aspect), std::move(column), {Vocabulary(std::move(words)), std::move(center)}});
  }
  if (in.ok() && sealed.version > 3 && !load_scores(in, sealed.version > 4, p.scores)) in.fail();
  if (in.ok() && sealed.version > 2 && !load_quality(in, p)) in.fail();
  if (!in.ok() || in.remaining() != 0) return fail(Code::kCorrupt, fmt::format("{}: damaged profile", name));
  return p;
}

bool is_profile(std::string_view head) {
  return head.substr(0, 4) == kMagic;
}

}  // namespace vigie::engine

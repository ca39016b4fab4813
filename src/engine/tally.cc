// SPDX-License-Identifier: Apache-2.0
#include "engine/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/hash.h"
#include "base/parallel.h"
#include "base/text.h"

namespace vigie::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kFresh = 1000;
constexpr std::size_t kMostSegments = 10'000;

using Index = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

// A column of one batch with each row's cell on the axis, and the groups of rows it is counted into.
class ColumnCounter {
 public:
  /// `reference`: the rows are those that the profile was made of.
  ColumnCounter(const ColumnProfile& profile, std::size_t segmentations, bool reference)
      : profile_(profile), halved_(reference && profile.halved), cells(segmentations) {
    if (profile.categorical()) {
      for (std::size_t i = 0; i < profile.categories.size(); ++i)
        index_.emplace(profile.categories[i].name, static_cast<std::int32_t>(i));
      other_ = static_cast<std::int32_t>(profile.categories.size());
    } else {
      cuts_.emplace(std::span<const double>(profile.bins.cuts));
    }
  }

  void add(const table::Column& column, std::int64_t first, std::span<const Membership> groups,
           std::span<const std::size_t> sizes) {
    mismatches += column.mismatches;
    for (std::size_t k = 0; k < groups.size(); ++k)
      if (cells[k].size() < sizes[k]) cells[k].resize(sizes[k]);
    if (profile_.categorical())
      add_codes(counted_half(encode(column, codes_), first), groups);
    else
      add_numbers(project(column, profile_.type, numbers_, infinite), groups);
    if (profile_.type != ColumnType::kText || words_) return;
    for (auto text : column.dictionary) {
      words_ = words_ || !number(text);
      marks_ = marks_ || text.find_first_of(".,") != std::string_view::npos;
    }
  }

  /// Whether every text so far is a number, and some have a decimal mark.
  bool only_numbers() const { return !words_ && marks_; }

  void add_missing(std::span<const Membership> groups, std::span<const std::size_t> sizes) {
    for (std::size_t k = 0; k < groups.size(); ++k) {
      if (cells[k].size() < sizes[k]) cells[k].resize(sizes[k]);
      for (auto g : groups[k].groups)
        if (g >= 0) ++cells[k][static_cast<std::size_t>(g)].missing;
    }
  }

 private:
  std::size_t width() const { return profile_.cells() + fresh.size(); }
  Counts& group(std::size_t k, std::int32_t g) {
    auto& counts = cells[k][static_cast<std::size_t>(g)];
    if (counts.cells.size() < width()) counts.cells.resize(width());
    return counts;
  }

  static constexpr std::int32_t kNotCounted = -2;

  static bool number(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::any_of(text.begin(), text.end(), digit) &&
           std::count_if(text.begin(), text.end(), [&](char c) { return !digit(c); }) <= 1 &&
           text.find_first_not_of("0123456789.,") == std::string_view::npos;
  }

  Coded counted_half(Coded coded, std::int64_t first) {
    if (!halved_) return coded;
    half_.assign(coded.codes.begin(), coded.codes.end());
    for (std::size_t i = 0; i < half_.size(); ++i)
      if (!in_second_half(first + static_cast<std::int64_t>(i))) half_[i] = kNotCounted;
    return {half_, coded.dictionary};
  }

  std::int64_t beyond(std::span<const double> values) const {
    constexpr double kMost = 1e12;  // a row is taken for no more than a million sd away
    const auto& bins = profile_.bins;
    if (!(bins.sd > 0)) return 0;
    double low = bins.cuts.front(), high = bins.centers.back();
    std::int64_t sum = 0;
    for (double v : values) {
      double distance = v < low ? low - v : v > high ? v - high : 0;
      sum += static_cast<std::int64_t>(std::min(distance / bins.sd * 1e6, kMost));
    }
    return sum;
  }

  void add_numbers(std::span<const double> values, std::span<const Membership> groups) {
    double low = kInfinity, high = -kInfinity;
    for (double v : values) {
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
    minimum = std::min(minimum, low), maximum = std::max(maximum, high);
    const auto& cuts = profile_.bins.cuts;
    bool outside = !cuts.empty() && (low < cuts.front() || high >= cuts.back());
    bool located = false;
    for (std::size_t k = 0; k < groups.size(); ++k) {
      const auto& m = groups[k];
      if (!m.runs.empty()) {
        for (const auto& run : m.runs) {
          if (run.group < 0) continue;
          auto& counts = group(k, run.group);
          auto part =
              values.subspan(static_cast<std::size_t>(run.begin), static_cast<std::size_t>(run.end - run.begin));
          counts.missing += static_cast<std::int64_t>(cuts_->count(part, counts.cells));
          if (outside) counts.beyond += beyond(part);
        }
        continue;
      }
      if (!located) {
        places_.resize(values.size());
        cuts_->locate(values, places_);
        located = true;
      }
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (m.groups[i] < 0) continue;
        auto& counts = group(k, m.groups[i]);
        if (places_[i] == 0xffff)
          ++counts.missing;
        else
          ++counts.cells[places_[i]];
        if (outside) counts.beyond += beyond(values.subspan(i, 1));
      }
    }
  }

  void add_codes(Coded coded, std::span<const Membership> groups) {
    map_.assign(coded.dictionary.size(), -1);
    // Dictionary entries are looked up when a row first uses them: not every entry need be used, and only what is
    // used may become a new category.
    auto place = [&](std::int32_t code) {
      auto& slot = map_[static_cast<std::size_t>(code)];
      if (slot >= 0) return slot;
      auto name = coded.dictionary[static_cast<std::size_t>(code)];
      if (auto it = index_.find(name); it != index_.end()) return slot = it->second;
      // Where the reference's own table was cut short, nobody can tell a new category from a rare one.
      if (profile_.halved || profile_.other > 0 || fresh.size() >= kFresh) return slot = other_;
      slot = other_ + 1 + static_cast<std::int32_t>(fresh.size());
      fresh.emplace_back(name);
      index_.emplace(std::string(name), slot);
      return slot;
    };
    for (std::size_t k = 0; k < groups.size(); ++k) {
      const auto& m = groups[k];
      auto one = [&](Counts*& counts, std::int32_t code, std::int32_t g) {
        if (code < 0) {
          counts->missing += code != kNotCounted;
          return;
        }
        auto cell = static_cast<std::size_t>(place(code));
        if (cell >= counts->cells.size()) counts = &group(k, g);
        ++counts->cells[cell];
      };
      if (!m.runs.empty()) {
        for (const auto& run : m.runs) {
          if (run.group < 0) continue;
          auto* counts = &group(k, run.group);
          for (auto i = run.begin; i < run.end; ++i) one(counts, coded.codes[static_cast<std::size_t>(i)], run.group);
        }
      } else {
        for (std::size_t i = 0; i < coded.codes.size(); ++i) {
          if (m.groups[i] < 0) continue;
          auto* counts = &group(k, m.groups[i]);
          one(counts, coded.codes[i], m.groups[i]);
        }
      }
    }
  }

  const ColumnProfile& profile_;
  bool halved_;
  std::optional<sketch::CutIndex> cuts_;
  Index index_;
  std::int32_t other_ = 0;
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_, half_, map_;
  std::vector<std::uint16_t> places_;
  bool words_ = false, marks_ = false;

 public:
  std::vector<std::vector<Counts>> cells;  // [segmentation][group]
  std::vector<std::string> fresh;
  std::int64_t mismatches = 0, infinite = 0;
  double minimum = kInfinity, maximum = -kInfinity;
};

}  // namespace

void Membership::find_runs() {
  runs.clear();
  auto most = groups.size() / 64 + 1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i + 1;
    while (end < groups.size() && groups[end] == groups[i]) ++end;
    if (runs.size() == most) {
      runs.clear();
      return;
    }
    runs.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(end), groups[i]});
    i = end;
  }
}

std::int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

std::size_t find_column(const table::Schema& schema, std::string_view name) {
  auto it = std::find_if(schema.begin(), schema.end(), [&](const auto& f) { return f.name == name; });
  return it == schema.end() ? std::string::npos : static_cast<std::size_t>(it - schema.begin());
}

std::span<const double> project(const table::Column& column, ColumnType type, std::vector<double>& buffer,
                                std::int64_t& infinite) {
  if (type == ColumnType::kText) {
    std::vector<double> lengths(column.dictionary.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<double>(characters(column.dictionary[i]));
    buffer.resize(column.codes.size());
    for (std::size_t i = 0; i < buffer.size(); ++i)
      buffer[i] = column.codes[i] < 0 ? NAN : lengths[static_cast<std::size_t>(column.codes[i])];
    return buffer;
  }
  std::span<const double> values = column.numbers;
  if (type == ColumnType::kEmbedding) {
    auto rows = column.offsets.empty() ? 0 : column.offsets.size() - 1;
    buffer.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      double square = 0;
      for (auto j = column.offsets[i]; j < column.offsets[i + 1]; ++j) {
        double v = column.values[static_cast<std::size_t>(j)];
        square += v * v;
      }
      bool gone = (!column.missing.empty() && column.missing[i]) || column.offsets[i] == column.offsets[i + 1];
      buffer[i] = gone ? NAN : std::sqrt(square);
    }
    values = buffer;
  }
  std::int64_t found = 0;
  for (double v : values) found += std::fabs(v) == kInfinity;
  if (found == 0) return values;
  infinite += found;
  if (values.data() != buffer.data()) buffer.assign(values.begin(), values.end());
  for (double& v : buffer)
    if (std::fabs(v) == kInfinity) v = NAN;
  return buffer;
}

Coded encode(const table::Column& column, std::vector<std::int32_t>& buffer) {
  if (column.type == table::Type::kString) return {column.codes, column.dictionary};
  static constexpr std::array<std::string_view, 2> kBoolean{"false", "true"};
  buffer.resize(column.numbers.size());
  for (std::size_t i = 0; i < buffer.size(); ++i)
    buffer[i] = std::isnan(column.numbers[i]) ? -1 : column.numbers[i] != 0;
  return {buffer, kBoolean};
}

Segmenter::Segmenter(SegmentBy by, std::vector<std::size_t> columns, const std::vector<std::string>* known)
    : by_(std::move(by)), columns_(std::move(columns)), fixed_(known != nullptr) {
  if (!known) return;
  names_ = *known;
  for (std::size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<std::int32_t>(i));
  if (auto it = index_.find(to_string(by_) + "=(other)"); it != index_.end()) other_ = it->second;
}

std::int32_t Segmenter::number(const std::string& name) {
  if (auto it = index_.find(name); it != index_.end()) return it->second;
  if (fixed_) return other_;
  auto n = static_cast<std::int32_t>(names_.size());
  names_.push_back(name);
  index_.emplace(name, n);
  return n;
}

Status Segmenter::assign(table::Batch& batch, std::vector<std::int32_t>& out) {
  auto rows = static_cast<std::size_t>(batch.rows());
  out.assign(rows, 0);
  // Values are numbered within the batch first (texts by their code, numbers by value), joined, then named once each.
  std::vector<std::vector<std::string>> texts(columns_.size());
  std::vector<std::vector<std::uint32_t>> locals(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    VIGIE_ASSIGN(auto column, batch.column(columns_[c]));
    auto& local = locals[c];
    local.assign(rows, 0);
    texts[c].push_back("(missing)");
    if (column.type == table::Type::kString) {
      for (auto name : column.dictionary) texts[c].emplace_back(name);
      for (std::size_t i = 0; i < rows; ++i) local[i] = static_cast<std::uint32_t>(column.codes[i] + 1);
    } else if (column.type == table::Type::kList || column.type == table::Type::kSkip) {
      return fail(Code::kUsage, fmt::format("--segment {}: a list of numbers cannot be a segment", by_[c]));
    } else {
      std::unordered_map<double, std::uint32_t> seen;
      for (std::size_t i = 0; i < rows; ++i) {
        double v = column.numbers[i];
        if (std::isnan(v)) continue;
        auto [it, fresh] = seen.try_emplace(v, static_cast<std::uint32_t>(texts[c].size()));
        if (fresh)
          texts[c].push_back(column.type == table::Type::kBoolean ? (v != 0 ? "true" : "false") : fmt::format("{}", v));
        local[i] = it->second;
      }
    }
  }
  std::unordered_map<std::uint64_t, std::int32_t> numbers;
  std::uint64_t last = ~0ULL;
  std::int32_t last_number = -1;
  for (std::size_t i = 0; i < rows; ++i) {
    std::uint64_t key = locals[0][i];
    if (columns_.size() > 1) key |= static_cast<std::uint64_t>(locals[1][i]) << 32;
    if (key != last) {
      last = key;
      auto [it, fresh] = numbers.try_emplace(key, -1);
      if (fresh) {
        auto name = by_[0] + "=" + texts[0][key & 0xffffffffU];
        if (columns_.size() > 1) name += "," + by_[1] + "=" + texts[1][key >> 32];
        it->second = number(name);
        if (names_.size() > kMostSegments)
          return fail(Code::kUsage, fmt::format("--segment {}: more than {} different values; choose a column with few",
                                                to_string(by_), kMostSegments));
      }
      last_number = it->second;
    }
    out[i] = last_number;
  }
  return {};
}

Status check_time(const table::Field& column, const std::string& source) {
  using table::Type;
  if (column.type == Type::kTimestamp || column.type == Type::kInteger || column.type == Type::kFloat) return {};
  return fail(Code::kUsage,
              fmt::format("--timestamp: column \"{}\" of {} is {}, not a time (ISO 8601 or epoch numbers)", column.name,
                          source, column.type == Type::kString ? "text" : table::to_string(column.type)));
}

Result<std::span<const double>> read_times(table::Batch& batch, std::size_t column, std::vector<double>& buffer) {
  VIGIE_ASSIGN(auto c, batch.column(column));
  if (c.type == table::Type::kTimestamp) return c.numbers;
  buffer.assign(c.numbers.begin(), c.numbers.end());
  for (double& v : buffer) {
    double size = std::fabs(v);
    v *= size < 1e11 ? 1e6 : size < 1e14 ? 1e3 : size < 1e17 ? 1 : 1e-3;
  }
  return std::span<const double>(buffer);
}

Error no_rows(const std::string& name, const table::Problems& problems) {
  if (problems.messages.empty()) return fail(Code::kInput, fmt::format("{}: no rows", name));
  return fail(Code::kInput, fmt::format("{}; no record of {} could be read", problems.messages[0], name));
}

const Counts* Tally::at(std::size_t column, std::size_t segmentation, std::size_t window, std::size_t segment) const {
  const auto& groups = cells[column][segmentation];
  auto i = window * widths[segmentation] + segment;
  return i < groups.size() ? &groups[i] : nullptr;
}

Result<Tally> tally(table::Input& input, const Profile& profile, const TallyOptions& options) {
  table::Schema wanted;
  auto want = [&](const std::string& name, table::Type type) {
    if (find_column(wanted, name) == std::string::npos) wanted.push_back({name, type});
  };
  for (const auto& c : profile.columns) want(c.name, c.source);
  auto want_other = [&](const std::string& name, table::Type otherwise) {
    auto i = find_column(profile.others, name);
    want(name, i == std::string::npos ? otherwise : profile.others[i].type);
  };
  if (options.window.calendar()) want_other(options.timestamp, table::Type::kTimestamp);
  for (auto k : options.segmentations)
    for (const auto& name : profile.segmentations[k]) want_other(name, table::Type::kString);
  VIGIE_ASSIGN(auto reader, input.open(wanted));

  Tally t;
  VIGIE_ASSIGN(auto windower, Windower::make(options.window));
  t.windower = std::move(windower);
  t.widths.push_back(1);
  std::vector<Segmenter> segmenters;
  auto locate = [&](const std::string& name, std::string_view role) -> Result<std::size_t> {
    auto i = find_column(reader->schema(), name);
    if (i != std::string::npos) return i;
    return fail(Code::kUsage, fmt::format("{}: no column \"{}\", which {} needs", input.name(), name, role));
  };
  std::size_t time_column = 0;
  if (options.window.calendar()) {
    VIGIE_ASSIGN(time_column, locate(options.timestamp, "--timestamp"));
    VIGIE_TRY(check_time(reader->schema()[time_column], input.name()));
  }
  for (auto k : options.segmentations) {
    std::vector<std::size_t> columns;
    for (const auto& name : profile.segmentations[k]) {
      VIGIE_ASSIGN(auto i, locate(name, "--segment"));
      columns.push_back(i);
    }
    t.widths.push_back(std::max<std::size_t>(1, profile.segments[k].size()));
    segmenters.emplace_back(profile.segmentations[k], std::move(columns), &profile.segments[k]);
  }

  std::vector<ColumnCounter> counters;
  std::vector<std::size_t> where;
  counters.reserve(profile.columns.size());
  for (const auto& c : profile.columns) {
    counters.emplace_back(c, t.widths.size(), options.reference);
    where.push_back(find_column(reader->schema(), c.name));
    t.present.push_back(where.back() != std::string::npos);
  }

  // Bytes of one window or segment over all columns, and of all that were met.
  std::int64_t each = 0, held = 0;
  for (const auto& c : profile.columns) {
    auto width = c.cells();
    each += static_cast<std::int64_t>(sizeof(Counts) + width * sizeof(std::int64_t)) + options.group_bytes;
  }
  std::vector<std::vector<bool>> met(t.widths.size());

  std::vector<Membership> groups(t.widths.size());
  std::vector<std::size_t> sizes(t.widths.size());
  std::vector<std::int32_t> windows;
  std::vector<double> time_buffer;
  std::vector<Status> failures(counters.size());
  std::vector<std::vector<std::int32_t>> segment_of(segmenters.size());
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    auto rows = batch->rows();
    std::span<const double> times;
    if (options.window.calendar()) {
      VIGIE_ASSIGN(times, read_times(*batch, time_column, time_buffer));
    }
    t.windower->assign(t.rows, rows, times, windows);
    t.window_rows.resize(t.windower->size());
    for (auto w : windows) {
      if (w < 0)
        ++t.without_time;
      else
        ++t.window_rows[static_cast<std::size_t>(w)];
    }
    groups[0].groups = windows;
    groups[0].find_runs();
    sizes[0] = t.windower->size();
    for (std::size_t k = 0; k < segmenters.size(); ++k) {
      auto& segments = segment_of[k];
      VIGIE_TRY(segmenters[k].assign(*batch, segments));
      auto width = static_cast<std::int32_t>(t.widths[k + 1]);
      for (std::size_t i = 0; i < segments.size(); ++i)
        segments[i] = segments[i] < 0 || windows[i] < 0 ? -1 : windows[i] * width + segments[i];
      groups[k + 1].groups = segments;
      groups[k + 1].find_runs();
      sizes[k + 1] = t.windower->size() * t.widths[k + 1];
    }
    for (std::size_t k = 0; k < groups.size(); ++k) {
      met[k].resize(sizes[k]);
      for (auto g : groups[k].groups)
        if (g >= 0 && !met[k][static_cast<std::size_t>(g)]) met[k][static_cast<std::size_t>(g)] = true, held += each;
    }
    if (held > options.most_bytes)
      return fail(Code::kUsage,
                  fmt::format("{}: {}{} by row {} are more than fit in {} MB; choose larger windows or fewer segments",
                              input.name(), plural(static_cast<long long>(t.windower->size()), "window"),
                              segmenters.empty() ? "" : " and their segments", with_commas(t.rows + rows),
                              options.most_bytes >> 20));
    parallel_for(counters.size(), options.threads, [&](std::size_t i) {
      if (!t.present[i]) return counters[i].add_missing(groups, sizes);
      auto column = batch->column(where[i]);
      if (!column)
        failures[i] = std::move(column.error());
      else
        counters[i].add(*column, t.rows, groups, sizes), batch->release(where[i]);
    });
    for (auto& f : failures) VIGIE_TRY(std::move(f));
    t.rows += rows;
    if (options.progress)
      options.progress(static_cast<double>(reader->consumed()) / std::max(1.0, static_cast<double>(input.bytes())));
  }
  t.problems = reader->problems();
  if (t.rows > 0 && t.windower->size() == 0)
    return fail(Code::kInput, fmt::format("{}: no row has a time in column \"{}\"", input.name(), options.timestamp));
  for (auto& c : counters) {
    t.only_numbers.push_back(c.only_numbers());
    t.cells.push_back(std::move(c.cells));
    t.mismatches.push_back(c.mismatches);
    t.infinite.push_back(c.infinite);
    t.minimum.push_back(c.minimum);
    t.maximum.push_back(c.maximum);
    t.fresh.push_back(std::move(c.fresh));
  }
  return t;
}

}  // namespace vigie::engine

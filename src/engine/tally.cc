// SPDX-License-Identifier: Apache-2.0
#include "engine/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/aspect_values_internal.h"
#include "engine/column_counter_internal.h"
#include "engine/quality_counter_internal.h"
#include "engine/segmenter_internal.h"

namespace vigie::engine {

std::size_t find_column(const table::Schema& schema, std::string_view name) {
  auto it = std::find_if(schema.begin(), schema.end(), [&](const auto& f) { return f.name == name; });
  return it == schema.end() ? std::string::npos : static_cast<std::size_t>(it - schema.begin());
}

Status check_time(const table::Field& column, const std::string& source) {
  using table::Type;
  if (column.type == Type::kTimestamp || column.type == Type::kInteger || column.type == Type::kFloat) return {};
  return fail(Code::kUsage,
              fmt::format("--timestamp: column \"{}\" of {} is {}, not a time (ISO 8601 or epoch numbers)", column.name,
                          source, column.type == Type::kString ? "text" : table::to_string(column.type)));
}

std::span<const double> as_times(const table::Column& c, std::vector<double>& buffer) {
  if (c.type == table::Type::kTimestamp) return c.numbers;
  buffer.assign(c.numbers.begin(), c.numbers.end());
  for (double& v : buffer) {
    double size = std::fabs(v);
    v *= size < 1e11 ? 1e6 : size < 1e14 ? 1e3 : size < 1e17 ? 1 : 1e-3;
  }
  return buffer;
}

Result<std::span<const double>> read_times(table::Batch& batch, std::size_t column, std::vector<double>& buffer) {
  VIGIE_ASSIGN(auto c, batch.column(column));
  return as_times(c, buffer);
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

std::span<const double> Tally::values_at(std::size_t column, std::size_t segmentation, std::size_t window,
                                         std::size_t segment) const {
  const auto& groups = values[column][segmentation];
  auto i = window * widths[segmentation] + segment;
  return i < groups.size() ? std::span<const double>(groups[i]) : std::span<const double>();
}

drift::Vectors Tally::vectors_at(std::size_t column, std::size_t segmentation, std::size_t window,
                                 std::size_t segment) const {
  const auto& groups = vectors[column][segmentation];
  auto i = window * widths[segmentation] + segment;
  return i < groups.size() ? groups[i].vectors() : drift::Vectors();
}

Span Tally::span_at(std::size_t column, std::size_t segmentation, std::size_t window, std::size_t segment) const {
  const auto& groups = spans[column][segmentation];
  auto i = window * widths[segmentation] + segment;
  return i < groups.size() ? groups[i] : Span();
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

  const auto keeps_rows = [&](std::size_t i) { return i < options.keep_rows.size() && options.keep_rows[i]; };
  std::vector<ColumnCounter> counters;
  std::vector<std::size_t> where;
  counters.reserve(profile.counted());
  for (std::size_t i = 0; i < profile.counted(); ++i) {
    const auto& c = profile.counted(i);
    counters.emplace_back(c, t.widths.size(), options.reference);
    if (i < options.most_values.size()) counters.back().keep(options.most_values[i]);
    if (keeps_rows(i)) counters.back().keep_rows();
    where.push_back(find_column(reader->schema(), c.name));
    t.present.push_back(where.back() != std::string::npos);
  }

  // Of a window: the columns that are read anyway.
  std::vector<quality::ColumnSpec> checked;
  std::vector<std::size_t> slot(reader->schema().size(), std::string::npos);  // in `checked`
  if (options.quality) {
    Roles roles;
    roles.timestamp = options.timestamp;
    for (std::size_t i = 0; i < reader->schema().size(); ++i) {
      const bool read =
          std::find(where.begin(), where.end(), i) != where.end() || (options.window.calendar() && i == time_column);
      if (!read) continue;
      slot[i] = checked.size();
      checked.push_back(quality_column(reader->schema()[i], roles, options.quality));
    }
  }
  std::optional<quality::TableState> fresh;  // knows the reference's fences, which take a while to find
  if (options.quality) fresh.emplace(checked, options.quality->state.get(), quality::Depth::kCounts);
  Pieces pieces;
  std::vector<QualityBuffer> buffers(checked.size());
  auto check = [&](std::size_t i, const table::Column& column) {
    if (slot[i] == std::string::npos) return;
    auto& buffer = buffers[slot[i]];
    const auto values = pieces.arrange(quality_values(column, checked[slot[i]], buffer), buffer);
    for (const auto& piece : pieces.pieces())
      t.quality[static_cast<std::size_t>(piece.group)].column(slot[i], Pieces::part(values, buffer, piece));
  };
  // Which counters look at a column: its own, and those of its aspects.
  std::vector<std::vector<std::size_t>> beside(profile.columns.size());
  std::vector<AspectValues> derived;
  for (std::size_t a = 0; a < profile.aspects.size(); ++a) {
    const auto& aspect = profile.aspects[a];
    VIGIE_ASSIGN(auto values, AspectValues::make(aspect.aspect, profile.window.zone, aspect.known));
    derived.push_back(std::move(values));
    for (std::size_t i = 0; i < profile.columns.size(); ++i)
      if (profile.columns[i].name == aspect.profile.name) beside[i].push_back(a);
  }

  // Bytes of one window or segment over all columns, and of all that were met, with what the checks hold.
  std::int64_t each = 0, held = 0, row_bytes = 0, groups_met = 0;
  for (std::size_t i = 0; i < profile.counted(); ++i) {
    auto width = profile.counted(i).cells();
    each += static_cast<std::int64_t>(sizeof(Counts) + width * sizeof(std::int64_t)) + options.group_bytes;
    if (!keeps_rows(i)) continue;
    auto length = static_cast<std::size_t>(kTextWidth);
    for (const auto& a : profile.aspects)
      if (a.profile.name == profile.counted(i).name && !a.known.center.empty()) length = a.known.center.size();
    row_bytes += static_cast<std::int64_t>(length * sizeof(float));
  }
  std::vector<std::vector<bool>> met(t.widths.size());
  // What the checks hold of a window is weighed again whenever its rows have doubled.
  struct Weighed {
    std::int64_t rows = 0, bytes = 0;
  };
  std::vector<Weighed> weighed;

  std::vector<Membership> groups(t.widths.size());
  std::vector<std::size_t> sizes(t.widths.size());
  std::vector<std::int32_t> windows;
  std::vector<double> time_buffer;
  std::vector<Status> failures(profile.columns.size());
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
        if (g >= 0 && !met[k][static_cast<std::size_t>(g)])
          met[k][static_cast<std::size_t>(g)] = true, held += each, ++groups_met;
    }
    const auto kept = std::min((t.rows + rows) * static_cast<std::int64_t>(groups.size()),
                               groups_met * static_cast<std::int64_t>(kKeptRows)) *
                      row_bytes;
    if (held + kept > options.most_bytes)
      return fail(Code::kUsage,
                  fmt::format("{}: {}{} by row {} are more than fit in {} MB; choose larger windows or fewer segments",
                              input.name(), plural(static_cast<long long>(t.windower->size()), "window"),
                              segmenters.empty() ? "" : " and their segments", with_commas(t.rows + rows),
                              options.most_bytes >> 20));
    if (options.quality) {
      pieces.cut(windows);
      while (t.quality.size() < t.windower->size()) t.quality.push_back(fresh->copy());
      for (const auto& piece : pieces.pieces()) {
        auto& state = t.quality[static_cast<std::size_t>(piece.group)];
        state.begin(state.rows(), piece.size);
      }
      // A column of times alone is read by nobody else.
      if (options.window.calendar() && std::find(where.begin(), where.end(), time_column) == where.end()) {
        VIGIE_ASSIGN(auto column, batch->column(time_column));
        check(time_column, column);
      }
    }
    parallel_for(profile.columns.size(), options.threads, [&](std::size_t i) {
      if (!t.present[i]) {
        counters[i].add_missing(groups, sizes);
        for (auto a : beside[i]) counters[profile.columns.size() + a].add_missing(groups, sizes);
        return;
      }
      auto column = batch->column(where[i]);
      if (!column) {
        failures[i] = std::move(column.error());
        return;
      }
      counters[i].add(*column, t.rows, groups, sizes);
      check(where[i], *column);
      for (auto a : beside[i]) counters[profile.columns.size() + a].add(derived[a].of(*column), t.rows, groups, sizes);
      batch->release(where[i]);
    });
    for (auto& f : failures) VIGIE_TRY(std::move(f));
    if (options.quality) {
      weighed.resize(t.quality.size());
      for (const auto& piece : pieces.pieces()) {
        auto& state = t.quality[static_cast<std::size_t>(piece.group)];
        auto& last = weighed[static_cast<std::size_t>(piece.group)];
        state.end();
        if (state.rows() < 2 * last.rows) continue;
        held -= last.bytes;
        last = {state.rows(), static_cast<std::int64_t>(state.size_bytes())};
        held += last.bytes;
      }
    }
    t.rows += rows;
    if (options.progress)
      options.progress(static_cast<double>(reader->consumed()) / std::max(1.0, static_cast<double>(input.bytes())));
  }
  t.problems = reader->problems();
  for (const auto& segmenter : segmenters)
    if (segmenter.strays() > 0)
      t.strays.push_back(fmt::format("{}: {} of segments that the reference has not, such as {}, in no segment",
                                     input.name(), plural(segmenter.strays(), "row"), segmenter.stray()));
  if (t.rows > 0 && t.windower->size() == 0)
    return fail(Code::kInput, fmt::format("{}: no row has a time in column \"{}\"", input.name(), options.timestamp));
  for (auto& c : counters) {
    c.finish(t.rows == profile.rows);
    t.only_numbers.push_back(c.only_numbers());
    t.cells.push_back(std::move(c.cells));
    t.values.push_back(c.take_values());
    t.vectors.push_back(c.take_rows());
    t.spans.push_back(std::move(c.spans));
    t.mismatches.push_back(c.mismatches);
    t.infinite.push_back(c.infinite);
    t.minimum.push_back(c.minimum);
    t.maximum.push_back(c.maximum);
    t.fresh.push_back(std::move(c.fresh));
  }
  return t;
}

}  // namespace vigie::engine

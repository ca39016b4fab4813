// SPDX-License-Identifier: Apache-2.0
#include "engine/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/tally_builder_internal.h"

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

table::Schema TallyBuilder::wanted(const Profile& profile, const TallyOptions& options) {
  table::Schema wanted;
  auto want = [&](const std::string& name, table::Type type) {
    if (find_column(wanted, name) == std::string::npos) wanted.push_back({name, type});
  };
  for (const auto& c : profile.columns) want(c.name, c.source);
  auto want_other = [&](const std::string& name, table::Type otherwise) {
    auto i = find_column(profile.others, name);
    want(name, i == std::string::npos ? otherwise : profile.others[i].type);
  };
  if (options.reads_times()) want_other(options.timestamp, table::Type::kTimestamp);
  for (auto k : options.segmentations)
    for (const auto& name : profile.segmentations[k]) want_other(name, table::Type::kString);
  return wanted;
}

Result<TallyBuilder> TallyBuilder::make(const Profile& profile, const table::Schema& schema, std::string source,
                                        TallyOptions options) {
  TallyBuilder b(profile, std::move(source), std::move(options));
  VIGIE_TRY(b.start(schema));
  return b;
}

TallyBuilder::TallyBuilder(const Profile& profile, std::string source, TallyOptions options)
    : profile_(&profile), source_(std::move(source)), options_(std::move(options)) {}
TallyBuilder::TallyBuilder(TallyBuilder&&) noexcept = default;
TallyBuilder& TallyBuilder::operator=(TallyBuilder&&) noexcept = default;
TallyBuilder::~TallyBuilder() = default;

Status TallyBuilder::start(const table::Schema& schema) {
  const auto& profile = *profile_;
  VIGIE_ASSIGN(auto windower, Windower::make(options_.window));
  tally_.windower = std::move(windower);
  tally_.widths.push_back(1);
  auto locate = [&](const std::string& name, std::string_view role) -> Result<std::size_t> {
    auto i = find_column(schema, name);
    if (i != std::string::npos) return i;
    return fail(Code::kUsage, fmt::format("{}: no column \"{}\", which {} needs", source_, name, role));
  };
  if (options_.reads_times()) {
    VIGIE_ASSIGN(time_column_, locate(options_.timestamp, "--timestamp"));
    VIGIE_TRY(check_time(schema[time_column_], source_));
  }
  for (auto k : options_.segmentations) {
    std::vector<std::size_t> columns;
    for (const auto& name : profile.segmentations[k]) {
      VIGIE_ASSIGN(auto i, locate(name, "--segment"));
      columns.push_back(i);
    }
    tally_.widths.push_back(std::max<std::size_t>(1, profile.segments[k].size()));
    segmenters_.emplace_back(profile.segmentations[k], std::move(columns), &profile.segments[k]);
  }

  counters_.reserve(profile.counted());
  for (std::size_t i = 0; i < profile.counted(); ++i) {
    const auto& c = profile.counted(i);
    counters_.emplace_back(c, tally_.widths.size(), options_.reference);
    if (i < options_.most_values.size()) counters_.back().keep(options_.most_values[i]);
    if (keeps_rows(i)) counters_.back().keep_rows();
    where_.push_back(find_column(schema, c.name));
    tally_.present.push_back(where_.back() != std::string::npos);
  }

  // Of a window: the columns that are read anyway.
  slot_.assign(schema.size(), std::string::npos);
  if (options_.quality) {
    Roles roles;
    roles.timestamp = options_.timestamp;
    for (std::size_t i = 0; i < schema.size(); ++i) {
      const bool read =
          std::find(where_.begin(), where_.end(), i) != where_.end() || (options_.reads_times() && i == time_column_);
      if (!read) continue;
      slot_[i] = checked_.size();
      checked_.push_back(quality_column(schema[i], roles, options_.quality));
    }
    fresh_ = std::make_unique<quality::TableState>(checked_, options_.quality->state.get(), quality::Depth::kCounts);
  }
  buffers_.resize(checked_.size());
  // Which counters look at a column: its own, and those of its aspects.
  beside_.resize(profile.columns.size());
  for (std::size_t a = 0; a < profile.aspects.size(); ++a) {
    const auto& aspect = profile.aspects[a];
    VIGIE_ASSIGN(auto values, AspectValues::make(aspect.aspect, profile.window.zone, aspect.known));
    derived_.push_back(std::move(values));
    for (std::size_t i = 0; i < profile.columns.size(); ++i)
      if (profile.columns[i].name == aspect.profile.name) beside_[i].push_back(a);
  }

  for (std::size_t i = 0; i < profile.counted(); ++i) {
    auto width = profile.counted(i).cells();
    each_ += static_cast<std::int64_t>(sizeof(Counts) + width * sizeof(std::int64_t)) + options_.group_bytes;
    if (!keeps_rows(i)) continue;
    auto length = static_cast<std::size_t>(kTextWidth);
    for (const auto& a : profile.aspects)
      if (a.profile.name == profile.counted(i).name && !a.known.center.empty()) length = a.known.center.size();
    row_bytes_ += static_cast<std::int64_t>(length * sizeof(float));
  }
  met_.resize(tally_.widths.size());
  groups_.resize(tally_.widths.size());
  sizes_.resize(tally_.widths.size());
  segment_of_.resize(segmenters_.size());
  return {};
}

void TallyBuilder::check(std::size_t i, const table::Column& column) {
  if (slot_[i] == std::string::npos) return;
  auto& buffer = buffers_[slot_[i]];
  const auto values = pieces_.arrange(quality_values(column, checked_[slot_[i]], buffer), buffer);
  for (const auto& piece : pieces_.pieces())
    tally_.quality[static_cast<std::size_t>(piece.group)].column(slot_[i], Pieces::part(values, buffer, piece));
}

Status TallyBuilder::demand(std::vector<Expectation> rules) {
  VIGIE_ASSIGN(fresh_rules_, quality::RuleStates::make(std::move(rules), checked_, source_));
  return {};
}

bool TallyBuilder::demands() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const auto& states) { return !states.empty(); });
}

Status TallyBuilder::judge_rules(table::Batch& batch, std::span<const std::int64_t> numbers) {
  while (rules_.size() < tally_.windower->size()) rules_.push_back(fresh_rules_.copy());
  if (!demands()) return {};
  std::vector<quality::Values> all(checked_.size()), some(checked_.size());
  for (std::size_t i = 0; i < slot_.size(); ++i) {
    const auto slot = slot_[i];
    if (slot == std::string::npos ||
        std::none_of(rules_.begin(), rules_.end(), [slot](const auto& states) { return states.reads(slot); }))
      continue;
    VIGIE_ASSIGN(const auto column, batch.column(i));
    all[slot] = pieces_.arrange(quality_values(column, checked_[slot], buffers_[slot]), buffers_[slot]);
  }
  std::vector<std::int64_t> rows;
  for (const auto& piece : pieces_.pieces()) {
    auto& states = rules_[static_cast<std::size_t>(piece.group)];
    if (states.empty()) continue;
    for (std::size_t slot = 0; slot < all.size(); ++slot) some[slot] = Pieces::part(all[slot], buffers_[slot], piece);
    pieces_.number(piece, numbers.empty() ? tally_.rows : 0, rows);
    if (!numbers.empty())
      for (auto& row : rows) row = numbers[static_cast<std::size_t>(row)];
    states.update(states.next_row(), piece.size, some, rows);
  }
  return {};
}

Status TallyBuilder::find_groups(table::Batch& batch) {
  const auto rows = batch.rows();
  std::span<const double> times;
  if (options_.reads_times()) {
    VIGIE_ASSIGN(times, read_times(batch, time_column_, time_buffer_));
  }
  auto& t = tally_;
  t.windower->assign(t.rows, rows, times, windows_);
  t.window_rows.resize(t.windower->size());
  for (auto w : windows_) {
    if (w < 0)
      ++t.without_time;
    else
      ++t.window_rows[static_cast<std::size_t>(w)];
  }
  groups_[0].groups = windows_;
  groups_[0].find_runs();
  sizes_[0] = t.windower->size();
  for (std::size_t k = 0; k < segmenters_.size(); ++k) {
    auto& segments = segment_of_[k];
    VIGIE_TRY(segmenters_[k].assign(batch, segments));
    auto width = static_cast<std::int32_t>(t.widths[k + 1]);
    for (std::size_t i = 0; i < segments.size(); ++i)
      segments[i] = segments[i] < 0 || windows_[i] < 0 ? -1 : windows_[i] * width + segments[i];
    groups_[k + 1].groups = segments;
    groups_[k + 1].find_runs();
    sizes_[k + 1] = t.windower->size() * t.widths[k + 1];
  }
  for (std::size_t k = 0; k < groups_.size(); ++k) {
    met_[k].resize(sizes_[k]);
    for (auto g : groups_[k].groups)
      if (g >= 0 && !met_[k][static_cast<std::size_t>(g)])
        met_[k][static_cast<std::size_t>(g)] = true, held_ += each_, ++groups_met_;
  }
  const auto kept = std::min((t.rows + rows) * static_cast<std::int64_t>(groups_.size()),
                             groups_met_ * static_cast<std::int64_t>(kKeptRows)) *
                    row_bytes_;
  if (held_ + kept > options_.most_bytes)
    return fail(Code::kUsage,
                fmt::format("{}: {}{} by row {} are more than fit in {} MB; choose larger windows or fewer segments",
                            source_, plural(static_cast<long long>(t.windower->size()), "window"),
                            segmenters_.empty() ? "" : " and their segments", with_commas(t.rows + rows),
                            options_.most_bytes >> 20));
  return {};
}

Status TallyBuilder::add(table::Batch& batch, std::span<const std::int64_t> numbers) {
  VIGIE_TRY(find_groups(batch));
  auto& t = tally_;
  if (options_.quality) {
    pieces_.cut(windows_);
    while (t.quality.size() < t.windower->size()) t.quality.push_back(fresh_->copy());
    for (const auto& piece : pieces_.pieces()) {
      auto& state = t.quality[static_cast<std::size_t>(piece.group)];
      state.begin(state.rows(), piece.size);
    }
    VIGIE_TRY(judge_rules(batch, numbers));
    // A column of times alone is read by nobody else.
    if (options_.reads_times() && std::find(where_.begin(), where_.end(), time_column_) == where_.end()) {
      VIGIE_ASSIGN(auto column, batch.column(time_column_));
      check(time_column_, column);
    }
  }
  const auto own = profile_->columns.size();
  std::vector<Status> failures(own);
  parallel_for(own, options_.threads, [&](std::size_t i) {
    if (!t.present[i]) {
      counters_[i].add_missing(groups_, sizes_);
      for (auto a : beside_[i]) counters_[own + a].add_missing(groups_, sizes_);
      return;
    }
    auto column = batch.column(where_[i]);
    if (!column) {
      failures[i] = std::move(column.error());
      return;
    }
    counters_[i].add(*column, t.rows, groups_, sizes_);
    check(where_[i], *column);
    for (auto a : beside_[i]) counters_[own + a].add(derived_[a].of(*column), t.rows, groups_, sizes_);
    batch.release(where_[i]);
  });
  for (auto& f : failures) VIGIE_TRY(std::move(f));
  if (options_.quality) {
    weighed_.resize(t.quality.size());
    for (const auto& piece : pieces_.pieces()) {
      auto& state = t.quality[static_cast<std::size_t>(piece.group)];
      auto& last = weighed_[static_cast<std::size_t>(piece.group)];
      state.end();
      if (state.rows() < 2 * last.rows) continue;
      held_ -= last.bytes;
      last = {state.rows(), static_cast<std::int64_t>(state.size_bytes() +
                                                      rules_[static_cast<std::size_t>(piece.group)].size_bytes())};
      held_ += last.bytes;
    }
  }
  t.rows += batch.rows();
  return {};
}

Result<Tally> TallyBuilder::finish(table::Problems problems) {
  tally_.problems = std::move(problems);
  return complete(std::move(tally_), std::move(counters_));
}

Result<Tally> TallyBuilder::so_far() const {
  Tally t;
  t.windower.emplace(*tally_.windower), t.window_rows = tally_.window_rows, t.widths = tally_.widths;
  t.rows = tally_.rows, t.without_time = tally_.without_time, t.present = tally_.present;
  for (const auto& state : tally_.quality) t.quality.push_back(state.copy());
  return complete(std::move(t), counters_);
}

Result<Tally> TallyBuilder::complete(Tally t, std::vector<ColumnCounter> counters) const {
  for (const auto& segmenter : segmenters_)
    if (segmenter.strays() > 0)
      t.strays.push_back(fmt::format("{}: {} of segments that the reference has not, such as {}, in no segment",
                                     source_, plural(segmenter.strays(), "row"), segmenter.stray()));
  if (t.rows > 0 && t.windower->size() == 0)
    return fail(Code::kInput, fmt::format("{}: no row has a time in column \"{}\"", source_, options_.timestamp));
  for (const auto& states : rules_) t.rules.push_back(states.findings());
  for (auto& c : counters) {
    c.finish(t.rows == profile_->rows);
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

Result<Tally> tally(table::Input& input, const Profile& profile, const TallyOptions& options) {
  VIGIE_ASSIGN(auto reader, input.open(TallyBuilder::wanted(profile, options)));
  VIGIE_ASSIGN(auto builder, TallyBuilder::make(profile, reader->schema(), input.name(), options));
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    VIGIE_TRY(builder.add(*batch));
    if (options.progress)
      options.progress(static_cast<double>(reader->consumed()) / std::max(1.0, static_cast<double>(input.bytes())));
  }
  return builder.finish(reader->problems());
}

}  // namespace vigie::engine

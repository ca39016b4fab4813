// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/aspect_builder_internal.h"
#include "engine/profile.h"
#include "engine/quality_counter_internal.h"
#include "engine/quality_reference.h"
#include "engine/roles.h"
#include "engine/segmenter.h"
#include "engine/summaries_internal.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

struct Chosen {
  std::vector<std::string> names;
  std::vector<Role> roles;
};

// Which columns are compared, and as what.
Result<Chosen> choose_columns(const table::Schema& schema, const ProfileOptions& options, const std::string& source) {
  const auto& roles = options.roles;
  std::vector<std::string> known;
  for (const auto& f : schema) known.push_back(f.name);
  for (const auto& f : options.schema)
    if (find_column(schema, f.column) == std::string::npos)
      return fail(Code::kUsage, fmt::format("--schema: {}", unknown_name("column", f.column, known, " in " + source)));
  VIGIE_TRY(check_roles(known, roles, source));
  Chosen chosen;
  for (const auto& f : schema) {
    auto role = compared_as(f.name, roles);
    if (!role) continue;
    chosen.names.push_back(f.name);
    chosen.roles.push_back(*role);
  }
  if (chosen.names.empty()) return fail(Code::kUsage, fmt::format("{}: no column is left to compare", source));
  return chosen;
}

void add_note(std::vector<std::string>& notes, const std::vector<std::string>& more) {
  for (const auto& n : more)
    if (std::find(notes.begin(), notes.end(), n) == notes.end()) notes.push_back(n);
}

}  // namespace

Result<Profile> make_profile(table::Input& input, const ProfileOptions& options) {
  VIGIE_TRY(check_segments(options.segments));
  Profile profile;
  profile.version = options.version;
  profile.source = input.name();
  profile.window = options.window;
  profile.has_time = !options.roles.timestamp.empty();
  profile.timestamp = options.roles.timestamp, profile.weight = options.roles.weight;
  profile.segmentations.push_back({});
  profile.segments.push_back({});
  for (const auto& by : options.segments) profile.segmentations.push_back(by);

  double passes = 1 + (options.window.kind != WindowSpec::Kind::kNone || !options.segments.empty() ? 1 : 0),
         pass_done = 0;
  auto progress = [&](std::uint64_t consumed) {
    if (!options.progress) return;
    double share = static_cast<double>(consumed) / std::max(1.0, static_cast<double>(input.bytes()));
    options.progress((pass_done + std::min(1.0, share)) / passes);
  };

  const bool typed = input.kind() != "CSV" && input.kind() != "TSV";
  Chosen chosen;
  std::vector<ColumnBuilder> builders;
  std::optional<QualityCounter> quality;
  std::vector<std::vector<AspectBuilder>> beside;  // of each of them
  std::vector<Segmenter> segmenters;
  std::vector<std::vector<std::int64_t>> segment_rows;
  std::optional<table::Schema> types;
  table::Schema schema;
  table::Problems problems;
  for (int attempt = 0;; ++attempt) {
    VIGIE_ASSIGN(auto reader, input.open(types));
    schema = reader->schema();
    VIGIE_ASSIGN(chosen, choose_columns(schema, options, input.name()));
    builders.clear();
    beside.clear();
    std::vector<std::size_t> where;
    for (const auto& name : chosen.names) {
      auto i = find_column(schema, name);
      where.push_back(i);
      std::optional<ColumnType> as;
      for (const auto& f : options.schema)
        if (f.column == name) as = f.as;
      builders.emplace_back(name, schema[i].type, as, typed, options.sketches);
      beside.emplace_back();
      for (const auto& info : aspects()) {
        if (info.of != ColumnType::kTimestamp || schema[i].type != table::Type::kTimestamp) continue;
        VIGIE_ASSIGN(auto values, AspectValues::make(info.aspect, options.window.zone));
        beside.back().push_back({info.aspect, std::move(values),
                                 ColumnBuilder(name, table::Type::kString, ColumnType::kCategorical, typed, false)});
      }
    }
    // Besides what is compared: the time, and for checks of their own the ids.
    std::vector<quality::ColumnSpec> checked;
    for (auto i : where) checked.push_back(quality_column(schema[i], options.roles, nullptr));
    for (const auto* name : {&options.roles.timestamp, &options.roles.id}) {
      const auto i = find_column(schema, *name);
      if (i == std::string::npos || std::find(where.begin(), where.end(), i) != where.end()) continue;
      if (!options.sketches && (name == &options.roles.id || !options.window.calendar())) continue;
      where.push_back(i);
      checked.push_back(quality_column(schema[i], options.roles, nullptr));
    }
    quality.emplace(std::move(checked), options.sketches ? quality::Depth::kAll : quality::Depth::kSampled);
    segmenters.clear();
    segment_rows.assign(options.segments.size(), {});
    for (const auto& by : options.segments) {
      std::vector<std::size_t> columns;
      for (const auto& name : by) {
        auto i = find_column(schema, name);
        if (i == std::string::npos) {
          std::vector<std::string> known;
          for (const auto& f : schema) known.push_back(f.name);
          return fail(Code::kUsage,
                      fmt::format("--segment: {}", unknown_name("column", name, known, " in " + input.name())));
        }
        columns.push_back(i);
      }
      segmenters.emplace_back(by, std::move(columns), nullptr);
    }
    if (!options.roles.timestamp.empty()) {
      VIGIE_TRY(check_time(schema[find_column(schema, options.roles.timestamp)], input.name()));
    }
    profile.rows = 0;
    std::vector<Status> failures(where.size());
    std::vector<std::int32_t> segments;
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      for (std::size_t k = 0; k < segmenters.size(); ++k) {
        VIGIE_TRY(segmenters[k].assign(*batch, segments));
        segment_rows[k].resize(segmenters[k].names().size());
        for (auto s : segments) ++segment_rows[k][static_cast<std::size_t>(s)];
      }
      quality->begin(batch->rows());
      parallel_for(where.size(), options.threads, [&](std::size_t i) {
        auto column = batch->column(where[i]);
        if (!column) {
          failures[i] = std::move(column.error());
          return;
        }
        if (i < builders.size()) {
          builders[i].add(*column);
          for (auto& b : beside[i]) b.add(*column);
        }
        quality->column(i, *column);
        batch->release(where[i]);
      });
      quality->end();
      for (auto& f : failures) VIGIE_TRY(std::move(f));
      profile.rows += batch->rows();
      progress(reader->consumed());
    }
    problems = reader->problems();
    add_note(profile.notes, problems.notes);
    if (reader->settled()) {
      schema = reader->schema();
      break;
    }
    if (attempt == 8) return fail(Code::kInternal, fmt::format("{}: column types do not settle", input.name()));
    types = reader->schema();
  }
  profile.rejected = problems.rejected;
  profile.problems = problems.messages;
  if (profile.rows == 0) return no_rows(input.name(), problems);

  profile.quality =
      options.sketches ? std::make_shared<const quality::TableState>(quality->take()) : as_stored(quality->take());
  std::vector<Learner> left;
  for (std::size_t i = 0; i < builders.size(); ++i) {
    if (!builders[i].finish()) left.push_back({i, &builders[i], nullptr});
    for (auto& b : beside[i]) b.finish();
    // Which strings are texts, and what the first half says of them and of embeddings, is known only now.
    const bool times = builders[i].type() == ColumnType::kTimestamp;
    for (const auto& info : aspects()) {
      if (times || info.of != builders[i].type()) continue;
      auto known = info.halved ? builders[i].learnt() : Learnt();
      VIGIE_ASSIGN(auto values, AspectValues::make(info.aspect, {}, known));
      beside[i].push_back({info.aspect, std::move(values),
                           ColumnBuilder(chosen.names[i], table::Type::kFloat, std::nullopt, typed, false),
                           std::move(known)});
    }
    if (times) continue;
    for (auto& b : beside[i]) left.push_back({i, nullptr, &b});
  }
  for (int pass = 0; !left.empty(); ++pass) {
    if (pass == 2)
      return fail(Code::kInternal,
                  fmt::format("{}: column \"{}\" needs a further pass", input.name(), chosen.names[left[0].column]));
    ++passes, ++pass_done;
    table::Schema wanted;
    std::vector<std::vector<Learner>> of;  // parallel to `wanted`
    for (const auto& learner : left) {
      const auto& field = schema[find_column(schema, chosen.names[learner.column])];
      auto at = find_column(wanted, field.name);
      if (at == std::string::npos) at = wanted.size(), wanted.push_back(field), of.emplace_back();
      of[at].push_back(learner);
    }
    VIGIE_ASSIGN(auto reader, input.open(wanted));
    std::vector<Status> failures(wanted.size());
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      parallel_for(wanted.size(), options.threads, [&](std::size_t u) {
        auto at = find_column(reader->schema(), wanted[u].name);
        auto column = batch->column(at);
        if (!column) {
          failures[u] = std::move(column.error());
          return;
        }
        for (const auto& learner : of[u]) learner.add(*column);
        batch->release(at);
      });
      for (auto& f : failures) VIGIE_TRY(std::move(f));
      progress(reader->consumed());
    }
    std::erase_if(left, [](const Learner& learner) { return learner.finish(); });
  }
  for (std::size_t i = 0; i < builders.size(); ++i) {
    profile.columns.push_back(builders[i].take());
    profile.columns.back().role = chosen.roles[i];
    for (auto& b : beside[i]) {
      auto aspect = b.take(chosen.roles[i]);
      // Dates have one hour.
      if (!aspect.profile.categorical() || aspect.profile.categories.size() > 1)
        profile.aspects.push_back(std::move(aspect));
    }
  }
  for (const auto& f : schema)
    if (std::find(chosen.names.begin(), chosen.names.end(), f.name) == chosen.names.end()) profile.others.push_back(f);
  for (std::size_t k = 0; k < segmenters.size(); ++k)
    profile.segments.push_back(segments_to_watch(options.segments[k], segmenters[k].names(), segment_rows[k]));

  if (options.window.kind == WindowSpec::Kind::kNone && options.segments.empty()) return profile;
  ++pass_done;
  TallyOptions tally_options{.window = options.window,
                             .timestamp = options.roles.timestamp,
                             .segmentations = {},
                             .threads = options.threads,
                             .progress = {},
                             .reference = true,
                             .most_values = {},
                             .keep_rows = {}};
  for (std::size_t k = 1; k < profile.segmentations.size(); ++k) tally_options.segmentations.push_back(k);
  if (options.progress)
    tally_options.progress = [&](double share) { options.progress((pass_done + std::min(1.0, share)) / passes); };
  VIGIE_ASSIGN(auto counted, tally(input, profile, tally_options));
  keep_windows(profile, counted);
  return profile;
}

}  // namespace vigie::engine

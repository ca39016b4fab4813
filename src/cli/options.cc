// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/remarks_internal.h"
#include "config/schema_file.h"
#include "engine/windows.h"
#include "server/index_reference.h"

namespace vigie::cli {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from <= text.size() && !text.empty()) {
    auto to = std::min(text.find(at, from), text.size());
    if (to > from) parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

void LevelOptions::add(CLI::App& app, const std::string& usual_watch, const std::string& usual_major) {
  app.add_option("--watch", watch, fmt::format("effect from which a change is a warning (default {})", usual_watch))
      ->type_name("X");
  app.add_option("--major", major, fmt::format("effect from which it is drift (default {})", usual_major))
      ->type_name("Y");
}

Result<std::optional<engine::Levels>> LevelOptions::read() const {
  if (watch.has_value() != major.has_value()) return fail(Code::kUsage, "--watch and --major: give both or none");
  if (!watch) return std::nullopt;
  if (!(*watch >= 0 && *watch <= *major && std::isfinite(*major)))
    return fail(Code::kUsage, fmt::format("--watch {} --major {}: expected 0 ≤ watch ≤ major", *watch, *major));
  return engine::Levels{*watch, *major};
}

Status check_list(std::string_view option, const std::string& given, std::string_view of) {
  if (given.empty() || !split(given).empty()) return {};
  return fail(Code::kUsage, fmt::format("{} {}: names no {}", option, vigie::quoted(given), of));
}

void DataOptions::add(CLI::App& app) {
  const char* columns = "Columns";
  app.add_option("--timestamp", timestamp, "column with the time of each row (ISO 8601 or epoch)")
      ->type_name("COL")
      ->group(columns);
  app.add_option("--prediction", prediction, "column with the model's answer")->type_name("COL")->group(columns);
  app.add_option("--score", score, "column(s) with the model's scores, comma separated")
      ->type_name("COL[,COL…]")
      ->group(columns);
  app.add_option("--label", label, "column with the truth")->type_name("COL")->group(columns);
  app.add_option("--id", id, "column with the id of each row; not compared")->type_name("COL")->group(columns);
  app.add_option("--weight", weight, "column with row weights; not compared, every row counts once")
      ->type_name("COL")
      ->group(columns);
  app.add_option("--features", features, "only these columns, comma separated")
      ->type_name("COL[,COL…]")
      ->group(columns);
  app.add_option("--ignore", ignore, "not these columns, comma separated")->type_name("COL[,COL…]")->group(columns);
  add_reading(app);
}

void DataOptions::add_reading(CLI::App& app) {
  const char* reading = "Reading";
  app.add_option("--schema", schema, "YAML file with column types (columns: {zip: category})")
      ->type_name("FILE")
      ->group(reading);
  app.add_option("--format", format, "csv, tsv, ndjson, parquet or arrow; default: told by content")
      ->type_name("KIND")
      ->group(reading);
  app.add_option("--decimal", decimal, "decimal mark of CSV numbers: . or ,")->type_name("MARK")->group(reading);
  app.add_option("--delimiter", delimiter, "field delimiter of CSV; default: told from the header")
      ->type_name("CHAR")
      ->group(reading);
  app.add_flag("--keep-ragged", keep_ragged, "keep rows with too few or too many fields")->group(reading);
  app.add_flag("--strict", strict, "stop at the first unreadable record")->group(reading);
  app.add_option("--threads", threads, "threads; default: one per core; never changes the result")
      ->type_name("N")
      ->group(reading);
}

Status DataOptions::check(bool distinct) const {
  for (const auto& [option, given] :
       {std::pair{"--score", &score}, std::pair{"--features", &features}, std::pair{"--ignore", &ignore}})
    VIGIE_TRY(check_list(option, *given, "column"));
  VIGIE_TRY(reading());
  std::map<std::string, std::string> role;
  auto take = [&](const std::string& name, const std::string& option) -> Status {
    auto [it, fresh] = role.emplace(name, option);
    if (name.empty() || fresh) return {};
    if (distinct)
      return fail(Code::kUsage, fmt::format("{} {}: the column is the {} already", option, name, it->second));
    say(fmt::format("{} {}: has no effect, the column is the {} already", option, name, it->second));
    return {};
  };
  // In the order in which the engine gives roles.
  for (const auto& [name, option] : {std::pair{&timestamp, "--timestamp"}, std::pair{&id, "--id"},
                                     std::pair{&weight, "--weight"}, std::pair{&prediction, "--prediction"}})
    VIGIE_TRY(take(*name, option));
  for (const auto& s : split(score)) VIGIE_TRY(take(s, "--score"));
  VIGIE_TRY(take(label, "--label"));
  for (const auto& s : split(ignore))
    if (auto it = role.find(s); it != role.end())
      say(fmt::format("--ignore {}: has no effect, the column is the {}", s, it->second));
  return {};
}

Result<table::ReadOptions> DataOptions::reading() const {
  table::ReadOptions read;
  const std::vector<std::string> formats = {"csv", "tsv", "ndjson", "parquet", "arrow"};
  if (!format.empty() && std::find(formats.begin(), formats.end(), format) == formats.end())
    return fail(Code::kUsage,
                fmt::format("--format: {} ({})", unknown_name("format", format, formats), fmt::join(formats, ", ")));
  if (decimal != "." && decimal != ",")
    return fail(Code::kUsage, fmt::format("--decimal: expected . or , and got {}", vigie::quoted(decimal)));
  auto mark = delimiter == "tab" || delimiter == "\\t" ? std::string("\t") : delimiter;
  if (mark.size() > 1)
    return fail(Code::kUsage, fmt::format("--delimiter: expected one character and got {}", vigie::quoted(delimiter)));
  read.format = format, read.decimal = decimal[0], read.delimiter = mark.empty() ? '\0' : mark[0];
  read.keep_ragged = keep_ragged, read.strict = strict, read.threads = threads;
  VIGIE_ASSIGN(auto forced, types());
  for (const auto& f : forced) read.schema[f.column] = f.read;
  return read;
}

Result<std::unique_ptr<table::Input>> DataOptions::open(const std::string& data, const table::Schema& types) const {
  VIGIE_ASSIGN(auto read, reading());
  for (const auto& f : types) read.schema.try_emplace(f.name, f.type);
  VIGIE_TRY(check_in_files(data));
  VIGIE_ASSIGN(auto input, table::open_input(data, read));
  remark(data, input->kind());
  return input;
}

void DataOptions::remark(const std::string& data, std::string_view kind) const {
  if (kind == "CSV" || kind == "TSV") return;
  const std::pair<bool, const char*> options[] = {
      {decimal != ".", "--decimal"}, {!delimiter.empty(), "--delimiter"}, {keep_ragged, "--keep-ragged"}};
  for (const auto& [given, option] : options)
    if (given) say(fmt::format("{}: has no effect on {}, which is {}", option, data, kind));
}

Status DataOptions::remark_types(const std::vector<std::string>& columns, const std::string& source) const {
  VIGIE_ASSIGN(const auto forced, types());
  for (const auto& f : forced)
    if (std::find(columns.begin(), columns.end(), f.column) == columns.end())
      say("--schema: " + unknown_name("column", f.column, columns, " in " + source));
  return {};
}

engine::Roles DataOptions::roles() const {
  return {timestamp, prediction, label, id, weight, split(score), split(features), split(ignore)};
}

Result<std::vector<engine::ForcedType>> DataOptions::types() const {
  std::vector<engine::ForcedType> forced;
  if (schema.empty()) return forced;
  VIGIE_ASSIGN(auto entries, config::load_schema_file(schema));
  for (const auto& e : entries) {
    using table::Type;
    if (e.type == "category")
      forced.push_back({e.column, Type::kString, engine::ColumnType::kCategorical});
    else if (e.type == "text")
      forced.push_back({e.column, Type::kString, engine::ColumnType::kText});
    else if (e.type == "integer")
      forced.push_back({e.column, Type::kInteger, std::nullopt});
    else if (e.type == "float")
      forced.push_back({e.column, Type::kFloat, std::nullopt});
    else if (e.type == "boolean")
      forced.push_back({e.column, Type::kBoolean, std::nullopt});
    else if (e.type == "timestamp")
      forced.push_back({e.column, Type::kTimestamp, std::nullopt});
    else
      forced.push_back({e.column, Type::kList, std::nullopt});
  }
  return forced;
}

void WindowOptions::add(CLI::App& app, bool by_segment) {
  const char* group = by_segment ? "Windows and segments" : "Windows";
  app.add_option("--window-rows", window_rows, "a window is so many rows")->type_name("N")->group(group);
  app.add_option("--window", window,
                 "a window is an hour, day, week or month of --timestamp, or so many minutes, as 15m")
      ->type_name("UNIT")
      ->group(group);
  app.add_option("--timezone", timezone, "where calendar windows begin, as Europe/Paris; default UTC")
      ->type_name("ZONE")
      ->group(group);
  if (!by_segment) return;
  app.add_option("--segment", segments, "compare within each value of COL, or of a pair COL,COL; may be repeated")
      ->type_name("COL[,COL]")
      ->group(group)
      ->allow_extra_args(false);
}

Status check_in_files(const std::string& data) {
  if (!server::is_indexed_rows(data)) return {};
  return fail(Code::kUsage,
              "elastic(…): only vigie profile and vigie compare take rows in a cluster, a file is needed here");
}

Status check_no_file(const CLI::App& app, std::string_view where) {
  for (const auto* name : {"--format", "--decimal", "--delimiter", "--keep-ragged", "--strict"})
    if (app.count(name) > 0) return fail(Code::kUsage, fmt::format("{}: no file is read where {}", name, where));
  return {};
}

Result<std::string> time_of(const std::string& data, const std::string& timestamp) {
  if (!timestamp.empty() || !server::is_indexed_rows(data)) return timestamp;
  VIGIE_ASSIGN(const auto rows, server::make_indexed_rows(data, variable));
  return rows.time;
}

Result<engine::WindowSpec> WindowOptions::spec(const std::string& timestamp) const {
  engine::WindowSpec spec;
  for (const auto& s : segments) VIGIE_TRY(check_list("--segment", s, "column"));
  if (!window.empty() && !window_rows.empty())
    return fail(Code::kUsage, "--window and --window-rows exclude each other");
  if (!window_rows.empty()) {
    auto [end, error] = std::from_chars(window_rows.data(), window_rows.data() + window_rows.size(), spec.rows);
    if (error != std::errc() || end != window_rows.data() + window_rows.size() || spec.rows < 1)
      return fail(Code::kUsage, fmt::format("--window-rows: expected a number of rows from 1 up, got {}",
                                            vigie::quoted(window_rows)));
    spec.kind = engine::WindowSpec::Kind::kRows;
  } else if (!window.empty()) {
    auto windows = engine::calendar_windows(window);
    if (!windows) return fail(Code::kUsage, "--window: " + windows.error().message);
    if (timestamp.empty())
      return fail(Code::kUsage,
                  fmt::format("--window {}: needs --timestamp COL, the column with the time of each row", window));
    spec = std::move(*windows);
    spec.zone = timezone == "UTC" ? "" : timezone;
  }
  if (!timezone.empty() && !spec.calendar())
    return fail(Code::kUsage,
                "--timezone: only windows of the calendar have one: --window hour, day, week, month or 15m");
  // Known now, and not after a pass over the reference.
  VIGIE_TRY(engine::Windower::make(spec));
  return spec;
}

std::vector<engine::SegmentBy> WindowOptions::by() const {
  std::vector<engine::SegmentBy> all;
  for (const auto& s : segments) all.push_back(split(s));
  return all;
}

Result<bool> is_profile_file(const std::string& path) {
  // What a pipe holds can be read once: it is left to open_input().
  if (std::error_code none; !std::filesystem::is_regular_file(path, none)) return false;
  if (path.size() > 4 && path.ends_with(".vpf")) return true;
  VIGIE_ASSIGN(auto file, InputFile::open(path));
  char head[4] = {};
  VIGIE_ASSIGN(auto n, file.read(0, head, sizeof head));
  return engine::is_profile({head, n});
}

namespace {

// A profile's columns are read as they were when it was made: a schema can agree with that, and choose between whole
// numbers and others, no more.
Status fit_schema(engine::Profile& profile, const std::vector<engine::ForcedType>& schema, const DataOptions& options,
                  const std::string& path) {
  std::vector<std::string> names;
  for (const auto& c : profile.columns) names.push_back(c.name);
  for (const auto& f : profile.others) names.push_back(f.name);
  for (const auto& forced : schema) {
    auto differs = [&](std::string_view is) {
      auto wanted = forced.as ? engine::to_string(*forced.as) : table::to_string(forced.read);
      return fail(Code::kUsage,
                  fmt::format("{}: column {} is {} there and {} in {}; make the profile again with that schema",
                              options.schema, vigie::quoted(forced.column), wanted, is, path));
    };
    auto fits = [&](table::Type& type) {
      bool numbers = (type == table::Type::kInteger || type == table::Type::kFloat) &&
                     (forced.read == table::Type::kInteger || forced.read == table::Type::kFloat);
      if (numbers) type = forced.read;
      return type == forced.read;
    };
    auto named = [&](const auto& x) { return x.name == forced.column; };
    if (auto c = std::find_if(profile.columns.begin(), profile.columns.end(), named); c != profile.columns.end()) {
      if (!fits(c->source) || (forced.as && *forced.as != c->type)) return differs(engine::to_string(c->type));
    } else if (auto f = std::find_if(profile.others.begin(), profile.others.end(), named); f != profile.others.end()) {
      if (!fits(f->type)) return differs(table::to_string(f->type));
    } else if (forced.column == options.timestamp) {
      profile.others.push_back({forced.column, forced.read});
    } else {
      return fail(Code::kUsage,
                  fmt::format("--schema: {}", unknown_name("column", forced.column, names, " in " + path)));
    }
  }
  return {};
}

}  // namespace

Result<Reference> read_reference(const std::string& data, const DataOptions& options, const engine::WindowSpec& window,
                                 const std::vector<engine::SegmentBy>& segments, bool sketches) {
  VIGIE_ASSIGN(auto types, options.types());
  if (server::is_indexed_rows(data)) {
    VIGIE_ASSIGN(const auto rows, server::make_indexed_rows(data, variable));
    ProgressBar bar("counting the reference");
    VIGIE_ASSIGN(auto profile, server::make_index_reference(rows, {.roles = options.roles(),
                                                                   .window = window,
                                                                   .segments = segments,
                                                                   .schema = types,
                                                                   .stop = {},
                                                                   .progress = bar.callback(),
                                                                   .version = kVersion}));
    return Reference{std::move(profile), nullptr};
  }
  VIGIE_ASSIGN(bool made, is_profile_file(data));
  if (made) {
    VIGIE_ASSIGN(auto bytes, read_file(data));
    VIGIE_ASSIGN(auto profile, engine::load_profile(bytes, data));
    VIGIE_TRY(fit_schema(profile, types, options, data));
    VIGIE_TRY(engine::apply_roles(profile, options.roles()));
    return Reference{std::move(profile), nullptr};
  }
  VIGIE_ASSIGN(auto input, options.open(data));
  std::string remark;
  if (!options.timestamp.empty()) {
    VIGIE_ASSIGN(remark, check_times(*input, options.timestamp));
  }
  ProgressBar bar("reading the reference");
  auto profile = engine::make_profile(*input, {.roles = options.roles(),
                                               .window = window,
                                               .segments = segments,
                                               .schema = types,
                                               .sketches = sketches,
                                               .threads = options.threads,
                                               .progress = bar.callback(),
                                               .version = kVersion});
  if (!profile) return std::move(profile.error());
  if (!remark.empty()) profile->notes.push_back(std::move(remark));
  return Reference{std::move(*profile), std::move(input)};
}

}  // namespace vigie::cli

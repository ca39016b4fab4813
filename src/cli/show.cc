// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "base/iso_time.h"
#include "base/text.h"
#include "cli/command_internal.h"
#include "engine/picture.h"
#include "engine/score_reference.h"
#include "quality/table_state.h"

namespace vigie::cli {
namespace {

using Json = nlohmann::ordered_json;

// Distinct values are counted exactly while they are few: by the sketch of any kind, and of categories up to 65,536 in
// the first reading of the data, beyond those that are named. What profiles of more were merged to is an estimate.
bool distinct_is_exact(const engine::Profile& profile, const engine::ColumnProfile& c) {
  constexpr double kCounted = 65'536;
  if (c.whole().total_rows() == 0) return true;
  if (c.cardinality && c.cardinality->exact() && c.cardinality->estimate() == c.distinct) return true;
  if (c.type == engine::ColumnType::kText) return false;
  if (!c.categorical()) return c.bins.lattice;
  if (static_cast<double>(c.categories.size()) == c.distinct && c.other == 0) return true;
  bool merged = profile.source.find(" + ") != std::string::npos;
  return !merged && c.distinct <= kCounted && c.distinct == std::floor(c.distinct);
}

std::string distinct_text(const engine::Profile& profile, const engine::ColumnProfile& c) {
  return (distinct_is_exact(profile, c) ? "" : "≈ ") + with_commas(std::llround(c.distinct));
}

Json column_json(const engine::Profile& profile, const engine::ColumnProfile& c) {
  const auto& whole = c.whole();
  Json j{{"column", c.name},
         {"role", engine::to_string(c.role)},
         {"type", engine::to_string(c.type)},
         {"source_type", table::to_string(c.source)},
         {"n", whole.total_rows()},
         {"missing", whole.total_missing()},
         {"infinite", c.infinite},
         {"unreadable", c.mismatches},
         {"distinct", c.distinct},
         {"distinct_exact", distinct_is_exact(profile, c)},
         {"exact", c.exact},
         {"error_bound", c.error_bound},
         {"windows", c.parts[0][0].windows.size()}};
  if (c.categorical()) {
    auto list = Json::array();
    for (const auto& k : c.categories) list.push_back({{"name", k.name}, {"count", k.count}});
    j["categories"] = list;
    j["other"] = c.other;
    j["counted"] = whole.rows();
    return j;
  }
  const bool timed = c.type == engine::ColumnType::kTimestamp;
  const auto value = [&](double v) -> Json {
    if (!timed) return v;
    const auto text = iso_time(v);
    return text.empty() ? Json() : Json(text);
  };
  j["mean"] = value(c.moments.mean()), j["min"] = value(c.moments.min()), j["max"] = value(c.moments.max());
  if (timed)
    j["sd_seconds"] = c.moments.sd() / 1e6;
  else
    j["sd"] = c.moments.sd();
  if (c.quantiles && c.quantiles->count() > 0)
    for (auto [name, q] : {std::pair{"p01", .01}, {"p10", .1}, {"p50", .5}, {"p90", .9}, {"p99", .99}})
      j["quantiles"][name] = value(c.quantiles->quantile(q));
  auto cuts = Json::array();
  for (const double cut : c.bins.cuts) cuts.push_back(value(cut));
  j["bins"] = {{"cuts", cuts}, {"counts", c.bins.counts}};
  return j;
}

Json scores_json(const engine::Profile& profile) {
  if (!profile.scores) return nullptr;
  const auto& o = profile.scores->options;
  auto metrics = Json::array();
  for (const auto& r : profile.scores->reference.metrics) {
    const auto& v = r.value;
    auto& one = metrics.emplace_back(
        Json{{"metric", r.metric->name}, {"value", v.value}, {"low", v.low}, {"high", v.high}, {"n", v.n}});
    if (!r.part.empty()) one[std::string(r.metric->key())] = r.part;
    if (r.segment) one["segment"] = *r.segment;
  }
  return {{"task", to_string(o.task)},
          {"label", o.label},
          {"prediction", o.prediction},
          {"scores", o.scores},
          {"metrics", metrics}};
}

std::string time(double micros) {
  const auto text = iso_time(micros);
  return text.empty() ? "–" : text.substr(0, 10) + " " + text.substr(11, 5);
}

struct RoleOf {
  std::string role, column;
};

// Roles of columns that are compared and of those that are not, such as ids and the time.
std::vector<RoleOf> roles_of(const engine::Profile& profile) {
  std::vector<RoleOf> out;
  if (!profile.timestamp.empty()) out.push_back({"timestamp", profile.timestamp});
  if (profile.quality)
    for (const auto& column : profile.quality->columns())
      if (column.spec().role == quality::Role::kId) out.push_back({"id", column.spec().name});
  if (!profile.weight.empty()) out.push_back({"weight", profile.weight});
  for (const auto role : {engine::Role::kPrediction, engine::Role::kScore, engine::Role::kLabel})
    for (const auto& c : profile.columns)
      if (c.role == role) out.push_back({std::string(engine::to_string(role)), c.name});
  return out;
}

// The first and the last time of the rows, where a column of times was named and is known.
std::optional<std::pair<double, double>> span_of(const engine::Profile& profile) {
  const auto* column = profile.quality ? profile.quality->find(profile.timestamp) : nullptr;
  if (!column || column->spec().kind != quality::Kind::kTime || !(column->low() <= column->high())) return std::nullopt;
  return std::pair(column->low(), column->high());
}

void print_roles(const engine::Profile& profile) {
  std::string text;
  const auto span = span_of(profile);
  for (const auto& [role, column] : roles_of(profile)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", role, column);
    if (role == "timestamp" && span) text += fmt::format(", {} to {}", time(span->first), time(span->second));
  }
  if (!text.empty()) print(fmt::format("roles: {}\n", text));
}

void print_scores(const engine::Profile& profile, const std::string& path) {
  if (!profile.scores) return;
  const auto& metrics = profile.scores->reference.metrics;
  print(fmt::format("\nscores of --task {}: {} metrics of {} for vigie score --reference {}\n",
                    to_string(profile.scores->options.task), metrics.size(),
                    vigie::quoted(profile.scores->options.label), path));
  std::vector<std::vector<std::string>> rows;
  std::size_t parts = 0;
  const auto number = [](double v) { return std::isfinite(v) ? human(v, 4) : "–"; };
  for (const auto& r : metrics) {
    if (r.segment || !r.part.empty()) {
      ++parts;
      continue;
    }
    const auto& v = r.value;
    rows.push_back({std::string(r.metric->name), number(v.value),
                    std::isfinite(v.low) && std::isfinite(v.high) ? number(v.low) + " – " + number(v.high) : "–",
                    with_commas(v.n)});
  }
  using view::Align;
  if (!rows.empty())
    print(view::table({"metric", "value", "95 % interval", "n"}, rows,
                      {Align::kLeft, Align::kRight, Align::kRight, Align::kRight}, terminal()));
  if (parts > 0) print(fmt::format("and {} of classes, lists or segments: --json\n", parts));
}

}  // namespace

Command add_show(CLI::App& program) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  auto* app = program.add_subcommand("show", "print what a profile holds");
  app->footer("Examples:\n  vigie show january.vpf\n  vigie show january.vpf --json");
  app->add_option("PROFILE", o->path, "a .vpf file")->required();
  app->add_flag("--json", o->json, "one JSON document");
  return {
      app, [o]() -> Result<int> {
        VIGIE_ASSIGN(auto bytes, read_file(o->path));
        VIGIE_ASSIGN(auto profile, engine::load_profile(bytes, o->path));
        if (o->json) {
          auto columns = Json::array();
          for (const auto& c : profile.columns) columns.push_back(column_json(profile, c));
          auto segments = Json::array();
          for (std::size_t k = 1; k < profile.segments.size(); ++k)
            for (const auto& s : profile.segments[k]) segments.push_back(s);
          auto roles = Json::array();
          for (const auto& [role, column] : roles_of(profile)) roles.push_back({{"role", role}, {"column", column}});
          const auto span = span_of(profile);
          print(Json{{"command", "show"},
                     {"version", profile.version},
                     {"source", profile.source},
                     {"rows", profile.rows},
                     {"rejected", profile.rejected},
                     {"window", engine::to_string(profile.window)},
                     {"windows", profile.window_count},
                     {"from", span ? Json(iso_time(span->first)) : Json()},
                     {"to", span ? Json(iso_time(span->second)) : Json()},
                     {"roles", roles},
                     {"segments", segments},
                     {"columns", columns},
                     {"scores", scores_json(profile)}}
                    .dump(1, ' ', false, Json::error_handler_t::replace));
          return 0;
        }
        print(fmt::format("{}: {} rows of {}, {} columns, windows: {}{}\n", o->path, with_commas(profile.rows),
                          profile.source, profile.columns.size(), engine::to_string(profile.window),
                          profile.window_count ? fmt::format(" ({})", profile.window_count) : ""));
        print_roles(profile);
        std::vector<std::vector<std::string>> rows;
        for (const auto& c : profile.columns) {
          const auto& whole = c.whole();
          auto n = whole.total_rows() + whole.total_missing();
          std::string values;
          if (whole.total_rows() == 0) {
            values = "no value";
          } else if (c.categorical()) {
            for (std::size_t i = 0; i < c.categories.size() && i < 3; ++i)
              values += fmt::format("{}{} {} %", i ? ", " : "", c.categories[i].name,
                                    human(100.0 * static_cast<double>(c.categories[i].count) /
                                              static_cast<double>(std::max<std::int64_t>(whole.rows(), 1)),
                                          2));
          } else {
            auto q = engine::quantiles(c, whole.cells);
            auto text = [&](double v) { return c.type == engine::ColumnType::kTimestamp ? time(v) : human(v); };
            values = fmt::format("{} [{}, {}]{}", text(q.p50), text(q.p10), text(q.p90),
                                 c.type == engine::ColumnType::kText        ? " characters"
                                 : c.type == engine::ColumnType::kEmbedding ? " norm"
                                                                            : "");
          }
          rows.push_back(
              {c.name, std::string(engine::to_string(c.type)), distinct_text(profile, c),
               n ? human(100.0 * static_cast<double>(whole.total_missing()) / static_cast<double>(n), 2) + " %" : "–",
               values});
        }
        using view::Align;
        print(view::table({"column", "type", "distinct", "missing", "median [p10, p90] or most frequent"}, rows,
                          {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft}, terminal()));
        for (const auto& c : profile.columns)
          if (c.halved)
            print(
                fmt::format("{}: of more values than can be kept by name, one half of the rows chose {} and the other "
                            "half, {} rows "
                            "with a value, was counted",
                            vigie::quoted(c.name), with_commas(static_cast<long long>(c.categories.size())),
                            with_commas(c.whole().rows())));
        print_scores(profile, o->path);
        return 0;
      }};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/iso_time.h"
#include "base/text.h"
#include "cli/send_records_internal.h"
#include "engine/roles.h"
#include "engine/tally.h"

namespace vigie::cli {
namespace {

using table::Type;

std::string key_of(std::string_view name) {
  std::string key;
  append_json(key, name);
  return key + ":";
}

}  // namespace

std::size_t Records::column(const table::Field& field, bool word) {
  if (const auto at = engine::find_column(types_, field.name); at != std::string::npos) return at;
  auto type = field.type;
  const bool bare = type == Type::kInteger || type == Type::kFloat || type == Type::kBoolean;
  if (word || (options_.as_written && (bare || type == Type::kTimestamp))) type = Type::kString;
  types_.push_back({field.name, type});
  bare_.push_back(!word && bare);
  return types_.size() - 1;
}

Result<Records> Records::make(const table::Schema& schema, RecordOptions options, const std::string& source) {
  Records out;
  out.options_ = std::move(options);
  const auto& roles = out.options_.roles;
  std::vector<std::string> names;
  for (const auto& field : schema) names.push_back(field.name);
  VIGIE_TRY(engine::check_roles(names, roles, source));
  for (const auto& tag : out.options_.tags)
    if (std::find(names.begin(), names.end(), tag) == names.end())
      return fail(Code::kUsage, fmt::format("--tag: {}", unknown_name("column", tag, names, " in " + source)));
  // The time first: it is read as one, whatever else its column is.
  for (const auto& field : schema) {
    if (field.name != roles.timestamp) continue;
    VIGIE_TRY(engine::check_time(field, source));
    out.time_ = out.types_.size();
    out.types_.push_back({field.name, field.type == Type::kTimestamp ? Type::kTimestamp : Type::kFloat});
    out.bare_.push_back(false);
  }
  for (const auto& field : schema) {
    const auto& name = field.name;
    if (name == roles.id) out.id_ = out.column(field, true);
    if (std::find(out.options_.tags.begin(), out.options_.tags.end(), name) != out.options_.tags.end())
      out.tags_.push_back({key_of(name), out.column(field, false)});
    const auto role = engine::compared_as(name, roles);
    if (!role) continue;
    switch (*role) {
      case engine::Role::kPrediction:
        out.prediction_ = out.column(field, false);
        break;
      case engine::Role::kLabel:
        out.label_ = out.column(field, false);
        break;
      case engine::Role::kScore: {
        const bool named = name.starts_with("scores.");
        if (roles.scores.size() == 1 && !named)
          out.score_ = out.column(field, false);
        else
          out.scores_.push_back({key_of(named ? name.substr(7) : name), out.column(field, false)});
        break;
      }
      default:
        out.features_.push_back({key_of(name), out.column(field, false)});
    }
  }
  out.cells_.emplace(out.types_, out.bare_);
  return out;
}

Status Records::load(table::Batch& batch, const table::Schema& schema, std::int64_t first) {
  first_ = first;
  VIGIE_TRY(cells_->load(batch, schema));
  times_.clear();
  if (time_ == kNowhere) return {};
  const auto times = engine::as_times(cells_->column(time_), times_);
  if (times.data() != times_.data()) times_.assign(times.begin(), times.end());
  if (options_.shift != 0)
    for (auto& time : times_) time += options_.shift;
  return {};
}

bool Records::append_id(std::size_t row, std::string& out) const {
  out += "\"id\":";
  if (id_ != kNowhere) return append(id_, row, out);
  append_json(out, options_.ids);
  out.back() = '-';
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}\""), first_ + static_cast<std::int64_t>(row));
  return true;
}

void Records::append_object(std::string_view key, const std::vector<Member>& members, std::size_t row,
                            std::string& out) const {
  if (members.empty()) return;
  out += key;
  const auto empty = out.size();
  for (const auto& member : members) {
    const auto before = out.size();
    if (before > empty) out += ',';
    out += member.key;
    if (!append(member.column, row, out)) out.resize(before);
  }
  out += '}';
}

void Records::prediction(std::size_t row, std::string& out) const {
  out += '{';
  // Without its id the server tells what is wrong with it.
  if (!append_id(row, out)) out += "null";
  if (const double at = time(row); !std::isnan(at)) {
    out += ",\"timestamp\":";
    append_json(out, iso_time(at));
  }
  append_object(",\"features\":{", features_, row, out);
  const auto member = [&](std::string_view key, std::size_t column) {
    const auto before = out.size();
    out += key;
    if (!append(column, row, out)) out.resize(before);
  };
  member(",\"prediction\":", prediction_);
  member(",\"score\":", score_);
  append_object(",\"scores\":{", scores_, row, out);
  append_object(",\"tags\":{", tags_, row, out);
  if (options_.more) options_.more(first_ + static_cast<std::int64_t>(row), out);
  out += "}\n";
}

bool Records::label(std::size_t row, double given, std::string& out) const {
  const auto before = out.size();
  out += '{';
  bool whole = append_id(row, out);
  out += ",\"label\":";
  whole = whole && append(label_, row, out);
  if (!whole) return out.resize(before), false;
  if (!std::isnan(given)) {
    out += ",\"timestamp\":";
    append_json(out, iso_time(given));
  }
  out += "}\n";
  return true;
}

}  // namespace vigie::cli

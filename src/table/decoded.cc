// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "table/cell_internal.h"
#include "table/decoded_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kLateNotes = 8;

bool is_number(Type type) {
  return type == Type::kInteger || type == Type::kFloat;
}

std::string_view a_what(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kInteger:
    case Type::kFloat:
      return "a number";
    case Type::kTimestamp:
      return "a timestamp";
    default:
      return "a list of numbers";
  }
}

}  // namespace

void DecodedColumn::reset(Type type, std::size_t rows) {
  misfits.clear();
  seen = 0;
  first.clear();
  switch (type) {
    case Type::kSkip:
      break;
    case Type::kString:
      codes.resize(rows);
      strings.clear();
      break;
    case Type::kList:
      offsets.assign(1, 0);
      values.clear();
      missing.clear();
      break;
    default:
      numbers.resize(rows);
  }
}

void DecodedColumn::misfit(std::size_t row, Seen what) {
  seen |= what;
  misfits.push_back(static_cast<std::uint32_t>(row));
  if (first.size() < 3) first.push_back({static_cast<std::uint32_t>(row), what});
}

Column DecodedColumn::view(Type type, std::size_t rows) const {
  Column out;
  out.type = type;
  out.misfits = misfits;
  switch (type) {
    case Type::kSkip:
      break;
    case Type::kString:
      out.codes = std::span(codes).first(rows);
      out.dictionary = strings.dictionary();
      break;
    case Type::kList:
      out.offsets = offsets;
      out.values = values;
      if (std::find(missing.begin(), missing.end(), 1) != missing.end()) out.missing = missing;
      break;
    default:
      out.numbers = std::span(numbers).first(rows);
  }
  return out;
}

void TypeWatch::start(std::string path, char decimal, const Schema* schema, std::vector<ColumnPlan> plan,
                      std::vector<Seen> seen) {
  path_ = std::move(path);
  decimal_ = decimal;
  schema_ = schema;
  plan_ = std::move(plan);
  seen_ = std::move(seen);
  late_.assign(plan_.size(), false);
}

void TypeWatch::add(std::size_t columns, const std::function<const DecodedColumn&(std::size_t)>& column,
                    const std::function<std::uint64_t(std::size_t)>& line,
                    const std::function<std::string(std::size_t, std::size_t)>& text, std::vector<std::string>& notes) {
  struct Place {
    std::uint32_t row;
    std::size_t column;
  };
  std::vector<Place> places;
  for (std::size_t j = 0; j < columns; ++j) {
    const auto& decoded = column(j);
    if (plan_[j].fixed) {
      for (const auto& misfit : decoded.first) places.push_back({misfit.row, j});
      continue;
    }
    // A column in which nothing was seen before is not contradicted by what comes first.
    if (!decoded.first.empty() && seen_[j] != 0 && !late_[j]) {
      late_[j] = true;
      places.push_back({decoded.first[0].row, j});
    }
    seen_[j] |= decoded.seen;
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.row != b.row ? a.row < b.row : a.column < b.column; });
  for (const auto& [row, j] : places) {
    bool fixed = plan_[j].fixed;
    if (fixed ? misfit_notes_ >= 3 : late_notes_ >= kLateNotes) {
      if (!fixed) ++late_more_;
      continue;
    }
    ++(fixed ? misfit_notes_ : late_notes_);
    const auto& [name, type] = (*schema_)[j];
    auto content = text(row, j);
    double value;
    bool integer;
    bool comma = decimal_ == '.' && is_number(type) && content.find(',') != content.npos &&
                 parse_number(trimmed(content), ',', value, integer);
    notes.push_back(fmt::format("{}:{}: column {}: {} is not {}{}{}", path_, line(row), quoted(name), quoted(content),
                                a_what(type), fixed ? "" : ", as all before it", comma ? " (use --decimal ',')" : ""));
  }
}

void TypeWatch::finish(Schema& schema, bool& settled, std::vector<std::string>& notes) const {
  if (late_more_) notes.push_back(fmt::format("{}: so it is in {} more columns", path_, late_more_));
  for (std::size_t j = 0; j < plan_.size(); ++j) {
    // What looked like strings from the start stays so: only where it began is known in full.
    if (plan_[j].fixed || plan_[j].type == Type::kString) continue;
    schema[j].type = type_of(seen_[j]);
    if (schema[j].type != plan_[j].type && !(is_number(schema[j].type) && is_number(plan_[j].type))) settled = false;
  }
}

}  // namespace vigie::table

// SPDX-License-Identifier: Apache-2.0
#include "server/box_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "table/image_objects.h"
#include "table/json_rows.h"
#include "table/text_at.h"

namespace vigie::server {
namespace {

using table::ImageObject;
using table::ObjectsOf;
using table::Type;

struct Measures {
  double count = std::nan(""), score = count, area = count;
};

Measures measures_of(const std::vector<ImageObject>& objects) {
  Measures out;
  double scores = 0, areas = 0, boxes = 0;
  for (const auto& o : objects) {
    scores += o.score;
    if (o.has_box) areas += o.box[2] * o.box[3], ++boxes;
  }
  out.count = static_cast<double>(objects.size());
  if (!objects.empty()) out.score = scores / out.count;
  if (boxes > 0) out.area = areas / boxes;
  return out;
}

void add_number(std::string& out, std::string_view name, double value) {
  if (std::isfinite(value)) out += fmt::format(",\"{}\":{}", name, value);
}

void add_text(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(",\"{}\":", name);
  append_json(out, text);
}

}  // namespace

bool made_of_boxes(std::string_view column) {
  return column == kBoxCount || column == kBoxScore || column == kBoxArea || column == kBoxObjects;
}

bool has_boxes(const engine::Profile& reference) {
  return std::ranges::any_of(reference.columns, [](const auto& column) {
    return column.name == kBoxCount && column.role == engine::Role::kPrediction;
  });
}

std::string label_of_boxes(const table::Column& boxes, const table::Column& size, std::size_t row) {
  const auto text = text_at(boxes, row);
  if (text.empty()) return {};
  const auto objects = table::read_objects(text, ObjectsOf::kLabel, text_at(size, row));
  return objects ? table::to_json(*objects, ObjectsOf::kLabel, true) : std::string();
}

Result<std::string> with_box_columns(std::string_view body) {
  static const table::JsonShape shape(
      {{{"boxes", Type::kString}}, {{"label", Type::kString}}, {{"image_size", Type::kString}}},
      table::OtherKeys::kChecked);
  table::JsonRows rows;
  rows.read(body, shape);
  if (!rows.rejected().empty()) {
    const auto& first = rows.rejected().front();
    return fail(Code::kInput, fmt::format("record {}, line {}: {}", first.record, first.line, first.reason));
  }
  VIGIE_ASSIGN(const auto boxes, rows.column(0));
  VIGIE_ASSIGN(const auto labels, rows.column(1));
  VIGIE_ASSIGN(const auto sizes, rows.column(2));
  std::string out;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
    const auto wrong = [&](std::string_view why) {
      return fail(Code::kInput, fmt::format("record {}: {}", rows.record_of(row), why));
    };
    std::string line(rows.text_of(row));
    std::replace(line.begin(), line.end(), '\n', ' ');
    line.resize(line.rfind('}'));
    if (line.find(':') == line.npos) line += "\"boxes\":null";
    const auto size = text_at(sizes, row);
    if (const auto text = text_at(boxes, row); !text.empty()) {
      const auto found = table::read_objects(text, ObjectsOf::kPrediction, size);
      if (!found) return wrong(found.error().message);
      const auto measures = measures_of(*found);
      add_number(line, kBoxCount, measures.count);
      add_number(line, kBoxScore, measures.score);
      add_number(line, kBoxArea, measures.area);
      add_text(line, kBoxObjects, table::to_json(*found, ObjectsOf::kPrediction, true));
    }
    if (const auto text = text_at(labels, row); !text.empty()) {
      const auto there = table::read_objects(text, ObjectsOf::kLabel, size);
      if (!there) return wrong("label: " + there.error().message);
      add_text(line, kLabelObjects, table::to_json(*there, ObjectsOf::kLabel, true));
    }
    out.append(line) += "}\n";
  }
  return out;
}

Result<BoxRows> BoxRows::read(table::Batch& rows, const Columns& columns) {
  BoxRows out(rows, columns);
  VIGIE_ASSIGN(const auto boxes, rows.column(columns.boxes));
  VIGIE_ASSIGN(const auto sizes, rows.column(columns.size));
  std::unordered_map<std::string, std::int32_t> codes;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows.rows()); ++row) {
    Measures measures;
    std::int32_t code = -1;
    if (const auto text = text_at(boxes, row); !text.empty())
      if (const auto found = table::read_objects(text, ObjectsOf::kPrediction, text_at(sizes, row))) {
        measures = measures_of(*found);
        auto kept = table::to_json(*found, ObjectsOf::kPrediction, columns.masks);
        const auto [it, fresh] = codes.try_emplace(kept, static_cast<std::int32_t>(out.texts_.size()));
        if (fresh) out.texts_.push_back(std::move(kept));
        code = it->second;
      }
    out.count_.push_back(measures.count), out.score_.push_back(measures.score), out.area_.push_back(measures.area);
    out.codes_.push_back(code);
  }
  return out;
}

Result<table::Column> BoxRows::column(std::size_t i) {
  const auto made = std::ranges::find(columns_->made, i, [](const auto& one) { return one.first; });
  if (made == columns_->made.end()) return rows_->column(i);
  table::Column out;
  if (made->second == kBoxObjects) {
    dictionary_.assign(texts_.begin(), texts_.end());
    out.codes = codes_, out.dictionary = dictionary_;
    return out;
  }
  out.type = Type::kFloat;
  out.numbers = made->second == kBoxCount ? count_ : made->second == kBoxScore ? score_ : area_;
  return out;
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "table/json_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_set>
#include <utility>

#include "table/cell_internal.h"
#include "table/ndjson_block_internal.h"

namespace vigie::table {
namespace {

std::vector<std::string> parted(std::string_view name) {
  std::vector<std::string> path;
  while (true) {
    const auto dot = name.find('.');
    path.emplace_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return path;
    name.remove_prefix(dot + 1);
  }
}

// Whether the object that `text` begins with goes on behind its first line.
bool spans_lines(std::string_view text) {
  if (text.find('\n') == text.npos) return false;  // most single records: found out 30 times as fast
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') return depth > 0;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i) i += text[i] == '\\';
    } else if (text[i] == '{' || text[i] == '[') {
      ++depth;
    } else if (text[i] == '}' || text[i] == ']') {
      if (--depth == 0) return false;
    }
  }
  return false;
}

}  // namespace

std::optional<double> parse_time(std::string_view text) {
  double number = 0;
  bool integer = false;
  if (parse_number(text, '.', number, integer)) return parse_epoch(number);
  return parse_timestamp(text);
}

JsonShape::JsonShape(std::vector<Key> keys, OtherKeys others)
    : keys_(std::move(keys)), plan_(std::make_unique<JsonPlan>()) {
  const bool closed = others != OtherKeys::kTold;
  plan_->discover = !closed;
  plan_->closed = closed;
  plan_->skip = others == OtherKeys::kSkipped;
  for (auto& key : keys_) {
    const auto column = static_cast<std::int32_t>(schema_.size());
    if (key.path.empty()) key.path = parted(key.field.name);
    schema_.push_back(key.field);
    plan_->columns.push_back({key.field.type, true});
    plan_->by_name.emplace(fmt::format("{}", fmt::join(key.path, ".")), column);
    plan_->tree.insert(key.path, column);
  }
  const auto has = [&](const auto& path) {
    return std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return key.path == path; });
  };
  for (std::size_t i = 0; i < keys_.size(); ++i)
    for (const auto& path : keys_[i].also)
      if (!has(path)) plan_->tree.insert(path, static_cast<std::int32_t>(i));
  if (!closed) return;
  // A name with dots may come as objects in each other, where no column has that path of its own.
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    auto path = keys_[i].path;
    const auto last = parted(path.back());
    path.pop_back();
    path.insert(path.end(), last.begin(), last.end());
    if (!has(path)) plan_->tree.insert(path, static_cast<std::int32_t>(i));
  }
}
JsonShape::~JsonShape() = default;

JsonRows::JsonRows() : block_(std::make_unique<JsonBlock>()) {
  block_->most_told = std::numeric_limits<std::size_t>::max();
}
JsonRows::~JsonRows() = default;

void JsonRows::read(std::string_view body, const JsonShape& shape, JsonForm form) {
  shape_ = &shape;
  rejected_.clear();
  unknown_.clear();
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  auto& text = block_->text;
  if (text.size() < body.size() + JsonBlock::kPadding) text.resize(body.size() + JsonBlock::kPadding);
  if (!body.empty()) std::memcpy(text.data(), body.data(), body.size());
  std::memset(text.data() + body.size(), ' ', JsonBlock::kPadding);

  block_->size = body.size();
  const auto* first = std::find_if_not(text.data(), text.data() + body.size(), is_blank);
  const auto start = static_cast<std::size_t>(first - text.data());
  const bool array = start < body.size() && *first == '[';
  if (form == JsonForm::kAny && (array || spans_lines(body.substr(start)))) {
    if (array) text[start] = ' ';
    bool closed = false;
    const auto done = block_->split_array(body.size(), true, closed);
    if (done < body.size() || closed != array) {
      const auto line = static_cast<std::uint64_t>(std::count(text.data(), text.data() + done, '\n')) + 1;
      block_->strays.push_back({line, done, array ? "the array is never closed" : "not JSON: cut off"});
      ++block_->stray_count;
    }
  } else {
    block_->strays.clear();
    block_->stray_count = 0;
    block_->split_lines();
  }
  block_->decode(*shape.plan_);

  // Records are what was split off and what stood between, by their place.
  std::vector<std::size_t> places;
  if (!block_->first_rejected.empty()) {
    for (const auto& span : block_->spans) places.push_back(span.begin);
    for (const auto& stray : block_->strays) places.push_back(stray.at);
    std::sort(places.begin(), places.end());
  }
  auto record_at = [&](std::size_t place) {
    return static_cast<std::size_t>(std::lower_bound(places.begin(), places.end(), place) - places.begin());
  };
  for (auto& reject : block_->first_rejected)
    rejected_.push_back({record_at(reject.at), reject.line, std::move(reject.reason)});
  records_.clear();
  if (!places.empty())
    for (std::size_t row = 0; row < block_->rows(); ++row)
      records_.push_back(record_at(static_cast<std::size_t>(block_->row_text(row).data() - text.data())));

  std::unordered_set<std::string> names;
  for (auto& find : block_->finds)
    if (find.seen != 0 && names.insert(find.name).second)
      unknown_.push_back({{find.name, type_of(find.seen)}, std::move(find.path)});
}

std::int64_t JsonRows::rows() const {
  return static_cast<std::int64_t>(block_->rows());
}

Result<Column> JsonRows::column(std::size_t i) {
  return block_->column(i, shape_->schema()[i].type);
}

std::string_view JsonRows::text_of(std::size_t row) const {
  return block_->row_text(row);
}

std::size_t JsonRows::record_of(std::size_t row) const {
  return records_.empty() ? row : records_[row];
}

}  // namespace vigie::table

// SPDX-License-Identifier: Apache-2.0
#include "server/past_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/hash.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/text.h"
#include "event/record.h"
#include "server/box_columns.h"
#include "table/json_rows.h"
#include "table/text_at.h"

namespace vigie::server {
namespace {

using Json = nlohmann::json;
template <class T>
using ById = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

constexpr std::size_t kMostBody = 2'000;

std::string written(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Calls `each` with every record of the model that is of that kind.
template <class F>
Status for_each(const journal::Journal& journal, std::string_view model, event::Kind kind,
                const std::function<bool()>& stop, F&& each) {
  auto reader = journal.read(0);
  while (true) {
    if (stop()) return fail(Code::kUnavailable, "the service ends");
    const auto block = reader.next();
    if (!block) {
      if (block.error().code != Code::kCorrupt) return block.error();
      VIGIE_TRY(reader.skip());
      continue;
    }
    if (!*block) return {};
    for (auto bytes : (*block)->records)
      if (const auto record = event::decode(bytes); record && record->kind == kind && record->model == model)
        VIGIE_TRY(each(record->body, (*block)->arrived));
  }
}

const table::JsonShape& shape() {
  using table::Type;
  static const table::JsonShape shape(
      {{{"id", Type::kString}}, {{"timestamp", Type::kTimestamp}}, {{"version", Type::kString}}},
      table::OtherKeys::kSkipped);
  return shape;
}

}  // namespace

Result<std::optional<PastRows>> read_past_rows(std::string_view body) {
  if (body.size() > kMostBody) return std::optional<PastRows>();  // those of rows may be large
  const auto json = parse_json(body);
  const std::vector<std::string> names{"from", "to", "version"};
  const auto holds = [&](const char* key) { return json.contains(key); };
  if (!json.is_object() ||
      std::none_of(names.begin(), names.end(), [&](const auto& key) { return json.contains(key); }) || holds("id") ||
      holds("features") || holds("prediction") || holds("score") || holds("scores"))
    return std::optional<PastRows>();
  for (const auto& [key, value] : json.items())
    if (std::find(names.begin(), names.end(), key) == names.end())
      return fail(Code::kInput, unknown_name("key", key, names));
  PastRows out;
  for (const auto& [key, value] : json.items()) {
    if (value.is_null()) continue;
    if (key == "version") {
      if (value.is_structured())
        return fail(Code::kInput, fmt::format("version: expected one, got {}", written(value)));
      out.version = value.is_string() ? value.get<std::string>() : written(value);
      continue;
    }
    const auto time = table::parse_time(value.is_string() ? value.get<std::string>() : written(value));
    if (!time)
      return fail(Code::kInput,
                  fmt::format("{}: expected a time, as ISO 8601 or an epoch number, got {}", key, written(value)));
    (key == "from" ? out.from : out.to) = *time;
  }
  if (out.from >= out.to) return fail(Code::kInput, "from: is not before to");
  return std::optional(std::move(out));
}

Result<std::string> past_rows(const journal::Journal& journal, std::string_view model, const PastRows& wanted,
                              const std::function<bool()>& stop, std::size_t most) {
  std::string out;
  std::vector<std::size_t> ends;  // of the rows, before their closing brace
  ById<std::size_t> rows;
  table::JsonRows read;
  double first = std::numeric_limits<double>::infinity(), last = -first;
  VIGIE_TRY(for_each(journal, model, event::Kind::kPredictions, stop, [&](std::string_view body, std::int64_t arrived) {
    read.read(body, shape());
    const auto id = *read.column(0), time = *read.column(1), version = *read.column(2);
    for (std::size_t row = 0; row < static_cast<std::size_t>(read.rows()); ++row) {
      const bool timed = !std::isnan(time.numbers[row]);
      const double at = timed ? time.numbers[row] : static_cast<double>(arrived);
      first = std::min(first, at), last = std::max(last, at);
      if (!(at >= wanted.from && at < wanted.to) || id.codes[row] < 0) continue;
      if (wanted.version && text_at(version, row) != *wanted.version) continue;
      if (!rows.try_emplace(std::string(text_at(id, row)), ends.size()).second) continue;
      auto text = read.text_of(row);
      text = text.substr(0, text.rfind('}'));
      out += text;
      if (!timed) out += fmt::format(R"(,"timestamp":"{}")", iso_time(at));
      ends.push_back(out.size());
      out += "}\n";
      if (out.size() > most)
        return Status(
            fail(Code::kInput, fmt::format("these are more than {} MB of rows: choose a shorter time", most >> 20)));
    }
    return Status();
  }));
  if (ends.empty())
    return fail(Code::kInput, first > last ? "no prediction is kept of this model"
                                           : fmt::format("no such prediction is kept: there are those from {} to {}{}",
                                                         iso_time(first), iso_time(last),
                                                         wanted.version ? ", of other versions" : ""));
  std::vector<std::string> later(ends.size());
  VIGIE_TRY(for_each(journal, model, event::Kind::kLabels, stop, [&](std::string_view body, std::int64_t) {
    read.read(body, event::keys_of(event::Kind::kLabels, table::OtherKeys::kSkipped, true));
    const auto id = *read.column(event::kLabelId), boxes = *read.column(event::kLabelBoxes),
               size = *read.column(event::kLabelSize);
    for (std::size_t row = 0; row < static_cast<std::size_t>(read.rows()); ++row) {
      const auto at = rows.find(text_at(id, row));
      if (at == rows.end()) continue;
      if (const auto objects = label_of_boxes(boxes, size, row); !objects.empty()) {
        later[at->second] = R"(,"label":)" + objects;
        continue;
      }
      const auto json = parse_json(read.text_of(row));
      if (const auto label = json.is_object() ? json.find("label") : json.end();
          label != json.end() && !label->is_null())
        later[at->second] = R"(,"label":)" + written(*label);
    }
    return Status();
  }));
  std::vector<bool> explained(ends.size());
  VIGIE_TRY(for_each(journal, model, event::Kind::kExplanations, stop, [&](std::string_view body, std::int64_t) {
    read.read(body, event::keys_of(event::Kind::kExplanations, table::OtherKeys::kSkipped));
    const auto id = *read.column(event::kPredictionId);
    for (std::size_t row = 0; row < static_cast<std::size_t>(read.rows()); ++row) {
      const auto at = rows.find(text_at(id, row));
      if (at == rows.end() || explained[at->second]) continue;
      const auto json = parse_json(read.text_of(row));
      if (!json.is_object() || !json.contains("attributions")) continue;
      explained[at->second] = true;
      later[at->second] += R"(,"attributions":)" + written(json["attributions"]);
    }
    return Status();
  }));
  std::string whole;
  whole.reserve(out.size() + 20 * ends.size());
  std::size_t from = 0;
  for (std::size_t row = 0; row < ends.size(); ++row) {
    whole.append(out, from, ends[row] - from) += later[row];
    from = ends[row];
  }
  return whole.append(out, from);
}

}  // namespace vigie::server

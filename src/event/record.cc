// SPDX-License-Identifier: Apache-2.0
#include "event/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/text.h"

namespace vigie::event {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::string encode_head(Kind kind, std::string_view model, std::size_t body_size) {
  ByteWriter out;
  out.fixed(kVersion);
  out.fixed(static_cast<std::uint8_t>(kind));
  out.string(model);
  out.varint(body_size);
  return out.take();
}

std::string encode(const Record& record) {
  return encode_head(record.kind, record.model, record.body.size()).append(record.body);
}

Result<Record> decode(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<std::uint8_t>();
  const auto kind = in.fixed<std::uint8_t>();
  if (in.ok() && version > kVersion)
    return fail(Code::kCorrupt,
                fmt::format("a record of format {}, and this program reads up to {}", version, kVersion));
  Record record;
  record.kind = static_cast<Kind>(kind);
  record.model = in.string();
  record.body = in.string();
  if (!in.ok() || in.remaining() > 0 || version == 0 || kind < 1 || kind > static_cast<std::uint8_t>(Kind::kOrigin))
    return fail(Code::kCorrupt, "a record of the journal that is none");
  return record;
}

const table::JsonShape& keys_of(Kind kind, table::OtherKeys others, bool boxes) {
  using table::JsonShape, table::OtherKeys, table::Type;
  const auto all = [](const std::vector<JsonShape::Key>& keys) {
    auto more = keys;
    for (const auto* name : {"boxes", "image_size"}) more.push_back({{name, Type::kString}});
    return std::array{JsonShape(keys, OtherKeys::kChecked), JsonShape(keys, OtherKeys::kSkipped),
                      JsonShape(more, OtherKeys::kChecked), JsonShape(more, OtherKeys::kSkipped)};
  };
  static const auto predictions = all({{{"id", Type::kString}}, {{"timestamp", Type::kTimestamp}}});
  static const auto labels =
      all({{{"id", Type::kString}}, {{"timestamp", Type::kTimestamp}}, {{"label", Type::kString}}});
  const auto& of = kind == Kind::kLabels ? labels : predictions;
  return of.at(2 * std::size_t{boxes} + std::size_t{others == OtherKeys::kSkipped});
}

// By its rarest letter: that is found ten times as fast as the word.
bool speaks_of_boxes(std::string_view body) {
  constexpr std::string_view kKey = "\"boxes\"";
  constexpr auto kAt = kKey.find('x');
  for (auto x = body.find('x'); x != body.npos; x = body.find('x', x + 1))
    if (x >= kAt && body.substr(x - kAt, kKey.size()) == kKey) return true;
  return false;
}

RequestColumns add_request_keys(std::vector<table::JsonShape::Key>& keys) {
  const auto place_of = [&](const char* name, table::Type type) {
    const auto at = std::find_if(keys.begin(), keys.end(), [&](const auto& key) {
      return key.path.size() == 1 && key.path[0] == name && key.field.type == type;
    });
    const auto place = static_cast<std::size_t>(at - keys.begin());
    const bool taken = std::any_of(keys.begin(), keys.end(),
                                   [&](const auto& key) { return key.path.size() == 1 && key.path[0] == name; });
    if (at == keys.end() && !taken) keys.push_back({{name, type}, {name}});
    return at == keys.end() && taken ? kNoColumn : place;
  };
  return {place_of("timestamp", table::Type::kTimestamp), place_of("latency_ms", table::Type::kFloat),
          place_of("status", table::Type::kString)};
}

const table::JsonShape& request_keys() {
  static const table::JsonShape shape = [] {
    auto keys = keys_of(Kind::kPredictions, table::OtherKeys::kSkipped).keys();
    add_request_keys(keys);
    return table::JsonShape(std::move(keys), table::OtherKeys::kSkipped);
  }();
  return shape;
}

std::span<const std::string_view> record_keys() {
  static constexpr std::string_view kKeys[] = {
      "id",     "timestamp", "label",    "prediction", "score",     "scores",       "version", "latency_ms",
      "status", "tags",      "trace_id", "text",       "embedding", "attributions", "boxes",   "image_size"};
  return kKeys;
}

Status check_model(std::string_view name) {
  auto bad = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f ||
           std::string_view("/\\\"?#%").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > 200 || std::any_of(name.begin(), name.end(), bad) || !is_utf8(name))
    return fail(Code::kInput, fmt::format("{} cannot be the name of a model: 1 to 200 bytes of UTF-8 without control "
                                          "characters and / \\ \" ? # %",
                                          quoted(name.substr(0, 60))));
  return {};
}

}  // namespace vigie::event

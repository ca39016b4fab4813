// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <string>

namespace vigie {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kDeepest = 100;
constexpr std::string_view kNames[] = {"NaN", "Infinity", "-Infinity"};

}  // namespace

bool is_number_name(std::string_view text) {
  return std::find(std::begin(kNames), std::end(kNames), text) != std::end(kNames);
}

std::string_view number_name_at(std::string_view text, std::size_t at) {
  for (const auto name : kNames)
    if (text.substr(at).starts_with(name)) return name;
  return {};
}

Json parse_json(std::string_view text, NumberNames names) {
  std::string plain;
  std::size_t copied = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      i += c == '\\';
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return Json::value_t::discarded;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (names == NumberNames::kTaken && (c == 'N' || c == 'I' || c == '-')) {
      const auto word = number_name_at(text, i);
      if (word.empty()) continue;
      plain.append(text.substr(copied, i - copied)).append("\"").append(word) += '"';
      i += word.size() - 1, copied = i + 1;
    }
  }
  if (copied == 0) return Json::parse(text, nullptr, false);
  return Json::parse(plain.append(text.substr(copied)), nullptr, false);
}

}  // namespace vigie

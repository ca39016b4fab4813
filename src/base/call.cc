// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace vigie {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

Result<Call> parse_call(std::string_view text) {
  text = trim(text);
  const auto open = text.find('(');
  Call out{trim(text.substr(0, open)), {}};
  if (open == text.npos) return out;
  if (text.back() != ')') return fail(Code::kUsage, "the last bracket is missing");
  int depth = 0;
  bool quoted = false;
  std::string part;
  const auto end_part = [&] {
    if (const auto trimmed = trim(part); !trimmed.empty()) out.parts.emplace_back(trimmed);
    part.clear();
  };
  for (const char c : text.substr(open + 1, text.size() - open - 2)) {
    quoted ^= c == '"';
    if (!quoted) depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth < 0 || depth > 1) return fail(Code::kUsage, "brackets do not match");
    if (c == ',' && depth == 0 && !quoted)
      end_part();
    else
      part += c;
  }
  if (quoted) return fail(Code::kUsage, "the last quote is missing");
  if (depth != 0) return fail(Code::kUsage, "brackets do not match");
  end_part();
  return out;
}

std::string unknown_of(std::string_view what, std::string_view name, std::span<const std::string> names) {
  auto message = unknown_name(what, name, names);
  if (message.find("; did you mean ") == message.npos) message += fmt::format(" ({})", fmt::join(names, ", "));
  return message;
}

}  // namespace vigie

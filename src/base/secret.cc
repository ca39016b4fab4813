// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <fmt/format.h>

#include "base/file.h"

namespace vigie {

bool refers(std::string_view value) {
  return value.starts_with("file:") || value.find("${") != value.npos;
}

Result<std::string> reveal(std::string_view value, const std::string& where, const Environment& environment) {
  if (value.starts_with("file:")) {
    const auto text = read_file(std::string(value.substr(5)), 1 << 16);
    if (!text) return fail(Code::kUsage, fmt::format("{}: {}", where, text.error().message));
    return text->substr(0, text->find_first_of("\r\n"));
  }
  std::string out;
  for (;;) {
    const auto begin = value.find("${");
    out += value.substr(0, begin);
    if (begin == value.npos) return out;
    const auto end = value.find('}', begin);
    if (end == value.npos) return fail(Code::kUsage, where + ": ${ without a }");
    const std::string name(value.substr(begin + 2, end - begin - 2));
    const auto found = environment ? environment(name) : std::nullopt;
    if (!found) return fail(Code::kUsage, fmt::format("{}: there is no variable {} in the environment", where, name));
    out += *found;
    value.remove_prefix(end + 1);
  }
}

}  // namespace vigie

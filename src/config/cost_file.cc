// SPDX-License-Identifier: Apache-2.0
#include "config/cost_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace vigie::config {
namespace {

const std::vector<std::string>& cells() {
  static const std::vector<std::string> names = {"tn", "fp", "fn", "tp"};
  return names;
}

/// The numbers of lists in lists, and of text such as "0,-5".
void numbers_of(const YAML::Node& node, std::vector<double>& out) {
  if (node.IsSequence()) {
    for (const auto& item : node) numbers_of(item, out);
    return;
  }
  auto text = node.as<std::string>();
  for (char& c : text)
    if (c == ',' || c == ';' || c == '\t') c = ' ';
  for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string::npos;) {
    const auto end = std::min(text.find(' ', at), text.size());
    out.push_back(YAML::Node(text.substr(at, end - at)).as<double>());
    at = end;
  }
}

}  // namespace

Result<std::array<double, 4>> load_cost_file(const std::string& path) {
  VIGIE_ASSIGN(auto text, read_file(path, 1 << 20));
  constexpr std::string_view kExpected = "expected [[tn, fp], [fn, tp]] or a map of tn, fp, fn, tp";
  std::array<double, 4> out{};
  try {
    const auto root = YAML::Load(text);
    std::vector<double> given;
    if (root.IsMap()) {
      for (const auto& item : root) {
        const auto key = item.first.as<std::string>();
        const auto it = std::find(cells().begin(), cells().end(), key);
        if (it == cells().end())
          return fail(Code::kUsage, fmt::format("{}:{}: {} (tn, fp, fn, tp)", path, item.first.Mark().line + 1,
                                                unknown_name("key", key, cells())));
        out[static_cast<std::size_t>(it - cells().begin())] = item.second.as<double>();
      }
      for (const auto& name : cells())
        if (!root[name]) return fail(Code::kUsage, fmt::format("{}: no key {}; {}", path, name, kExpected));
    } else {
      if (!root.IsNull()) numbers_of(root, given);
      if (given.size() != out.size())
        return fail(Code::kUsage, fmt::format("{}: {} numbers; {}", path, given.size(), kExpected));
      std::copy(given.begin(), given.end(), out.begin());
    }
  } catch (const YAML::Exception& e) {
    return fail(Code::kUsage, fmt::format("{}:{}: {}", path, e.mark.line + 1, kExpected));
  }
  if (!std::all_of(out.begin(), out.end(), [](double v) { return std::isfinite(v); }))
    return fail(Code::kUsage, fmt::format("{}: costs must be finite; {}", path, kExpected));
  return out;
}

}  // namespace vigie::config

// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.h"

#include <charconv>
#include <cmath>
#include <span>
#include <utility>

namespace vigie {
namespace {

using Unit = std::pair<std::string_view, double>;
constexpr Unit kTimes[] = {{"s", 1}, {"", 1}, {"ms", 1e-3}, {"m", 60}, {"min", 60}, {"h", 3'600}, {"d", 86'400}};
constexpr double kKilo = 1024;
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"K", kKilo},
                           {"KiB", kKilo},
                           {"M", kKilo* kKilo},
                           {"MiB", kKilo* kKilo},
                           {"G", kKilo* kKilo* kKilo},
                           {"GiB", kKilo* kKilo* kKilo},
                           {"T", kKilo* kKilo* kKilo* kKilo},
                           {"TiB", kKilo* kKilo* kKilo* kKilo}};

std::optional<double> parse(std::string_view text, std::span<const Unit> units) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return {};
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  for (const auto& [unit, size] : units)
    if (text == unit && value >= 0 && std::isfinite(value * size)) return value * size;
  return {};
}

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  return parse(text, kTimes);
}

std::optional<double> parse_bytes(std::string_view text) {
  const auto bytes = parse(text, kSizes);
  return bytes && *bytes == std::floor(*bytes) ? bytes : std::nullopt;
}

}  // namespace vigie

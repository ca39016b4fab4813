// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "source/proc_internal.h"

namespace vigie::source {

std::optional<std::string> slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != line.npos;) {
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    out.push_back(line.substr(at, end - at));
    at = end;
  }
  return out;
}

double number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : std::nan("");
}

std::optional<double> value_of(std::string_view text, std::string_view name) {
  for (const auto line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    auto key = words[0];
    if (key.ends_with(':')) key.remove_suffix(1);
    if (key != name) continue;
    const double value = number_of(words[1]);
    if (std::isnan(value)) return {};
    return words.size() > 2 && words[2] == "kB" ? value * 1024 : value;
  }
  return {};
}

Network network_of(std::string_view net_dev) {
  Network out;
  for (const auto line : lines_of(net_dev)) {
    const auto colon = line.find(':');
    if (colon == line.npos) continue;
    const auto name = words_of(line.substr(0, colon));
    const auto numbers = words_of(line.substr(colon + 1));
    if (name.size() != 1 || numbers.size() < 9 || std::isnan(number_of(numbers[0]))) continue;
    // Its own, and bridges and pairs that lead to containers.
    bool passes = name[0] == "lo";
    for (const auto* prefix : {"veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "bond", "tun", "tap"})
      passes = passes || name[0].starts_with(prefix);
    if (passes) continue;
    out.received += number_of(numbers[0]), out.sent += number_of(numbers[8]);
  }
  return out;
}

void Rates::begin(std::int64_t now) {
  now_ = now;
}

void Rates::add(std::vector<Figure>& out, std::string instance, std::string series, double counter, double times) {
  if (std::isnan(counter)) return;
  auto& last = last_[{instance, series}];
  const auto before = std::exchange(last, {counter, now_});
  if (before.at == 0 || now_ <= before.at || counter < before.counter) return;
  out.push_back({std::move(instance), std::move(series),
                 (counter - before.counter) * times * 1e6 / static_cast<double>(now_ - before.at)});
}

}  // namespace vigie::source

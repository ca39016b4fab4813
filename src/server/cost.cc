// SPDX-License-Identifier: Apache-2.0
#include "server/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/text.h"
#include "server/machine_ops.h"
#include "server/model_ops.h"

namespace vigie::server {

Status Prices::read(std::string_view text) {
  const auto sign = text.find('=');
  const auto name = text.substr(0, sign);
  const std::vector<std::string> names{"cpu", "gpu"};
  if (name != "cpu" && name != "gpu") return fail(Code::kUsage, unknown_name("price", name, names));
  const auto value = sign == text.npos ? std::string_view() : text.substr(sign + 1);
  double price = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), price);
  const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  if (error != std::errc() || !(price >= 0 && price < 1e9) || (unit != "/h" && unit != "/s"))
    return fail(Code::kUsage,
                fmt::format("{}: expected a price as 0.04/h or 0.0001/s, got {}", name, vigie::quoted(value)));
  (name == "cpu" ? cpu : gpu) = unit == "/h" ? price / 3600 : price;
  return {};
}

Result<std::vector<std::string>> sources_of(const std::vector<std::string>& runs_on, const store::Store& store) {
  if (runs_on.empty()) return std::vector<std::string>();
  VIGIE_ASSIGN(auto known, store.ops_sources());
  std::erase_if(known, [&](const std::string& source) {
    return source.starts_with("model/") || std::none_of(runs_on.begin(), runs_on.end(), [&](const std::string& on) {
             return source == on || source.starts_with(on + "/");
           });
  });
  return known;
}

Result<std::optional<Cost>> cost_of(const std::vector<std::string>& sources, const Prices& prices,
                                    const std::map<std::int64_t, engine::Traffic>& minutes, std::int64_t from,
                                    std::int64_t to, const store::Store& store) {
  Cost cost;
  std::set<std::int64_t> covered;
  const auto start = from - ((from % kMinute) + kMinute) % kMinute;
  for (const auto& source : sources) {
    const auto most = static_cast<std::size_t>((to - start) / kMinute + 2) * 10;
    VIGIE_ASSIGN(const auto panes, gauges_of({.source = source, .from = start, .to = to, .most = most}, store));
    for (const auto& [minute, gauges] : panes) {
      const auto* cpu = gauges.find("cpu_cores");
      const auto* gpu = gauges.find("gpu_share");
      constexpr double kSeconds = kMinute / 1e6;
      if (cpu) cost.cpu_seconds = cost.cpu_seconds.value_or(0) + cpu->mean() * kSeconds;
      if (gpu) cost.gpu_seconds = cost.gpu_seconds.value_or(0) + gpu->mean() * kSeconds;
      if (cpu || gpu) covered.insert(minute);
    }
  }
  if (covered.empty()) return std::optional<Cost>();
  cost.minutes = static_cast<std::int64_t>(covered.size());
  for (const auto& [minute, traffic] : minutes)
    if (covered.contains(minute)) cost.requests += traffic.requests;
  if ((!cost.cpu_seconds || prices.cpu) && (!cost.gpu_seconds || prices.gpu))
    cost.money =
        cost.cpu_seconds.value_or(0) * prices.cpu.value_or(0) + cost.gpu_seconds.value_or(0) * prices.gpu.value_or(0);
  return std::optional(cost);
}

std::string Cost::to_json() const {
  const auto figures = [&](double times) {
    const auto number = [&](const std::optional<double>& value) {
      return value ? fmt::format("{}", *value * times) : std::string("null");
    };
    return fmt::format("\"cpu_seconds\": {}, \"gpu_seconds\": {}, \"money\": {}", number(cpu_seconds),
                       number(gpu_seconds), number(money));
  };
  return fmt::format("{{\"minutes\": {}, \"requests\": {}, {}, \"per_1000\": {}}}", minutes, requests, figures(1),
                     requests > 0 ? fmt::format("{{{}}}", figures(1000. / static_cast<double>(requests))) : "null");
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "source/proc_internal.h"
#include "source/prometheus_text_internal.h"
#include "source/url_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "of the endpoint, as http://127.0.0.1:9100/metrics", .required = true, .secret = true},
    {.name = "series", .doc = "names with or without labels, blanks between: node_load1 \"up{job=api}\""},
    {.name = "cpu",
     .doc = "series that count seconds at work of cores, as process_cpu_seconds_total: together they are cpu_cores, "
            "by which a model's cost is known"},
    {.name = "gpu",
     .doc = "series of how much GPUs are at work, as DCGM_FI_DEV_GPU_UTIL, or Triton's nv_gpu_utilization: together "
            "they are gpu_share"},
    {.name = "gpu_full",
     .doc = "what of those stands for a GPU that is fully at work; default: 100 of DCGM's, 1 of others"},
    {.name = "token", .doc = "bearer token", .secret = true},
};
constexpr std::size_t kMost = 200;  // series of one endpoint

class Prometheus final : public Sampler {
 public:
  struct Wanted {
    std::vector<Selector> series, cpu, gpu;
    double gpu_full = 0;  // 0: as their names say
  };
  Prometheus(const Settings& settings, Wanted wanted)
      : url_(settings["url"]), token_(settings["token"]), wanted_(std::move(wanted)) {
    for (const auto* some : {&wanted_.series, &wanted_.cpu, &wanted_.gpu})
      all_.insert(all_.end(), some->begin(), some->end());
  }

  std::optional<http::Request> request() const override {
    auto request = get(url_, token_);
    request.headers.emplace_back("Accept", "text/plain;version=0.0.4");
    return request;
  }

  Result<std::vector<Figure>> read(const Reached* reached, std::int64_t now) override {
    VIGIE_TRY(reached_well(*reached, url_));
    std::int64_t odd = 0;
    const auto samples = read_prometheus(reached->answer->body, all_, odd);
    if (samples.empty())
      return fail(Code::kUnavailable, fmt::format("{}: has none of the series{}", http::place_of(url_),
                                                  odd ? fmt::format(", and {} lines that are none", odd) : ""));
    if (samples.size() > kMost)
      return fail(Code::kUnavailable, fmt::format("{}: {} series; at most {} are taken: name their labels",
                                                  http::place_of(url_), samples.size(), kMost));
    std::vector<Figure> out, cores;
    std::size_t cores_counted = 0;
    std::optional<double> gpus;
    rates_.begin(now);
    for (const auto& sample : samples) {
      if (!std::isfinite(sample.value)) continue;
      if (takes(wanted_.cpu, sample)) {
        rates_.add(cores, "", "cpu of " + to_string(sample), sample.value);
        ++cores_counted;
      }
      if (takes(wanted_.gpu, sample)) {
        const auto full = wanted_.gpu_full > 0 ? wanted_.gpu_full : sample.name.starts_with("DCGM_") ? 100 : 1;
        gpus = gpus.value_or(0) + sample.value / full;
      }
      if (!takes(wanted_.series, sample)) continue;
      if (sample.counter)
        rates_.add(out, "", fmt::format("rate({})", to_string(sample)), sample.value);
      else
        out.push_back({"", to_string(sample), sample.value});
    }
    // Of some that count from now on, less than all would be told.
    if (!cores.empty() && cores.size() == cores_counted)
      out.push_back({"", "cpu_cores", std::accumulate(cores.begin(), cores.end(), 0., [](double sum, const Figure& f) {
                       return sum + f.value;
                     })});
    if (gpus) out.push_back({"", "gpu_share", *gpus});
    return out;
  }

 private:
  static bool takes(const std::vector<Selector>& some, const PrometheusSample& sample) {
    return std::ranges::any_of(some, [&](const auto& selector) { return selector.takes(sample); });
  }

  std::string url_, token_;
  Wanted wanted_;
  std::vector<Selector> all_;
  Rates rates_;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine&) {
  VIGIE_TRY(check_url("prometheus", settings["url"]));
  Prometheus::Wanted wanted;
  for (auto [name, into] : {std::pair{"series", &wanted.series}, {"cpu", &wanted.cpu}, {"gpu", &wanted.gpu}}) {
    if (settings[name].empty()) continue;
    auto selectors = read_selectors(settings[name]);
    if (!selectors) return fail(Code::kUsage, fmt::format("prometheus.{}: {}", name, selectors.error().message));
    *into = std::move(*selectors);
  }
  if (wanted.series.empty() && wanted.cpu.empty() && wanted.gpu.empty())
    return fail(Code::kUsage, "prometheus: expected one of series, cpu and gpu");
  if (const auto& full = settings["gpu_full"]; !full.empty()) {
    wanted.gpu_full = number_of(full);
    if (!(wanted.gpu_full > 0 && std::isfinite(wanted.gpu_full)))
      return fail(Code::kUsage, "prometheus.gpu_full: expected a number above 0, got " + vigie::quoted(full));
  }
  return std::make_unique<Prometheus>(settings, std::move(wanted));
}

std::string called(const Settings& settings) {
  return "prometheus/" + host_of(settings["url"]);
}

}  // namespace

constinit const Source prometheus{
    .name = "prometheus",
    .summary = "series of an endpoint that speaks Prometheus' text format; of counters the rate",
    .reference = "Prometheus, exposition formats",
    .params = kParams,
    .figures = "cpu_cores gpu_share",
    .make = make,
    .called = called};

}  // namespace vigie::source

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "source/proc_internal.h"
#include "source/prometheus_text_internal.h"
#include "source/url_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "of the endpoint, as http://127.0.0.1:9100/metrics", .required = true, .secret = true},
    {.name = "series",
     .doc = "names with or without labels, blanks between: node_load1 \"up{job=api}\"",
     .required = true},
    {.name = "token", .doc = "bearer token", .secret = true},
};
constexpr std::size_t kMost = 200;  // series of one endpoint

class Prometheus final : public Sampler {
 public:
  Prometheus(const Settings& settings, std::vector<Selector> selectors)
      : url_(settings["url"]), token_(settings["token"]), selectors_(std::move(selectors)) {}

  std::optional<http::Request> request() const override {
    auto request = get(url_, token_);
    request.headers.emplace_back("Accept", "text/plain;version=0.0.4");
    return request;
  }

  Result<std::vector<Figure>> read(const Reached* reached, std::int64_t now) override {
    VIGIE_TRY(reached_well(*reached, url_));
    std::int64_t odd = 0;
    const auto samples = read_prometheus(reached->answer->body, selectors_, odd);
    if (samples.empty())
      return fail(Code::kUnavailable, fmt::format("{}: has none of the series{}", http::place_of(url_),
                                                  odd ? fmt::format(", and {} lines that are none", odd) : ""));
    if (samples.size() > kMost)
      return fail(Code::kUnavailable, fmt::format("{}: {} series; at most {} are taken: name their labels",
                                                  http::place_of(url_), samples.size(), kMost));
    std::vector<Figure> out;
    rates_.begin(now);
    for (const auto& sample : samples) {
      if (!std::isfinite(sample.value)) continue;
      if (sample.counter)
        rates_.add(out, "", fmt::format("rate({})", to_string(sample)), sample.value);
      else
        out.push_back({"", to_string(sample), sample.value});
    }
    return out;
  }

 private:
  std::string url_, token_;
  std::vector<Selector> selectors_;
  Rates rates_;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine&) {
  VIGIE_TRY(check_url("prometheus", settings["url"]));
  auto selectors = read_selectors(settings["series"]);
  if (!selectors) return fail(Code::kUsage, "prometheus.series: " + selectors.error().message);
  return std::make_unique<Prometheus>(settings, std::move(*selectors));
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
    .figures = "",
    .make = make,
    .called = called};

}  // namespace vigie::source

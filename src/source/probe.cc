// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "source/url_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "url", .doc = "that is asked, as https://features.example.org/health", .required = true, .secret = true},
    {.name = "token", .doc = "bearer token", .secret = true},
};

class Probe final : public Sampler {
 public:
  explicit Probe(const Settings& settings) : url_(settings["url"]), token_(settings["token"]) {}
  std::optional<http::Request> request() const override { return get(url_, token_); }

  Result<std::vector<Figure>> read(const Reached* reached, std::int64_t) override {
    const bool up = reached_well(*reached, url_).has_value();
    std::vector<Figure> out{{"", "up", up ? 1. : 0.}};
    if (reached->answer) out.push_back({"", "status", static_cast<double>(reached->answer->status)});
    if (up) out.push_back({"", "latency_ms", static_cast<double>(reached->took) / 1000});
    return out;
  }

 private:
  std::string url_, token_;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine&) {
  VIGIE_TRY(check_url("probe", settings["url"]));
  return std::make_unique<Probe>(settings);
}

std::string called(const Settings& settings) {
  return "probe/" + host_of(settings["url"]);
}

}  // namespace

constinit const Source probe{.name = "probe",
                             .summary = "whether an address answers with 2xx, and how soon",
                             .reference = "HTTP",
                             .params = kParams,
                             .figures = "up status latency_ms",
                             .make = make,
                             .called = called};

}  // namespace vigie::source

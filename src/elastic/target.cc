// SPDX-License-Identifier: Apache-2.0
#include "elastic/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/file.h"
#include "base/quantity.h"
#include "base/text.h"

namespace vigie::elastic {
namespace {

constexpr Param kParams[] = {
    {.name = "to",
     .doc = "a node, as https://localhost:9200; several in quotes, \"https://a:9200 https://b:9200\"",
     .required = true},
    {.name = "user", .doc = "who asks"},
    {.name = "password", .doc = "of that user: ${NAME} or file:PATH", .secret = true, .referred = true},
    {.name = "api_key", .doc = "id:key, or encoded: ${NAME} or file:PATH", .secret = true, .referred = true},
    {.name = "aws", .doc = "sign for AWS, as eu-west-1 or eu-west-1/aoss; user and password are its keys"},
    {.name = "ca", .doc = "certificates by which the server is known, PEM; else the system's"},
    {.name = "ca_fingerprint", .doc = "SHA-256 of the certificate by which it is known instead"},
    {.name = "gzip", .fallback = "1", .doc = "how hard requests are packed, 0 to 9"},
    {.name = "index", .fallback = "vigie", .doc = "how names begin: vigie-prediction-MODEL, vigie-window, …"},
    {.name = "by",
     .fallback = "month",
     .doc = "an index each month or day of @timestamp; none: one; stream: a data stream"},
    {.name = "keep", .doc = "how long documents stay there, as 30d, where the server can do that"},
    {.name = "setup", .fallback = "yes", .doc = "no leaves templates and lifecycle as they are"},
};

constexpr std::size_t kOfShipping = 3, kOfNames = 1;  // the last of them, and those before

Error wrong(std::string_view param, std::string what) {
  return fail(Code::kUsage, fmt::format("elastic.{}: {}", param, what));
}

}  // namespace

std::span<const Param> target_params() {
  return kParams;
}

Place Target::place(std::string_view what, std::string_view model) const {
  return {kind, fmt::format("{}-{}-{}", prefix, what, name_of(model))};
}

std::span<const Param> cluster_params() {
  return std::span(kParams).first(std::size(kParams) - kOfShipping);
}

std::span<const Param> access_params() {
  return cluster_params().first(cluster_params().size() - kOfNames);
}

Result<Target> read_access(const Settings& s) {
  Target out;
  auto all = s["to"];
  std::replace(all.begin(), all.end(), ',', ' ');
  std::istringstream to(all);
  for (std::string node; to >> node;) {
    const bool http = node.starts_with("http://") || node.starts_with("https://");
    if (!http || node.find_first_of("@?#") != node.npos)
      return wrong("to", "expected addresses as https://host:9200, without a password");
    out.nodes.push_back(std::move(node));
  }
  if (out.nodes.empty()) return wrong("to", "expected an address, as https://localhost:9200");
  auto& access = out.access;
  access.user = s["user"], access.password = s["password"], access.api_key = api_key_of(s["api_key"]);
  if (!access.user.empty() && access.password.empty()) return wrong("user", "needs a password");
  if (access.user.empty() && !access.password.empty()) return wrong("password", "needs a user");
  if (!access.user.empty() && !access.api_key.empty()) return wrong("api_key", "user and api_key exclude each other");
  if (!s["aws"].empty()) {
    if (access.user.empty()) return wrong("aws", "needs user and password, which are its keys");
    const auto slash = s["aws"].find('/');
    access.sigv4 = fmt::format("aws:amz:{}:{}", s["aws"].substr(0, slash),
                               slash == std::string::npos ? "es" : s["aws"].substr(slash + 1));
  }
  access.ca = s["ca"];
  if (!access.ca.empty())
    if (auto file = InputFile::open(access.ca); !file) return wrong("ca", file.error().message);
  if (!s["ca_fingerprint"].empty()) {
    auto pin = pin_of(s["ca_fingerprint"]);
    if (!pin) return wrong("ca_fingerprint", pin.error().message);
    access.pin = std::move(*pin);
  }
  const auto& level = s["gzip"];
  if (level.size() != 1 || level[0] < '0' || level[0] > '9')
    return wrong("gzip", fmt::format("expected 0 to 9, got {}", vigie::quoted(level)));
  access.gzip = level[0] - '0';
  return out;
}

namespace {

// How documents are shipped.
Status read_shipping(const Settings& s, Target& out) {
  const std::vector<std::string> kinds{"month", "day", "none", "stream"};
  if (s["by"] == "day")
    out.kind = Place::Kind::kDays;
  else if (s["by"] == "none")
    out.kind = Place::Kind::kIndex;
  else if (s["by"] == "stream")
    out.kind = Place::Kind::kStream;
  else if (s["by"] != "month")
    return wrong("by", unknown_of("kind", s["by"], kinds));
  if (!s["keep"].empty()) {
    const auto seconds = parse_duration(s["keep"]);
    if (!seconds || *seconds <= 0)
      return wrong("keep", fmt::format("expected a time, as 30d, got {}", vigie::quoted(s["keep"])));
    if (out.kind == Place::Kind::kIndex) return wrong("keep", "goes index by index: by=month, day or stream");
    out.keep_days = static_cast<std::int64_t>(std::ceil(*seconds / 86400));
  }
  if (s["setup"] != "yes" && s["setup"] != "no")
    return wrong("setup", fmt::format("expected yes or no, got {}", vigie::quoted(s["setup"])));
  out.set_up = s["setup"] == "yes";
  return {};
}

Result<Target> make(std::string_view spec, std::span<const Param> params, const Environment& environment) {
  const auto call = parse_call(spec);
  if (!call) return fail(Code::kUsage, fmt::format("elastic: {}", call.error().message));
  const std::vector<std::string> names{"elastic"};
  if (call->name != names[0]) return fail(Code::kUsage, unknown_name("target", call->name, names));
  VIGIE_ASSIGN(const auto s, read_settings(*call, params, environment));
  VIGIE_ASSIGN(auto out, read_access(s));
  out.prefix = s["index"];
  if (const auto why = wrong_name(out.prefix); !why.empty())
    return wrong("index", fmt::format("{} cannot be a name there: {}", vigie::quoted(out.prefix), why));
  if (params.size() == std::size(kParams)) VIGIE_TRY(read_shipping(s, out));
  return out;
}

}  // namespace

Result<Target> make_target(std::string_view spec, const Environment& environment) {
  return make(spec, kParams, environment);
}

Result<Target> make_cluster(std::string_view spec, const Environment& environment) {
  return make(spec, cluster_params(), environment);
}

}  // namespace vigie::elastic

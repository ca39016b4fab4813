// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "format", .fallback = "text", .doc = "text, or json: the notice and the incident as the API gives it"},
};

Status check(const Settings& settings) {
  const auto& format = settings["format"];
  if (format == "text" || format == "json") return {};
  return fail(Code::kUsage, fmt::format("log.format: expected text or json, got {}", vigie::quoted(format)));
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  http::Request out;
  if (settings["format"] == "json") {
    const Json line{{"notice", to_string(notice.kind)}, {"incident", Json::parse(event::to_json(notice.incident))}};
    out.body = line.dump();
    return out;
  }
  const auto text = text_of(notice, context);
  std::vector<std::string> parts{text.headline};
  parts.insert(parts.end(), text.causes.begin(), text.causes.end());
  for (const auto& fact : text.facts) parts.push_back(fmt::format("{}: {}", fact.name, fact.value));
  for (const auto& link : text.links) parts.push_back(link.value);
  out.body = fmt::format("{}", fmt::join(parts, " | "));
  return out;
}

}  // namespace

constinit const Notifier log{.name = "log",
                             .summary = "A line in the service's own log",
                             .reference = "",
                             .params = kParams,
                             .request = request,
                             .check = check};

}  // namespace vigie::notify

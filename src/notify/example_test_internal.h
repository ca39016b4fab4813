// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "notify/notify.h"

namespace vigie::notify {

using Json = nlohmann::ordered_json;

inline constexpr std::int64_t kMinute = 60'000'000, kHour = 60 * kMinute;
inline constexpr std::int64_t kTwo = 1'795'744'800'000'000;  // Fri 27 Nov 2026 02:00 UTC

// With what gets a careless writer into trouble in every format.
inline event::Notice notice(event::Notice::Kind kind = event::Notice::Kind::kOpened) {
  event::Notice out;
  out.kind = kind;
  auto& i = out.incident;
  i.id = "credit/é-20261127T020000Z", i.model = "credit <b>&\"é";
  i.severity = event::Severity::kCritical;
  i.since = kTwo, i.until = kTwo + 2 * kHour, i.opened = kTwo + kHour + 5 * kMinute, i.windows = 2;
  i.summary = "\"age\" moved by 0.4 sd, <!channel>";
  i.causes = {{"age_of_*_x", "country=FR", "omnibus", event::Severity::kCritical, 1.6,
               "moved by 0.4 sd\r\nBcc: x@x.org", kTwo, 2},
              {"", "", "volume", event::Severity::kWarning, 1.2, "half the rows of an hour", kTwo + kHour, 1},
              {"income", "", "missing", event::Severity::kCritical, 1.1, "3 % are missing", kTwo, 2},
              {"zip", "", "omnibus", event::Severity::kWarning, 1.0, "moved", kTwo, 2},
              {"sex", "", "omnibus", event::Severity::kWarning, 0.9, "moved", kTwo, 2}};
  i.owner = "ana", i.runbook = "https://wiki.example.org/credit?a=1&b=2";
  if (kind == event::Notice::Kind::kResolved)
    i.state = event::Incident::State::kResolved, i.resolved = kTwo + 3 * kHour;
  return out;
}

inline Context context() {
  Context out;
  out.page = "https://vigie.example.org", out.zone = "Europe/Paris";
  out.now = kTwo + 3 * kHour, out.number = 7;
  return out;
}

inline std::unique_ptr<Target> target(const std::string& spec) {
  auto out = make_target(spec, [](const std::string& name) {
    return name == "KEY" ? std::optional<std::string>("0123456789abcdef0123456789abcdef") : std::nullopt;
  });
  EXPECT_TRUE(out) << out.error().message;
  return out ? std::move(*out) : nullptr;
}

inline std::string header(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return {};
}

}  // namespace vigie::notify

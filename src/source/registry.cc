// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "source/feed.h"
#include "source/source.h"

namespace vigie::source {
namespace {

constexpr auto kSources = std::to_array<const Source*>({
#define VIGIE_SOURCE(name) &name,
#include "source/sources.def"
#undef VIGIE_SOURCE
});

constexpr Param kCommon[] = {
    {.name = "as", .doc = "what it is called, where there are two of a kind; default: the source and what it looks at"},
    {.name = "every", .fallback = "10", .doc = "seconds from one sample to the next, 1 to 3600"},
};

bool fits_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.:/").find(c) != std::string_view::npos;
}

}  // namespace

std::span<const Source* const> sources() {
  return kSources;
}

std::span<const Param> common_params() {
  return kCommon;
}

Result<Sample> make_sample(std::string_view spec, const Environment& environment, const Machine& machine) {
  const auto named = trim(spec.substr(0, spec.find('(')));
  const auto at = std::find_if(kSources.begin(), kSources.end(), [&](const Source* s) { return s->name == named; });
  if (at == kSources.end()) {
    for (const auto& kind : feed_kinds())
      if (kind.name == named)
        return fail(Code::kUsage, fmt::format("{} gives records and no samples: source takes it", named));
    std::vector<std::string> names;
    for (const auto* s : kSources) names.emplace_back(s->name);
    return fail(Code::kUsage, unknown_of("source", named.substr(0, named.find(':')), names));
  }
  const auto call = parse_call(spec);
  if (!call) return fail(Code::kUsage, fmt::format("{}: {}", named, call.error().message));
  std::vector<Param> params((*at)->params.begin(), (*at)->params.end());
  params.insert(params.end(), std::begin(kCommon), std::end(kCommon));
  VIGIE_ASSIGN(const auto settings, read_settings(*call, params, environment));
  Sample sample;
  double seconds = 0;
  const auto& every = settings["every"];
  const auto [end, error] = std::from_chars(every.data(), every.data() + every.size(), seconds);
  if (error != std::errc() || end != every.data() + every.size() || !(seconds >= 1 && seconds <= 3600))
    return fail(Code::kUsage, fmt::format("{}.every: expected 1..3600, got {}", named, vigie::quoted(every)));
  sample.every = static_cast<std::int64_t>(seconds * 1e6);
  sample.name = settings["as"];
  if (!sample.name.empty() &&
      (sample.name.size() > 100 || !std::all_of(sample.name.begin(), sample.name.end(), fits_name)))
    return fail(Code::kUsage, fmt::format("{}.as: expected letters, digits, - _ . : and /, got {}", named,
                                          vigie::quoted(sample.name)));
  if (sample.name.empty()) sample.name = (*at)->called ? (*at)->called(settings) : std::string(named);
  for (auto& c : sample.name)
    if (!fits_name(c)) c = '-';
  VIGIE_ASSIGN(sample.sampler, (*at)->make(settings, machine));
  return sample;
}

}  // namespace vigie::source

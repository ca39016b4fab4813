// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "notify/notify.h"

namespace vigie::notify {
namespace {

constexpr auto kNotifiers = std::to_array<const Notifier*>({
#define VIGIE_NOTIFIER(name) &name,
#include "notify/notifiers.def"
#undef VIGIE_NOTIFIER
});

constexpr Param kCommon[] = {
    {.name = "name", .doc = "what the target is called where there are two of a kind; default: the notifier"},
    {.name = "severity",
     .doc = "warning or critical: the least that is told; default warning, of what starts something critical"},
    {.name = "models", .fallback = "*", .doc = "names of models, with * and ?, blanks between"},
    {.name = "per_minute", .fallback = "60", .doc = "notices a minute at most, 0.1 to 6000"},
};

}  // namespace

std::span<const Notifier* const> notifiers() {
  return kNotifiers;
}

const Notifier* find_notifier(std::string_view name) {
  const auto at =
      std::find_if(kNotifiers.begin(), kNotifiers.end(), [&](const Notifier* n) { return n->name == name; });
  return at == kNotifiers.end() ? nullptr : *at;
}

std::span<const Param> common_params() {
  return kCommon;
}

}  // namespace vigie::notify

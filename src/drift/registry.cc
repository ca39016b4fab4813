// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <numeric>

#include "drift/drift.h"

namespace vigie::drift {
namespace {

constexpr auto kMethods = std::to_array<const Method*>({
#define VIGIE_METHOD(name) &name,
#include "drift/methods.def"
#undef VIGIE_METHOD
});

}  // namespace

std::span<const Method* const> methods() {
  return kMethods;
}

const Method* find_method(std::string_view name) {
  for (const Method* method : kMethods) {
    if (method->name == name) return method;
  }
  return nullptr;
}

std::int64_t Sample::rows() const {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::string_view to_string(Null null) {
  switch (null) {
    case Null::kExact:
      return "exact";
    case Null::kAsymptotic:
      return "asymptotic";
    case Null::kSimulated:
      return "simulated";
    case Null::kBetweenWindow:
      return "between-window";
    case Null::kNone:
      break;
  }
  return "none";
}

}  // namespace vigie::drift

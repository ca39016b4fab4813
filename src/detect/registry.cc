// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "detect/detect.h"

namespace vigie::detect {
namespace {

constexpr auto kDetectors = std::to_array<const Detector*>({
#define VIGIE_DETECTOR(name) &name,
#include "detect/detectors.def"
#undef VIGIE_DETECTOR
});

}  // namespace

std::span<const Detector* const> detectors() {
  return kDetectors;
}

const Detector* find_detector(std::string_view name) {
  for (const Detector* detector : kDetectors)
    if (detector->name == name) return detector;
  return nullptr;
}

std::span<const Param> Detector::params_of(Parity parity) const {
  return parity == Parity::kRiver ? river : parity == Parity::kMoa ? moa : params;
}

std::string_view to_string(State state) {
  return state == State::kDrift ? "drift" : state == State::kWarning ? "warning" : "stable";
}

std::string_view to_string(Direction direction) {
  return direction == Direction::kUp ? "up" : direction == Direction::kDown ? "down" : "none";
}

}  // namespace vigie::detect

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "engine/comparison.h"
#include "quality/quality.h"

namespace vigie::engine {

QualityResult as_result(quality::Finding finding);

/// The finding on records that could not be read; nothing where they are few.
std::optional<QualityResult> unreadable(std::int64_t rejected, std::int64_t rows);

}  // namespace vigie::engine

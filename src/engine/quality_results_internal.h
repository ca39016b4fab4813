// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/comparison.h"
#include "engine/windows.h"
#include "quality/quality.h"

namespace vigie::engine {

/// What a window holds of its span. `some_whole`: another one is whole; where none is, parts are judged as they are.
quality::Extent extent_of(const WindowSpec& window, bool partial, bool some_whole);

QualityResult as_result(quality::Finding finding);

/// The finding on records that could not be read; nothing where they are few.
std::optional<QualityResult> unreadable(std::int64_t rejected, std::int64_t rows);

/// Turns the check of a label's missing values into a warning where they are lost and not late. Gives a note, "label
/// \"paid\": 5 % of the rows have none yet; most in window 11 (2025-12-01), 60 %"; empty where every row has one, or
/// nothing is known of it.
std::string judge_labels(std::span<WindowResult> windows, const std::string& label);

}  // namespace vigie::engine

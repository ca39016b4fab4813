// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "engine/scorecard.h"

namespace vigie::view {

/// Charts of 360 × 150 as inline SVG; empty where there is nothing to draw.
std::string roc_chart(const engine::ScorePictures& pictures);
std::string precision_recall_chart(const engine::ScorePictures& pictures);
std::string reliability_chart(const engine::ScorePictures& pictures);
std::string gain_chart(const engine::ScorePictures& pictures);
std::string lift_chart(const engine::ScorePictures& pictures);
/// Residuals against those of a normal distribution.
std::string residual_chart(const engine::ScorePictures& pictures);
/// A metric over the windows with its intervals, the dummy's line and the reference's.
std::string course_chart(const engine::Scorecard& card, const engine::MetricResult& metric);

/// "2024-05-01", "2024-05-01 13:00" or the number of a window.
std::string window_label(const engine::ScoreWindow& window);

}  // namespace vigie::view

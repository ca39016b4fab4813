// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scorecard.h"

namespace vigie::view {

/// Metrics that stand for a task where there is no room for all.
std::vector<std::string_view> main_metrics(metric::Task task);

/// The result of a metric in a window, of the whole or of a segment, and of the first part where it has several;
/// nullptr when it is not there.
const engine::MetricResult* find(const engine::ScoreWindow& window, std::string_view metric,
                                 const std::optional<std::string>& segment = std::nullopt);

/// Names of the segments of a window, in order.
std::vector<std::string> segments_of(const engine::ScoreWindow& window);
/// The first result of the gravest verdict in a segment; nullptr without such a segment.
const engine::MetricResult* gravest(const engine::ScoreWindow& window, const std::string& segment);

/// Metrics with a key: rows of parts, columns of metrics.
struct PartTable {
  std::string_view key;
  std::vector<const metric::Metric*> metrics;
  std::vector<std::string> parts;
  std::vector<std::vector<const engine::MetricResult*>> cells;  ///< [part][metric]; nullptr where there is none
};
std::vector<PartTable> part_tables(const engine::ScoreWindow& window);

/// The verdict in one sentence.
std::string sentence(const engine::Scorecard& card);

/// "0.6 – 0.72"; "–" where there is none.
std::string interval_text(const metric::Value& value);
std::string short_interval_text(const metric::Value& value);  ///< "0.6–0.72", in as few digits as tell its bounds apart
std::string number_text(double value);                        ///< four digits; "–" where there is none

/// What is said of several metrics.
struct Said {
  std::string what;
  std::vector<std::string_view> metrics;
};
std::vector<Said> absent(const engine::ScoreWindow& window);            ///< why they have no value
std::vector<Said> without_interval(const engine::ScoreWindow& window);  ///< a value, and why no interval
std::vector<Said> baselines(const engine::ScoreWindow& window);         ///< what their baseline is

}  // namespace vigie::view

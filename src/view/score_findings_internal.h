// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scorecard.h"
#include "view/course_internal.h"

namespace vigie::view {

/// Metrics that stand for a task where there is no room for all.
std::vector<std::string_view> main_metrics(metric::Task task);

/// The result of a metric in a window, of the whole or of a segment, and of the first part where it has several;
/// nullptr when it is not there.
const engine::MetricResult* find(const engine::ScoreWindow& window, std::string_view metric,
                                 const std::optional<std::string>& segment = std::nullopt);

/// Whether a metric stands for all rows: of classes and groups there are too many.
bool of_whole(const engine::MetricResult& result);

/// Names of the segments of a window, in order.
std::vector<std::string> segments_of(const engine::ScoreWindow& window);

/// Metrics with a key: rows of parts, columns of metrics.
struct PartTable {
  std::string_view key;
  std::vector<const metric::Metric*> metrics;
  std::vector<std::string> parts;
  std::vector<std::vector<const engine::MetricResult*>> cells;  ///< [part][metric]; nullptr where there is none
};
std::vector<PartTable> part_tables(const engine::ScoreWindow& window);

/// A metric over the windows; `worst` is the result of its gravest window.
struct MetricCourse : Course {
  const engine::MetricResult* worst;
  std::size_t window;
};
/// One a metric, part and segment, in the order of the windows' results.
std::vector<MetricCourse> courses(const engine::Scorecard& card);
const MetricCourse* course_of(const std::vector<MetricCourse>& all, const engine::MetricResult& result);
/// The first of the gravest verdict in a segment; nullptr without such a segment.
const MetricCourse* gravest(const std::vector<MetricCourse>& all, const std::string& segment);
/// What is said of a metric beside its numbers, which are of all windows together: since when a window or more alarms,
/// and the words of the gravest; else of the whole, where that does; empty where nothing alarms.
std::string why(const engine::Scorecard& card, const engine::MetricResult& whole, const MetricCourse* course);
/// The same of a segment: how many of its metrics moved, which and since when, and the words of the first of them;
/// where none could be judged, why.
std::string why_segment(const engine::Scorecard& card, const std::vector<MetricCourse>& all,
                        const std::string& segment);
/// Whether there is a verdict; without a reference, of what has a value, only on a model that is no use.
bool judged(const engine::Scorecard& card);

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

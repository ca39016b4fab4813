// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attribution.h"
#include "engine/comparison.h"
#include "engine/inspection.h"
#include "engine/scorecard.h"
#include "engine/traffic.h"

namespace vigie::view {

/// The document of `vigie compare --json`: UTF-8, ends in a newline. One line per result of a column, so that it can
/// be read and grepped as it is. Keys and their order are a contract with programs; more may be added, none goes.
/// Numbers are the shortest that read back the same; NaN and infinity become null; bytes that are not UTF-8 become
/// U+FFFD. An option whose value is not JSON is given as a string.
std::string to_json(const engine::Comparison& comparison);

/// One of its windows, without a newline at its end.
/// `verdict`: in place of its own.
std::string to_json(const engine::WindowResult& window, std::string_view verdict = {});

/// What a window says of columns, as there.
std::string to_json(const std::vector<engine::ColumnResult>& columns);

/// What is drawn of columns, a line each: [{"column", "cells", "reference", "current"}], where `cells` names a part of
/// its values, of numbers the least of it, and the others are the shares of the rows that have one, to 0.0001. At most
/// 26 cells; a column of which nothing can be drawn is left out.
std::string to_json(std::span<const engine::Picture> pictures);

/// The same of `vigie score`: a line per metric. What is drawn is not in it.
std::string to_json(const engine::Scorecard& card);

/// Of one of its windows what is not of the window itself: counts of rows, `score_verdict`, metrics and confusion.
std::string to_json(const engine::ScoreWindow& window);

/// The same of `vigie check`: a line per check and column.
std::string to_json(const engine::Inspection& inspection);

/// {"verdict", "ndcg", "ndcg_upper", "n", "features", "reason"}, on one line; of the features those that are, or were,
/// among the first twenty.
std::string to_json(const engine::AttributionChange& change);

/// {"requests", "errors", "client_errors", "error_rate", "latency_ms", "payload_bytes"}, on one line.
std::string to_json(const engine::Traffic& traffic);

}  // namespace vigie::view

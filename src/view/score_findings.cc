// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "view/score_findings_internal.h"

namespace vigie::view {

using engine::MetricResult;
using engine::ScoreWindow;
using engine::Verdict;
using metric::Better;
using metric::Task;

std::vector<std::string_view> main_metrics(Task task) {
  switch (task) {
    case Task::kBinary:
      return {"accuracy", "f1", "roc_auc", "log_loss"};
    case Task::kMulticlass:
      return {"accuracy", "f1_macro", "log_loss"};
    case Task::kRegression:
      return {"me", "mae", "rmse", "r2"};
    case Task::kRanking:
      return {"precision_at_k", "ndcg_at_k", "hit_rate_at_k"};
    case Task::kText:
      return {"bleu", "chrf", "rouge_l", "exact_match"};
    case Task::kDetection:
      return {"map_50", "map_50_95", "mean_iou"};
    default:
      return {"iou", "dice"};
  }
}

const MetricResult* find(const ScoreWindow& window, std::string_view metric,
                         const std::optional<std::string>& segment) {
  const auto it = std::find_if(window.metrics.begin(), window.metrics.end(),
                               [&](const auto& r) { return r.metric->name == metric && r.segment == segment; });
  return it == window.metrics.end() ? nullptr : &*it;
}

std::vector<std::string> segments_of(const ScoreWindow& window) {
  std::vector<std::string> out;
  for (const auto& r : window.metrics)
    if (r.segment && (out.empty() || out.back() != *r.segment)) out.push_back(*r.segment);
  return out;
}

std::vector<PartTable> part_tables(const ScoreWindow& window) {
  std::vector<PartTable> out;
  for (const auto& r : window.metrics) {
    if (r.segment || r.metric->key().empty()) continue;
    auto table = std::find_if(out.begin(), out.end(), [&](const auto& t) { return t.key == r.metric->key(); });
    if (table == out.end()) table = out.insert(out.end(), {r.metric->key(), {}, {}, {}});
    const auto place = [](auto& list, const auto& item) {
      const auto it = std::find(list.begin(), list.end(), item);
      if (it != list.end()) return static_cast<std::size_t>(it - list.begin());
      list.push_back(item);
      return list.size() - 1;
    };
    const auto column = place(table->metrics, r.metric), row = place(table->parts, r.part);
    table->cells.resize(table->parts.size());
    table->cells[row].resize(std::max(table->cells[row].size(), column + 1));
    table->cells[row][column] = &r;
  }
  for (auto& table : out)
    for (auto& row : table.cells) row.resize(table.metrics.size());
  return out;
}

const MetricResult* gravest(const ScoreWindow& window, const std::string& segment) {
  const MetricResult* worst = nullptr;
  for (const auto& r : window.metrics)
    if (r.segment == segment && (!worst || r.verdict > worst->verdict)) worst = &r;
  return worst;
}

namespace {

/// Whether a metric stands for the whole: of classes and groups there are too many.
bool counts(const MetricResult& r) {
  return !r.segment && (r.metric->key().empty() || r.metric->key() == "k");
}

}  // namespace

std::string sentence(const engine::Scorecard& card) {
  const auto& s = card.summary;
  const auto rows = fmt::format("{} of {} scored", with_commas(s.rows.labelled), plural(s.rows.rows, card.unit));
  std::vector<std::string> named;
  std::size_t more = 0;
  const auto name = [&](std::string what) {
    if (std::find(named.begin(), named.end(), what) != named.end()) return;
    named.size() < 3 ? named.push_back(std::move(what)) : void(++more);
  };
  const auto names = [&] { return fmt::format("{}{}", fmt::join(named, ", "), more ? " and others" : ""); };
  if (s.verdict == Verdict::kNoData) {
    const bool any = card.reference && !card.windows.empty() && !card.windows[0].metrics.empty();
    return rows + (any ? "; none could be compared: " + card.windows[0].metrics[0].reason : "");
  }
  if (card.reference) {
    std::size_t windows = 0;
    for (const auto& w : card.windows) windows += w.verdict == s.verdict;
    for (const auto& w : card.windows)
      for (const auto& r : w.metrics)
        if (r.verdict == s.verdict && r.verdict >= Verdict::kWarning)
          name(std::string(r.metric->name) + (r.segment ? " where " + *r.segment : ""));
    if (named.empty()) {
      std::size_t judged = 0, blind = 0;
      for (const auto& r : card.all().metrics)
        if (!r.segment && r.verdict != Verdict::kNoData) ++judged, blind += r.detectable_effect > r.major;
      return fmt::format(
          "{}; no metric is worse than in the reference{}", rows,
          2 * blind > judged ? fmt::format(", but {} of {} could not have shown a major change", blind, judged) : "");
    }
    return fmt::format(
        "{}; against the reference{} moved: {}", rows,
        card.windows.size() < 2 ? "" : fmt::format(", in {} of {} windows,", windows, card.windows.size()), names());
  }
  const auto beside = engine::beside_dummy(card.all());
  if (beside.known == 0) return rows;
  // First those that stand for the task.
  for (const auto metric : main_metrics(card.task))
    if (const auto* r = find(card.all(), metric); r && engine::beside_dummy(*r) == "worse") name(std::string(metric));
  for (const auto& r : card.all().metrics)
    if (counts(r) && engine::beside_dummy(r) == "worse") name(std::string(r.metric->name));
  const auto than = [&](std::string_view word, std::size_t count) {
    return fmt::format("{} than a dummy that knows nothing of the row in {} of {}", word, count,
                       plural(static_cast<long long>(beside.known), "metric"));
  };
  if (beside.useless()) return fmt::format("{}; {} ({})", rows, than("worse", beside.worse), names());
  return fmt::format("{}; {}{}", rows, than("better", beside.better),
                     named.empty() ? "" : fmt::format(", worse in {} ({})", beside.worse, names()));
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "–";
  return std::fabs(value) >= 1e4 && std::fabs(value) < 1e9 ? with_commas(std::llround(value)) : human(value, 4);
}

std::string interval_text(const metric::Value& v) {
  if (!std::isfinite(v.low) || !std::isfinite(v.high)) return "–";
  return number_text(v.low) + " – " + number_text(v.high);
}

std::string short_interval_text(const metric::Value& v) {
  if (!std::isfinite(v.low) || !std::isfinite(v.high)) return "–";
  int digits = 2;
  while (digits < 5 && human(v.low, digits) == human(v.high, digits)) ++digits;
  return human(v.low, digits) + "–" + human(v.high, digits);
}

namespace {

/// Adds a metric to those of which the same is said.
void say_of(std::vector<Said>& all, std::string_view what, const MetricResult& r) {
  auto it = std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.what == what; });
  if (it == all.end()) it = all.insert(it, {std::string(what), {}});
  if (std::find(it->metrics.begin(), it->metrics.end(), r.metric->name) == it->metrics.end())
    it->metrics.push_back(r.metric->name);
}

}  // namespace

std::vector<Said> absent(const ScoreWindow& window) {
  std::vector<Said> out;
  for (const auto& r : window.metrics)
    if (!r.segment && !std::isfinite(r.value.value)) say_of(out, r.reason, r);
  return out;
}

std::vector<Said> without_interval(const ScoreWindow& window) {
  std::vector<Said> out;
  for (const auto& r : window.metrics)
    if (!r.segment && std::isfinite(r.value.value) && !r.value.reason.empty()) say_of(out, r.value.reason, r);
  return out;
}

std::vector<Said> baselines(const ScoreWindow& window) {
  std::vector<Said> out;
  for (const auto& r : window.metrics)
    if (counts(r) && std::isfinite(r.value.baseline)) say_of(out, r.metric->baseline(), r);
  return out;
}

}  // namespace vigie::view

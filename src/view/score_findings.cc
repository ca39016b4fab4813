// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/text.h"
#include "view/score_findings_internal.h"

namespace vigie::view {

using engine::MetricResult;
using engine::ScoreWindow;
using engine::Verdict;
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

const MetricCourse* gravest(const std::vector<MetricCourse>& all, const std::string& segment) {
  const MetricCourse* gravest = nullptr;
  for (const auto& c : all)
    if (c.worst->segment == segment && (!gravest || c.worst->verdict > gravest->worst->verdict)) gravest = &c;
  return gravest;
}

bool of_whole(const MetricResult& r) {
  return !r.segment && (r.metric->key().empty() || r.metric->key() == "k");
}

std::vector<MetricCourse> courses(const engine::Scorecard& card) {
  std::vector<MetricCourse> out;
  std::map<std::tuple<const metric::Metric*, std::string, std::optional<std::string>>, std::size_t> known;
  for (std::size_t w = 0; w < card.windows.size(); ++w)
    for (const auto& r : card.windows[w].metrics) {
      const auto [at, fresh] = known.try_emplace({r.metric, r.part, r.segment}, out.size());
      if (fresh) {
        auto& course = out.emplace_back(MetricCourse{{}, &r, w});
        course.verdicts.assign(card.windows.size(), Verdict::kNoData);
        course.undecided.assign(card.windows.size(), false);
      }
      auto& course = out[at->second];
      course.verdicts[w] = r.verdict;
      const auto weight = [](const MetricResult& x) { return std::pair(x.verdict, x.effect / x.major); };
      if (weight(r) > weight(*course.worst)) course.worst = &r, course.window = w;
    }
  return out;
}

const MetricCourse* course_of(const std::vector<MetricCourse>& all, const MetricResult& result) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const MetricCourse& c) {
    return c.worst->metric == result.metric && c.worst->part == result.part && c.worst->segment == result.segment;
  });
  return it == all.end() ? nullptr : &*it;
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
    if (of_whole(r) && std::isfinite(r.value.baseline)) say_of(out, r.metric->baseline(), r);
  return out;
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/text.h"
#include "view/findings_internal.h"
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

const MetricCourse* gravest(const std::vector<MetricCourse>& all, const std::string& segment) {
  const MetricCourse* gravest = nullptr;
  for (const auto& c : all)
    if (c.worst->segment == segment && (!gravest || c.worst->verdict > gravest->worst->verdict)) gravest = &c;
  return gravest;
}

namespace {

/// Whether a metric stands for the whole: of classes and groups there are too many.
bool counts(const MetricResult& r) {
  return !r.segment && (r.metric->key().empty() || r.metric->key() == "k");
}

}  // namespace

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

std::string why(const engine::Scorecard& card, const MetricResult& whole, const MetricCourse* course) {
  if (card.windows.size() < 2 || !course) return whole.verdict >= Verdict::kWarning ? whole.reason : "";
  const auto name = [&](std::size_t w) { return window_text(card.windows, w); };
  std::string text;
  if (course->worst->verdict >= Verdict::kWarning) {
    text = when(*course, course->worst->verdict, name);
    const auto worst = name(course->window);
    if (text.find(worst) == std::string::npos) text += ", worst in " + worst;
    text += ": " + course->worst->reason;
  } else if (whole.verdict >= Verdict::kWarning) {
    text = fmt::format("all windows together, {}: {}", to_string(whole.verdict), whole.reason);
  }
  return text;
}

namespace {

bool any_value(const engine::Scorecard& card) {
  const auto& metrics = card.all().metrics;
  return std::any_of(metrics.begin(), metrics.end(), [](const auto& r) { return std::isfinite(r.value.value); });
}

}  // namespace

bool judged(const engine::Scorecard& card) {
  return card.reference || card.summary.verdict >= Verdict::kWarning || !any_value(card);
}

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
  if (card.reference && s.verdict == Verdict::kNoData) {
    const bool any = !card.windows.empty() && !card.windows[0].metrics.empty();
    return rows + (any ? "; none could be compared: " + card.windows[0].metrics[0].reason : "");
  }
  if (card.reference) {
    const auto all = courses(card);
    Course together;
    for (const auto& w : card.windows) together.verdicts.push_back(w.verdict), together.undecided.push_back(false);
    std::vector<const MetricCourse*> moved;
    for (const auto& m : all)
      if (m.worst->verdict >= Verdict::kWarning) moved.push_back(&m);
    // First those that stand for the task, then those of the gravest verdict.
    const auto known = main_metrics(card.task);
    std::stable_sort(moved.begin(), moved.end(), [&](const auto* a, const auto* b) {
      const auto rank = [&](const MetricCourse& m) {
        const bool stands = std::find(known.begin(), known.end(), m.worst->metric->name) != known.end();
        return std::tuple(m.worst->verdict, !m.worst->segment, stands);
      };
      return rank(*a) > rank(*b);
    });
    for (const auto* m : moved)
      name(std::string(m->worst->metric->name) + (m->worst->segment ? " where " + *m->worst->segment : ""));
    if (moved.empty()) {
      std::size_t judged = 0, blind = 0;
      for (const auto& r : card.all().metrics) {
        if (r.segment || r.verdict == Verdict::kNoData) continue;
        ++judged, blind += r.detectable_effect > r.major;
        if (r.verdict >= Verdict::kWarning) name(std::string(r.metric->name));
      }
      if (!named.empty())
        return fmt::format("{}; no metric moved against the reference in any window, but of all windows together {}",
                           rows, names());
      return fmt::format(
          "{}; no metric is worse than in the reference{}", rows,
          2 * blind > judged ? fmt::format(", but {} of {} could not have shown a major change", blind, judged) : "");
    }
    const auto time = when(together, s.verdict, [&](std::size_t w) { return window_text(card.windows, w); });
    return fmt::format(
        "{}; {} of {} moved against the reference: {}{}{}", rows, s.drift + s.warning, plural(s.metrics, "metric"),
        names(), time.empty() ? "" : fmt::format("; {} {}", s.verdict == Verdict::kDrift ? "drift" : "warnings", time),
        s.verdict == Verdict::kWarning ? held_back(s.held) : "");
  }
  const auto beside = engine::beside_dummy(card.all());
  if (!any_value(card)) return rows;
  if (beside.known == 0) return "no reference; " + rows;
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
  return fmt::format("no reference; {}; {}{}", rows, than("better", beside.better),
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

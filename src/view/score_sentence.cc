// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/text.h"
#include "view/score_findings_internal.h"

namespace vigie::view {

using engine::MetricResult;
using engine::Verdict;

namespace {

/// The course of all metrics that `of` picks together.
template <class Of>
Course course_where(const engine::Scorecard& card, const std::vector<MetricCourse>& all, Of of) {
  Course out{std::vector(card.windows.size(), Verdict::kNoData), std::vector(card.windows.size(), false)};
  for (const auto& m : all)
    for (std::size_t w = 0; of(m) && w < out.verdicts.size(); ++w)
      out.verdicts[w] = std::max(out.verdicts[w], m.verdicts[w]);
  return out;
}

/// Of the unbroken run of windows of `least` or graver at the end of the data, which windows without data do not break,
/// the first; nothing where it is of a single window.
std::optional<std::size_t> run_at_end(const Course& course, Verdict least) {
  std::size_t run = course.verdicts.size(), length = 0;
  for (auto w = run; w-- > 0;) {
    if (course.verdicts[w] == Verdict::kNoData) continue;
    if (course.verdicts[w] < least) break;
    run = w, ++length;
  }
  return length > 1 ? std::optional(run) : std::nullopt;
}

/// when(), and since when again where that was not all: "in 5 of 28 windows, first in window 3, again since window 26",
/// or of windows that are less grave at the end ", warnings again since window 26".
std::string since(const engine::Scorecard& card, const Course& course, Verdict verdict) {
  auto text = when(course, verdict, [&](std::size_t w) { return window_text(card.windows, w); });
  if (text.find("first in ") == std::string::npos) return text;
  if (const auto run = run_at_end(course, verdict))
    text += ", again since " + window_text(card.windows, *run);
  else if (const auto warned = run_at_end(course, Verdict::kWarning))
    text += ", warnings again since " + window_text(card.windows, *warned);
  return text;
}

/// Up to three names.
class Named {
 public:
  void add(std::string what) {
    if (!has(what)) all_.push_back(std::move(what));
  }
  bool has(const std::string& what) const { return std::find(all_.begin(), all_.end(), what) != all_.end(); }
  bool empty() const { return all_.empty(); }
  std::string text() const {
    constexpr std::size_t kMost = 3;
    const std::vector<std::string> first(all_.begin(), all_.begin() + std::min<long>(kMost, std::ssize(all_)));
    return fmt::format("{}{}", fmt::join(first, ", "), all_.size() > kMost ? " and others" : "");
  }

 private:
  std::vector<std::string> all_;
};

/// Those that moved: first of the gravest verdict, of all rows, and what stands for the task.
std::vector<const MetricCourse*> moved_of(const engine::Scorecard& card, const std::vector<MetricCourse>& all) {
  std::vector<const MetricCourse*> moved;
  for (const auto& m : all)
    if (m.worst->verdict >= Verdict::kWarning) moved.push_back(&m);
  const auto known = main_metrics(card.task);
  std::stable_sort(moved.begin(), moved.end(), [&](const auto* a, const auto* b) {
    const auto rank = [&](const MetricCourse& m) {
      const bool stands = std::find(known.begin(), known.end(), m.worst->metric->name) != known.end();
      return std::tuple(m.worst->verdict, !m.worst->segment, stands);
    };
    return rank(*a) > rank(*b);
  });
  return moved;
}

/// Metrics with their parts, each counted once.
std::size_t distinct(const std::vector<const MetricCourse*>& all) {
  std::set<std::pair<const metric::Metric*, std::string>> out;
  for (const auto* m : all) out.insert({m->worst->metric, m->worst->part});
  return out.size();
}

}  // namespace

std::string why_segment(const engine::Scorecard& card, const std::vector<MetricCourse>& all,
                        const std::string& segment) {
  const auto& worst = *gravest(all, segment)->worst;
  if (worst.verdict == Verdict::kNoData) return worst.reason;
  if (worst.verdict < Verdict::kWarning) return {};
  const auto here = [&](const MetricCourse& m) { return m.worst->segment == segment; };
  Named names;
  std::size_t metrics = 0;
  for (const auto& m : all) metrics += here(m);
  auto moved = moved_of(card, all);
  std::erase_if(moved, [&](const auto* m) { return !here(*m); });
  for (const auto* m : moved) names.add(std::string(m->worst->metric->name));
  auto time = since(card, course_where(card, all, here), worst.verdict);
  if (!time.empty()) time = ", " + time;
  return fmt::format("{} of {}: {}{}; {} {}", moved.size(), plural(static_cast<long long>(metrics), "metric"),
                     names.text(), time, moved[0]->worst->metric->name, moved[0]->worst->reason);
}

std::string why(const engine::Scorecard& card, const MetricResult& whole, const MetricCourse* course) {
  if (card.windows.size() < 2 || !course) return whole.verdict >= Verdict::kWarning ? whole.reason : "";
  std::string text;
  if (course->worst->verdict >= Verdict::kWarning) {
    text = since(card, *course, course->worst->verdict);
    const auto worst = window_text(card.windows, course->window);
    if (text.find(worst) == std::string::npos) text += ", worst in " + worst;
    text += ": " + course->worst->reason;
  } else if (whole.verdict >= Verdict::kWarning) {
    text = fmt::format("all windows together, {}: {}", to_string(whole.verdict), whole.reason);
  }
  return text;
}

namespace {

/// Of windows that are whole, why no metric of theirs has a verdict: the reason that most have.
std::string why_none(const engine::Scorecard& card) {
  std::map<std::string, std::size_t> reasons;
  const std::string* most = nullptr;
  const bool any_whole =
      std::any_of(card.windows.begin(), card.windows.end(), [](const auto& w) { return !w.partial; });
  for (const auto& w : card.windows) {
    if (w.metrics.empty() || (w.partial && any_whole)) continue;
    const auto it = reasons.try_emplace(w.metrics[0].reason).first;
    ++it->second;
    if (!most || it->second > reasons[*most]) most = &it->first;
  }
  return most ? *most : "";
}

/// "; 20 of 28 windows could not be judged", where those are most.
std::string unjudged(const engine::Scorecard& card) {
  std::size_t without = 0;
  for (const auto& w : card.windows) without += w.verdict == Verdict::kNoData;
  if (2 * without <= card.windows.size()) return {};
  return fmt::format("; {} of {} could not be judged", without,
                     plural(static_cast<long long>(card.windows.size()), "window"));
}

std::string held_back(const engine::Scorecard& card) {
  const auto held = card.summary.held;
  if (held == 0 || card.summary.verdict != Verdict::kWarning) return {};
  return fmt::format("; {} would be {}, had the reference {}", held, held == 1 ? "a drift" : "drifts", card.wanted);
}

/// What moved, where, and since when. Where only segments have the gravest verdict, they are the news.
std::string news(const engine::Scorecard& card, const std::vector<MetricCourse>& all) {
  const auto& s = card.summary;
  auto moved = moved_of(card, all);
  std::vector<const MetricCourse*> whole;
  Named names, segments, lesser, of_all;
  for (const auto* m : moved) {
    if (!m->worst->segment)
      whole.push_back(m), of_all.add(std::string(m->worst->metric->name));
    else if (m->worst->verdict == s.verdict)
      segments.add(*m->worst->segment);
  }
  for (const auto* m : moved)
    if (m->worst->segment && !segments.has(*m->worst->segment)) lesser.add(*m->worst->segment);
  const bool apart = moved[0]->worst->segment.has_value();
  const auto here = [&](const MetricCourse& m) {
    return apart ? m.worst->segment && segments.has(*m.worst->segment) : !m.worst->segment;
  };
  if (apart) std::erase_if(moved, [&](const auto* m) { return !here(*m); });
  for (const auto* m : moved) {
    const std::string name(m->worst->metric->name);
    const bool part = m->worst->segment && !apart;
    if (!part || !of_all.has(name)) names.add(part ? name + " where " + *m->worst->segment : name);
  }
  const auto time = since(card, course_where(card, all, here), s.verdict);
  return fmt::format(
      "{}{} of {} moved against the reference: {}{}{}{}{}",
      apart ? fmt::format("{}where {}, ", whole.empty() && lesser.empty() ? "only " : "", segments.text()) : "",
      distinct(moved), plural(s.metrics, "metric"), names.text(),
      time.empty() ? "" : fmt::format("; {} {}", s.verdict == Verdict::kDrift ? "drift" : "warnings", time),
      apart && !lesser.empty() ? fmt::format("; warnings where {}", lesser.text()) : "",
      apart && !whole.empty() ? fmt::format("; of all rows {} moved: {}", distinct(whole), of_all.text()) : "",
      held_back(card));
}

/// "; log_loss, brier have no value any more: scores outside 0..1 are no probabilities", of what the reference has one.
std::string lost(const engine::Scorecard& card) {
  Named names;
  std::string reason;
  for (const auto& r : card.all().metrics) {
    if (r.segment || std::isfinite(r.value.value) || !std::isfinite(r.reference)) continue;
    if (reason.empty()) reason = r.reason;
    if (r.reason == reason) names.add(std::string(r.metric->name));
  }
  return names.empty() ? reason : fmt::format("; but no value any more of {}: {}", names.text(), reason);
}

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
  auto rows = fmt::format("{} of {} scored", with_commas(s.rows.labelled), plural(s.rows.rows, card.unit));
  Named names;
  const auto name = [&](std::string_view what) { names.add(std::string(what)); };
  if (card.reference && s.verdict == Verdict::kNoData) {
    const auto reason = why_none(card);
    for (const auto& r : card.all().metrics)
      if (!r.segment && r.verdict >= Verdict::kWarning) name(r.metric->name);
    return rows + (reason.empty() ? "" : "; none could be compared: " + reason) +
           (names.empty() ? "" : "; but of all windows together " + names.text() + " moved against the reference");
  }
  if (card.reference) {
    const auto all = courses(card);
    if (std::none_of(all.begin(), all.end(), [](const auto& m) { return m.worst->verdict >= Verdict::kWarning; })) {
      std::size_t judged = 0, blind = 0;
      for (const auto& r : card.all().metrics) {
        if (r.segment || r.verdict == Verdict::kNoData) continue;
        ++judged, blind += r.detectable_effect > r.major;
        if (r.verdict >= Verdict::kWarning) name(r.metric->name);
      }
      if (!names.empty())
        return fmt::format("{}; no metric moved against the reference in any window, but of all windows together {}",
                           rows, names.text());
      return fmt::format(
          "{}; no metric is worse than in the reference{}{}{}", rows, lost(card),
          2 * blind > judged ? fmt::format(", but {} of {} could not have shown a major change", blind, judged) : "",
          unjudged(card));
    }
    return fmt::format("{}; {}", rows, news(card, all));
  }
  const auto beside = engine::beside_dummy(card.all());
  if (!any_value(card)) return rows;
  if (beside.known == 0) return "no reference; " + rows;
  // First those that stand for the task.
  for (const auto metric : main_metrics(card.task))
    if (const auto* r = find(card.all(), metric); r && engine::beside_dummy(*r) == "worse") name(metric);
  for (const auto& r : card.all().metrics)
    if (of_whole(r) && engine::beside_dummy(r) == "worse") name(r.metric->name);
  const auto than = [&](std::string_view word, std::size_t count) {
    return fmt::format("{} than a dummy that knows nothing of the row in {} of {}", word, count,
                       plural(static_cast<long long>(beside.known), "metric"));
  };
  if (beside.useless()) return fmt::format("{}; {} ({})", rows, than("worse", beside.worse), names.text());
  return fmt::format("no reference; {}; {}{}", rows, than("better", beside.better),
                     names.empty() ? "" : fmt::format(", worse in {} ({})", beside.worse, names.text()));
}

}  // namespace vigie::view

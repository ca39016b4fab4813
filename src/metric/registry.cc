// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <type_traits>

#include "metric/binary.h"
#include "metric/detection.h"
#include "metric/fairness.h"
#include "metric/multiclass.h"
#include "metric/ranking.h"
#include "metric/regression.h"
#include "metric/segmentation.h"
#include "metric/text.h"

namespace vigie::metric {
namespace {

constexpr auto kMetrics = std::to_array<const Metric*>({
#define VIGIE_METRIC(name) &name,
#include "metric/metrics.def"
#undef VIGIE_METRIC
});

template <class Summary>
struct TaskOf;
#define VIGIE_TASK(Summary, task, key)            \
  template <>                                     \
  struct TaskOf<Summary> {                        \
    static constexpr Task kTask = Task::task;     \
    static constexpr std::string_view kKey = key; \
  }
VIGIE_TASK(BinarySummary, kBinary, "");
VIGIE_TASK(MulticlassSummary, kMulticlass, "class");
VIGIE_TASK(RegressionSummary, kRegression, "");
VIGIE_TASK(RankingSummary, kRanking, "k");
VIGIE_TASK(TextSummary, kText, "");
VIGIE_TASK(DetectionSummary, kDetection, "");
VIGIE_TASK(SegmentationSummary, kSegmentation, "class");
VIGIE_TASK(FairnessSummary, kFairness, "group");
#undef VIGIE_TASK

/// Intervals by the delta method or Student's t know nothing of bounds.
Value within_bounds(const Metric& metric, Value value) {
  if (value.low < metric.least) value.low = metric.least;
  if (value.high > metric.most) value.high = metric.most;
  return value;
}

}  // namespace

std::string_view to_string(Task task) {
  switch (task) {
    case Task::kBinary:
      return "binary";
    case Task::kMulticlass:
      return "multiclass";
    case Task::kRegression:
      return "regression";
    case Task::kRanking:
      return "ranking";
    case Task::kText:
      return "text";
    case Task::kDetection:
      return "detection";
    case Task::kSegmentation:
      return "segmentation";
    case Task::kFairness:
      break;
  }
  return "fairness";
}

std::span<const Metric* const> metrics() {
  return kMetrics;
}

const Metric* find_metric(Task task, std::string_view name) {
  for (const Metric* metric : kMetrics) {
    if (metric->name == name && metric->task() == task) return metric;
  }
  return nullptr;
}

Task Metric::task() const {
  // The parameter of `run` says it.
  return std::visit([]<class S, class... More>(Value (*)(const S&, More...)) { return TaskOf<S>::kTask; }, run);
}

std::string_view Metric::key() const {
  return std::visit([]<class S, class... More>(Value (*)(
                        const S&, More...)) { return sizeof...(More) ? TaskOf<S>::kKey : std::string_view(); },
                    run);
}

std::string_view Metric::baseline() const {
  constexpr std::string_view kBefore = "; baseline: ";
  const auto at = summary.find(kBefore);
  return at == std::string_view::npos ? std::string_view() : summary.substr(at + kBefore.size());
}

template <class Summary>
std::vector<Entry> evaluate(const Summary& summary) {
  std::vector<Entry> out;
  for (const Metric* metric : kMetrics) {
    const auto call = [&]<class S, class... More>(Value (*run)(const S&, More...)) {
      if constexpr (std::is_same_v<S, Summary> && sizeof...(More) == 0) {
        out.push_back({metric, {}, within_bounds(*metric, run(summary))});
      } else if constexpr (std::is_same_v<S, Summary>) {
        const S& same =
            summary;  // clang looks into this branch even where it is not taken, unless the type depends on S
        for (std::size_t i = 0; i < same.parts.size(); ++i) {
          out.push_back({metric, same.parts[i], within_bounds(*metric, run(same, i))});
        }
      }
    };
    std::visit(call, metric->run);
  }
  return out;
}

template std::vector<Entry> evaluate(const BinarySummary&);
template std::vector<Entry> evaluate(const MulticlassSummary&);
template std::vector<Entry> evaluate(const RegressionSummary&);
template std::vector<Entry> evaluate(const RankingSummary&);
template std::vector<Entry> evaluate(const TextSummary&);
template std::vector<Entry> evaluate(const DetectionSummary&);
template std::vector<Entry> evaluate(const SegmentationSummary&);
template std::vector<Entry> evaluate(const FairnessSummary&);

}  // namespace vigie::metric

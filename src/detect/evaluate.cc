// SPDX-License-Identifier: Apache-2.0
#include "detect/evaluate.h"

#include <algorithm>
#include <vector>

namespace vigie::detect {
namespace {

class Scorer {
 public:
  Scorer(std::span<const Change> changes, std::int64_t within) : changes_(changes), within_(within) {}

  void add(std::int64_t alarm) {
    ++scores_.alarms;
    // A change that is over for this alarm is so for all later ones.
    while (at_ < changes_.size() && changes_[at_].end + within_ < alarm) ++at_;
    if (at_ < changes_.size() && alarm >= changes_[at_].start) {
      if (at_ != last_hit_) delays_.push_back(static_cast<double>(alarm - changes_[at_].start));
      last_hit_ = at_;
      return;
    }
    if (scores_.false_alarms++ == 0) first_false_ = alarm;
    last_false_ = alarm;
  }

  Scores scores(std::int64_t observations) {
    const auto share = [](auto part, auto whole) { return static_cast<double>(part) / static_cast<double>(whole); };
    Scores out = scores_;
    out.detected = static_cast<std::int64_t>(delays_.size());
    if (!changes_.empty()) out.episode_recall = share(delays_.size(), changes_.size());
    if (out.alarms > 0) out.precision = share(out.alarms - out.false_alarms, out.alarms);
    if (observations > 0) out.false_alarms_per_1000 = 1000 * share(out.false_alarms, observations);
    if (out.false_alarms > 1)
      out.mean_time_between_false_alarms = share(last_false_ - first_false_, out.false_alarms - 1);
    if (delays_.empty()) return out;
    std::sort(delays_.begin(), delays_.end());
    double sum = 0;
    for (const double delay : delays_) sum += delay;
    out.mean_delay = sum / static_cast<double>(delays_.size());
    out.median_delay = (delays_[delays_.size() / 2] + delays_[(delays_.size() - 1) / 2]) / 2;
    return out;
  }

 private:
  std::span<const Change> changes_;
  std::int64_t within_, first_false_ = 0, last_false_ = 0;
  std::size_t at_ = 0, last_hit_ = SIZE_MAX;
  std::vector<double> delays_;
  Scores scores_;
};

}  // namespace

Evaluation evaluate(std::span<const std::int64_t> alarms, std::span<const Change> changes, std::int64_t observations,
                    std::optional<std::int64_t> within) {
  if (!within) {
    std::int64_t shortest = observations;
    for (std::size_t i = 0; i < changes.size(); ++i)
      shortest = std::min(shortest, (i + 1 < changes.size() ? changes[i + 1].start : observations) - changes[i].end);
    within = std::max<std::int64_t>(shortest / 2, 1);
  }
  Scorer detector(changes, *within), always(changes, *within), never(changes, *within);
  for (const std::int64_t alarm : alarms) detector.add(alarm);
  for (std::int64_t i = 0; i < observations; ++i) always.add(i);
  return {.changes = static_cast<std::int64_t>(changes.size()),
          .within = *within,
          .detector = detector.scores(observations),
          .always = always.scores(observations),
          .never = never.scores(observations)};
}

}  // namespace vigie::detect

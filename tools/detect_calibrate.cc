// SPDX-License-Identifier: Apache-2.0
// Run lengths and delays of stream detectors by seeded simulation.
//   detect_calibrate table NAME…     lines for src/detect/calibration.def, to standard output
//   detect_calibrate measure [SPEC…] how long without a false alarm, how late at a change: rows of docs/alarms.md
// --runs N (1000), --target T (all three; measure: 100000), --errors (of 0 and 1 for detectors of any value)
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "detect/detect.h"
#include "stats/distributions.h"

namespace {

using namespace vigie;
using namespace vigie::detect;

constexpr double kRates[] = {.4, .02, .03, .05, .1, .2, .3, .5};
// P(alarm within the target) that is aimed at: 1 - 1/e less what a thousand runs may err by, and as many to measure it.
constexpr double kAim = .58;

// Standard normal: a table of quantiles, and the exact ones beyond its ends.
class Normal {
 public:
  Normal() : table_(kCells) {
    for (std::size_t i = 0; i < kCells; ++i) table_[i] = stats::normal_quantile((static_cast<double>(i) + .5) / kCells);
  }
  double operator()(Rng& rng) const {
    const std::uint64_t cell = rng() % kCells;
    if (cell > 0 && cell + 1 < kCells) return table_[cell];
    return stats::normal_quantile((static_cast<double>(cell) + rng.uniform() + 1e-18) / kCells);
  }

 private:
  static constexpr std::size_t kCells = 65536;
  std::vector<double> table_;
};

const Normal& normal() {
  static const Normal law;
  return law;
}

// Errors at a rate; outcomes with as many, of two classes in equal shares; normal values around a level.
void fill(std::span<double> out, Stream stream, double level, Rng& rng) {
  for (double& value : out) {
    const double u = stream == Stream::kValues ? 0 : rng.uniform();
    if (stream == Stream::kValues)
      value = level + normal()(rng);
    else if (stream == Stream::kErrors)
      value = u < level ? 1 : 0;
    else
      value = u < level / 2 ? 1 : u < level ? 2 : u < .5 + level / 2 ? 0 : 3;
  }
}

// Values until the first drift, `limit` where there was none.
std::int64_t run_length(Monitor& monitor, Stream stream, double level, std::int64_t limit, Rng& rng) {
  std::vector<Alarm> alarms;
  std::vector<double> chunk(500);
  for (std::int64_t at = 0; at < limit; at += 500) {
    fill(chunk, stream, level, rng);
    alarms.clear();
    monitor.update(chunk, alarms);
    for (const Alarm& alarm : alarms)
      if (alarm.state == State::kDrift) return alarm.index + 1;
  }
  return limit;
}

// The share of runs with an alarm within the target, at the worst rate.
double share(const Detector& detector, double value, std::int64_t target, int runs) {
  std::vector<double> levels = {0};
  if (detector.stream != Stream::kValues) levels.assign(std::begin(kRates), std::end(kRates));
  double worst = 0;
  std::vector<double> params;
  for (const Param& param : detector.params) params.push_back(param.fallback);
  tune(detector, value, params);
  auto monitor = detector.make(detector, {.params = params});
  if (!monitor) {
    fmt::print(stderr, "{}\n", monitor.error().message);
    std::exit(2);
  }
  for (const double level : levels) {
    int alarmed = 0;
    for (int run = 0; run < runs; ++run) {
      Rng rng(static_cast<std::uint64_t>(run) * 7919 + 1);
      (*monitor)->reset();
      alarmed += run_length(**monitor, detector.stream, level, target, rng) < target;
      if (alarmed > kAim * runs) return 1;
    }
    worst = std::max(worst, static_cast<double>(alarmed) / runs);
  }
  return worst;
}

// Of a detector that an alarm leaves as it is: what would have been the threshold, from one pass without any.
void table_of_statistics(const Detector& detector, const std::vector<std::int64_t>& targets, int runs) {
  const std::string none = fmt::format("{}({}=0)", detector.name, detector.tuned);
  auto monitor = std::move(*make_monitor(none));
  std::vector<std::vector<double>> most(targets.size());
  std::vector<double> values(static_cast<std::size_t>(targets.back()));
  std::vector<Alarm> alarms;
  for (int run = 0; run < runs; ++run) {
    Rng rng(static_cast<std::uint64_t>(run) * 7919 + 1);
    monitor->reset();
    alarms.clear();
    fill(values, detector.stream, 0, rng);
    monitor->update(values, alarms);
    double highest = 0;
    std::size_t target = 0;
    for (const Alarm& alarm : alarms) {
      while (alarm.index >= targets[target]) most[target++].push_back(highest);
      highest = std::max(highest, alarm.statistic);
    }
    for (; target < targets.size(); ++target) most[target].push_back(highest);
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto at = most[i].begin() + static_cast<std::ptrdiff_t>((1 - kAim) * runs);
    std::nth_element(most[i].begin(), at, most[i].end());
    fmt::print("VIGIE_CALIBRATED({}, {}, {:.4g})\n", detector.name, targets[i], *at);
  }
}

void table(const std::string& name, const std::vector<std::int64_t>& targets, int runs) {
  const Detector* detector = find_detector(name);
  if (!detector || detector->tuned.empty()) {
    fmt::print(stderr, "{}: no detector with a tuned parameter\n", name);
    std::exit(2);
  }
  if (detector == &spectral_residual) return table_of_statistics(*detector, targets, runs);
  const Param* param = nullptr;
  for (const Param& each : detector->params)
    if (each.name == detector->tuned) param = &each;
  // `quiet` raises fewer alarms than asked for, `noisy` more.
  const bool level = param->max <= 1;
  double start = param->fallback;
  for (const std::int64_t target : targets) {
    double quiet = start, noisy = start;
    const double step = level ? 30 : 2;
    const auto limited = [&](double value) { return std::min(value, param->max); };
    if (share(*detector, start, target, runs) <= kAim) {
      do {
        quiet = noisy;
        noisy = limited(level ? noisy * step : noisy / step);
        if (noisy == param->max) break;
        if (noisy < 1e-6 * param->fallback) {
          fmt::print(stderr, "{}: learns longer than {} values\n", name, target);
          break;
        }
      } while (share(*detector, noisy, target, runs) <= kAim);
    } else {
      do {
        noisy = quiet;
        quiet = level ? quiet / step : quiet * step;
      } while (share(*detector, quiet, target, runs) > kAim);
    }
    if (!level && noisy < 1e-6 * param->fallback) continue;
    for (const double width = level ? 1.1 : 1.005; std::max(quiet / noisy, noisy / quiet) > width;) {
      const double middle = std::sqrt(quiet * noisy);
      (share(*detector, middle, target, runs) <= kAim ? quiet : noisy) = middle;
    }
    fmt::print("VIGIE_CALIBRATED({}, {}, {:.4g})\n", name, target, quiet);
    std::fflush(stdout);
    start = quiet;
  }
}

// Wilson's 95 % interval of k of n.
std::pair<double, double> interval(int k, int n) {
  const double z = 1.959964, p = static_cast<double>(k) / n, d = 1 + z * z / n, middle = p + z * z / (2 * n),
               half = z * std::sqrt(p * (1 - p) / n + z * z / (4. * n * n));
  return {(middle - half) / d, (middle + half) / d};
}

// How many runs alarm within the target, and what the mean run is then, censored at `censor`.
struct Lengths {
  int within = 0, alarmed = 0;
  double exposed = 0;
};
Lengths lengths(Monitor& monitor, Stream stream, double level, std::int64_t target, std::int64_t censor, int runs) {
  Lengths out;
  for (int run = 0; run < runs; ++run) {
    Rng rng(static_cast<std::uint64_t>(run) * 104729 + 17);
    monitor.reset();
    const std::int64_t length = run_length(monitor, stream, level, censor, rng);
    out.exposed += static_cast<double>(length);
    out.alarmed += length < censor;
    out.within += length < target;
  }
  return out;
}

// After 2,000 values without one; a change that is not seen within 20,000 counts as these.
std::string delay(Monitor& monitor, Stream stream, double level, double change, int runs) {
  constexpr std::int64_t kBefore = 2000, kMost = 20000;
  double sum = 0;
  int counted = 0, unseen = 0;
  std::vector<double> before(kBefore);
  std::vector<Alarm> alarms;
  for (int run = 0; run < runs; ++run) {
    Rng rng(static_cast<std::uint64_t>(run) * 15485863 + 5);
    monitor.reset();
    alarms.clear();
    fill(before, stream, level, rng);
    monitor.update(before, alarms);
    // A false alarm before the change starts the detector anew, which makes it no quicker.
    if (std::any_of(alarms.begin(), alarms.end(), [](const Alarm& a) { return a.state == State::kDrift; })) continue;
    const std::int64_t found = run_length(monitor, stream, level + change, kMost, rng);
    sum += static_cast<double>(found == kMost ? kMost : found - kBefore);
    unseen += found == kMost;
    ++counted;
  }
  if (2 * unseen > counted) return "–";
  return (unseen ? "≥ " : "") + with_commas(std::llround(sum / counted));
}

// A row of the table in docs/alarms.md.
void measure(std::string text, std::int64_t target, int runs, bool errors) {
  const Detector* detector = find_detector(text);
  if (detector && !detector->tuned.empty()) text += fmt::format("(target_arl={})", target);
  auto made = make_monitor(text);
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().message);
    std::exit(2);
  }
  Monitor& monitor = **made;
  detector = &monitor.detector();
  const Stream stream = errors ? Stream::kErrors : detector->stream;
  const bool values = stream == Stream::kValues;
  const double level = values ? 0 : .1;
  // At the worst of the rates, which are many, runs end at the target.
  Lengths at = lengths(monitor, stream, level, target, values ? 10 * target : target, runs), worst = at;
  if (!values)
    for (const double rate : kRates)
      if (const Lengths here = lengths(monitor, stream, rate, target, target, runs); here.within > worst.within)
        worst = here;
  const auto [low, high] = interval(worst.within, runs);
  const std::string mean = with_commas(std::llround(worst.exposed / std::max(worst.alarmed, 1)));
  fmt::print("| `{}` | {} | {} | {:.1f} % | {:.1f} % ({:.1f}–{:.1f}) | {}{} |", text, values ? "values" : "errors",
             runs, 100. * at.within / runs, 100. * worst.within / runs, 100 * low, 100 * high,
             worst.alarmed ? "" : "> ", mean);
  for (const double change : values ? std::array{.25, .5, 1.} : std::array{.05, .1, .3})
    fmt::print(" {} |", delay(monitor, stream, level, change, std::min(runs, 1000)));
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::vector<std::string> names;
  std::vector<std::int64_t> targets = {1000, 10000, 100000};
  int runs = 1000;
  bool errors = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--runs" && i + 1 < words.size())
      runs = std::stoi(words[++i]);
    else if (words[i] == "--target" && i + 1 < words.size())
      targets = {std::stoll(words[++i])};
    else if (words[i] == "--errors")
      errors = true;
    else
      names.push_back(words[i]);
  }
  if (!words.empty() && words[0] == "measure" && names.empty())
    for (const Detector* detector : detectors())
      if (least_target(*detector) > 0 || detector == &sprt) names.emplace_back(detector->name);
  if (words.empty() || names.empty() || (words[0] != "table" && words[0] != "measure")) {
    fmt::print(stderr, "usage: detect_calibrate table|measure NAME… [--runs N] [--target T]\n");
    return 2;
  }
  for (const std::string& name : names)
    words[0] == "table" ? table(name, targets, runs) : measure(name, targets.back(), runs, errors);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "detect/detect.h"

namespace vigie::detect {
namespace {

// A stream without a change, as most are most of the time.
std::vector<double> stable(Stream stream) {
  Rng rng(1);
  std::vector<double> out(100000);
  for (double& value : out) {
    if (stream == Stream::kErrors) {
      value = rng.uniform() < .1 ? 1 : 0;
    } else if (stream == Stream::kOutcomes) {
      const bool truth = rng.uniform() < .4, wrong = rng.uniform() < .1;
      value = 2 * truth + (truth != wrong);
    } else {
      value = -6;
      for (int k = 0; k < 12; ++k) value += rng.uniform();
    }
  }
  return out;
}

void updates(benchmark::State& state, const std::string& text) {
  auto monitor = std::move(*make_monitor(text));
  const std::vector<double> values = stable(monitor->detector().stream);
  std::vector<Alarm> alarms;
  // Slow ones take part of the stream, so that a round stays below a second.
  const std::size_t chunk = 10000;
  std::size_t at = 0;
  for ([[maybe_unused]] auto _ : state) {
    alarms.clear();
    monitor->update(std::span(values).subspan(at, chunk), alarms);
    at = (at + chunk) % values.size();
  }
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  if (monitor->seen() != rounds * static_cast<std::int64_t>(chunk)) state.SkipWithError("values went missing");
  state.SetItemsProcessed(monitor->seen());
  state.counters["ns_per_update"] = benchmark::Counter(static_cast<double>(monitor->seen()) * 1e-9,
                                                       benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["alarms_per_million"] =
      1e6 * static_cast<double>(monitor->drifts()) / static_cast<double>(monitor->seen());
}

const bool registered = [] {
  for (const Detector* detector : detectors()) {
    if (!detector->make) continue;
    const std::string name(detector->name);
    benchmark::RegisterBenchmark(name.c_str(), updates, name)->Unit(benchmark::kMicrosecond);
    if (!detector->river.empty())
      benchmark::RegisterBenchmark((name + "/river").c_str(), updates, name + "(parity=river)")
          ->Unit(benchmark::kMicrosecond);
    if (!detector->freed_by.empty())
      benchmark::RegisterBenchmark((name + "/target").c_str(), updates, name + "(target_arl=10000)")
          ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace vigie::detect

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/gauges.h"
#include "source/sampling.h"
#include "store/store.h"

namespace vigie::server {

/// What the machine, processes and GPUs on it, and endpoints say: sampled in a thread of its own, and kept in the store
/// by the minute beside what requests say. A crash loses the last seconds of it. All functions but the constructor may
/// be called from any thread.
class MachineOps {
 public:
  MachineOps(store::Store& store, std::function<void(const std::string&)> log);
  /// Takes samples from now on. Code::kUsage names the spec.
  Status add(const std::string& spec, const Environment& environment);
  void add(source::Sample sample) { sampling_->add(std::move(sample)); }
  void remove(const std::string& name) { sampling_->remove(name); }
  /// Is told of every sample and every failure of one; before any is added.
  std::function<void(const std::string& name, const std::vector<source::Figure>* figures, const std::string& why,
                     std::int64_t now)>
      seen;

  /// The latest figures, of the last minutes, by source and series.
  struct Now {
    std::string source, series;
    double value = 0;
  };
  std::vector<Now> now(std::int64_t clock) const;
  /// In the text format of Prometheus.
  std::string metrics(std::int64_t clock) const;

 private:
  void took(const std::string& name, const std::vector<source::Figure>& figures, std::int64_t now);
  void keep();

  store::Store& store_;
  std::function<void(const std::string&)> log_;
  struct Pane {
    std::int64_t start = 0, part = 0, at = 0;
    engine::Gauges gauges;
    bool changed = false;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Pane> panes_;  // by source: the minute that is under way
  std::vector<store::OpsPane> over_;
  std::string trouble_;
  std::optional<source::Sampling> sampling_;  // ends first
};

/// The panes of a source that MachineOps put in the store, by their minutes, [from, to).
Result<std::map<std::int64_t, engine::Gauges>> gauges_of(const store::OpsQuery& query, const store::Store& store,
                                                         bool* more = nullptr);

}  // namespace vigie::server

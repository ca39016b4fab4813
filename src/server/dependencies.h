// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/machine_ops.h"

namespace vigie::server {

/// Something that a model needs, or that needs it, and how it is looked at.
struct Dependency {
  std::string name;
  std::string probe;               ///< address that must answer 2xx; or
  std::string prometheus, series;  ///< an endpoint, and a series of it
  double max_latency_ms = 0;       ///< of the probe; 0: any
  std::int64_t max_age = 0;  ///< µs: the series is a time of the last success, and it may be so long ago; 0: it is none
  std::optional<double> least, most;  ///< of the series' value
  bool operator==(const Dependency&) const = default;
};

/// Looks at what models depend on, every ten seconds, as sources "dependency/MODEL/NAME"; and knows what failed when.
/// All functions may be called from any thread.
class Dependencies {
 public:
  explicit Dependencies(MachineOps& machine) : machine_(machine) {}
  /// In place of those that the model had.
  void configure(const std::string& model, const std::vector<Dependency>& wanted);
  /// A sample of a source, one of these or another.
  void seen(const std::string& source, const std::vector<source::Figure>* figures, const std::string& why,
            std::int64_t now);
  /// What of a model failed in [from, to), a sentence each: "feature-store has failed its probe since 12:03 UTC: …".
  std::vector<std::string> failed(const std::string& model, std::int64_t from, std::int64_t to) const;

 private:
  struct Failure {
    std::int64_t from = 0, to = 0;  // to: 0 while it lasts
    std::string why;
  };
  struct Followed {
    std::string model;
    Dependency dependency;
    std::deque<Failure> failures;  // the latest
  };
  MachineOps& machine_;
  mutable std::mutex mutex_;
  std::map<std::string, Followed> followed_;  // by source
};

/// Code::kInput: what is said cannot be looked at.
Result<source::Sample> sample_of(const std::string& model, const Dependency& dependency);

}  // namespace vigie::server

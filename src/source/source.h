// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "http/transfers.h"

namespace vigie::source {

/// One number at one time. Rates are per second since the sample before, and lack in the first one.
struct Figure {
  std::string instance;  ///< which of several, as the number of a GPU; mostly empty
  std::string series;    ///< "cpu_cores", "memory_used_bytes"; of Prometheus its name and labels
  double value = 0;
  bool operator==(const Figure&) const = default;
};

/// What came of Sampler::request().
struct Reached {
  Result<http::Answer> answer;
  std::int64_t took = 0;  ///< µs
};

/// One source with its parameters. One thread at a time.
class Sampler {
 public:
  virtual ~Sampler() = default;
  /// What must be asked over HTTP for a sample; nothing where this machine is looked at.
  virtual std::optional<http::Request> request() const { return {}; }
  /// A sample at `now`, µs since 1970; `reached` where there was a request. Code::kUnavailable: nothing can be had now.
  virtual Result<std::vector<Figure>> read(const Reached* reached, std::int64_t now) = 0;
};

/// Where this machine says what it does.
struct Machine {
  std::string proc = "/proc", cgroup = "/sys/fs/cgroup", nvml = "libnvidia-ml.so.1";
};

/// Descriptor of a source: see conventions "A unit".
struct Source {
  std::string_view name, summary;
  std::string_view reference;  ///< where its numbers are defined
  std::span<const Param> params;
  std::string_view figures;  ///< series that it has, blanks between
  /// Code::kUsage: a parameter that is none.
  Result<std::unique_ptr<Sampler>> (*make)(const Settings&, const Machine&);
  /// What it is called unless told otherwise, as "process/triton".
  std::string (*called)(const Settings&) = nullptr;
};

#define VIGIE_SOURCE(name) extern const Source name;
#include "source/sources.def"
#undef VIGIE_SOURCE

/// All sources, in the order of sources.def.
std::span<const Source* const> sources();
/// What every source has besides its own: name, every.
std::span<const Param> common_params();

/// A source that is looked at again and again.
struct Sample {
  std::string name;                 ///< letters, digits and - _ . : /
  std::int64_t every = 10'000'000;  ///< µs
  std::unique_ptr<Sampler> sampler;
};
/// From text: "host", "process(name=triton)", "prometheus(url=http://127.0.0.1:9100/metrics, series=node_load1)",
/// values as read_settings() has them. Code::kUsage for what read_settings() refuses, an unknown source, a value that
/// is unfit.
Result<Sample> make_sample(std::string_view spec, const Environment& environment, const Machine& machine = {});

}  // namespace vigie::source

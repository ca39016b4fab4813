// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "base/text.h"
#include "source/proc_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "index", .doc = "numbers of the GPUs, blanks between; default: all"},
};

// As nvml.h declares them; their layout is part of the library's name.
extern "C" {
using nvmlDevice = struct nvmlDevice_st*;
using nvmlReturn = int;
struct nvmlUtilization {
  unsigned gpu, memory;  // % of the time since the last look
};
struct nvmlMemory {
  unsigned long long total, free, used;  // bytes
};
}
constexpr nvmlReturn kSuccess = 0;
constexpr int kTemperatureGpu = 0;

struct Nvml {
  nvmlReturn (*init)();
  nvmlReturn (*shutdown)();
  const char* (*error)(nvmlReturn);
  nvmlReturn (*count)(unsigned*);
  nvmlReturn (*device)(unsigned, nvmlDevice*);
  nvmlReturn (*utilization)(nvmlDevice, nvmlUtilization*);
  nvmlReturn (*memory)(nvmlDevice, nvmlMemory*);
  nvmlReturn (*power)(nvmlDevice, unsigned* milliwatts);
  nvmlReturn (*temperature)(nvmlDevice, int sensor, unsigned* degrees);
};

class Gpu final : public Sampler {
 public:
  Gpu(std::vector<unsigned> which, std::string library) : which_(std::move(which)), library_(std::move(library)) {}
  ~Gpu() override {
    if (ready_) nvml_.shutdown();
    if (handle_) dlclose(handle_);
  }

  Result<std::vector<Figure>> read(const Reached*, std::int64_t) override {
    if (!ready_) VIGIE_TRY(open());
    unsigned count = 0;
    VIGIE_TRY(done(nvml_.count(&count), "count GPUs"));
    std::vector<Figure> out;
    for (unsigned i = 0; i < count; ++i)
      if (which_.empty() || std::find(which_.begin(), which_.end(), i) != which_.end()) read_one(i, out);
    for (const auto i : which_)
      if (i >= count) return fail(Code::kUnavailable, fmt::format("there is no GPU {}: NVML counts {}", i, count));
    return out;
  }

 private:
  // What a GPU does not tell is left out.
  void read_one(unsigned index, std::vector<Figure>& out) {
    nvmlDevice device = nullptr;
    if (nvml_.device(index, &device) != kSuccess) return;
    const auto instance = std::to_string(index);
    nvmlUtilization used{};
    if (nvml_.utilization(device, &used) == kSuccess) out.push_back({instance, "gpu_share", used.gpu / 100.});
    nvmlMemory memory{};
    if (nvml_.memory(device, &memory) == kSuccess && memory.total > 0) {
      out.push_back({instance, "memory_used_bytes", static_cast<double>(memory.used)});
      out.push_back({instance, "memory_share", static_cast<double>(memory.used) / static_cast<double>(memory.total)});
    }
    unsigned value = 0;
    if (nvml_.power(device, &value) == kSuccess) out.push_back({instance, "power_watts", value / 1000.});
    if (nvml_.temperature(device, kTemperatureGpu, &value) == kSuccess)
      out.push_back({instance, "temperature_celsius", static_cast<double>(value)});
  }

  Status done(nvmlReturn code, std::string_view doing) const {
    if (code == kSuccess) return {};
    return fail(Code::kUnavailable, fmt::format("NVML cannot {}: {}", doing, nvml_.error(code)));
  }

  Status open() {
    if (!handle_) handle_ = dlopen(library_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle_)
      return fail(Code::kUnavailable, fmt::format("{} is not to be had: it comes with NVIDIA's driver", library_));
    const auto find = [&](const char* name, auto& into) {
      into = reinterpret_cast<std::decay_t<decltype(into)>>(dlsym(handle_, name));
      return into != nullptr;
    };
    if (!(find("nvmlInit_v2", nvml_.init) && find("nvmlShutdown", nvml_.shutdown) &&
          find("nvmlErrorString", nvml_.error) && find("nvmlDeviceGetCount_v2", nvml_.count) &&
          find("nvmlDeviceGetHandleByIndex_v2", nvml_.device) &&
          find("nvmlDeviceGetUtilizationRates", nvml_.utilization) && find("nvmlDeviceGetMemoryInfo", nvml_.memory) &&
          find("nvmlDeviceGetPowerUsage", nvml_.power) && find("nvmlDeviceGetTemperature", nvml_.temperature)))
      return fail(Code::kUnavailable, fmt::format("{} lacks functions of NVML", library_));
    VIGIE_TRY(done(nvml_.init(), "start"));
    ready_ = true;
    return {};
  }

  std::vector<unsigned> which_;
  std::string library_;
  void* handle_ = nullptr;
  Nvml nvml_{};
  bool ready_ = false;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine& machine) {
  std::vector<unsigned> which;
  for (const auto word : words_of(settings["index"])) {
    if (word.find_first_not_of("0123456789") != word.npos || word.size() > 4)
      return fail(Code::kUsage, fmt::format("gpu.index: expected numbers, got {}", vigie::quoted(word)));
    which.push_back(static_cast<unsigned>(number_of(word)));
  }
  return std::make_unique<Gpu>(std::move(which), machine.nvml);
}

}  // namespace

constinit const Source gpu{.name = "gpu",
                           .summary = "NVIDIA GPUs, each by its number",
                           .reference = "NVML",
                           .params = kParams,
                           .figures = "gpu_share memory_used_bytes memory_share power_watts temperature_celsius",
                           .make = make};

}  // namespace vigie::source

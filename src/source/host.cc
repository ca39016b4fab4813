// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "source/proc_internal.h"

namespace vigie::source {
namespace {

constexpr double kSector = 512;  // bytes, whatever the disk's own are

class Host final : public Sampler {
 public:
  explicit Host(std::string proc) : proc_(std::move(proc)) {}

  Result<std::vector<Figure>> read(const Reached*, std::int64_t now) override {
    const auto stat = slurp(proc_ + "/stat");
    const auto memory = slurp(proc_ + "/meminfo");
    if (!stat || !memory) return fail(Code::kUnavailable, fmt::format("{}: cannot be read", proc_));
    std::vector<Figure> out;
    rates_.begin(now);
    cpu(*stat, out);
    if (const auto load = slurp(proc_ + "/loadavg"))
      if (const auto words = words_of(*load); !words.empty()) out.push_back({"", "load_1m", number_of(words[0])});
    if (const auto total = value_of(*memory, "MemTotal"), free = value_of(*memory, "MemAvailable"); total && free) {
      out.push_back({"", "memory_used_bytes", *total - *free});
      if (*total > 0) out.push_back({"", "memory_share", (*total - *free) / *total});
    }
    if (const auto disks = slurp(proc_ + "/diskstats")) disk(*disks, out);
    if (const auto devices = slurp(proc_ + "/net/dev")) {
      const auto network = network_of(*devices);
      rates_.add(out, "", "network_received_bytes_per_s", network.received);
      rates_.add(out, "", "network_sent_bytes_per_s", network.sent);
    }
    return out;
  }

 private:
  void cpu(std::string_view stat, std::vector<Figure>& out) {
    double cores = 0, busy = 0;
    for (const auto line : lines_of(stat)) {
      const auto words = words_of(line);
      if (words.size() < 8 || !words[0].starts_with("cpu")) continue;
      cores += words[0] != "cpu";
      if (words[0] != "cpu") continue;
      // user nice system idle iowait irq softirq steal; what guests use is in user.
      for (const std::size_t i : {1U, 2U, 3U, 6U, 7U, 8U})
        if (i < words.size()) busy += number_of(words[i]);
    }
    const auto before = out.size();
    rates_.add(out, "", "cpu_cores", busy, 1 / static_cast<double>(sysconf(_SC_CLK_TCK)));
    if (out.size() > before && cores > 0) out.push_back({"", "cpu_share", std::min(1., out.back().value / cores)});
  }

  // Of whole disks: their parts, and what is made of disks, would count twice.
  void disk(std::string_view stats, std::vector<Figure>& out) {
    double read = 0, written = 0;
    std::vector<std::string_view> disks;
    for (const auto line : lines_of(stats)) {
      const auto words = words_of(line);
      if (words.size() < 10) continue;
      const auto name = words[2];
      bool none = std::any_of(disks.begin(), disks.end(), [&](auto disk) { return name.starts_with(disk); });
      for (const auto* prefix : {"loop", "ram", "zram", "dm-", "md", "sr", "fd"})
        none = none || name.starts_with(prefix);
      if (none) continue;
      disks.push_back(name);
      read += number_of(words[5]), written += number_of(words[9]);
    }
    if (disks.empty()) return;
    rates_.add(out, "", "disk_read_bytes_per_s", read, kSector);
    rates_.add(out, "", "disk_written_bytes_per_s", written, kSector);
  }

  std::string proc_;
  Rates rates_;
};

Result<std::unique_ptr<Sampler>> make(const Settings&, const Machine& machine) {
  return std::make_unique<Host>(machine.proc);
}

}  // namespace

constinit const Source host{.name = "host",
                            .summary = "this machine: processor, memory, disks, network",
                            .reference = "proc(5) of Linux",
                            .params = {},
                            .figures =
                                "cpu_cores cpu_share load_1m memory_used_bytes memory_share disk_read_bytes_per_s "
                                "disk_written_bytes_per_s network_received_bytes_per_s network_sent_bytes_per_s",
                            .make = make};

}  // namespace vigie::source

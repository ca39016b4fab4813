// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "source/proc_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "name", .doc = "of the program, as \"triton\": all processes of that name together"},
    {.name = "command", .doc = "text that the command line holds, as \"uvicorn app:main\""},
    {.name = "pid", .doc = "number of one process"},
};

class Process final : public Sampler {
 public:
  Process(const Settings& settings, std::string proc)
      : proc_(std::move(proc)), name_(settings["name"]), command_(settings["command"]), pid_(settings["pid"]) {}

  Result<std::vector<Figure>> read(const Reached*, std::int64_t now) override {
    std::map<std::string, Counters> found;
    double processes = 0, memory = 0, threads = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(proc_, error)) {
      const auto pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != pid.npos || !wanted(entry.path().string(), pid)) continue;
      const auto stat = slurp(entry.path().string() + "/stat");
      if (!stat) continue;  // it ended meanwhile
      // The name in brackets may hold anything.
      const auto words = words_of(std::string_view(*stat).substr(std::min(stat->rfind(')') + 1, stat->size())));
      if (words.size() < 22) continue;
      ++processes;
      threads += number_of(words[17]);
      memory += number_of(words[21]) * static_cast<double>(sysconf(_SC_PAGESIZE));
      // With when it began: a number is used again.
      auto& counters = found[pid + " " + std::string(words[19])];
      counters.ticks = number_of(words[11]) + number_of(words[12]);
      if (const auto io = slurp(entry.path().string() + "/io"))
        counters.read = value_of(*io, "read_bytes").value_or(0),
        counters.written = value_of(*io, "write_bytes").value_or(0);
    }
    if (error) return fail(Code::kUnavailable, fmt::format("{}: cannot be read", proc_));
    std::vector<Figure> out{{"", "processes", processes}, {"", "threads", threads}, {"", "memory_used_bytes", memory}};
    if (last_ > 0 && now > last_) rates(found, static_cast<double>(now - last_) / 1e6, out);
    before_ = std::move(found), last_ = now;
    return out;
  }

 private:
  struct Counters {
    double ticks = 0, read = 0, written = 0;
  };

  // All that a process did since it began, where it began since the last time.
  void rates(const std::map<std::string, Counters>& found, double seconds, std::vector<Figure>& out) const {
    Counters sum;
    for (const auto& [which, now] : found) {
      const auto at = before_.find(which);
      const auto before = at == before_.end() ? Counters() : at->second;
      sum.ticks += now.ticks - before.ticks, sum.read += now.read - before.read,
          sum.written += now.written - before.written;
    }
    out.push_back({"", "cpu_cores", sum.ticks / static_cast<double>(sysconf(_SC_CLK_TCK)) / seconds});
    out.push_back({"", "disk_read_bytes_per_s", sum.read / seconds});
    out.push_back({"", "disk_written_bytes_per_s", sum.written / seconds});
  }

  bool wanted(const std::string& path, const std::string& pid) const {
    if (!pid_.empty()) return pid == pid_;
    auto line = slurp(path + "/cmdline").value_or("");
    if (!command_.empty()) {
      std::replace(line.begin(), line.end(), '\0', ' ');
      return line.find(command_) != line.npos;
    }
    auto program = line.substr(0, line.find('\0'));
    program = program.substr(program.rfind('/') + 1);
    if (program == name_) return true;
    const auto comm = slurp(path + "/comm").value_or("");
    return !comm.empty() && std::string_view(comm).substr(0, comm.size() - 1) == std::string_view(name_).substr(0, 15);
  }

  std::string proc_, name_, command_, pid_;
  std::map<std::string, Counters> before_;
  std::int64_t last_ = 0;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine& machine) {
  const auto given =
      std::count_if(std::begin(kParams), std::end(kParams), [&](const Param& p) { return !settings[p.name].empty(); });
  if (given != 1) return fail(Code::kUsage, "process: expected one of name, command and pid");
  if (settings["pid"].find_first_not_of("0123456789") != std::string::npos)
    return fail(Code::kUsage, fmt::format("process.pid: expected a number, got {}", vigie::quoted(settings["pid"])));
  return std::make_unique<Process>(settings, machine.proc);
}

std::string called(const Settings& settings) {
  for (const auto& p : kParams)
    if (!settings[p.name].empty()) return "process/" + settings[p.name];
  return "process";
}

}  // namespace

constinit const Source process{.name = "process",
                               .summary = "processes of this machine, by the name of their program",
                               .reference = "proc(5) of Linux",
                               .params = kParams,
                               .figures =
                                   "processes threads memory_used_bytes cpu_cores disk_read_bytes_per_s "
                                   "disk_written_bytes_per_s",
                               .make = make,
                               .called = called};

}  // namespace vigie::source

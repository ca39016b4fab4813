// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/text.h"
#include "source/proc_internal.h"

namespace vigie::source {
namespace {

constexpr Param kParams[] = {
    {.name = "name",
     .doc = "id of the container or its beginning, name of a unit as triton.service, or path of its cgroup",
     .required = true},
};
constexpr int kDeepest = 8;          // folders below the root that a container is looked for in
constexpr double kUnlimited = 1e15;  // bytes: what cgroups of version 1 say where there is no limit
constexpr const char* kRuntimes[] = {"docker-", "cri-containerd-", "crio-", "libpod-", ""};

namespace files = std::filesystem;

// A folder that is called so by one of those that make containers.
bool is(std::string_view folder, std::string_view name) {
  for (const std::string_view runtime : kRuntimes) {
    if (!folder.starts_with(runtime)) continue;
    const auto rest = folder.substr(runtime.size());
    if (rest == name || rest == std::string(name) + ".scope") return true;
    const bool id = name.size() >= 8 && name.find_first_not_of("0123456789abcdef") == name.npos;
    if (id && rest.starts_with(name)) return true;
  }
  return false;
}

std::string find_in(const std::string& root, const std::string& name) {
  std::error_code error;
  if (name.starts_with('/')) return files::is_directory(root + name, error) ? root + name : std::string();
  const auto skip = files::directory_options::skip_permission_denied;
  for (auto it = files::recursive_directory_iterator(root, skip, error); !error && it != files::end(it);
       it.increment(error)) {
    if (it.depth() >= kDeepest) it.disable_recursion_pending();
    if (it->is_directory(error) && is(it->path().filename().string(), name)) return it->path().string();
  }
  return {};
}

class Container final : public Sampler {
 public:
  Container(std::string name, const Machine& machine) : name_(std::move(name)), machine_(machine) {}

  Result<std::vector<Figure>> read(const Reached*, std::int64_t now) override {
    std::vector<Figure> out;
    rates_.begin(now);
    const auto& root = machine_.cgroup;
    std::error_code error;
    if (files::exists(root + "/cgroup.controllers", error)) {
      auto& place = places_[0];
      if (place.empty() || !files::exists(place, error)) place = find_in(root, name_);
      if (place.empty()) return missing();
      second(place, out);
      network(place, out);
      return out;
    }
    // One tree for each controller.
    bool any = false;
    const char* const trees[] = {"/cpuacct", "/memory", "/blkio"};
    for (std::size_t i = 0; i < std::size(trees); ++i) {
      auto& place = places_[i];
      if (place.empty() || !files::exists(place, error)) place = find_in(root + trees[i], name_);
      any = any || !place.empty();
    }
    if (!any) return missing();
    first(out);
    for (const auto& place : places_)
      if (!place.empty()) {
        network(place, out);
        break;
      }
    return out;
  }

 private:
  Error missing() const {
    return fail(Code::kUnavailable,
                fmt::format("there is no container {} below {}", vigie::quoted(name_), machine_.cgroup));
  }

  void memory(double used, double idle, double limit, std::vector<Figure>& out) {
    // Without what was read from files and can be dropped at once.
    const double working = std::max(0., used - idle);
    out.push_back({"", "memory_used_bytes", working});
    if (limit > 0 && limit < kUnlimited) out.push_back({"", "memory_share", working / limit});
  }

  void second(const std::string& place, std::vector<Figure>& out) {
    if (const auto cpu = slurp(place + "/cpu.stat")) {
      if (const auto used = value_of(*cpu, "usage_usec")) rates_.add(out, "", "cpu_cores", *used, 1e-6);
      if (const auto held = value_of(*cpu, "throttled_usec")) rates_.add(out, "", "cpu_throttled_share", *held, 1e-6);
    }
    if (const auto used = number(place + "/memory.current"); !std::isnan(used))
      memory(used, value_of(slurp(place + "/memory.stat").value_or(""), "inactive_file").value_or(0),
             number(place + "/memory.max"), out);
    if (const auto io = slurp(place + "/io.stat")) {
      double read = 0, written = 0;
      for (const auto line : lines_of(*io))
        for (const auto word : words_of(line)) {
          if (word.starts_with("rbytes=")) read += number_of(word.substr(7));
          if (word.starts_with("wbytes=")) written += number_of(word.substr(7));
        }
      disk(read, written, out);
    }
  }

  void first(std::vector<Figure>& out) {
    if (const auto used = number(places_[0] + "/cpuacct.usage"); !std::isnan(used))
      rates_.add(out, "", "cpu_cores", used, 1e-9);
    if (const auto used = number(places_[1] + "/memory.usage_in_bytes"); !std::isnan(used))
      memory(used, value_of(slurp(places_[1] + "/memory.stat").value_or(""), "total_inactive_file").value_or(0),
             number(places_[1] + "/memory.limit_in_bytes"), out);
    const auto io = slurp(places_[2] + "/blkio.throttle.io_service_bytes");
    if (places_[2].empty() || !io) return;
    double read = 0, written = 0;
    for (const auto line : lines_of(*io)) {
      const auto words = words_of(line);
      if (words.size() != 3) continue;
      (words[1] == "Read" ? read : words[1] == "Write" ? written : ignored_) += number_of(words[2]);
    }
    disk(read, written, out);
  }

  void disk(double read, double written, std::vector<Figure>& out) {
    rates_.add(out, "", "disk_read_bytes_per_s", read);
    rates_.add(out, "", "disk_written_bytes_per_s", written);
  }

  // As a process in it sees its devices, where these are its own.
  void network(const std::string& place, std::vector<Figure>& out) {
    const auto members = slurp(place + "/cgroup.procs").value_or("");
    const auto pid = members.substr(0, members.find('\n'));
    if (pid.empty()) return;
    std::error_code error, none;
    const auto own = files::read_symlink(machine_.proc + "/self/ns/net", none);
    if (files::read_symlink(machine_.proc + "/" + pid + "/ns/net", error) == own || error || none) return;
    const auto devices = slurp(machine_.proc + "/" + pid + "/net/dev");
    if (!devices) return;
    const auto network = network_of(*devices);
    rates_.add(out, "", "network_received_bytes_per_s", network.received);
    rates_.add(out, "", "network_sent_bytes_per_s", network.sent);
  }

  static double number(const std::string& path) {
    const auto text = slurp(path).value_or("");
    return number_of(std::string_view(text).substr(0, text.find('\n')));
  }

  std::string name_;
  Machine machine_;
  std::string places_[3];  // of cgroups of version 1: cpuacct, memory, blkio
  Rates rates_;
  double ignored_ = 0;
};

Result<std::unique_ptr<Sampler>> make(const Settings& settings, const Machine& machine) {
  const auto& name = settings["name"];
  if (name.find("..") != std::string::npos)
    return fail(Code::kUsage,
                fmt::format("container.name: expected an id, a unit or a path, got {}", vigie::quoted(name)));
  return std::make_unique<Container>(name, machine);
}

std::string called(const Settings& settings) {
  auto name = settings["name"];
  name.erase(0, name.find_first_not_of('/'));
  return "container/" + name.substr(0, 60);
}

}  // namespace

constinit const Source container{
    .name = "container",
    .summary = "a container, or a unit of systemd, of this machine",
    .reference = "cgroups(7) of Linux, versions 2 and 1",
    .params = kParams,
    .figures =
        "cpu_cores cpu_throttled_share memory_used_bytes memory_share disk_read_bytes_per_s "
        "disk_written_bytes_per_s network_received_bytes_per_s network_sent_bytes_per_s",
    .make = make,
    .called = called};

}  // namespace vigie::source

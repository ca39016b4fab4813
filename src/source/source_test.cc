// SPDX-License-Identifier: Apache-2.0
#include "source/source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "source/prometheus_text_internal.h"

namespace vigie::source {
namespace {

namespace files = std::filesystem;

/// Files of a machine that there is not.
struct Tree {
  std::string path;
  Tree() {
    const char* tmp = std::getenv("TMPDIR");
    path = fmt::format("{}/vigie-source-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path.data())) std::abort();
  }
  ~Tree() {
    std::error_code ignored;
    files::remove_all(path, ignored);
  }
  void put(const std::string& name, const std::string& text) const {
    files::create_directories(files::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name) << text;
  }
  Machine machine() const { return {path + "/proc", path + "/cgroup", "libnone.so.1"}; }
};

std::string error_of(const std::string& spec) {
  const auto made = make_sample(spec, [](const std::string&) { return std::nullopt; });
  if (made) return "";
  EXPECT_EQ(made.error().code, Code::kUsage);
  return made.error().message;
}

std::string told(Sampler& sampler, std::int64_t second, const Reached* reached = nullptr) {
  const auto figures = sampler.read(reached, second * 1'000'000);
  if (!figures) return figures.error().message;
  std::string out;
  for (const auto& f : *figures)
    out += fmt::format("{}{}{}={:.6g} ", f.instance, f.instance.empty() ? "" : ":", f.series, f.value);
  return out;
}

Reached answer(unsigned status, std::string body, std::int64_t took = 0) {
  http::Answer answer;
  answer.status = status, answer.body = std::move(body);
  return {answer, took};
}

TEST(MakeSample, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("hots"), "unknown source \"hots\"; did you mean \"host\"?");
  EXPECT_EQ(error_of("process"), "process: expected one of name, command and pid");
  EXPECT_EQ(error_of("process(name=a, pid=1)"), "process: expected one of name, command and pid");
  EXPECT_EQ(error_of("process(pid=self)"), "process.pid: expected a number, got \"self\"");
  EXPECT_EQ(error_of("process(nam=a)"), "process: unknown parameter \"nam\"; did you mean \"name\"?");
  EXPECT_EQ(error_of("host(every=0)"), "host.every: expected 1..3600, got \"0\"");
  EXPECT_EQ(error_of("host(as=a b)"), "host.as: expected letters, digits, - _ . : and /, got \"a b\"");
  EXPECT_EQ(error_of("gpu(index=one)"), "gpu.index: expected numbers, got \"one\"");
  EXPECT_EQ(error_of("container"),
            "container: name is missing: id of the container or its beginning, name of a unit as "
            "triton.service, or path of its cgroup");
  EXPECT_EQ(error_of("prometheus(url=ftp://x, series=up)"),
            "prometheus.url: expected an address that begins with https:// or http://");
  EXPECT_EQ(error_of("prometheus(url=http://x, series=up{)"),
            "prometheus.series: expected names as node_load1 or up{job=\"api\"}, got \"up{\"");
  EXPECT_EQ(error_of("probe(url=${URL})"), "probe.url: there is no variable URL in the environment");
}

TEST(MakeSample, NamesWhatItLooksAt) {
  const auto name = [](const char* spec) { return make_sample(spec, nullptr).value().name; };
  EXPECT_EQ(name("host"), "host");
  EXPECT_EQ(name("host(as=db1)"), "db1");
  EXPECT_EQ(name("process(command=\"uvicorn app:main\")"), "process/uvicorn-app:main");
  EXPECT_EQ(name("container(name=/system.slice/triton.service)"), "container/system.slice/triton.service");
  EXPECT_EQ(name("prometheus(url=http://u:p@127.0.0.1:9100/metrics, series=up)"), "prometheus/127.0.0.1:9100");
  EXPECT_EQ(make_sample("host(every=2.5)", nullptr).value().every, 2'500'000);
}

TEST(Host, CountsWholeDisksAndOwnDevicesOnce) {
  Tree tree;
  const auto second = [&](double busy, double bytes) {
    const double ticks = busy * static_cast<double>(sysconf(_SC_CLK_TCK));
    tree.put(
        "proc/stat",
        fmt::format("cpu  {:.0f} 0 0 900 50 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0\ncpu1 1 0 0 1 0 0 0 0\nintr 1\n", ticks));
    tree.put("proc/diskstats",
             fmt::format("8 0 sda 1 0 {0:.0f} 0 1 0 {1:.0f} 0 0 0 0\n8 1 sda1 1 0 {0:.0f} 0 1 0 {1:.0f} 0 0 0 0\n"
                         "253 0 dm-0 1 0 {0:.0f} 0 1 0 {1:.0f} 0 0 0 0\n7 0 loop0 9 0 9999 0 1 0 9999 0 0 0 0\n",
                         bytes / 512, bytes / 256));
    tree.put("proc/net/dev",
             fmt::format("Inter-|   Receive\n face |bytes\n    lo: 99999{0:.0f} 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n"
                         "  eth0:{0:.0f} 3 0 0 0 0 0 0 {1:.0f} 3 0 0 0 0 0 0\n docker0: 77{0:.0f} 0 0 0 0 0 0 0 1 0\n",
                         bytes, bytes / 2));
  };
  tree.put("proc/loadavg", "0.42 0.5 0.6 1/100 1234\n");
  tree.put("proc/meminfo", "MemTotal:    8000 kB\nMemFree:  100 kB\nMemAvailable:    2000 kB\n");
  auto sample = make_sample("host", nullptr, tree.machine()).value();
  second(100, 0);
  EXPECT_EQ(told(*sample.sampler, 100), "load_1m=0.42 memory_used_bytes=6.144e+06 memory_share=0.75 ");
  second(115, 51'200);
  EXPECT_EQ(told(*sample.sampler, 110),
            "cpu_cores=1.5 cpu_share=0.75 load_1m=0.42 memory_used_bytes=6.144e+06 memory_share=0.75 "
            "disk_read_bytes_per_s=5120 disk_written_bytes_per_s=10240 network_received_bytes_per_s=5120 "
            "network_sent_bytes_per_s=2560 ");
  // After a start anew of the machine counters begin again: no rate is told of that time.
  second(1, 0);
  EXPECT_EQ(told(*sample.sampler, 120), "load_1m=0.42 memory_used_bytes=6.144e+06 memory_share=0.75 ");
  files::remove_all(tree.path + "/proc");
  EXPECT_EQ(told(*sample.sampler, 130), tree.path + "/proc: cannot be read");
}

TEST(Host, IsThisMachine) {
  auto sample = make_sample("host", nullptr).value();
  EXPECT_NE(told(*sample.sampler, 1).find("memory_share=0."), std::string::npos);
}

TEST(Process, IsAllOfThatNameTogether) {
  Tree tree;
  const auto begin = [&](int pid, const std::string& command, double cpu, int started) {
    const auto ticks = cpu * static_cast<double>(sysconf(_SC_CLK_TCK));
    auto name = command.substr(0, command.find(' '));
    name = name.substr(name.rfind('/') + 1);
    tree.put(fmt::format("proc/{}/stat", pid),
             fmt::format("{} ({}) S 1 1 1 0 -1 0 0 0 0 0 {:.0f} {:.0f} 0 0 20 0 3 0 {} 1000 10 0", pid,
                         "a ) b (" + name, ticks / 2, ticks / 2, started));
    auto line = command;
    std::replace(line.begin(), line.end(), ' ', '\0');
    tree.put(fmt::format("proc/{}/cmdline", pid), line + '\0');
    tree.put(fmt::format("proc/{}/comm", pid), name + "\n");
    tree.put(fmt::format("proc/{}/io", pid), fmt::format("rchar: 9\nread_bytes: {:.0f}\nwrite_bytes: 0\n", cpu * 100));
  };
  begin(10, "/opt/triton --model a", 5, 1);
  begin(11, "/opt/triton --model b", 1, 2);
  begin(12, "/usr/bin/python3 -m uvicorn app:main", 9, 3);
  auto named = make_sample("process(name=triton)", nullptr, tree.machine()).value();
  auto command = make_sample("process(command=uvicorn app:main)", nullptr, tree.machine()).value();
  auto number = make_sample("process(pid=12)", nullptr, tree.machine()).value();
  const auto page = 10 * sysconf(_SC_PAGESIZE);
  EXPECT_EQ(told(*named.sampler, 100), fmt::format("processes=2 threads=6 memory_used_bytes={} ", 2 * page));
  EXPECT_EQ(told(*command.sampler, 100), fmt::format("processes=1 threads=3 memory_used_bytes={} ", page));
  EXPECT_EQ(told(*number.sampler, 100), fmt::format("processes=1 threads=3 memory_used_bytes={} ", page));
  // One goes on, one is a new one of the same number, and one more began.
  begin(10, "/opt/triton --model a", 9, 1);
  begin(11, "/opt/triton --model b", 2, 77);
  begin(13, "/opt/triton --model c", 4, 78);
  EXPECT_EQ(told(*named.sampler, 110), fmt::format("processes=3 threads=9 memory_used_bytes={} cpu_cores=1 "
                                                   "disk_read_bytes_per_s=100 disk_written_bytes_per_s=0 ",
                                                   3 * page));
  for (const int pid : {10, 11, 13}) files::remove_all(fmt::format("{}/proc/{}", tree.path, pid));
  EXPECT_EQ(told(*named.sampler, 120),
            "processes=0 threads=0 memory_used_bytes=0 cpu_cores=0 disk_read_bytes_per_s=0 "
            "disk_written_bytes_per_s=0 ");
}

TEST(Process, IsThisOne) {
  auto self = make_sample(fmt::format("process(pid={})", getpid()), nullptr).value();
  EXPECT_EQ(told(*self.sampler, 1).substr(0, 12), "processes=1 ");
}

TEST(Container, OfCgroupsOfVersion2) {
  Tree tree;
  const std::string place = "cgroup/system.slice/docker-0123456789abcdef0123.scope/";
  tree.put("cgroup/cgroup.controllers", "cpu io memory\n");
  const auto second = [&](double cpu, double bytes) {
    tree.put(place + "cpu.stat",
             fmt::format("usage_usec {:.0f}\nuser_usec 1\nthrottled_usec {:.0f}\n", cpu * 1e6, cpu * 1e5));
    tree.put(place + "io.stat",
             fmt::format("8:0 rbytes={0:.0f} wbytes=0 rios=1\n259:0 rbytes={0:.0f} wbytes=10 rios=1\n", bytes));
  };
  tree.put(place + "memory.current", "3000\n");
  tree.put(place + "memory.max", "4000\n");
  tree.put(place + "memory.stat", "anon 5\ninactive_file 1000\n");
  tree.put(place + "cgroup.procs", "");
  auto sample = make_sample("container(name=0123456789ab)", nullptr, tree.machine()).value();
  second(1, 0);
  EXPECT_EQ(told(*sample.sampler, 10), "memory_used_bytes=2000 memory_share=0.5 ");
  second(6, 500);
  EXPECT_EQ(told(*sample.sampler, 20),
            "cpu_cores=0.5 cpu_throttled_share=0.05 memory_used_bytes=2000 memory_share=0.5 "
            "disk_read_bytes_per_s=100 disk_written_bytes_per_s=0 ");
  tree.put(place + "memory.max", "max\n");
  EXPECT_NE(told(*sample.sampler, 30).find("memory_used_bytes=2000 disk"), std::string::npos);
  auto none = make_sample("container(name=triton)", nullptr, tree.machine()).value();
  EXPECT_EQ(told(*none.sampler, 30), fmt::format("there is no container \"triton\" below {}/cgroup", tree.path));
}

TEST(Container, OfCgroupsOfVersion1) {
  Tree tree;
  const std::string name = "/docker/abcdef0123456789/";
  tree.put("cgroup/cpuacct" + name + "cpuacct.usage", "1000000000\n");
  tree.put("cgroup/memory" + name + "memory.usage_in_bytes", "3000\n");
  tree.put("cgroup/memory" + name + "memory.limit_in_bytes", "9223372036854771712\n");
  tree.put("cgroup/memory" + name + "memory.stat", "cache 1\ntotal_inactive_file 1000\n");
  tree.put("cgroup/blkio" + name + "blkio.throttle.io_service_bytes", "8:0 Read 100\n8:0 Write 50\nTotal 150\n");
  auto sample = make_sample("container(name=abcdef01)", nullptr, tree.machine()).value();
  EXPECT_EQ(told(*sample.sampler, 10), "memory_used_bytes=2000 ");
  tree.put("cgroup/cpuacct" + name + "cpuacct.usage", "21000000000\n");
  tree.put("cgroup/blkio" + name + "blkio.throttle.io_service_bytes", "8:0 Read 1100\n8:0 Write 50\nTotal 1150\n");
  EXPECT_EQ(told(*sample.sampler, 20),
            "cpu_cores=2 memory_used_bytes=2000 disk_read_bytes_per_s=100 disk_written_bytes_per_s=0 ");
}

TEST(Gpu, TellsWhatNvmlDoes) {
  Machine machine;
  machine.nvml = VIGIE_FAKE_NVML;
  auto all = make_sample("gpu", nullptr, machine).value();
  const std::string first =
      "0:gpu_share=0.75 0:memory_used_bytes=2.14748e+10 0:memory_share=0.25 0:power_watts=312.5 "
      "0:temperature_celsius=61 ";
  const std::string second =
      "1:gpu_share=0 1:memory_used_bytes=2.14748e+10 1:memory_share=0.25 1:temperature_celsius=34 ";
  EXPECT_EQ(told(*all.sampler, 1), first + second);
  EXPECT_EQ(told(*make_sample("gpu(index=1)", nullptr, machine).value().sampler, 1), second);
  EXPECT_EQ(told(*make_sample("gpu(index=0 5)", nullptr, machine).value().sampler, 1),
            "there is no GPU 5: NVML counts 2");
  machine.nvml = "libnone.so.1";
  EXPECT_EQ(told(*make_sample("gpu", nullptr, machine).value().sampler, 1),
            "libnone.so.1 is not to be had: it comes with NVIDIA's driver");
}

TEST(Prometheus, ReadsWhatSelectorsTake) {
  auto sample =
      make_sample("prometheus(url=http://x:9100/metrics, series=\"load1 req_total{code=200} odd\")", nullptr).value();
  EXPECT_EQ(sample.sampler->request()->url, "http://x:9100/metrics");
  const auto page = [](int count) {
    return answer(
        200, fmt::format("# HELP load1 of the machine\n# TYPE load1 gauge\nload1 0.25\n"
                         "# TYPE req_total counter\nreq_total{{code=\"200\",path=\"/a\\\"b\\\\\"}} {} 1700000000000\r\n"
                         "req_total{{code=\"500\"}} 7\nother 3\nload1{{ 5\nodd NaN\n\n# EOF\n",
                         count));
  };
  auto reached = page(100);
  EXPECT_EQ(told(*sample.sampler, 10, &reached), "load1=0.25 ");
  reached = page(150);
  EXPECT_EQ(told(*sample.sampler, 20, &reached), "load1=0.25 rate(req_total{code=\"200\",path=\"/a\\\"b\\\\\"})=5 ");
  reached = answer(503, "");
  EXPECT_EQ(told(*sample.sampler, 30, &reached), "http://x:9100: answers 503");
  reached = answer(200, "<html>\n");
  EXPECT_EQ(told(*sample.sampler, 30, &reached), "http://x:9100: has none of the series, and 1 lines that are none");
  reached = {fail(Code::kUnavailable, "http://x:9100: nobody answers"), 0};
  EXPECT_EQ(told(*sample.sampler, 30, &reached), "http://x:9100: nobody answers");
}

TEST(Prometheus, KnowsWhatAModelCosts) {
  const auto page = [](double a, double b) {
    return answer(200, fmt::format("# TYPE cpu_seconds_total counter\ncpu_seconds_total{{pod=\"a\"}} {}\n"
                                   "cpu_seconds_total{{pod=\"b\"}} {}\nDCGM_FI_DEV_GPU_UTIL{{gpu=\"0\"}} 80\n"
                                   "DCGM_FI_DEV_GPU_UTIL{{gpu=\"1\"}} 50\nnv_gpu_utilization 0.5\n",
                                   a, b));
  };
  auto both = make_sample("prometheus(url=http://x/m, cpu=cpu_seconds_total, gpu=DCGM_FI_DEV_GPU_UTIL)", nullptr);
  auto& sampler = *both.value().sampler;
  auto reached = page(100, 7);
  EXPECT_EQ(told(sampler, 10, &reached), "gpu_share=1.3 ");
  reached = page(115, 12);
  EXPECT_EQ(told(sampler, 20, &reached), "cpu_cores=2 gpu_share=1.3 ");
  reached = page(120, 1);  // one of them began anew
  EXPECT_EQ(told(sampler, 30, &reached), "gpu_share=1.3 ");
  auto one = make_sample("prometheus(url=http://x/m, gpu=nv_gpu_utilization)", nullptr);
  EXPECT_EQ(told(*one.value().sampler, 10, &reached), "gpu_share=0.5 ");
  one = make_sample("prometheus(url=http://x/m, gpu=nv_gpu_utilization, gpu_full=2)", nullptr);
  EXPECT_EQ(told(*one.value().sampler, 10, &reached), "gpu_share=0.25 ");
  EXPECT_EQ(error_of("prometheus(url=http://x)"), "prometheus: expected one of series, cpu and gpu");
  EXPECT_EQ(error_of("prometheus(url=http://x, cpu=a{)"),
            "prometheus.cpu: expected names as node_load1 or up{job=\"api\"}, got \"a{\"");
  EXPECT_EQ(error_of("prometheus(url=http://x, gpu=a, gpu_full=0)"),
            "prometheus.gpu_full: expected a number above 0, got \"0\"");
}

TEST(Prometheus, KnowsCountersOfOpenMetrics) {
  std::int64_t odd = 0;
  const auto selectors = read_selectors("a_total,b{x=\"1\"} c").value();
  const auto found = read_prometheus(
      "# TYPE a counter\na_total 3 # {trace=\"x\"} 1\nb{x=\"1\",y=\"2\",} +Inf\nb{x=\"2\"} 1\nc{\n", selectors, odd);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].counter);
  EXPECT_EQ(to_string(found[1]), "b{x=\"1\",y=\"2\"}");
  EXPECT_EQ(odd, 1);
}

TEST(Probe, IsUpOrNot) {
  auto sample = make_sample("probe(url=https://x.org/health)", nullptr).value();
  auto reached = answer(204, "", 12'500);
  EXPECT_EQ(told(*sample.sampler, 1, &reached), "up=1 status=204 latency_ms=12.5 ");
  reached = answer(503, "", 12'500);
  EXPECT_EQ(told(*sample.sampler, 1, &reached), "up=0 status=503 ");
  reached = {fail(Code::kUnavailable, "nobody answers"), 0};
  EXPECT_EQ(told(*sample.sampler, 1, &reached), "up=0 ");
}

// Conformance: over the whole registry.
TEST(Sources, SayWhatTheyAre) {
  for (const auto* s : sources()) {
    EXPECT_FALSE(s->summary.empty()) << s->name;
    EXPECT_FALSE(s->reference.empty()) << s->name;
    for (const auto& p : s->params) EXPECT_FALSE(p.doc.empty()) << s->name << "." << p.name;
    EXPECT_NE(error_of(fmt::format("{}(no_such=1)", s->name)).find("unknown parameter"), std::string::npos) << s->name;
  }
}

}  // namespace
}  // namespace vigie::source

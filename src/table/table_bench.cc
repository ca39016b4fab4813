// SPDX-License-Identifier: Apache-2.0
// MB of text per CPU second of the readers, all threads counted, on a million rows of 15 numbers of 17 digits and five
// strings of 3 to 200 categories; or on the file named by VIGIE_BENCH_CSV or VIGIE_BENCH_NDJSON.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "base/file.h"
#include "base/rng.h"
#include "table/table.h"

namespace {

using namespace vigie;
using namespace vigie::table;

constexpr int kNumbers = 15, kStrings = 5;
constexpr int kCategories[kStrings] = {3, 10, 30, 100, 200};

std::string temporary(const std::string& bytes) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/vigie-bench-XXXXXX", folder ? folder : "/tmp");
  int fd = mkstemp(path.data());
  for (std::size_t at = 0; at < bytes.size();) {
    auto n = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (n <= 0) std::abort();
    at += static_cast<std::size_t>(n);
  }
  ::close(fd);
  return path;
}

std::string make(bool json, int rows) {
  Rng rng(1);
  std::string out;
  if (!json)
    for (int j = 0; j < kNumbers + kStrings; ++j) out += fmt::format("{}c{}", j ? "," : "", j);
  if (!json) out += '\n';
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < kNumbers + kStrings; ++j) {
      out += json ? fmt::format("{}\"c{}\": ", j ? ", " : "{", j) : j ? "," : "";
      if (j < kNumbers) {
        out += fmt::format("{}", (rng.uniform() - 0.5) * std::pow(10, j % 4));
      } else {
        out += fmt::format("\"v{:03}\"", rng.below(static_cast<std::uint64_t>(kCategories[j - kNumbers])));
      }
    }
    out += json ? "}\n" : "\n";
  }
  return out;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// One pass over every column; gives the rows and the sum of the numbers.
std::pair<std::int64_t, double> scan(const std::string& path, unsigned threads) {
  ReadOptions options;
  options.threads = threads;
  auto input = open_input(path, options);
  if (!input) return {-1, 0};
  auto reader = (*input)->open();
  if (!reader) return {-1, 0};
  std::int64_t rows = 0;
  double sum = 0;
  while (true) {
    auto batch = (*reader)->next();
    if (!batch) return {-1, 0};
    if (!*batch) break;
    rows += (*batch)->rows();
    for (std::size_t i = 0; i < (*reader)->schema().size(); ++i) {
      auto column = (*batch)->column(i);
      if (column && !column->numbers.empty() && !std::isnan(column->numbers[0])) sum += column->numbers[0];
    }
  }
  return (*reader)->problems().rejected ? std::pair<std::int64_t, double>{-1, 0} : std::pair{rows, sum};
}

void read(benchmark::State& state, bool json) {
  const char* given = std::getenv(json ? "VIGIE_BENCH_NDJSON" : "VIGIE_BENCH_CSV");
  const int rows = json ? 100000 : 250000;
  std::string path = given ? given : temporary(make(json, rows));
  auto file = InputFile::open(path);
  if (!file) return state.SkipWithError(file.error().message.c_str());
  auto size = file->size();
  double cpu = 0;
  for ([[maybe_unused]] auto _ : state) {
    auto before = cpu_seconds();
    auto [n, sum] = scan(path, static_cast<unsigned>(state.range(0)));
    cpu += cpu_seconds() - before;
    if (n < 0 || (!given && n != rows) || !std::isfinite(sum)) state.SkipWithError("wrong rows");
    benchmark::DoNotOptimize(sum);
  }
  state.counters["MB_per_cpu_s"] = static_cast<double>(size) * 1e-6 * static_cast<double>(state.iterations()) / cpu;
  state.counters["MB_per_s"] = benchmark::Counter(
      static_cast<double>(size) * 1e-6 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  if (!given) ::unlink(path.c_str());
}

BENCHMARK_CAPTURE(read, ndjson, true)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read, csv, false)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

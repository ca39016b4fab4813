// SPDX-License-Identifier: Apache-2.0
// arrow_bench FILE [THREADS]: decodes every column of a Parquet or Arrow file, adds everything up, and says in JSON
// what it cost. The sum does not depend on the number of threads.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/parallel.h"
#include "table/format_internal.h"

using namespace vigie;

namespace {

double total(const table::Column& c) {
  double sum = 0;
  for (double v : c.numbers)
    if (!std::isnan(v)) sum += v;
  for (double v : c.values)
    if (!std::isnan(v)) sum += v;
  std::vector<std::int64_t> counts(c.dictionary.size() + 1);
  for (auto code : c.codes) ++counts[static_cast<std::size_t>(code) + 1];
  for (std::size_t i = 1; i < counts.size(); ++i)
    sum += static_cast<double>(counts[i]) * static_cast<double>(c.dictionary[i - 1].size());
  return sum;
}

Status run(const std::string& path, unsigned threads) {
  auto start = std::chrono::steady_clock::now();
  VIGIE_ASSIGN(auto opened, InputFile::open(path));
  VIGIE_ASSIGN(auto reader, table::open_columnar(std::make_shared<InputFile>(std::move(opened)), {}, std::nullopt));
  auto columns = reader->schema().size();
  std::vector<double> sums(columns);
  std::vector<Status> failed(columns);
  std::int64_t rows = 0;
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    rows += batch->rows();
    parallel_for(columns, threads, [&](std::size_t i) {
      auto column = batch->column(i);
      if (column)
        sums[i] += total(*column);
      else
        failed[i] = column.error();
      batch->release(i);
    });
    for (auto& status : failed) VIGIE_TRY(status);
  }
  double sum = 0;
  for (double s : sums) sum += s;
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  fmt::print(
      "{{\"rows\": {}, \"columns\": {}, \"sum\": {}, \"cpu_s\": {:.3f}, \"wall_s\": {:.3f}, \"peak_mb\": {:.1f}}}\n",
      rows, columns, sum, seconds(use.ru_utime) + seconds(use.ru_stime), wall.count(),
      static_cast<double>(use.ru_maxrss) / 1024);
  for (const auto& note : reader->problems().notes) fmt::print("note: {}\n", note);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (auto status = run(argv[1], argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : 1); !status) {
    fmt::print(stderr, "{}\n", status.error().message);
    return 1;
  }
}

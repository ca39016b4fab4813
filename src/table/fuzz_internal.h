// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "table/text_test_internal.h"

namespace vigie::table::test {

/// Bytes as a file that lives in memory.
class MemoryFile {
 public:
  MemoryFile(const unsigned char* bytes, std::size_t size) : fd_(::memfd_create("vigie", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::write(fd_, bytes, size) != static_cast<ssize_t>(size)) std::abort();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

/// Stops the fuzzer where two scans that must agree do not.
inline void must_agree(const char* what, const Scan& a, const Scan& b, bool problems = true) {
  bool same = a.error == b.error && a.rows == b.rows && a.mismatches == b.mismatches &&
              a.problems.rejected == b.problems.rejected && a.problems.messages == b.problems.messages;
  if (problems) same = same && a.schema == b.schema && a.problems.notes == b.problems.notes && a.batches == b.batches;
  if (same) return;
  for (const auto* scan : {&a, &b})
    std::fprintf(stderr,
                 "%s: error '%s' schema '%s' rejected %ld mismatches %ld\n  messages: %s\n  notes: %s\n  rows: %s\n",
                 what, scan->error.c_str(), scan->schema.c_str(), static_cast<long>(scan->problems.rejected),
                 static_cast<long>(scan->mismatches), fmt::format("{}", scan->problems.messages).c_str(),
                 fmt::format("{}", scan->problems.notes).c_str(), fmt::format("{}", scan->rows).c_str());
  std::abort();
}

/// What must hold of any bytes: the number of threads changes nothing; a second pass with the types that the first one
/// ended with reads every cell and the same records, whatever the size of the blocks.
inline void check_reader(Open open, const std::string& path, ReadOptions options, std::size_t block_size) {
  options.threads = 1;
  auto first = pass(open, path, options, std::nullopt, block_size);
  auto two = options;
  two.threads = 2;
  must_agree("threads", first, pass(open, path, two, std::nullopt, block_size));
  if (!first.error.empty()) return;
  auto second = pass(open, path, options, first.types, block_size);
  auto whole = pass(open, path, two, first.types);
  must_agree("block size", second, whole, false);
  if (second.mismatches != 0 || second.rows.size() != first.rows.size() ||
      second.problems.rejected != first.problems.rejected || second.problems.messages != first.problems.messages) {
    must_agree("passes", first, second, false);
    std::abort();
  }
  if (first.settled && first.rows != second.rows) must_agree("settled", first, second, false);
}

}  // namespace vigie::table::test

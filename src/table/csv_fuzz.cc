// SPDX-License-Identifier: Apache-2.0
#include "table/fuzz_internal.h"

// The first byte chooses options and the size of blocks, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace vigie::table;
  if (size < 1) return 0;
  test::MemoryFile file(data + 1, size - 1);
  ReadOptions options;
  options.keep_ragged = data[0] & 1;
  options.strict = data[0] & 2;
  options.decimal = data[0] & 4 ? ',' : '.';
  options.delimiter = data[0] & 8 ? ';' : '\0';
  test::check_reader(open_csv, file.path(), options, std::size_t{4} << (data[0] >> 5));
  return 0;
}

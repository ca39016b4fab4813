// SPDX-License-Identifier: Apache-2.0
// A file of its own: where the compiler sees both, it takes free() for a wrong answer to new.
#include <atomic>
#include <cstdlib>
#include <new>

#include "detect/streams_test_internal.h"

namespace {

std::atomic<std::int64_t> count{0};

}  // namespace

void* operator new(std::size_t size) {
  ++count;
  if (void* place = std::malloc(size ? size : 1)) return place;
  throw std::bad_alloc();
}
void operator delete(void* place) noexcept {
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  std::free(place);
}

std::int64_t vigie::detect::streams::allocations() {
  return count;
}

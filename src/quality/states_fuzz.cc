// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quality/quality.h"

// What loads must save to bytes that load and save the same, and every check must stand it, on either side.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigie;
  using namespace vigie::quality;
  ByteReader in({reinterpret_cast<const char*>(data), size});
  auto state = TableState::load(in);
  if (!state) {
    if (state.error().code != Code::kCorrupt) std::abort();
    return 0;
  }
  ByteWriter once, twice;
  state->save(once);
  ByteReader again(once.bytes());
  auto second = TableState::load(again);
  if (!second) std::abort();
  second->save(twice);
  if (once.bytes() != twice.bytes()) std::abort();
  if (!run_checks({*state, &*second, {}, false, 1.7e15}) || !run_checks({*state})) std::abort();
  if (!state->merge(*second)) std::abort();
  if (!run_checks({*second, &*state})) std::abort();
  return 0;
}

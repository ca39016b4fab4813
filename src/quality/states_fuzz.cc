// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "quality/data_test_internal.h"

namespace {

std::string bytes_of(const vigie::quality::TableState& state) {
  vigie::ByteWriter out;
  state.save(out);
  return out.take();
}

const std::string& real_state() {
  static const std::string bytes = [] {
    vigie::Rng rng(1);
    return bytes_of(vigie::quality::test::state_of(vigie::quality::test::healthy(rng, 40)));
  }();
  return bytes;
}

}  // namespace

// A first byte that is odd: the rest are changes to a real state, two bytes where and one what. Else the rest is the
// state. What loads must save to bytes that load and save the same, and every check must stand it, on either side.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigie;
  using namespace vigie::quality;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] & 1) {
    bytes = real_state();
    for (std::size_t i = 1; i + 2 < size; i += 3)
      bytes[(data[i] * 256U + data[i + 1]) % bytes.size()] = static_cast<char>(data[i + 2]);
  }
  ByteReader in(bytes);
  auto state = TableState::load(in);
  if (!state) {
    if (state.error().code != Code::kCorrupt) std::abort();
    return 0;
  }
  const std::string once = bytes_of(*state);
  ByteReader again(once);
  auto second = TableState::load(again);
  if (!second || bytes_of(*second) != once) std::abort();
  RunOptions options;
  options.params["isolation_forest"]["trees"] = 2;
  if (!run_checks({*state, &*second, {}, Extent::kWhole, 1.7e15}, options) || !run_checks({*state}, options))
    std::abort();
  if (!state->merge(*second)) std::abort();
  if (!run_checks({*second, &*state}, options)) std::abort();
  return 0;
}

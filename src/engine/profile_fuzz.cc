// SPDX-License-Identifier: Apache-2.0
// Any bytes: load_profile gives a profile or an error; what it gives can be saved and loaded again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "engine/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)vigie::engine::load_profile(bytes, "raw");
  // The checksum would keep the fuzzer out of the decoder.
  for (std::uint8_t version : {2, 6}) {
    auto profile = vigie::engine::load_profile(vigie::seal("VPF1", version, bytes), "sealed");
    if (!profile) continue;
    for (const auto& column : profile->columns) (void)column.axis();
    if (!vigie::engine::load_profile(vigie::engine::save_profile(*profile), "again")) std::abort();
  }
  return 0;
}

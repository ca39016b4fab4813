// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "table/coco.h"

/// The first byte says whether it is the truth or detections.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto file = vigie::table::parse_coco(bytes, "fuzz", data[0] % 2 != 0);
  if (!file) return 0;
  for (const auto& item : file->items) {
    std::uint64_t pixels = 0;
    for (const auto run : item.mask.runs) pixels += run;
    const auto filled = vigie::table::mask_of(item, {.id = 0, .height = 70, .width = 90, .fields = {}});
    if (!item.polygons.empty() && item.mask.runs.empty() && area(filled) > 70 * 90) __builtin_trap();
    if (!item.mask.runs.empty() && pixels != std::uint64_t{item.mask.height} * item.mask.width) __builtin_trap();
  }
  return 0;
}

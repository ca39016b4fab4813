// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "table/image_objects.h"

/// The first byte says what the list is of, and whether the image has a size.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigie::table;
  if (size == 0) return 0;
  const std::string_view json(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto of = data[0] % 2 != 0 ? ObjectsOf::kLabel : ObjectsOf::kPrediction;
  const auto objects = read_objects(json, of, data[0] & 2 ? "[70,90]" : "");
  if (!objects) return 0;
  const auto text = to_json(*objects, of, true);
  const auto again = read_objects(text, of);
  if (!again || to_json(*again, of, true) != text) __builtin_trap();
  return 0;
}

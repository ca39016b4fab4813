// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "detect/detect.h"

namespace {

using namespace vigie;
using namespace vigie::detect;

void demand(bool promise) {
  if (!promise) std::abort();
}

// What loads must save to bytes that load to the same bytes, and must stand use.
void check(std::string_view bytes) {
  auto first = load_monitor(bytes);
  if (!first) {
    demand(first.error().code == Code::kCorrupt);
    return;
  }
  const std::string once = (*first)->save();
  auto second = load_monitor(once);
  demand(second.has_value());
  demand((*second)->save() == once);
  std::vector<Alarm> alarms;
  constexpr double kValues[] = {0, 1,      0,     0,      1,  3,
                                2, -1e300, 1e300, 5e-324, .5, std::numeric_limits<double>::quiet_NaN()};
  for (int i = 0; i < 20; ++i) (*first)->update(kValues, alarms);
  for (const Alarm& alarm : alarms) demand(alarm.onset >= 0 && alarm.onset <= alarm.index);
  (*first)->save();
}

}  // namespace

// An even first byte: the rest as it is. Odd: the rest behind an intact checksum, or no flipped byte would get far.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!size) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(data[0] & 1 ? seal("VGDT", 1, bytes) : std::string(bytes));
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "source/prometheus_text_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  const auto selectors = vigie::source::read_selectors(text.substr(0, end));
  if (!selectors || end == text.npos) return 0;
  std::int64_t odd = 0;
  for (const auto& sample : vigie::source::read_prometheus(text.substr(end + 1), *selectors, odd))
    static_cast<void>(to_string(sample));
  return 0;
}

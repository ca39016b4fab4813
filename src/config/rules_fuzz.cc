// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "config/rules_file.h"

// Whatever is read must be written as text that reads as the same rules; whatever is refused must say why in one line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vigie;
  const auto rules = config::parse_rules({reinterpret_cast<const char*>(data), size}, "rules.yaml");
  if (!rules) {
    if (rules.error().code != Code::kUsage || rules.error().message.empty()) std::abort();
    return 0;
  }
  const std::string text = config::write_rules(*rules, "rules");
  const auto again = config::parse_rules(text, "rules.yaml");
  if (!again) std::abort();
  if (config::write_rules(*again, "rules") != text) std::abort();
  return 0;
}

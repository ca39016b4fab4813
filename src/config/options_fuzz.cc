// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/options.h"

using namespace vigie::config;
constexpr Option kOptions[] = {
    {.name = "text", .doc = "t"},
    {.name = "size", .type = Option::Type::kBytes, .fallback = "1", .least = 1, .most = 1e15, .doc = "s"},
    {.name = "in.list", .type = Option::Type::kTexts, .doc = "l"},
    {.name = "models", .type = Option::Type::kObjects, .doc = "m"}};

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto settings = fallbacks(kOptions);
  const auto read = read_options(text, "f", kOptions, settings);
  if (!read && read.error().message.empty()) std::abort();
  for (const auto& object : settings["models"].objects)
    if (object.at(vigie::fail(vigie::Code::kInput, std::string(text))).message.empty()) std::abort();
  return 0;
}

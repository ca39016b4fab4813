// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vigie::server {

/// Keys of what the State keeps: a letter of its kind, the model, and numbers. Keys that begin the same lie beside each
/// other, in the order of their numbers.
inline void append_number(std::string& key, std::uint64_t number) {
  const auto big = std::byteswap(number);
  key.append(reinterpret_cast<const char*>(&big), sizeof big);
}
inline std::uint64_t number_at(std::string_view key, std::size_t at) {
  std::uint64_t big = 0;
  std::memcpy(&big, key.data() + at, sizeof big);
  return std::byteswap(big);
}
inline std::string all_of(char kind, std::uint32_t model) {
  std::string key(1, kind);
  append_number(key, model);
  return key;
}

/// With a first number that may be below 0, as of windows before 1970, and back.
inline constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
inline std::string key_of(char kind, std::uint32_t model, std::int64_t number) {
  auto out = all_of(kind, model);
  append_number(out, static_cast<std::uint64_t>(number) ^ kSign);
  return out;
}
inline std::int64_t number_of(std::string_view key) {
  return static_cast<std::int64_t>(number_at(key, 9) ^ kSign);
}

}  // namespace vigie::server

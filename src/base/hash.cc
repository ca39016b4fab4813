// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <xxhash.h>

namespace vigie {

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::string stable_id(std::span<const std::string_view> parts) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string all;
  for (const auto part : parts) {
    for (auto size = part.size(), i = sizeof size; i > 0; --i, size >>= 8) all += static_cast<char>(size & 0xff);
    all += part;
  }
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(all.data(), all.size()));
  std::string out;
  unsigned bits = 0, held = 0;
  for (const auto byte : bytes.digest) {
    bits = bits << 8 | byte, held += 8;
    for (; held >= 6; held -= 6) out += kLetters[bits >> (held - 6) & 63];
  }
  return out + kLetters[bits << (6 - held) & 63];
}

}  // namespace vigie

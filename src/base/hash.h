// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace vigie {

/// XXH3 of bytes: stable across versions and machines, so hashes may be stored. Seeds that are small numbers give
/// different texts of one to three bytes the same hash; take mix64() of them.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

/// 22 characters of A-Z a-z 0-9 - _ that stand for those parts in their order: 128 bits of XXH3, as base64url. Stable
/// as hash64() is; of a billion lists of parts two have the same with a probability of 1e-21.
std::string stable_id(std::span<const std::string_view> parts);

/// A full-avalanche mix of one word (the finaliser of SplitMix64).
inline std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/// Hash of a number by value: −0 and +0 agree.
inline std::uint64_t hash64(double value) {
  return mix64(std::bit_cast<std::uint64_t>(value + 0.0) + 0x9e3779b97f4a7c15U);
}

/// Lets a map with keys of text be asked without making a string; not to be stored.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
};

}  // namespace vigie

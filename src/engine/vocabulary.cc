// SPDX-License-Identifier: Apache-2.0
#include "engine/vocabulary.h"

#include "base/hash.h"

namespace vigie::engine {
namespace {

constexpr int kHashes = 4, kPlaceBits = 15;
static_assert(Vocabulary::kCells * 64 == 1 << kPlaceBits);

}  // namespace

void Vocabulary::add(std::string_view word) {
  bits_.resize(kCells);
  auto hash = hash64(word);
  for (int i = 0; i < kHashes; ++i, hash >>= kPlaceBits) bits_[(hash >> 6) % kCells] |= std::uint64_t{1} << (hash & 63);
}

bool Vocabulary::holds(std::string_view word) const {
  if (bits_.empty()) return false;
  auto hash = hash64(word);
  for (int i = 0; i < kHashes; ++i, hash >>= kPlaceBits)
    if (!(bits_[(hash >> 6) % kCells] >> (hash & 63) & 1)) return false;
  return true;
}

}  // namespace vigie::engine

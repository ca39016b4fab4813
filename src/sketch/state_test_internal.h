// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/rng.h"

namespace vigie::sketch {

template <class T>
std::string bytes_of(const T& sketch) {
  ByteWriter out;
  sketch.save(out);
  return out.take();
}

template <class T>
T reload(const T& sketch) {
  const std::string bytes = bytes_of(sketch);
  ByteReader in(bytes);
  auto loaded = T::load(in);
  EXPECT_TRUE(loaded.has_value());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(bytes_of(*loaded), bytes);
  return std::move(*loaded);
}

/// Every prefix must be refused; every altered byte must be refused or give a sketch that `use` can work with.
template <class T, class Use>
void check_hostile(const T& sketch, Use use) {
  const std::string bytes = bytes_of(sketch);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader in(std::string_view(bytes).substr(0, size));
    auto loaded = T::load(in);
    ASSERT_FALSE(loaded.has_value()) << "prefix of " << size << " of " << bytes.size();
    EXPECT_EQ(loaded.error().code, Code::kCorrupt);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int flip : {1, 2, 16, 64, 128, 255}) {
      std::string altered = bytes;
      altered[i] = static_cast<char>(altered[i] ^ flip);
      ByteReader in(altered);
      auto loaded = T::load(in);
      if (loaded) {
        use(*loaded);
        EXPECT_FALSE(bytes_of(*loaded).empty());
      } else {
        EXPECT_EQ(loaded.error().code, Code::kCorrupt);
        EXPECT_FALSE(in.ok());
      }
    }
  }
}

/// Standard normal by the sum of twelve uniforms: enough shape for tests, same on every machine.
inline double roughly_normal(Rng& rng) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += rng.uniform();
  return sum;
}

}  // namespace vigie::sketch

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie {

static_assert(std::endian::native == std::endian::little, "states are written as the machine holds them");

/// Appends fixed-width little-endian values, varints and strings to a buffer.
class ByteWriter {
 public:
  template <class T>
  void fixed(T value) {
    static_assert(std::is_arithmetic_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void string(std::string_view text) {
    varint(text.size());
    out_.append(text);
  }
  template <class T>
  void array(std::span<const T> values) {
    static_assert(std::is_arithmetic_v<T>);
    varint(values.size());
    out_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }
  const std::string& bytes() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what ByteWriter wrote. The first value that does not fit makes `ok()` false for good and every later read
/// return zero or empty, so a decoder checks once at its end. Never reads outside, never allocates more than the
/// input holds.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : in_(bytes) {}

  template <class T>
  T fixed() {
    T value{};
    if (take(sizeof value)) std::memcpy(&value, in_.data() + at_ - sizeof value, sizeof value);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      auto byte = fixed<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view string() {
    auto size = varint();
    return take(size) ? in_.substr(at_ - size, size) : std::string_view{};
  }
  /// Fills any resizable container of arithmetic values.
  template <class Container>
  void array(Container& out) {
    using T = typename Container::value_type;
    auto count = varint();
    if (count > in_.size() / sizeof(T) || !take(count * sizeof(T))) {
      ok_ = false;
      out.clear();
      return;
    }
    out.resize(count);
    if (count) std::memcpy(out.data(), in_.data() + at_ - count * sizeof(T), count * sizeof(T));
  }
  /// A count that must be followed by at least `bytes_each` bytes per item: guards reserve() against hostile input.
  std::uint64_t count(std::size_t bytes_each) {
    auto n = varint();
    if (n > remaining() / (bytes_each ? bytes_each : 1)) ok_ = false;
    return ok_ ? n : 0;
  }
  std::size_t remaining() const { return in_.size() - at_; }
  bool ok() const { return ok_; }
  void fail() { ok_ = false; }

 private:
  bool take(std::uint64_t size) {
    if (!ok_ || size > remaining()) return ok_ = false;
    at_ += size;
    return true;
  }
  std::string_view in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Frames `payload` as magic (4 bytes), version, length, payload, CRC-32 of all that precedes.
std::string seal(std::string_view magic, std::uint8_t version, std::string_view payload);

/// What a sealed frame held.
struct Sealed {
  std::uint8_t version = 0;
  std::string_view payload;  ///< points into the input
};
/// Opens a frame. `what` names the place in the message. A wrong magic, a version above `newest`, a length that does
/// not match or a CRC that does not hold is Code::kCorrupt.
Result<Sealed> unseal(std::string_view magic, std::uint8_t newest, std::string_view bytes, std::string_view what);

}  // namespace vigie

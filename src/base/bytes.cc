// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <fmt/format.h>
#include <zlib.h>

namespace vigie {
namespace {

std::uint32_t crc(std::string_view bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

constexpr std::size_t kHead = 4 + 1 + 8;

}  // namespace

std::string seal(std::string_view magic, std::uint8_t version, std::string_view payload) {
  ByteWriter out;
  for (char c : magic.substr(0, 4)) out.fixed(c);
  out.fixed(version);
  out.fixed(static_cast<std::uint64_t>(payload.size()));
  std::string bytes = out.take();
  bytes.append(payload);
  ByteWriter tail;
  tail.fixed(crc(bytes));
  return bytes + tail.bytes();
}

Result<Sealed> unseal(std::string_view magic, std::uint8_t newest, std::string_view bytes, std::string_view what) {
  if (bytes.substr(0, 4) != magic.substr(0, 4))
    return fail(Code::kCorrupt, fmt::format("{}: not a {} file", what, magic.substr(0, 4)));
  if (bytes.size() < kHead)
    return fail(Code::kCorrupt,
                fmt::format("{}: torn: {} bytes, and the head alone has {}", what, bytes.size(), kHead));
  ByteReader head(bytes.substr(4, kHead - 4));
  auto version = head.fixed<std::uint8_t>();
  auto size = head.fixed<std::uint64_t>();
  if (version == 0 || version > newest)
    return fail(Code::kCorrupt,
                fmt::format("{}: format version {}; this program reads up to {}", what, version, newest));
  if (size > bytes.size() || bytes.size() != kHead + size + 4)
    return fail(Code::kCorrupt,
                fmt::format("{}: torn: {} bytes where {} are announced", what, bytes.size(), kHead + size + 4));
  ByteReader tail(bytes.substr(kHead + size));
  if (tail.fixed<std::uint32_t>() != crc(bytes.substr(0, kHead + size)))
    return fail(Code::kCorrupt, fmt::format("{}: checksum does not match: the file was altered or damaged", what));
  return Sealed{version, bytes.substr(kHead, size)};
}

}  // namespace vigie

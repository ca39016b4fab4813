// SPDX-License-Identifier: Apache-2.0
#include "event/counted_window.h"

#include <limits>

#include "base/bytes.h"

namespace vigie::event {
namespace {

constexpr std::uint8_t kVersion = 3;

}  // namespace

std::string encode(const CountedWindow& window) {
  ByteWriter out;
  out.fixed(kVersion);
  out.fixed(window.key), out.fixed(window.from), out.fixed(window.to);
  out.fixed(window.since), out.fixed(window.anew);
  out.fixed(window.reference);
  for (const auto* part : {&window.counts, &window.quality, &window.answers, &window.about}) out.string(*part);
  return out.take();
}

Result<CountedWindow> counted_window_of(std::string_view bytes) {
  ByteReader in(bytes);
  const auto version = in.fixed<std::uint8_t>();
  CountedWindow out;
  for (auto* number : {&out.key, &out.from, &out.to}) *number = in.fixed<std::int64_t>();
  out.since = out.from, out.anew = std::numeric_limits<std::int64_t>::max();
  if (version > 1) out.since = in.fixed<std::int64_t>(), out.anew = in.fixed<std::int64_t>();
  out.reference = in.fixed<std::uint64_t>();
  out.counts = in.string();
  if (version > 2)
    for (auto* part : {&out.quality, &out.answers, &out.about}) *part = in.string();
  if (!in.ok() || version < 1 || version > kVersion || in.remaining() > 0)
    return fail(Code::kCorrupt, "what was counted of a window cannot be read");
  return out;
}

}  // namespace vigie::event

// SPDX-License-Identifier: Apache-2.0
#include "engine/gauges.h"

#include <algorithm>

namespace vigie::engine {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

void Gauges::merge(std::string_view series, const Gauge& later) {
  const auto [at, fresh] = series_.try_emplace(std::string(series), later);
  if (fresh) return;
  auto& gauge = at->second;
  gauge.n += later.n, gauge.sum += later.sum, gauge.last = later.last;
  gauge.least = std::min(gauge.least, later.least), gauge.most = std::max(gauge.most, later.most);
}

void Gauges::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.varint(series_.size());
  for (const auto& [series, gauge] : series_) {
    out.string(series);
    out.varint(static_cast<std::uint64_t>(gauge.n));
    for (const auto number : {gauge.sum, gauge.least, gauge.most, gauge.last}) out.fixed(number);
  }
}

Result<Gauges> Gauges::load(std::string_view bytes) {
  ByteReader in(bytes);
  Gauges out;
  const auto version = in.fixed<std::uint8_t>();
  for (auto left = in.count(34); left > 0 && in.ok(); --left) {
    auto& gauge = out.series_[std::string(in.string())];
    gauge.n = static_cast<std::int64_t>(in.varint());
    for (auto* number : {&gauge.sum, &gauge.least, &gauge.most, &gauge.last}) *number = in.fixed<double>();
    if (gauge.n <= 0) in.fail();
  }
  if (!in.ok() || in.remaining() > 0 || version != kVersion) return fail(Code::kCorrupt, "samples: not a saved state");
  return out;
}

}  // namespace vigie::engine

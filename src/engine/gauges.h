// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace vigie::engine {

/// Numbers that were looked at now and then in a stretch of time, by their series. Mergeable, later ones into earlier.
class Gauges {
 public:
  struct Gauge {
    std::int64_t n = 0;
    double sum = 0, least = 0, most = 0, last = 0;
    double mean() const { return sum / static_cast<double>(n); }
  };
  void add(std::string_view series, double value) { merge(series, {1, value, value, value, value}); }
  void merge(const Gauges& later) {
    for (const auto& [series, gauge] : later.series_) merge(series, gauge);
  }
  const std::map<std::string, Gauge, std::less<>>& series() const { return series_; }
  /// nullptr: there is none.
  const Gauge* find(std::string_view series) const {
    const auto at = series_.find(series);
    return at == series_.end() ? nullptr : &at->second;
  }

  void save(ByteWriter& out) const;
  /// Code::kCorrupt.
  static Result<Gauges> load(std::string_view bytes);

 private:
  void merge(std::string_view series, const Gauge& later);
  std::map<std::string, Gauge, std::less<>> series_;
};

}  // namespace vigie::engine

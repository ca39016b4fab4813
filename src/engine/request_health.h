// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/incidents.h"
#include "engine/traffic.h"

namespace vigie::engine {

/// Whether the requests of an hour failed more often, or took longer, than those of healthy hours before.
///
/// Two tests of an hour, both of them one-sided: the share that failed, and p95 of how long requests took. Each takes
/// the larger of two p-values: of the noise of the requests alone (errors: the exact conditional test of two rates;
/// latency: how many of the hour's took longer than the healthy p95, of which 5 % should), and of how much healthy
/// hours differ (Student's t for the next one, on arcsin √ of the share and on ln p95, where what lies beyond four
/// robust standard deviations counts as if it lay there). Significant and large enough is a cause: from half a point
/// more that fail, and from a p95 a quarter longer.
///
/// What it knows is the last kKept; hours that had a cause are left out as long as kFewest others are there, then the
/// model is taken for changed. With fewer than kFewest it says nothing. Cost: 20 µs an hour, 50 bytes of each that is
/// kept.
class RequestHealth {
 public:
  static constexpr std::int64_t kWindow = 3'600'000'000;        ///< µs
  static constexpr std::int64_t kKept = kWindow * 24 * 14;      ///< µs
  static constexpr std::size_t kFewest = 24;                    ///< healthy hours
  static constexpr std::int64_t kFewestRequests = 30;           ///< of an hour that a p95 is taken of
  static constexpr double kWatchRate = .005, kMajorRate = .02;  ///< points that more fail
  static constexpr double kWatchRatio = 1.25, kMajorRatio = 2;  ///< how many times as long

  /// An hour that is over, each later than the last; `level` as sighting_of() takes it.
  Sighting see(std::int64_t start, const Traffic& traffic, double level);
  /// Whether it knows enough to say anything.
  bool speaks() const;

  void save(ByteWriter& out) const;
  static Result<RequestHealth> load(ByteReader& in);

 private:
  struct Hour {
    std::int64_t start = 0, known = 0, failed = 0, timed = 0;
    double p95 = 0;
    bool bad = false;
  };
  std::vector<const Hour*> before(bool latency) const;
  std::vector<Hour> hours_;  // the latest kKept, in their order
};

}  // namespace vigie::engine

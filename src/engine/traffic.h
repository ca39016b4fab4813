// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "sketch/relative.h"

namespace vigie::engine {

/// How a request ended, as its status says.
enum class Outcome : std::uint8_t {
  kUnknown,  ///< it says nothing, or nothing that is known here
  kOk,
  kRefused,  ///< whoever asked is to blame: 4xx, and what OpenTelemetry takes for no error of a server
  kFailed,   ///< the model, or what it stands on, is
};
/// Of a code of HTTP (100 to 599) or of gRPC (0 to 16); of a class as "5xx"; or of a word, whatever its case and with -
/// _ or blanks alike: "ok", "success", "unset"; "error", "failed", "timeout", "exception"; the names of gRPC's codes,
/// of Triton's errors, and of OpenTelemetry's (STATUS_CODE_ERROR).
Outcome outcome_of(std::string_view status);

/// How long requests took. Mergeable; the order of what came does not matter. Up to kValues values are kept as they
/// are, and all answers are exact; more in a RelativeQuantiles, off by at most 1/128 of the value, in 5 to 70 KB.
class Latencies {
 public:
  static constexpr std::size_t kValues = 96;
  /// NaN, infinite and negative ones are left out.
  void update(double ms);
  void merge(const Latencies& other);
  std::int64_t count() const { return sketch_ ? sketch_->count() : static_cast<std::int64_t>(values_.size()); }
  /// The value at position ⌈q·count()⌉ in ascending order; q = 1 the greatest. NaN when there is none.
  double quantile(double q) const;
  /// How many are above x.
  std::int64_t above(double x) const;
  void save(ByteWriter& out) const;
  static Result<Latencies> load(ByteReader& in);

 private:
  void widen();
  std::vector<double> values_;
  std::optional<sketch::RelativeQuantiles> sketch_;
};

/// What requests say of themselves in a stretch of time. Mergeable. About 1 KB as bytes, 60 bytes of few requests.
struct Traffic {
  std::int64_t requests = 0, ok = 0, refused = 0, failed = 0;
  std::int64_t odd = 0;                    ///< with a status that is not known here
  std::int64_t bytes = 0, most_bytes = 0;  ///< of the records as they came, and of the longest
  Latencies latency;

  void add(Outcome outcome, bool said, double latency_ms, std::size_t size);
  void merge(const Traffic& other);
  /// Of those whose status is known, the share that failed; NaN where there is none.
  double error_rate() const;
  std::int64_t known() const { return ok + refused + failed; }

  void save(ByteWriter& out) const;
  /// Code::kCorrupt for bytes that no save() wrote.
  static Result<Traffic> load(ByteReader& in);
};

}  // namespace vigie::engine

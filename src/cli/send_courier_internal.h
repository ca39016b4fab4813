// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "cli/send_delivery_internal.h"

namespace vigie::cli {

/// Records that go together, one a line, and the rows that they are of.
struct Parcel {
  struct Part {
    std::string body;
    std::vector<std::int64_t> rows;
    bool full() const { return rows.size() >= kRows || body.size() >= kBytes; }
  };
  static constexpr std::size_t kRows = 1'000, kBytes = 1'000'000;
  Part predictions, labels;
  std::int64_t reached = 0;  ///< last row that all was handed over of, this parcel's included
  bool empty() const { return predictions.rows.empty() && labels.rows.empty(); }
  bool full() const { return predictions.full() || labels.full(); }
};

/// What has arrived.
struct Sent {
  std::int64_t predictions = 0, accepted = 0, duplicates = 0, rejected = 0, labels = 0;
  std::int64_t reached = 0;
  bool interrupted = false;
};

/// Takes parcels to a service, one at a time and in their order, since a service counts a row as late whose window is
/// over, while the next one is packed: predictions first, then labels. Says the first rows that the service rejects.
class Courier {
 public:
  /// `source`: of the rows, for messages. `strict`: a row that is rejected is Code::kInput.
  Courier(Delivery& delivery, std::string source, bool strict)
      : delivery_(delivery), source_(std::move(source)), strict_(strict) {}

  /// Waits for the parcel before. False: an end was asked for, and nothing more is taken.
  Result<bool> hand_over(Parcel parcel);
  /// Waits for the last one.
  Status finish();
  /// Of all parcels but the one under way.
  const Sent& sent() const { return sent_; }

 private:
  Status deliver(const Parcel& parcel);
  /// Nothing where an end was asked for first.
  Result<std::optional<Taken>> take(std::string_view kind, const Parcel::Part& part);

  Delivery& delivery_;
  std::string source_;
  bool strict_;
  Sent sent_, next_;  // next_ is the other thread's while one runs
  std::future<Status> under_way_;
};

}  // namespace vigie::cli

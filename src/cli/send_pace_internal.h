// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <limits>
#include <queue>
#include <vector>

#include "cli/send_courier_internal.h"
#include "cli/send_records_internal.h"

namespace vigie::cli {

struct PaceOptions {
  double speed = 0;                                         ///< of event time beside the clock; 0: as fast as it goes
  double delay = std::numeric_limits<double>::quiet_NaN();  ///< µs of event time from a row to its label; NaN: at once
  bool predictions = true, labels = false;                  ///< which are sent
};

/// Packs rows into parcels, each when it is its turn: by their times, or as they come. Event time begins with the first
/// row that has a time; rows before the present and rows without a time go at once.
class Pace {
 public:
  Pace(Courier& courier, PaceOptions options, const CatchSignals& signals)
      : courier_(courier), options_(options), signals_(signals) {}

  /// Row `i` of the batch that `records` is turned to. False: an end was asked for.
  Result<bool> row(const Records& records, std::size_t i, std::int64_t number);
  /// What still waits.
  Result<bool> finish();
  /// Labels that were not yet due.
  std::size_t waiting() const { return waiting_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Label {
    double due;
    std::int64_t row;
    std::string json;
    bool operator>(const Label& other) const { return due > other.due || (due == other.due && row > other.row); }
  };
  double now() const;
  Result<bool> until(double time);
  Result<bool> release(double time);
  Result<bool> flush();

  Courier& courier_;
  PaceOptions options_;
  const CatchSignals& signals_;
  Parcel parcel_;
  std::priority_queue<Label, std::vector<Label>, std::greater<>> waiting_;
  double event_ = -std::numeric_limits<double>::infinity();  // µs: where it began, or the latest where it is not paced
  Clock::time_point began_;
  std::int64_t last_ = 0;
};

}  // namespace vigie::cli

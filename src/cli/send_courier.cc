// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/send_courier_internal.h"

namespace vigie::cli {

Result<std::optional<Taken>> Courier::take(std::string_view kind, const Parcel::Part& part) {
  constexpr std::int64_t kTold = 3;
  if (part.rows.empty()) return std::optional<Taken>(Taken{});
  VIGIE_ASSIGN(auto taken, delivery_.records(kind, part.body));
  if (!taken) return taken;
  for (const auto& [index, error] : taken->rejected) {
    const auto row = index < part.rows.size() ? with_commas(part.rows[index]) : "?";
    const auto line = fmt::format("{}: row {}: {}", source_, row, error);
    if (strict_) return fail(Code::kInput, line);
    if (next_.rejected++ < kTold) say(line);
  }
  return taken;
}

Status Courier::deliver(const Parcel& parcel) {
  next_ = sent_;
  VIGIE_ASSIGN(const auto predictions, take("predictions", parcel.predictions));
  if (!predictions) return next_.interrupted = true, Status();
  next_.predictions += static_cast<std::int64_t>(parcel.predictions.rows.size());
  next_.accepted += predictions->accepted, next_.duplicates += predictions->duplicates;
  VIGIE_ASSIGN(const auto labels, take("labels", parcel.labels));
  if (!labels) return next_.interrupted = true, Status();
  next_.labels += labels->accepted;
  next_.reached = parcel.reached;
  return {};
}

Status Courier::finish() {
  if (!under_way_.valid()) return {};
  auto done = under_way_.get();
  sent_ = next_;
  return done;
}

Result<bool> Courier::hand_over(Parcel parcel) {
  VIGIE_TRY(finish());
  if (sent_.interrupted) return false;
  under_way_ = std::async(std::launch::async, [this, parcel = std::move(parcel)] { return deliver(parcel); });
  return true;
}

}  // namespace vigie::cli

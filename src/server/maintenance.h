// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/planned_work.h"

namespace vigie::server {

/// When models are worked on: what vigie.yaml says of all, what PUT says of one, and what people said of one by POST.
/// A window that has an instant in common with such a time is one of maintenance. All functions may be called from any
/// thread.
class Maintenance {
 public:
  static constexpr std::size_t kMostSaid = 100;  ///< of one model by POST; beyond, the one that ended first goes
  using Time = PlannedWork::Time;

  /// In place of what was said before.
  void plan_for_all(std::vector<PlannedWork> works);
  void plan(const std::string& model, std::vector<PlannedWork> works);

  /// A record of Kind::kMaintenance, as begun() or ended() wrote it. Code::kCorrupt.
  Status say(const std::string& model, std::string_view record);
  static std::string begun(const PlannedWork& work);
  /// What was said by POST and has not ended ends at `now`, or does not begin.
  static std::string ended(std::int64_t now);
  /// What was said of a model by POST, and back.
  std::string save(const std::string& model) const;
  Status load(const std::string& model, std::string_view bytes);

  /// The first time of maintenance that has an instant in common with [from, to).
  std::optional<Time> touching(std::string_view model, std::int64_t from, std::int64_t to) const;
  bool at(std::string_view model, std::int64_t now) const { return touching(model, now, now + 1).has_value(); }
  /// All of them, in the order of their begin; at most `most`.
  std::vector<Time> within(std::string_view model, std::int64_t from, std::int64_t to, std::size_t most) const;

 private:
  struct OfModel {
    std::vector<PlannedWork> planned, said;
  };
  template <class F>
  void each(std::string_view model, F&& f) const;
  mutable std::mutex mutex_;
  std::vector<PlannedWork> of_all_;
  std::map<std::string, OfModel, std::less<>> models_;
};

}  // namespace vigie::server

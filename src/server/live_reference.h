// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/live_windows.h"
#include "server/outside_work.h"
#include "server/reference_choice.h"
#include "server/state.h"

namespace vigie::server {

/// What a model's windows are compared with where that is not the reference which was posted, but windows of its own
/// that are over. What was counted of those is kept in the State, on the axes of the posted reference; no row is read
/// again. One thread at a time. Disk: about a byte a cell, column and segment of each window; kMostKept windows and
/// kMostBytes at most. Cost of a window: reading those that it is compared with, some ms.
class LiveReference {
 public:
  static constexpr std::size_t kMostKept = 800, kMostBytes = std::size_t{64} << 20;
  static constexpr std::size_t kMostMinutes = 4 * kMostKept;  ///< of windows of minutes: as long as of hours

  LiveReference(std::uint32_t model, engine::WindowSpec windows, State& state);
  /// There is another posted reference from now on.
  static Status forget(std::uint32_t model, State& state);
  void choose(ReferenceChoice choice) { choice_ = std::move(choice); }
  /// Windows that have no part in it, since they are of maintenance.
  void leave_out(Planned planned) { planned_ = std::move(planned); }

  /// As LiveWindows::Judge.
  Result<engine::Comparison> judge(const engine::CompareOptions& options, const engine::LiveWindows::Closed& window,
                                   const engine::CurrentData& data, engine::Tally& counted, const engine::Tally* apart,
                                   const engine::Profile& posted, const engine::Comparer& own);

  /// Whether rows of that version of the model are to be set apart.
  bool sets_apart(std::string_view version) const {
    return choice_.kind == ReferenceChoice::Kind::kVersion && version == choice_.version;
  }
  bool sets_apart() const { return choice_.kind == ReferenceChoice::Kind::kVersion; }

  /// What the window that was judged last with that key was compared with.
  struct Said {
    std::string json;  ///< an object
    std::string text;  ///< for people, as "the window before"; empty: the posted reference
  };
  Said take_said(std::int64_t key);

 private:
  struct Kept {
    std::int64_t key = 0, start = 0, end = 0, rows = 0;
    bool healthy = false;
    std::string_view counts{};  // until the State changes
  };
  struct Chosen {
    std::vector<const Kept*> parts, usual;  // in their order
    std::string why{}, text{};              // why there is none; what it is
  };
  Result<std::vector<Kept>> before(const engine::LiveWindows::Closed& window);
  Chosen choose_from(const std::vector<Kept>& kept, const engine::LiveWindows::Closed& window) const;
  Chosen same_time(const std::vector<Kept>& kept, const engine::LiveWindows::Closed& window) const;
  Result<engine::Comparison> judge_versions(const engine::CompareOptions& options,
                                            const engine::LiveWindows::Closed& window, const engine::CurrentData& data,
                                            engine::Tally& counted, const engine::Tally* apart,
                                            const engine::Profile& posted, const engine::Comparer& own);
  Status keep(const engine::LiveWindows::Closed& window, std::int64_t rows, bool healthy, std::string_view counts);

  std::uint32_t model_;
  engine::WindowSpec windows_;
  State& state_;
  ReferenceChoice choice_;
  Planned planned_ = [](auto, auto) { return false; };
  std::map<std::int64_t, Said> said_;
};

}  // namespace vigie::server

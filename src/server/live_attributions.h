// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attribution.h"
#include "engine/windows.h"
#include "event/explanation.h"
#include "server/http.h"
#include "server/outside_work.h"
#include "server/state.h"

namespace vigie::server {

/// What explains the answers of one model, in windows of the time of its predictions: those of its reference where they
/// are of a calendar, else hours. Explanations may come at any delay: a window is judged once it is over and has
/// enough of them, and anew as more come. It is compared with the attributions of the reference's rows, or else with
/// the first windows that had enough. All of it lies in the State, windows for kKeptFor after the last that came. One
/// thread at a time. Cost: about 2 µs an explanation of 20 features.
class LiveAttributions {
 public:
  static constexpr std::int64_t kKeptFor = 180LL * 86'400'000'000;  ///< µs
  static constexpr std::size_t kMostOpen = 1'000;                   ///< windows in memory; beyond, the oldest are over

  /// Whether the State has anything of a model, and what.
  static Result<bool> any(std::uint32_t model, State& state);
  static Result<std::unique_ptr<LiveAttributions>> load(std::uint32_t model, const engine::WindowSpec& windows,
                                                        State& state);
  /// Forgets all: it is compared with something else, in other windows, from now on.
  Status begin_anew(const engine::WindowSpec& windows);
  /// With what was made of the reference's rows. Code::kCorrupt.
  Status compare_with(std::string_view reference);

  /// Rows `which`, each of an id that had none, at those times; they came at `arrived`.
  Status add(const event::ExplanationRows& rows, std::span<const std::size_t> which, std::span<const double> times,
             std::int64_t arrived);
  using See = std::function<void(engine::Sighting)>;
  /// Tells what is to be said of windows that are over by now, oldest first; `false_alarms`: in 30 days. Those with
  /// something `planned` in them are left out, and not learnt from. Whether there were any.
  bool judge(std::int64_t now, double false_alarms, const See& see, const Planned& planned);
  /// Whether there is anything to compare with.
  bool speaks() const { return reference_.ready(); }
  /// What must be kept to go on from here is in the State.
  Status save();

 private:
  struct Window {
    std::int64_t end = 0, last_came = 0;
    std::int64_t told = 0, when_told = 0;  // rows that it was judged with, and when
    bool learnt = false, seen = false;     // in the reference; something was said of it
    engine::Attributions sums;
    bool changed = true;
  };
  friend Reply attributions(const Request& request, const State& state, std::uint32_t model);
  LiveAttributions(std::uint32_t model, State& state) : model_(model), state_(state) {}
  static std::string bytes_of(const Window& window);
  static Result<Window> window_of(std::string_view bytes);
  Result<Window*> at(std::int64_t key);
  bool over(std::int64_t start, const Window& window, std::int64_t now) const;
  Status forget_before(std::int64_t time);

  std::uint32_t model_;
  State& state_;
  std::optional<engine::Windower> windower_;
  engine::AttributionReference reference_;
  bool reference_changed_ = false;
  std::map<std::int64_t, Window> open_;  // by start: those with rows that were not judged, or not kept yet
  std::int64_t latest_ = std::numeric_limits<std::int64_t>::min();
};

/// The attributions of rows as predictions have them, as LiveAttributions::compare_with() takes them: by windows as
/// its own. Nothing where no row has any. Code::kInput.
Result<std::optional<std::string>> attributions_of_rows(std::string_view body, const engine::WindowSpec& windows);

/// GET /v1/models/{model}/attributions?from=&to=&limit=&after=
Reply attributions(const Request& request, const State& state, std::uint32_t model);

}  // namespace vigie::server

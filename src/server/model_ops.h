// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/request_health.h"
#include "engine/silence.h"
#include "engine/traffic.h"
#include "event/record.h"
#include "journal/reader.h"
#include "server/outside_work.h"
#include "server/state.h"
#include "store/store.h"
#include "table/json_rows.h"

namespace vigie::server {

inline constexpr std::int64_t kMinute = 60'000'000;  // µs

/// What requests to one model say of themselves, by minutes of event time, and whether hours of it were healthy.
/// Minutes that rows come for are kept here, and with the State; those that are over are in the store before the commit
/// that forgets them here, so that after a crash none is counted twice. One thread at a time.
class ModelOps {
 public:
  static constexpr std::size_t kMostOpen = 16;       ///< minutes; beyond, the oldest is over
  static constexpr std::int64_t kQuiet = 5'000'000;  ///< µs without a row after which a minute that has passed is over

  explicit ModelOps(std::string_view model) : source_(source_of(model)) {}
  /// As of the last commit; of a model that is not there empty.
  static Result<ModelOps> load(const State& state, std::string_view model);
  Status save(State& state);
  static std::string source_of(std::string_view model) { return "model/" + std::string(model); }

  /// Rows `which` of a record at that place of the journal, for the first time.
  Status add(table::JsonRows& rows, const event::RequestColumns& columns, std::span<const std::size_t> which,
             std::int64_t arrived, journal::Sequence place);
  bool any_over(std::int64_t now) const;
  /// Those that are over, as the store takes them; they are not here any more.
  std::vector<store::OpsPane> take_over(std::int64_t now);

  using ByMinute = std::map<std::int64_t, engine::Traffic>;  ///< by the start of the minute
  struct Minutes {
    ByMinute minutes;
    std::optional<std::int64_t> next;  ///< where those begin that `query.most` left out
  };
  /// Those that [query.from, query.to) touches, of the store and of here.
  Result<Minutes> minutes(const store::OpsQuery& query, const store::Store& store) const;
  Result<ByMinute> within(std::int64_t from, std::int64_t to, const store::Store& store) const;
  /// All that requests said in the minutes that [from, to) touches.
  Result<engine::Traffic> between(std::int64_t from, std::int64_t to, const store::Store& store) const;

  /// What is said of hours that are over by now, oldest first; `level`: as sighting_of() takes it. Hours with something
  /// `planned` in them are left out: nothing is said of them, and nothing learnt.
  Result<std::vector<engine::Sighting>> judge(std::int64_t now, double level, const store::Store& store,
                                              const Planned& planned);
  /// The latest time of a row; nothing before the first.
  std::optional<std::int64_t> latest() const {
    return latest_ == std::numeric_limits<std::int64_t>::min() ? std::nullopt : std::optional(latest_);
  }
  /// Something came that is not in add(), or that another service took.
  void came(std::int64_t time) { silence_.came(time); }
  engine::Silence& silence() { return silence_; }
  const engine::Silence& silence() const { return silence_; }
  /// Whether judge() knows enough to say anything.
  bool speaks() const { return health_.speaks(); }

 private:
  struct Pane {
    journal::Sequence place = 0;  // of its first row; tells parts of a minute apart
    std::int64_t last_came = 0;
    engine::Traffic traffic;
  };
  static bool over(std::int64_t start, const Pane& pane, std::int64_t now) {
    return start + kMinute + kQuiet <= now && pane.last_came + kQuiet <= now;
  }

  bool hour_over(std::int64_t start, std::int64_t now) const;
  Status read(std::string_view bytes);
  std::string source_;
  std::map<std::int64_t, Pane> open_;  // by the start of their minute
  engine::RequestHealth health_;
  engine::Silence silence_;
  std::set<std::int64_t> hours_;  // that have rows and are not judged
  std::int64_t judged_below_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t latest_ = std::numeric_limits<std::int64_t>::min(), last_came_ = 0;
  bool health_changed_ = false;
};

}  // namespace vigie::server

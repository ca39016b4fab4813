// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/incident.h"

namespace vigie::store {

/// What was found of one window of a model.
struct Window {
  std::string model;
  std::int64_t start = 0;  ///< µs since 1970; of windows by rows the time of the first one
  std::int64_t end = 0;
  std::string key;      ///< tells windows of a model apart: one that comes again replaces what was found before
  std::string verdict;  ///< "ok", "warning", "drift", "no_data"
  std::string body;     ///< the window as the command line's JSON has it
  std::string score_verdict{}, score{};  ///< of its Score, empty while there is none; not what put() looks at
  bool operator==(const Window&) const = default;
};

/// How good the predictions of such a window were, as far as their labels came.
struct Score {
  std::string model, key;  ///< the window's
  std::string verdict;     ///< as Window::verdict; "no_data" while labels lack
  std::string body;        ///< a JSON object of what the command line's has of a scored window besides the window
  bool operator==(const Score&) const = default;
};

/// Which windows: those that overlap [from, to), in the order of their start; `after` is the key of the last one had.
struct WindowQuery {
  std::string model;
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
  std::size_t most = 1000;
  std::string after{};
};

/// Which incidents, the youngest first; `after` is the id of the last one had.
struct IncidentQuery {
  std::string model{};  ///< empty: of all
  std::optional<event::Incident::State> state{};
  std::size_t most = 100;
  std::string after{};
  bool unresolved = false;  ///< in any state but resolved
};

/// A notice for one of the targets that are told of incidents, until it is sent or given up.
struct Outgoing {
  std::int64_t id = 0;  ///< rises from one to the next, and none is used twice; not what put() looks at
  std::string target;
  event::Notice notice;
  std::int64_t attempts = 0;  ///< that failed
  std::int64_t due = 0;       ///< µs since 1970: not to be tried before
};

/// What was counted of a source within a minute, as bytes that whoever put them can read and merge. A minute may be in
/// parts, as late figures come.
struct OpsPane {
  std::string source;      ///< "model/credit", "host", "gpu/0"
  std::int64_t start = 0;  ///< of the minute: µs since 1970
  std::int64_t part = 0;   ///< one that comes again replaces what was there before
  std::string body{};
  bool operator==(const OpsPane&) const = default;
};

/// Which panes of a source: those that start in [from, to), in the order of start and part; of more than `most` the
/// first, or the `latest`.
struct OpsQuery {
  std::string source;
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
  std::size_t most = 1440;
  bool latest = false;
};

/// Where results are kept. All functions may be called from any thread. Code::kUnavailable where the store does not
/// take or answer now, and may later; Code::kIo and Code::kCorrupt where it will not.
class Store {
 public:
  virtual ~Store() = default;
  /// All of them or none; what was put before it lasts no longer than it does.
  virtual Status put(std::span<const Window> windows) = 0;
  /// Of windows that were put before; those of others are left out.
  virtual Status put(std::span<const Score> scores) = 0;
  virtual Result<std::vector<Window>> windows(const WindowQuery& query) const = 0;

  /// The last of them in the order of their start, without their bodies.
  virtual Result<std::vector<Window>> latest(std::string_view model, std::size_t most) const = 0;

  /// Incidents as they now are, and what is to be told of them: a notice that comes again for a target (of the same
  /// incident, with the same `notices`) is told once.
  virtual Status put(std::span<const event::Incident> incidents, std::span<const Outgoing> outgoing) = 0;
  virtual Result<std::vector<event::Incident>> incidents(const IncidentQuery& query) const = 0;
  virtual Result<std::optional<event::Incident>> incident(std::string_view id) const = 0;

  /// Those that are not sent and not given up, with greater ids, in their order.
  virtual Result<std::vector<Outgoing>> outgoing(std::int64_t after) const = 0;
  enum class Fate : std::uint8_t { kWaiting, kSent, kGivenUp };
  virtual Status settle(const Outgoing& item, Fate fate, std::string_view why) = 0;

  virtual Status put(std::span<const OpsPane> panes) = 0;
  virtual Result<std::vector<OpsPane>> ops(const OpsQuery& query) const = 0;
  /// All sources that have panes, in their order.
  virtual Result<std::vector<std::string>> ops_sources() const = 0;
  /// Drops the panes that start before.
  virtual Status forget_ops(std::int64_t before) = 0;
};

/// One file of SQLite, made where it is not there; another process may read it meanwhile.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace vigie::store

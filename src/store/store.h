// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/audit.h"
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
  std::string after{};      ///< id of the last one had, whether it is still there or not
  bool unresolved = false;  ///< in any state but resolved
  /// Of the start of its first window.
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
};

/// Some rows of a window, or of a segment in it, as far as they may be shown.
struct Sample {
  std::string model, key;  ///< the window's
  std::string segment;     ///< as "country=FR"; empty: of all rows
  std::string body;        ///< a JSON array of objects
  bool operator==(const Sample&) const = default;
};

/// A reference that a model was compared with: the profile of its rows, and where those come from.
struct Profile {
  std::string model;
  std::string id;                   ///< SHA-256 of its bytes, in hexadecimal digits: the same one again is the same
  std::int64_t made = 0;            ///< µs since 1970: when it was last made the model's; 0: before that was noted
  std::string kind;                 ///< "posted", "past", "first"
  std::int64_t from = 0, to = 0;    ///< µs since 1970: when its rows are of; both 0: not known
  std::int64_t rows = 0, size = 0;  ///< size: of its bytes
  std::string body;                 ///< all that is said of it, a JSON object
  std::string bytes{};              ///< a file of a profile; none in lists
  bool operator==(const Profile&) const = default;
};

/// Which profiles: those of a model that were made in [from, to), the youngest first; `after` is the id of the last one
/// had.
struct ProfileQuery {
  std::string model;
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
  std::size_t most = 100;
  std::string after{};
};

/// How long what was found stays, in µs from when it was put, whatever time it tells of.
struct Retention {
  static constexpr std::int64_t kDay = 86'400'000'000;
  std::int64_t details = 90 * kDay;  ///< of windows: then verdict, rows and metrics alone are left, and no sampled rows
  std::int64_t windows = 400 * kDay;     ///< then they are gone, and profiles but the last one put of each model
  std::int64_t incidents = 2000 * kDay;  ///< from their end, and what was told of them; the audit log stays for ever
};

/// A notice for one of the targets that are told of incidents, until it is sent or given up.
struct Outgoing {
  std::int64_t id = 0;  ///< rises from one to the next, and none is used twice; not what put() looks at
  std::string target;
  event::Notice notice;
  std::int64_t attempts = 0;  ///< that failed
  std::int64_t due = 0;       ///< µs since 1970: not to be tried before; of one that is over when that was
};

/// What was counted of a source within a minute, as bytes that whoever put them can read and merge. A minute may be in
/// parts, as late figures come.
struct OpsPane {
  std::string source;      ///< "model/credit", "host", "gpu/0"
  std::int64_t start = 0;  ///< of the minute: µs since 1970
  std::int64_t part = 0;   ///< one that comes again replaces what was there before
  std::string body{};
  /// What of it is drawn elsewhere, as {"cpu_share", 0.7}: a store may keep it, beside the body, and gives none back.
  std::vector<std::pair<std::string, double>> figures{};
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

/// Which entries of the audit log, in their order; `after` is the number of the last one had.
struct AuditQuery {
  std::string model{};  ///< empty: of all, and of the service as a whole
  std::optional<event::Happened> happened{};
  std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
  std::size_t most = 1000;
  std::int64_t after = 0;
};

/// How the chain of the audit log stands.
struct AuditState {
  std::int64_t entries = 0;             ///< that were looked at
  std::int64_t last = 0;                ///< number of the last one that holds; 0: none does
  std::string hash = event::no_hash();  ///< of that one
  std::int64_t broken = 0;              ///< number of the first entry that is not what was written; 0: none
  std::string why{};                    ///< what is wrong with it
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
  /// incident, with the same `notices`) is told once. `entries`: as of put() below; all of it or nothing. `version`: of
  /// services that share a store one may come late, and incidents of a higher one stay.
  virtual Status put(std::span<const event::Incident> incidents, std::span<const Outgoing> outgoing,
                     std::span<const event::AuditEntry> entries, std::int64_t version = 0) = 0;
  virtual Result<std::vector<event::Incident>> incidents(const IncidentQuery& query) const = 0;
  virtual Result<std::optional<event::Incident>> incident(std::string_view id) const = 0;

  /// Those that are not sent and not given up, with greater ids, in their order.
  virtual Result<std::vector<Outgoing>> outgoing(std::int64_t after) const = 0;
  enum class Fate : std::uint8_t { kWaiting, kSent, kGivenUp };
  virtual Status settle(const Outgoing& item, Fate fate, std::string_view why,
                        std::span<const event::AuditEntry> entries) = 0;
  /// As it was settled last.
  struct Told {
    Outgoing item;
    Fate fate = Fate::kWaiting;
    std::string why{};  ///< or what was answered
  };
  /// Of that fate, or of any, with smaller ids, the youngest first; of all services that share the store.
  virtual Result<std::vector<Told>> notices(std::optional<Fate> fate, std::int64_t below, std::size_t most) const = 0;
  /// One that was given up waits again, as if it had just been put: with another id, and without its attempts. False:
  /// there is none of that id.
  virtual Result<bool> resend(std::int64_t id, std::span<const event::AuditEntry> entries) = 0;

  virtual Status put(std::span<const OpsPane> panes) = 0;
  virtual Result<std::vector<OpsPane>> ops(const OpsQuery& query) const = 0;
  /// All sources that have panes, in their order.
  virtual Result<std::vector<std::string>> ops_sources() const = 0;
  /// Drops the panes that start before.
  virtual Status forget_ops(std::int64_t before) = 0;

  /// Those that come again for a window and segment replace what was there.
  virtual Status put(std::span<const Sample> samples) = 0;
  /// All rows first, then the segments by name.
  virtual Result<std::vector<Sample>> samples(std::string_view model, std::string_view key) const = 0;

  /// What is put last is the one that its model is compared with. Code::kInput, and nothing changes: it is larger than
  /// kMostProfile, as requests of a cluster are usually at most 100 MB.
  static constexpr std::size_t kMostProfile = std::size_t{32} << 20;
  virtual Status put(const Profile& profile) = 0;
  virtual Result<std::vector<Profile>> profiles(const ProfileQuery& query) const = 0;
  /// With its bytes.
  virtual Result<std::optional<Profile>> profile(std::string_view model, std::string_view id) const = 0;

  /// Drops what is older than that, the oldest first, and not more than about `most` things at once; whether there is
  /// more of it.
  virtual Result<bool> forget(const Retention& keep, std::size_t most) = 0;

  /// Appends them to the audit log in their order, but for those whose key is there. Their numbers and hashes are not
  /// looked at.
  virtual Status put(std::span<const event::AuditEntry> entries) = 0;
  virtual Result<std::vector<event::AuditEntry>> audit(const AuditQuery& query) const = 0;
  virtual Result<std::optional<event::AuditEntry>> last_audit() const = 0;
  /// Reads the log from its first entry to the last. What nobody can see in it: that all of it from some entry on was
  /// made anew, with the hashes that belong to it, so the hash of a last entry is to be noted elsewhere now and then.
  /// Entries that were taken away at the end are missed, as their numbers were given. Does not hold up others.
  virtual Result<AuditState> check_audit() const = 0;
};

struct SqliteOptions {
  bool only_there = false;              ///< Code::kUsage where there is no such file
  std::function<std::int64_t()> now{};  ///< µs since 1970; default: the system's clock
};
/// One file of SQLite, made where it is not there; another process may read it meanwhile.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, SqliteOptions options = {});

}  // namespace vigie::store

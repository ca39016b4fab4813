// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "base/clock.h"
#include "store/sqlite_internal.h"

namespace vigie::store {
namespace {

constexpr int kFormat = 2;
constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS windows ("
    "  model TEXT NOT NULL, key TEXT NOT NULL, start INTEGER NOT NULL, \"end\" INTEGER NOT NULL,"
    "  verdict TEXT NOT NULL, body TEXT NOT NULL, score_verdict TEXT NOT NULL DEFAULT '', score TEXT NOT NULL DEFAULT "
    "'',"
    "  kept INTEGER NOT NULL, condensed INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY (model, key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS windows_by_start ON windows (model, start, key);"
    "CREATE TABLE IF NOT EXISTS incidents ("
    "  id TEXT PRIMARY KEY, model TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, body TEXT NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS incidents_by_since ON incidents (since, id);"
    "CREATE TABLE IF NOT EXISTS outgoing ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, incident TEXT NOT NULL, number INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0,"
    "  fate INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', UNIQUE (incident, number, kind, target));"
    "CREATE INDEX IF NOT EXISTS outgoing_waiting ON outgoing (id) WHERE fate = 0;"
    "CREATE TABLE IF NOT EXISTS ops ("
    "  source TEXT NOT NULL, start INTEGER NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,"
    "  PRIMARY KEY (source, start, part)) WITHOUT ROWID;";

class Sqlite final : public Store {
 public:
  Sqlite(std::string path, SqliteOptions options) : path_(std::move(path)), options_(std::move(options)) {}
  ~Sqlite() override {
    for (auto* statement :
         {put_, score_, find_, latest_, put_incident_, find_incidents_, find_incident_, put_outgoing_, find_outgoing_,
          settle_, find_told_, resend_, put_ops_, find_ops_, latest_ops_, next_source_, forget_ops_})
      sqlite3_finalize(statement);
    audit_.close();
    samples_.close();
    profiles_.close();
    old_.close();
    sqlite3_close(db_);
  }

  Status open() {
    if (options_.only_there && ::access(path_.c_str(), F_OK) != 0)
      return fail(Code::kUsage, fmt::format("{}: there is no such file; vigie serve makes it in its folder", path_));
    if (sqlite3_open_v2(path_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr) != SQLITE_OK)
      return failed("open");
    sqlite3_busy_timeout(db_, 5000);
    VIGIE_TRY(run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
    sqlite3_stmt* version = nullptr;
    if (sqlite3_prepare_v2(db_, "PRAGMA user_version", -1, &version, nullptr) != SQLITE_OK) return failed("read");
    const int format = sqlite3_step(version) == SQLITE_ROW ? sqlite3_column_int(version, 0) : -1;
    sqlite3_finalize(version);
    if (format < 0) return failed("read");
    if (format > kFormat)
      return fail(Code::kCorrupt,
                  fmt::format("{}: of format {}, and this program reads up to {}", path_, format, kFormat));
    // Windows that an older vigie kept are as old as this day.
    if (format == 1)
      VIGIE_TRY(run(fmt::format("BEGIN; ALTER TABLE windows ADD COLUMN kept INTEGER NOT NULL DEFAULT {};"
                                "ALTER TABLE windows ADD COLUMN condensed INTEGER NOT NULL DEFAULT 0;"
                                "PRAGMA user_version = 2; COMMIT",
                                now())
                        .c_str()));
    for (const auto* tables :
         {kTables, AuditTable::kTables, SampleTable::kTables, ProfileTable::kTables, OldTable::kTables})
      VIGIE_TRY(run(tables));
    if (!audit_.open(db_) || !samples_.open(db_) || !profiles_.open(db_) || !old_.open(db_)) return failed("read");
    VIGIE_TRY(run(fmt::format("PRAGMA user_version = {}", kFormat).c_str()));
    VIGIE_TRY(
        prepare("INSERT INTO windows (model, key, start, \"end\", verdict, body, kept) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (model, key) DO UPDATE SET start = excluded.start, \"end\" = excluded.\"end\", "
                "verdict = excluded.verdict, body = excluded.body, condensed = 0",
                put_));
    VIGIE_TRY(
        prepare("UPDATE windows SET score_verdict = ?, score = ?, condensed = 0 WHERE model = ? AND key = ?", score_));
    VIGIE_TRY(prepare(
        "SELECT key, start, \"end\", verdict, score_verdict FROM windows WHERE model = ? ORDER BY start DESC, key DESC "
        "LIMIT ?",
        latest_));
    VIGIE_TRY(prepare("INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?)", put_incident_));
    VIGIE_TRY(
        prepare("SELECT body FROM incidents WHERE (?1 = '' OR model = ?1) AND (?2 = '' OR state = ?2) AND (?5 = 0 OR "
                "state <> 'resolved') AND since >= ?6 AND since < ?7 AND (?3 = '' OR "
                "(since, id) < (coalesce((SELECT since FROM incidents WHERE id = ?3), ?8), ?3)) ORDER BY since DESC, "
                "id DESC LIMIT ?4",
                find_incidents_));
    VIGIE_TRY(prepare("SELECT body FROM incidents WHERE id = ?", find_incident_));
    VIGIE_TRY(prepare("INSERT OR IGNORE INTO outgoing (target, incident, number, kind, body) VALUES (?, ?, ?, ?, ?)",
                      put_outgoing_));
    VIGIE_TRY(prepare(
        "SELECT id, target, kind, body, attempts, due FROM outgoing WHERE fate = 0 AND id > ? ORDER BY id LIMIT 1000",
        find_outgoing_));
    VIGIE_TRY(prepare("UPDATE outgoing SET fate = ?, why = ?, attempts = ?, due = ? WHERE id = ?", settle_));
    VIGIE_TRY(prepare(
        "SELECT id, target, kind, body, attempts, due, fate, why FROM outgoing WHERE id < ?1 AND (?2 < 0 OR fate "
        "= ?2) ORDER BY id DESC LIMIT ?3",
        find_told_));
    // It takes the place of the one that it is a copy of.
    VIGIE_TRY(prepare(
        "INSERT OR REPLACE INTO outgoing (target, incident, number, kind, body) SELECT target, incident, number, "
        "kind, body FROM outgoing WHERE id = ? AND fate = 2",
        resend_));
    VIGIE_TRY(prepare("INSERT OR REPLACE INTO ops VALUES (?, ?, ?, ?)", put_ops_));
    constexpr const char* kOps =
        "SELECT start, part, body FROM ops WHERE source = ? AND start >= ? AND start < ? ORDER BY start {0}, part {0} "
        "LIMIT ?";
    VIGIE_TRY(prepare(fmt::format(fmt::runtime(kOps), "ASC").c_str(), find_ops_));
    VIGIE_TRY(prepare(fmt::format(fmt::runtime(kOps), "DESC").c_str(), latest_ops_));
    VIGIE_TRY(prepare("SELECT coalesce(min(source), '') FROM ops WHERE source > ?", next_source_));
    VIGIE_TRY(prepare("DELETE FROM ops WHERE source = ? AND start < ?", forget_ops_));
    return prepare(
        "SELECT key, start, \"end\", verdict, body, score_verdict, score FROM windows WHERE model = ?1 AND start < ?3 "
        "AND \"end\" > ?2 AND "
        "(start, key) > (SELECT coalesce(max(start), -9223372036854775808), ?4 FROM windows WHERE model = ?1 AND key = "
        "?4) "
        "ORDER BY start, key LIMIT ?5",
        find_);
  }

  Status put(std::span<const Window> windows) override {
    return all_or_none(windows, put_, [time = now()](Statement& s, const Window& w) {
      s.bind(w.model).bind(w.key).bind(w.start).bind(w.end).bind(w.verdict).bind(w.body).bind(time);
    });
  }

  Status put(std::span<const Score> scores) override {
    return all_or_none(scores, score_, [](Statement& s, const Score& score) {
      s.bind(score.verdict).bind(score.body).bind(score.model).bind(score.key);
    });
  }

  Result<std::vector<Window>> windows(const WindowQuery& query) const override {
    std::lock_guard lock(mutex_);
    std::vector<Window> found;
    Statement s(find_);
    s.bind(query.model).bind(query.from).bind(query.to).bind(query.after);
    s.bind(static_cast<std::int64_t>(query.most));
    int code;
    while ((code = s.step()) == SQLITE_ROW)
      found.push_back({query.model, s.number(1), s.number(2), s.text(0), s.text(3), s.text(4), s.text(5), s.text(6)});
    if (code != SQLITE_DONE) return failed("read");
    return found;
  }

  Result<std::vector<Window>> latest(std::string_view model, std::size_t most) const override {
    std::lock_guard lock(mutex_);
    std::vector<Window> found;
    Statement s(latest_);
    s.bind(model).bind(static_cast<std::int64_t>(most));
    int code;
    while ((code = s.step()) == SQLITE_ROW)
      found.push_back({std::string(model), s.number(1), s.number(2), s.text(0), s.text(3), {}, s.text(4), {}});
    if (code != SQLITE_DONE) return failed("read");
    std::reverse(found.begin(), found.end());
    return found;
  }

  Status put(std::span<const event::Incident> incidents, std::span<const Outgoing> outgoing,
             std::span<const event::AuditEntry> entries, std::int64_t /*version*/) override {
    if (incidents.empty() && outgoing.empty() && entries.empty()) return {};
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    const bool kept = each(incidents, put_incident_,
                           [](Statement& s, const event::Incident& i) {
                             s.bind(i.id).bind(i.model).bind(to_string(i.state)).bind(i.since).bind(event::to_json(i));
                           }) &&
                      each(outgoing, put_outgoing_,
                           [](Statement& s, const Outgoing& o) {
                             const auto& incident = o.notice.incident;
                             s.bind(o.target).bind(incident.id).bind(incident.notices);
                             s.bind(static_cast<std::int64_t>(o.notice.kind)).bind(event::to_json(incident));
                           }) &&
                      audit_.append(entries);
    if (!kept || !done("COMMIT")) return undone();
    return {};
  }

  Result<std::vector<event::Incident>> incidents(const IncidentQuery& query) const override {
    std::lock_guard lock(mutex_);
    Statement s(find_incidents_);
    s.bind(query.model).bind(query.state ? to_string(*query.state) : "").bind(query.after);
    s.bind(static_cast<std::int64_t>(query.most)).bind(std::int64_t{query.unresolved});
    s.bind(query.from).bind(query.to);
    s.bind(event::since_of_id(query.after).value_or(std::numeric_limits<std::int64_t>::min()));
    return read_incidents(s);
  }

  Result<std::optional<event::Incident>> incident(std::string_view id) const override {
    std::lock_guard lock(mutex_);
    Statement s(find_incident_);
    s.bind(id);
    VIGIE_ASSIGN(auto found, read_incidents(s));
    if (found.empty()) return std::optional<event::Incident>();
    return std::optional(std::move(found[0]));
  }

  Result<std::vector<Outgoing>> outgoing(std::int64_t after) const override {
    std::lock_guard lock(mutex_);
    std::vector<Outgoing> found;
    Statement s(find_outgoing_);
    s.bind(after);
    int code;
    while ((code = s.step()) == SQLITE_ROW) {
      VIGIE_ASSIGN(auto item, outgoing_of(s));
      found.push_back(std::move(item));
    }
    if (code != SQLITE_DONE) return failed("read");
    return found;
  }

  Result<std::vector<Told>> notices(std::optional<Fate> fate, std::int64_t below, std::size_t most) const override {
    std::lock_guard lock(mutex_);
    std::vector<Told> found;
    Statement s(find_told_);
    s.bind(below).bind(fate ? static_cast<std::int64_t>(*fate) : -1).bind(static_cast<std::int64_t>(most));
    int code;
    while ((code = s.step()) == SQLITE_ROW) {
      VIGIE_ASSIGN(auto item, outgoing_of(s));
      found.push_back({std::move(item), static_cast<Fate>(s.number(6)), s.text(7)});
    }
    if (code != SQLITE_DONE) return failed("read");
    return found;
  }

  Result<bool> resend(std::int64_t id, std::span<const event::AuditEntry> entries) override {
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    bool again =
        each(std::span<const std::int64_t>(&id, 1), resend_, [](Statement& s, std::int64_t one) { s.bind(one); });
    if (!again) return undone();
    again = sqlite3_changes(db_) > 0;
    if ((again && !audit_.append(entries)) || !done("COMMIT")) return undone();
    return again;
  }

  Status settle(const Outgoing& item, Fate fate, std::string_view why,
                std::span<const event::AuditEntry> entries) override {
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    const bool kept = each(std::span(&item, 1), settle_,
                           [&](Statement& s, const Outgoing& o) {
                             s.bind(static_cast<std::int64_t>(fate)).bind(why).bind(o.attempts).bind(o.due).bind(o.id);
                           }) &&
                      audit_.append(entries);
    if (!kept || !done("COMMIT")) return undone();
    return {};
  }

  Status put(std::span<const Sample> samples) override {
    if (samples.empty()) return {};
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    if (!samples_.put(samples, now()) || !done("COMMIT")) return undone();
    return {};
  }

  Result<std::vector<Sample>> samples(std::string_view model, std::string_view key) const override {
    std::lock_guard lock(mutex_);
    std::vector<Sample> found;
    if (samples_.read(model, key, found) != SQLITE_DONE) return failed("read");
    return found;
  }

  Status put(const Profile& profile) override {
    VIGIE_TRY(check_size(profile));
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    if (!profiles_.put(profile, now()) || !done("COMMIT")) return undone();
    return {};
  }

  Result<std::vector<Profile>> profiles(const ProfileQuery& query) const override {
    std::lock_guard lock(mutex_);
    std::vector<Profile> found;
    if (profiles_.read(query, found) != SQLITE_DONE) return failed("read");
    return found;
  }

  Result<std::optional<Profile>> profile(std::string_view model, std::string_view id) const override {
    std::lock_guard lock(mutex_);
    std::vector<Profile> found;
    if (profiles_.read(model, id, found) != SQLITE_DONE) return failed("read");
    if (found.empty()) return std::optional<Profile>();
    return std::optional(std::move(found[0]));
  }

  Result<bool> forget(const Retention& keep, std::size_t most) override {
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    const auto dropped = old_.forget(keep, now(), most);
    if (!dropped || !done("COMMIT")) return undone();
    return *dropped >= most;
  }

  Status put(std::span<const event::AuditEntry> entries) override {
    return put(std::span<const event::Incident>(), std::span<const Outgoing>(), entries, 0);
  }

  Result<std::vector<event::AuditEntry>> audit(const AuditQuery& query) const override {
    std::lock_guard lock(mutex_);
    std::vector<event::AuditEntry> found;
    if (audit_.read(query, found) != SQLITE_DONE) return failed("read");
    return found;
  }

  Result<std::optional<event::AuditEntry>> last_audit() const override {
    std::lock_guard lock(mutex_);
    std::vector<event::AuditEntry> found;
    if (audit_.read_last(found) != SQLITE_DONE) return failed("read");
    if (found.empty()) return std::optional<event::AuditEntry>();
    return std::optional(std::move(found[0]));
  }

  Result<AuditState> check_audit() const override {
    constexpr std::size_t kPage = 500;
    AuditState state;
    std::vector<AuditRow> rows;
    do {
      rows.clear();
      std::lock_guard lock(mutex_);
      if (audit_.rows(state.last, kPage, rows) != SQLITE_DONE) return failed("read");
      for (const auto& row : rows)
        if (!check_row(row, state)) return state;
    } while (!rows.empty());
    std::lock_guard lock(mutex_);
    const auto given = audit_.given();
    if (given < 0) return failed("read");
    // What came meanwhile is behind it, and there.
    rows.clear();
    if (given > state.last && audit_.rows(state.last, 1, rows) != SQLITE_DONE) return failed("read");
    if (given > state.last && rows.empty())
      state.broken = state.last + 1,
      state.why = fmt::format("it is not there, nor is what followed it up to entry {}", given);
    return state;
  }

  Status put(std::span<const OpsPane> panes) override {
    return all_or_none(panes, put_ops_, [](Statement& s, const OpsPane& pane) {
      s.bind(pane.source).bind(pane.start).bind(pane.part).bind_bytes(pane.body);
    });
  }

  Result<std::vector<OpsPane>> ops(const OpsQuery& query) const override {
    std::lock_guard lock(mutex_);
    std::vector<OpsPane> found;
    Statement s(query.latest ? latest_ops_ : find_ops_);
    s.bind(query.source).bind(query.from).bind(query.to).bind(static_cast<std::int64_t>(query.most));
    int code;
    while ((code = s.step()) == SQLITE_ROW) found.push_back({query.source, s.number(0), s.number(1), s.bytes(2)});
    if (code != SQLITE_DONE) return failed("read");
    if (query.latest) std::reverse(found.begin(), found.end());
    return found;
  }

  Result<std::vector<std::string>> ops_sources() const override {
    std::lock_guard lock(mutex_);
    return sources();
  }

  Status forget_ops(std::int64_t before) override {
    std::vector<std::string> all;
    {
      std::lock_guard lock(mutex_);
      VIGIE_ASSIGN(all, sources());
    }
    return all_or_none(std::span<const std::string>(all), forget_ops_,
                       [&](Statement& s, const std::string& source) { s.bind(source).bind(before); });
  }

 private:
  // Looked up one after the other: to read all panes for their sources would take long.
  Result<std::vector<std::string>> sources() const {
    std::vector<std::string> found;
    while (true) {
      Statement s(next_source_);
      s.bind(found.empty() ? std::string_view("") : std::string_view(found.back()));
      if (s.step() != SQLITE_ROW) return failed("read");
      auto next = s.text(0);
      if (next.empty()) return found;
      found.push_back(std::move(next));
    }
  }

  static Result<Outgoing> outgoing_of(Statement& s) {
    VIGIE_ASSIGN(auto incident, event::incident_of_json(s.text(3)));
    return Outgoing{s.number(0),
                    s.text(1),
                    {static_cast<event::Notice::Kind>(s.number(2)), std::move(incident)},
                    s.number(4),
                    s.number(5)};
  }

  Result<std::vector<event::Incident>> read_incidents(Statement& s) const {
    std::vector<event::Incident> found;
    int code;
    while ((code = s.step()) == SQLITE_ROW) {
      VIGIE_ASSIGN(auto incident, event::incident_of_json(s.text(0)));
      found.push_back(std::move(incident));
    }
    if (code != SQLITE_DONE) return failed("read");
    return found;
  }

  template <class T, class F>
  Status all_or_none(std::span<const T> items, sqlite3_stmt* statement, F bind) {
    if (items.empty()) return {};
    std::lock_guard lock(mutex_);
    VIGIE_TRY(run("BEGIN IMMEDIATE"));
    if (!each(items, statement, bind) || !done("COMMIT")) return undone();
    return {};
  }
  // Within a transaction.
  template <class T, class F>
  static bool each(std::span<const T> items, sqlite3_stmt* statement, F bind) {
    for (const auto& item : items) {
      Statement s(statement);
      bind(s, item);
      if (s.step() != SQLITE_DONE) return false;
    }
    return true;
  }
  bool done(const char* statements) { return sqlite3_exec(db_, statements, nullptr, nullptr, nullptr) == SQLITE_OK; }
  Error failed(std::string_view doing) const {
    const int code = db_ ? sqlite3_errcode(db_) : SQLITE_NOMEM;
    const auto kind = code == SQLITE_FULL || code == SQLITE_BUSY || code == SQLITE_LOCKED ? Code::kUnavailable
                      : code == SQLITE_CORRUPT || code == SQLITE_NOTADB                   ? Code::kCorrupt
                                                                                          : Code::kIo;
    return fail(kind, fmt::format("{}: cannot {}: {}", path_, doing, db_ ? sqlite3_errmsg(db_) : "no memory"));
  }
  Status run(const char* statements) {
    if (!done(statements)) return failed("write");
    return {};
  }
  Status prepare(const char* text, sqlite3_stmt*& statement) {
    if (sqlite3_prepare_v3(db_, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      return failed("read");
    return {};
  }
  std::int64_t now() const { return options_.now ? options_.now() : system_now(); }
  Error undone() {
    auto error = failed("write");
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  }

  std::string path_;
  SqliteOptions options_;
  mutable std::mutex mutex_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt *put_ = nullptr, *score_ = nullptr, *find_ = nullptr, *latest_ = nullptr, *put_incident_ = nullptr,
               *find_incidents_ = nullptr, *find_incident_ = nullptr, *put_outgoing_ = nullptr,
               *find_outgoing_ = nullptr, *settle_ = nullptr, *find_told_ = nullptr, *resend_ = nullptr,
               *put_ops_ = nullptr, *find_ops_ = nullptr, *latest_ops_ = nullptr, *next_source_ = nullptr,
               *forget_ops_ = nullptr;
  AuditTable audit_;
  SampleTable samples_;
  ProfileTable profiles_;
  OldTable old_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const std::string& path, SqliteOptions options) {
  auto store = std::make_unique<Sqlite>(path, std::move(options));
  VIGIE_TRY(store->open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace vigie::store

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "store/sqlite_internal.h"

namespace vigie::store {

// AUTOINCREMENT, as a number that was given is known from then on.
const char* const AuditTable::kTables =
    "CREATE TABLE IF NOT EXISTS audit ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, model TEXT NOT NULL, event TEXT NOT NULL,"
    "  key TEXT NOT NULL UNIQUE, body TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS audit_by_model ON audit (model, number);";

bool AuditTable::open(sqlite3* db) {
  const auto prepare = [&](const char* text, sqlite3_stmt*& statement) { return prepare_kept(db, text, statement); };
  return prepare("SELECT 1 FROM audit WHERE key = ?", known_) &&
         prepare("SELECT body FROM audit ORDER BY number DESC LIMIT 1", last_) &&
         prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit'", given_) &&
         prepare("INSERT INTO audit (number, time, model, event, key, body) VALUES (?, ?, ?, ?, ?, ?)", put_) &&
         prepare(
             "SELECT body FROM audit WHERE number > ?1 AND (?2 = '' OR model = ?2) AND (?3 = '' OR event = ?3) AND "
             "time >= ?4 AND time < ?5 ORDER BY number LIMIT ?6",
             find_) &&
         prepare("SELECT number, time, model, event, key, body FROM audit WHERE number > ? ORDER BY number LIMIT ?",
                 rows_);
}

void AuditTable::close() {
  for (auto* statement : {known_, last_, given_, put_, find_, rows_}) sqlite3_finalize(statement);
}

std::int64_t AuditTable::given() const {
  Statement s(given_);
  const int code = s.step();
  return code == SQLITE_ROW ? s.number(0) : code == SQLITE_DONE ? 0 : -1;
}

bool AuditTable::append(std::span<const event::AuditEntry> entries) {
  if (entries.empty()) return true;
  auto number = given();
  if (number < 0) return false;
  auto previous = event::no_hash();
  {
    Statement s(last_);
    const int code = s.step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return false;
    if (code == SQLITE_ROW) {
      // Of one that was altered so that it cannot be read, what follows does not know the hash: the chain is broken.
      if (const auto last = event::audit_of_json(s.text(0))) previous = last->hash;
    }
  }
  for (auto entry : entries) {
    {
      Statement s(known_);
      const int code = s.bind(entry.key).step();
      if (code == SQLITE_ROW) continue;
      if (code != SQLITE_DONE) return false;
    }
    event::seal(entry, ++number, previous);
    Statement s(put_);
    s.bind(entry.number).bind(entry.time).bind(entry.model).bind(to_string(entry.happened)).bind(entry.key);
    if (s.bind(event::to_json(entry)).step() != SQLITE_DONE) return false;
    previous = entry.hash;
  }
  return true;
}

int AuditTable::read(const AuditQuery& query, std::vector<event::AuditEntry>& found) const {
  Statement s(find_);
  s.bind(query.after).bind(query.model).bind(query.happened ? to_string(*query.happened) : "");
  s.bind(query.from).bind(query.to).bind(static_cast<std::int64_t>(query.most));
  return take(s, found);
}

int AuditTable::read_last(std::vector<event::AuditEntry>& found) const {
  Statement s(last_);
  return take(s, found);
}

int AuditTable::take(Statement& s, std::vector<event::AuditEntry>& found) {
  int code;
  while ((code = s.step()) == SQLITE_ROW) {
    auto entry = event::audit_of_json(s.text(0));
    if (!entry) return SQLITE_CORRUPT;
    found.push_back(std::move(*entry));
  }
  return code;
}

int AuditTable::rows(std::int64_t after, std::size_t most, std::vector<AuditRow>& found) const {
  Statement s(rows_);
  s.bind(after).bind(static_cast<std::int64_t>(most));
  int code;
  while ((code = s.step()) == SQLITE_ROW)
    found.push_back({s.number(0), s.number(1), s.text(2), s.text(3), s.text(4), s.text(5)});
  return code;
}

}  // namespace vigie::store

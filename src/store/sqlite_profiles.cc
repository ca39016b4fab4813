// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_internal.h"

namespace vigie::store {

// Not WITHOUT ROWID: rows are large.
const char* const ProfileTable::kTables =
    "CREATE TABLE IF NOT EXISTS profiles ("
    "  model TEXT NOT NULL, id TEXT NOT NULL, made INTEGER NOT NULL, kind TEXT NOT NULL, \"from\" INTEGER NOT NULL,"
    "  \"to\" INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL, body TEXT NOT NULL,"
    "  kept INTEGER NOT NULL, current INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (model, id));"
    "CREATE INDEX IF NOT EXISTS profiles_by_time ON profiles (model, made, id);"
    "CREATE INDEX IF NOT EXISTS profiles_past ON profiles (kept) WHERE current = 0;";

bool ProfileTable::open(sqlite3* db) {
  const auto prepare = [&](const char* text, sqlite3_stmt*& statement) { return prepare_kept(db, text, statement); };
  return prepare("UPDATE profiles SET current = 0 WHERE model = ? AND current = 1", past_) &&
         prepare("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)", put_) &&
         prepare(
             "SELECT id, made, kind, \"from\", \"to\", rows, size, body FROM profiles WHERE model = ?1 AND made >= ?2 "
             "AND made < ?3 AND (?4 = '' OR (made, id) < ((SELECT made FROM profiles WHERE model = ?1 AND id = ?4), "
             "?4)) "
             "ORDER BY made DESC, id DESC LIMIT ?5",
             find_) &&
         prepare(
             "SELECT id, made, kind, \"from\", \"to\", rows, size, body, bytes FROM profiles WHERE model = ? "
             "AND id = ?",
             one_);
}

void ProfileTable::close() {
  for (auto* statement : {past_, put_, find_, one_}) sqlite3_finalize(statement);
}

bool ProfileTable::put(const Profile& p, std::int64_t now) {
  {
    Statement s(past_);
    if (s.bind(p.model).step() != SQLITE_DONE) return false;
  }
  Statement s(put_);
  s.bind(p.model).bind(p.id).bind(p.made).bind(p.kind).bind(p.from).bind(p.to).bind(p.rows).bind(p.size).bind(p.body);
  return s.bind(now).bind_bytes(p.bytes).step() == SQLITE_DONE;
}

Profile ProfileTable::take(Statement& s, std::string_view model) {
  return {std::string(model), s.text(0),   s.number(1), s.text(2), s.number(3),
          s.number(4),        s.number(5), s.number(6), s.text(7)};
}

int ProfileTable::read(const ProfileQuery& query, std::vector<Profile>& found) const {
  Statement s(find_);
  s.bind(query.model).bind(query.from).bind(query.to).bind(query.after).bind(static_cast<std::int64_t>(query.most));
  int code;
  while ((code = s.step()) == SQLITE_ROW) found.push_back(take(s, query.model));
  return code;
}

int ProfileTable::read(std::string_view model, std::string_view id, std::vector<Profile>& found) const {
  Statement s(one_);
  s.bind(model).bind(id);
  int code;
  while ((code = s.step()) == SQLITE_ROW) {
    found.push_back(take(s, model));
    found.back().bytes = s.bytes(8);
  }
  return code;
}

}  // namespace vigie::store

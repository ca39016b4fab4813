// SPDX-License-Identifier: Apache-2.0
#include "base/iso_time.h"
#include "store/sqlite_internal.h"

namespace vigie::store {
const char* const SampleTable::kTables =
    "CREATE TABLE IF NOT EXISTS samples ("
    "  model TEXT NOT NULL, key TEXT NOT NULL, segment TEXT NOT NULL, body TEXT NOT NULL, kept INTEGER NOT NULL,"
    "  PRIMARY KEY (model, key, segment)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS samples_by_age ON samples (kept);";

bool SampleTable::open(sqlite3* db) {
  return prepare_kept(db, "INSERT OR REPLACE INTO samples (model, key, segment, body, kept) VALUES (?, ?, ?, ?, ?)",
                      put_) &&
         prepare_kept(db, "SELECT segment, body FROM samples WHERE model = ? AND key = ? ORDER BY segment", find_);
}

void SampleTable::close() {
  sqlite3_finalize(put_);
  sqlite3_finalize(find_);
}

bool SampleTable::put(std::span<const Sample> samples, std::int64_t now) {
  for (const auto& sample : samples) {
    Statement s(put_);
    if (s.bind(sample.model).bind(sample.key).bind(sample.segment).bind(sample.body).bind(now).step() != SQLITE_DONE)
      return false;
  }
  return true;
}

int SampleTable::read(std::string_view model, std::string_view key, std::vector<Sample>& found) const {
  Statement s(find_);
  s.bind(model).bind(key);
  int code;
  while ((code = s.step()) == SQLITE_ROW) found.push_back({std::string(model), std::string(key), s.text(0), s.text(1)});
  return code;
}

const char* const OldTable::kTables =
    "CREATE INDEX IF NOT EXISTS windows_by_age ON windows (kept);"
    "CREATE INDEX IF NOT EXISTS windows_long ON windows (kept) WHERE condensed = 0;"
    "CREATE INDEX IF NOT EXISTS incidents_over ON incidents (id) WHERE state = 'resolved';";

bool OldTable::open(sqlite3* db) {
  db_ = db;
  const auto prepare = [&](const char* text, sqlite3_stmt*& statement) { return prepare_kept(db, text, statement); };
  return prepare("SELECT model, key, body, score FROM windows WHERE condensed = 0 AND kept < ? ORDER BY kept LIMIT ?",
                 long_) &&
         prepare("UPDATE windows SET body = ?, score = ?, condensed = 1 WHERE model = ? AND key = ?", condense_) &&
         prepare(
             "DELETE FROM windows WHERE (model, key) IN "
             "(SELECT model, key FROM windows WHERE kept < ? ORDER BY kept LIMIT ?)",
             windows_) &&
         prepare(
             "DELETE FROM samples WHERE (model, key, segment) IN "
             "(SELECT model, key, segment FROM samples WHERE kept < ? ORDER BY kept LIMIT ?)",
             samples_) &&
         prepare(
             "DELETE FROM profiles WHERE (model, id) IN "
             "(SELECT model, id FROM profiles WHERE current = 0 AND kept < ? ORDER BY kept LIMIT ?)",
             profiles_) &&
         prepare("SELECT id FROM incidents WHERE state = 'resolved' AND json_extract(body, '$.resolved') < ? LIMIT ?",
                 over_) &&
         prepare("DELETE FROM incidents WHERE id = ?", incident_) &&
         prepare("DELETE FROM outgoing WHERE incident = ? AND fate <> 0", told_);
}

void OldTable::close() {
  for (auto* statement : {long_, condense_, windows_, samples_, profiles_, over_, incident_, told_})
    sqlite3_finalize(statement);
}

bool OldTable::condense(std::int64_t before, std::size_t& left) {
  std::vector<Window> found;
  {
    Statement s(long_);
    s.bind(before).bind(static_cast<std::int64_t>(left));
    int code;
    while ((code = s.step()) == SQLITE_ROW)
      found.push_back({.model = s.text(0), .key = s.text(1), .verdict = {}, .body = s.text(2), .score = s.text(3)});
    if (code != SQLITE_DONE) return false;
  }
  for (const auto& w : found) {
    Statement s(condense_);
    s.bind(condensed_window(w.body)).bind(w.score.empty() ? "" : condensed_score(w.score)).bind(w.model).bind(w.key);
    if (s.step() != SQLITE_DONE) return false;
  }
  left -= found.size();
  return true;
}

std::optional<std::size_t> OldTable::forget(const Retention& keep, std::int64_t now, std::size_t most) {
  auto left = most;
  const auto drop = [&](sqlite3_stmt* statement, std::int64_t before) {
    if (left == 0) return true;
    Statement s(statement);
    if (s.bind(before).bind(static_cast<std::int64_t>(left)).step() != SQLITE_DONE) return false;
    left -= std::min(left, static_cast<std::size_t>(sqlite3_changes(db_)));
    return true;
  };
  // What is gone need not be made smaller.
  if (!drop(windows_, now - keep.windows) || !drop(samples_, now - keep.details) ||
      !drop(profiles_, now - keep.windows))
    return {};
  if (left > 0 && !condense(now - keep.details, left)) return {};
  std::vector<std::string> over;
  if (left > 0) {
    Statement s(over_);
    s.bind(iso_time(static_cast<double>(now - keep.incidents))).bind(static_cast<std::int64_t>(left));
    int code;
    while ((code = s.step()) == SQLITE_ROW) over.push_back(s.text(0));
    if (code != SQLITE_DONE) return {};
  }
  for (const auto& id : over)
    for (auto* statement : {told_, incident_})
      if (Statement s(statement); s.bind(id).step() != SQLITE_DONE) return {};
  left -= over.size();
  return most - left;
}

}  // namespace vigie::store

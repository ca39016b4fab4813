// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/records_internal.h"
#include "store/store.h"

namespace vigie::store {

// A statement that is reset when it is done with.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : s_(statement) {}
  ~Statement() {
    sqlite3_reset(s_);
    sqlite3_clear_bindings(s_);
  }
  Statement(const Statement&) = delete;
  Statement& bind(std::string_view text) {
    sqlite3_bind_text(s_, ++at_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind_bytes(std::string_view bytes) {
    sqlite3_bind_blob(s_, ++at_, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& bind(std::int64_t number) {
    sqlite3_bind_int64(s_, ++at_, number);
    return *this;
  }
  int step() { return sqlite3_step(s_); }
  std::int64_t number(int column) { return sqlite3_column_int64(s_, column); }
  std::string text(int column) {
    const auto* from = reinterpret_cast<const char*>(sqlite3_column_text(s_, column));
    return {from, static_cast<std::size_t>(sqlite3_column_bytes(s_, column))};
  }

  std::string bytes(int column) {
    const auto* from = static_cast<const char*>(sqlite3_column_blob(s_, column));
    return {from, from + sqlite3_column_bytes(s_, column)};
  }

 private:
  sqlite3_stmt* s_;
  int at_ = 0;
};

/// A statement that is kept; false: sqlite3_errcode().
inline bool prepare_kept(sqlite3* db, const char* text, sqlite3_stmt*& statement) {
  return sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK;
}

/// The audit log's table, within a Sqlite and its lock. What fails is in sqlite3_errcode().
class AuditTable {
 public:
  static const char* const kTables;
  bool open(sqlite3* db);
  void close();
  /// Within a transaction.
  bool append(std::span<const event::AuditEntry> entries);
  /// Adds what is found; SQLITE_DONE, or what went wrong.
  int read(const AuditQuery& query, std::vector<event::AuditEntry>& found) const;
  int read_last(std::vector<event::AuditEntry>& found) const;

  /// The next rows as they lie there.
  int rows(std::int64_t after, std::size_t most, std::vector<AuditRow>& found) const;
  /// The greatest number that was ever given; 0: none; -1: sqlite3_errcode().
  std::int64_t given() const;

 private:
  static int take(Statement& s, std::vector<event::AuditEntry>& found);
  sqlite3_stmt *known_ = nullptr, *last_ = nullptr, *given_ = nullptr, *put_ = nullptr, *find_ = nullptr,
               *rows_ = nullptr;
};
/// The table of sampled rows; as AuditTable.
class SampleTable {
 public:
  static const char* const kTables;
  bool open(sqlite3* db);
  void close();
  bool put(std::span<const Sample> samples, std::int64_t now);
  int read(std::string_view model, std::string_view key, std::vector<Sample>& found) const;

 private:
  sqlite3_stmt *put_ = nullptr, *find_ = nullptr;
};

/// The table of profiles; as AuditTable.
class ProfileTable {
 public:
  static const char* const kTables;
  bool open(sqlite3* db);
  void close();
  /// Within a transaction.
  bool put(const Profile& profile, std::int64_t now);
  int read(const ProfileQuery& query, std::vector<Profile>& found) const;
  int read(std::string_view model, std::string_view id, std::vector<Profile>& found) const;

 private:
  static Profile take(Statement& s, std::string_view model);
  sqlite3_stmt *past_ = nullptr, *put_ = nullptr, *find_ = nullptr, *one_ = nullptr;
};

/// What is too old; as AuditTable.
class OldTable {
 public:
  static const char* const kTables;
  bool open(sqlite3* db);
  void close();
  /// Within a transaction: how many things were dropped or made smaller; nothing: sqlite3_errcode().
  std::optional<std::size_t> forget(const Retention& keep, std::int64_t now, std::size_t most);

 private:
  bool condense(std::int64_t before, std::size_t& left);
  sqlite3* db_ = nullptr;
  sqlite3_stmt *long_ = nullptr, *condense_ = nullptr, *windows_ = nullptr, *samples_ = nullptr, *profiles_ = nullptr,
               *over_ = nullptr, *incident_ = nullptr, *told_ = nullptr;
};

}  // namespace vigie::store

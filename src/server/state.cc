// SPDX-License-Identifier: Apache-2.0
#include "server/state.h"

#include <fmt/format.h>
#include <lmdb.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"

namespace vigie::server {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 38;  // of address space; the file is as large as what it holds
constexpr std::uintmax_t kLittle = 1 << 20;               // bytes, below which a disk counts as full
constexpr unsigned kReaders = 1000;
constexpr std::size_t kLongestId = 400;  // LMDB takes keys of 511 bytes; longer ids are known by a hash
constexpr std::uint8_t kVersion = 2;
constexpr std::string_view kOffset = "offset", kModel = "model ", kOther = "other ";

MDB_val value_of(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Ids that come in order lie beside each other.
void key_of(std::uint32_t model, std::string_view id, std::string& key) {
  key.assign(reinterpret_cast<const char*>(&model), sizeof model);
  if (id.size() <= kLongestId) {
    key += id;
    return;
  }
  key += id.substr(0, kLongestId);
  for (std::uint64_t seed : {0, 1}) {
    const auto hash = hash64(id, seed);
    key.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  }
}

// What is kept with an id; an older vigie kept the record alone.
State::Predicted predicted_of(std::string_view bytes) {
  ByteReader in(bytes);
  State::Predicted out{.record = in.fixed<journal::Sequence>()};
  if (in.remaining() > 0) out.time = in.fixed<std::int64_t>();
  out.answer = bytes.substr(bytes.size() - in.remaining());
  return out;
}

struct Transaction {
  MDB_txn* txn = nullptr;
  ~Transaction() {
    if (txn) mdb_txn_abort(txn);
  }
};

std::string encode(const Model& model) {
  ByteWriter out;
  out.fixed(kVersion);
  out.fixed(model.number);
  out.fixed(model.predictions);
  out.fixed(model.labels);
  out.fixed(model.last_seen);
  out.string(model.state);
  out.string(model.config);
  return out.take();
}

}  // namespace

Error State::error_of(int code, std::string_view doing) const {
  // LMDB says of a page that was written by half that the disk cannot.
  std::error_code unknown;
  if (code == EIO && std::filesystem::space(folder_, unknown).available < kLittle && !unknown) code = ENOSPC;
  const bool full = code == ENOSPC || code == EDQUOT || code == MDB_MAP_FULL;
  const bool damaged =
      code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID || code == MDB_VERSION_MISMATCH;
  return fail(full      ? Code::kUnavailable
              : damaged ? Code::kCorrupt
                        : Code::kIo,
              fmt::format("{}: cannot {} the state: {}", folder_, doing, mdb_strerror(code)));
}

void State::give_up() {
  if (change_) mdb_txn_abort(std::exchange(change_, nullptr));
}

Error State::failed(int code, std::string_view doing) {
  give_up();
  return error_of(code, doing);
}

Result<std::unique_ptr<State>> State::open(const std::string& folder) {
  std::unique_ptr<State> state(new State());
  state->folder_ = folder;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return state->failed(errno, "make the folder of");
  if (int e = mdb_env_create(&state->env_)) return state->failed(e, "open");
  mdb_env_set_maxdbs(state->env_, 8);
  mdb_env_set_maxreaders(state->env_, kReaders);
  mdb_env_set_mapsize(state->env_, kMostBytes);
  if (int e = mdb_env_open(state->env_, folder.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600))
    return state->failed(e, "open");
  VIGIE_TRY(state->begin());
  for (auto [name, handle] : {std::pair{"ids", &state->ids_},
                              {"labels", &state->labels_},
                              {"about", &state->about_},
                              {"kept", &state->kept_}})
    if (int e = mdb_dbi_open(state->change_, name, MDB_CREATE, handle)) return state->failed(e, "open");
  if (int e = mdb_txn_commit(std::exchange(state->change_, nullptr))) return state->failed(e, "write");
  return state;
}

State::~State() {
  if (change_) mdb_txn_abort(change_);
  if (env_) mdb_env_close(env_);
}

Status State::begin() {
  if (change_) return {};
  if (int e = mdb_txn_begin(env_, nullptr, 0, &change_)) {
    change_ = nullptr;
    return failed(e, "write");
  }
  return {};
}

Result<std::optional<std::string>> State::stored(std::string_view name) const {
  Transaction read;
  if (int e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read.txn)) return error_of(e, "read");
  auto key = value_of(name);
  MDB_val found{};
  const int e = mdb_get(read.txn, about_, &key, &found);
  if (e == MDB_NOTFOUND) return std::optional<std::string>();
  if (e) return error_of(e, "read");
  return std::optional(std::string(view(found)));
}

Status State::store(std::string_view name, std::string_view bytes) {
  VIGIE_TRY(begin());
  auto key = value_of(name), value = value_of(bytes);
  if (int e = mdb_put(change_, about_, &key, &value, 0)) return failed(e, "write");
  return {};
}

Result<journal::Sequence> State::offset() const {
  VIGIE_ASSIGN(const auto bytes, stored(kOffset));
  if (!bytes) return journal::Sequence{0};
  ByteReader in(*bytes);
  const auto offset = in.fixed<journal::Sequence>();
  if (!in.ok()) return error_of(MDB_CORRUPTED, "read");
  return offset;
}

Result<std::optional<std::string>> State::get(std::string_view name) const {
  return stored(std::string(kOther).append(name));
}

Status State::put(std::string_view name, std::string_view bytes) {
  return store(std::string(kOther).append(name), bytes);
}

Result<std::vector<Model>> State::models() const {
  std::vector<Model> models;
  Transaction read;
  if (int e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read.txn)) return error_of(e, "read");
  MDB_cursor* cursor = nullptr;
  if (int e = mdb_cursor_open(read.txn, about_, &cursor)) return error_of(e, "read");
  auto key = value_of(kModel);
  MDB_val found{};
  int e = mdb_cursor_get(cursor, &key, &found, MDB_SET_RANGE);
  for (; e == 0 && view(key).starts_with(kModel); e = mdb_cursor_get(cursor, &key, &found, MDB_NEXT)) {
    ByteReader in(view(found));
    Model model;
    const auto version = in.fixed<std::uint8_t>();
    model.name = view(key).substr(kModel.size());
    model.number = in.fixed<std::uint32_t>();
    model.predictions = in.fixed<std::uint64_t>();
    model.labels = in.fixed<std::uint64_t>();
    model.last_seen = in.fixed<double>();
    model.state = in.string();
    model.config = in.string();
    if (!in.ok() || version != kVersion) {
      e = MDB_CORRUPTED;
      break;
    }
    models.push_back(std::move(model));
  }
  mdb_cursor_close(cursor);
  if (e != 0 && e != MDB_NOTFOUND) return error_of(e, "read");
  return models;
}

Status State::known(std::uint32_t model, std::span<const std::string_view> ids, std::vector<std::uint8_t>& out) const {
  out.assign(ids.size(), 0);
  Transaction read;
  if (int e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read.txn)) return error_of(e, "read");
  std::string bytes;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    key_of(model, ids[i], bytes);
    auto key = value_of(bytes);
    MDB_val found{};
    const int e = mdb_get(read.txn, ids_, &key, &found);
    if (e && e != MDB_NOTFOUND) return error_of(e, "read");
    out[i] = e == 0;
  }
  return {};
}

Result<bool> State::add_prediction(std::uint32_t model, std::string_view id, journal::Sequence record,
                                   std::int64_t time, std::string_view answer) {
  VIGIE_TRY(begin());
  key_of(model, id, key_);
  auto key = value_of(key_);
  value_.assign(reinterpret_cast<const char*>(&record), sizeof record);
  value_.append(reinterpret_cast<const char*>(&time), sizeof time).append(answer);
  auto value = value_of(value_);
  const int e = mdb_put(change_, ids_, &key, &value, MDB_NOOVERWRITE);
  if (e && e != MDB_KEYEXIST) return failed(e, "write");
  return e == 0 || predicted_of(view(value)).record == record;
}

Result<State::Labelled> State::add_label(std::uint32_t model, std::string_view id, std::string_view label) {
  VIGIE_TRY(begin());
  key_of(model, id, key_);
  auto key = value_of(key_);
  MDB_val found{};
  int e = mdb_get(change_, labels_, &key, &found);
  if (e && e != MDB_NOTFOUND) return failed(e, "read");
  if (e == 0 && view(found) == label) return Labelled::kRepeated;
  const auto result = e ? Labelled::kFirst : Labelled::kCorrected;
  auto value = value_of(label);
  e = mdb_put(change_, labels_, &key, &value, 0);
  if (e) return failed(e, "write");
  return result;
}

Result<std::optional<std::string_view>> State::find(unsigned table, std::string_view key) {
  VIGIE_TRY(begin());
  auto name = value_of(key);
  MDB_val found{};
  const int e = mdb_get(change_, table, &name, &found);
  if (e == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (e) return failed(e, "read");
  return std::optional(view(found));
}

Result<std::optional<State::Predicted>> State::predicted(std::uint32_t model, std::string_view id) {
  key_of(model, id, key_);
  VIGIE_ASSIGN(const auto found, find(ids_, key_));
  return found ? std::optional(predicted_of(*found)) : std::nullopt;
}

Result<std::optional<std::string_view>> State::label_of(std::uint32_t model, std::string_view id) {
  key_of(model, id, key_);
  return find(labels_, key_);
}

Status State::keep(std::string_view key, std::string_view bytes) {
  VIGIE_TRY(begin());
  auto name = value_of(key), value = value_of(bytes);
  if (int e = mdb_put(change_, kept_, &name, &value, 0)) return failed(e, "write");
  return {};
}

Result<std::optional<std::string_view>> State::kept(std::string_view key) {
  return find(kept_, key);
}

Status State::drop(std::string_view prefix) {
  VIGIE_TRY(begin());
  MDB_cursor* cursor = nullptr;
  if (int e = mdb_cursor_open(change_, kept_, &cursor)) return failed(e, "write");
  auto key = value_of(prefix);
  MDB_val found{};
  int e = mdb_cursor_get(cursor, &key, &found, MDB_SET_RANGE);
  for (; e == 0 && view(key).starts_with(prefix); e = mdb_cursor_get(cursor, &key, &found, MDB_NEXT))
    if (int error = mdb_cursor_del(cursor, 0)) {
      e = error;
      break;
    }
  mdb_cursor_close(cursor);
  if (e != 0 && e != MDB_NOTFOUND) return failed(e, "write");
  return {};
}

int State::walk(MDB_txn* in, std::string_view prefix, std::string_view from, const Each& each) const {
  MDB_cursor* cursor = nullptr;
  if (int e = mdb_cursor_open(in, kept_, &cursor)) return e;
  auto key = value_of(from);
  MDB_val found{};
  int e = mdb_cursor_get(cursor, &key, &found, MDB_SET_RANGE);
  for (; e == 0 && view(key).starts_with(prefix); e = mdb_cursor_get(cursor, &key, &found, MDB_NEXT))
    if (!each(view(key), view(found))) break;
  mdb_cursor_close(cursor);
  return e == MDB_NOTFOUND ? 0 : e;
}

Status State::scan(std::string_view prefix, const Each& each) {
  VIGIE_TRY(begin());
  if (int e = walk(change_, prefix, prefix, each)) return failed(e, "read");
  return {};
}

Status State::look(std::string_view prefix, std::string_view from, const Each& each) const {
  Transaction read;
  if (int e = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read.txn)) return error_of(e, "read");
  if (int e = walk(read.txn, prefix, from, each)) return error_of(e, "read");
  return {};
}

Status State::commit(journal::Sequence offset, std::span<const Model> models) {
  for (const auto& model : models) VIGIE_TRY(store(std::string(kModel) + model.name, encode(model)));
  VIGIE_TRY(store(kOffset, {reinterpret_cast<const char*>(&offset), sizeof offset}));
  if (int e = mdb_txn_commit(std::exchange(change_, nullptr))) return failed(e, "write");
  return {};
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "elastic/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "elastic/bulk.h"

namespace vigie::elastic {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = 5'000'000, kMostWrites = 1'000;  // of a request
constexpr std::size_t kMostRemoved = 5'000;                         // of a request, which is over in seconds
constexpr int kTries = 4;
constexpr std::chrono::seconds kAway{2};
constexpr std::chrono::milliseconds kPause{100};  // before a busy node is asked again; then twice as long

bool is_busy(unsigned status) {
  return status == 429 || status >= 500;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error odd() {
  return fail(Code::kCorrupt, "the cluster answers what it never should");
}

Error failed(const http::Answer& answer) {
  const auto why = why_of(answer.body);
  const bool later = answer.status == 401 || answer.status == 403 || is_busy(answer.status);
  return fail(later ? Code::kUnavailable : Code::kIo,
              fmt::format("the cluster answers {}{}{}", answer.status, why.empty() ? "" : ": ", why));
}

Result<Json> read(const http::Answer& answer) {
  auto json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object()) return odd();
  return json;
}

const char* name_of(Write::Kind kind) {
  constexpr const char* kNames[] = {"index", "create", "update", "delete"};
  return kNames[static_cast<std::size_t>(kind)];
}

void append(std::string& out, const Write& write) {
  Json action{{"_index", write.index}, {"_id", write.id}};
  if (write.version > 0) action["version"] = write.version, action["version_type"] = "external_gte";
  out += dumped(Json{{name_of(write.kind), std::move(action)}}) += '\n';
  if (write.kind == Write::Kind::kDelete) return;
  out += write.kind == Write::Kind::kUpdate ? R"({"doc":)" + dumped(write.source) + "}" : dumped(write.source);
  out += '\n';
}

}  // namespace

const Json& member(const Json& json, std::string_view path) {
  static const Json kNone;
  const Json* at = &json;
  while (true) {
    const auto dot = path.find('.');
    const auto found = at->find(path.substr(0, dot));
    if (found == at->end()) return kNone;
    at = &*found;
    if (dot == std::string_view::npos) return *at;
    path.remove_prefix(dot + 1);
  }
}

const Json& array_of(const Json& json, std::string_view path) {
  static const Json kEmpty = Json::array();
  const auto& found = member(json, path);
  return found.is_array() ? found : kEmpty;
}

std::string text_of(const Json& json, std::string_view path) {
  const auto& found = member(json, path);
  return found.is_string() ? found.get<std::string>() : std::string();
}

std::int64_t whole_of(const Json& json, std::string_view path) {
  const auto& found = member(json, path);
  return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

Session::Session(std::vector<std::string> nodes, Access access, const http::ClientOptions& options)
    : link_(std::move(nodes), std::move(access), options) {}

Result<Cluster> Session::reach() {
  const std::lock_guard lock(mutex_);
  if (std::chrono::steady_clock::now() < away_until_) return away_;
  auto cluster = link_.reach();
  if (!cluster && cluster.error().code == Code::kUnavailable) stay_away(cluster.error());
  return cluster;
}

void Session::stay_away(const Error& why) {
  away_ = why, away_until_ = std::chrono::steady_clock::now() + kAway;
}

Result<http::Answer> Session::send(std::string_view method, std::string_view path, std::string_view body) {
  // Of one that does not answer nobody else is to wait for that again.
  if (std::chrono::steady_clock::now() < away_until_) return away_;
  for (int i = 1;; ++i) {
    auto answer = link_.ask(method, path, body);
    if (!answer && answer.error().code == Code::kUnavailable) stay_away(answer.error());
    if (!answer || !is_busy(answer->status) || i == kTries) return answer;
    if (answer->body.find("too_many_buckets") != std::string::npos) return answer;  // and never will do
    std::this_thread::sleep_for(kPause * (1 << i));
  }
}

Result<Json> Session::ask(std::string_view method, std::string_view path, const Json& body, unsigned missing) {
  const std::lock_guard lock(mutex_);
  VIGIE_ASSIGN(const auto answer, send(method, path, body.is_null() ? "" : dumped(body)));
  if (answer.status == missing) return Json();
  if (answer.status < 200 || answer.status > 299) return failed(answer);
  return read(answer);
}

Result<std::vector<unsigned>> Session::write(std::span<const Write> writes) {
  const std::lock_guard lock(mutex_);
  std::vector<unsigned> statuses(writes.size());
  for (std::size_t from = 0, to = 0; from < writes.size(); from = to) {
    // Of two of one id the second goes behind the first.
    std::set<std::pair<std::string_view, std::string_view>> ids;
    for (std::size_t bytes = 0; to < writes.size() && to - from < kMostWrites; ++to) {
      if (!ids.emplace(writes[to].index, writes[to].id).second) break;
      bytes += dumped(writes[to].source).size();
      if (bytes > kMostBytes && to > from) break;
    }
    VIGIE_TRY(write_some(writes.subspan(from, to - from), std::span(statuses).subspan(from, to - from)));
  }
  return statuses;
}

// Items may come in another order than the writes, so they are told apart by what they are.
Status Session::write_some(std::span<const Write> writes, std::span<unsigned> statuses) {
  constexpr std::string_view kPath =
      "/_bulk?filter_path=errors,items.*._index,items.*._id,items.*.status,items.*.error.type,items.*.error.reason";
  for (int i = 1;; ++i) {
    std::string body;
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> waiting;
    for (std::size_t w = 0; w < writes.size(); ++w) {
      if (statuses[w] != 0) continue;
      append(body, writes[w]);
      waiting[{writes[w].index, writes[w].id}] = w;
      unseen_.insert(writes[w].index);
    }
    VIGIE_ASSIGN(const auto answer, send("POST", kPath, body));
    if (answer.status != 200) return failed(answer);
    VIGIE_ASSIGN(const auto said, read(answer));
    Error error;
    for (const auto& item : array_of(said, "items")) {
      if (!item.is_object() || item.size() != 1) return odd();
      const auto& told = item.begin().value();
      const auto index = text_of(told, "_index"), id = text_of(told, "_id");
      auto found = waiting.find({index, id});
      if (found == waiting.end()) {
        // It was written through an alias.
        VIGIE_ASSIGN(const auto* const name, alias_of(index, writes));
        if (!name || (found = waiting.find({*name, id})) == waiting.end()) continue;
      }
      const auto status = static_cast<unsigned>(whole_of(told, "status"));
      const auto& write = writes[found->second];
      const bool absent = status == 404 && write.kind != Write::Kind::kIndex && write.kind != Write::Kind::kCreate;
      if ((status >= 200 && status < 300) || status == 409 || absent) {
        statuses[found->second] = status;
        waiting.erase(found);
        continue;
      }
      const auto& why = member(told, "error");
      const bool later = status == 401 || status == 403 || is_busy(status);
      error = fail(later ? Code::kUnavailable : Code::kIo,
                   fmt::format("{}: the cluster answers {}: {}: {}", write.index, status, text_of(why, "type"),
                               text_of(why, "reason")));
      if (!later) return error;
    }
    if (waiting.empty()) return {};
    if (i == kTries)
      return error.message.empty() ? fail(Code::kCorrupt, "the cluster does not tell what became of a document")
                                   : std::move(error);
    std::this_thread::sleep_for(kPause * (1 << i));
  }
}

// Of an index the name by which it was written to; nullptr: by none of these.
Result<const std::string*> Session::alias_of(const std::string& index, std::span<const Write> writes) {
  if (const auto known = behind_.find(index); known != behind_.end()) return &known->second;
  std::set<std::string> names;
  for (const auto& write : writes) names.insert(write.index);
  for (const auto& name : names) {
    VIGIE_ASSIGN(const auto answer, send("GET", fmt::format("/_alias/{}", name), ""));
    if (answer.status == 404) continue;
    if (answer.status != 200) return failed(answer);
    VIGIE_ASSIGN(const auto said, read(answer));
    for (const auto& [real, about] : said.items())
      if (!behind_.emplace(real, name).second && behind_[real] != name)
        return fail(Code::kIo,
                    fmt::format("{}: an alias of it is {} and another one is {}: each needs indexes of its own", real,
                                name, behind_[real]));
  }
  const auto found = behind_.find(index);
  return found == behind_.end() ? nullptr : &found->second;
}

void Session::refresh(const std::string& index) {
  const std::lock_guard lock(mutex_);
  unseen_.insert(index);
}

Status Session::find_written(const std::string& index) {
  if (!unseen_.contains(index)) return {};
  VIGIE_ASSIGN(const auto answer, send("POST", fmt::format("/{}/_refresh?ignore_unavailable=true", index), ""));
  if (answer.status != 200) return failed(answer);
  unseen_.erase(index);
  return {};
}

Result<std::vector<Hit>> Session::search(const std::string& index, Json body, std::size_t most, std::size_t page) {
  const std::lock_guard lock(mutex_);
  VIGIE_TRY(find_written(index));
  const auto path =
      fmt::format("/{}/_search?ignore_unavailable=true&allow_partial_search_results=false&filter_path=hits.hits{}",
                  index, one_copy_ ? "&preference=vigie" : "");
  std::vector<Hit> found;
  body["track_total_hits"] = false;
  while (found.size() < most) {
    const auto size = std::min(page, most - found.size());
    body["size"] = size;
    VIGIE_ASSIGN(const auto answer, send("POST", path, dumped(body)));
    if (answer.status != 200) return failed(answer);
    VIGIE_ASSIGN(const auto said, read(answer));
    const auto& hits = array_of(member(said, "hits"), "hits");
    for (const auto& hit : hits)
      found.push_back({text_of(hit, "_id"), member(hit, "_source"), member(hit, "sort"), whole_of(hit, "_seq_no"),
                       whole_of(hit, "_primary_term")});
    if (hits.size() < size) break;
    body["search_after"] = found.back().sort;
  }
  return found;
}

Result<std::vector<Json>> Session::get(const std::string& index, std::span<const std::string> ids,
                                       std::span<const std::string> fields) {
  std::vector<Json> found(ids.size());
  if (ids.empty()) return found;
  Json docs = Json::array();
  for (const auto& id : ids) {
    docs.push_back({{"_id", id}});
    if (!fields.empty()) docs.back()["_source"] = fields;
  }
  VIGIE_ASSIGN(const auto said, ask("POST", fmt::format("/{}/_mget", index), {{"docs", std::move(docs)}}, 404));
  std::map<std::string, Json> by_id;
  if (said.is_object())
    for (const auto& doc : array_of(said, "docs")) {
      const auto wrong = text_of(member(doc, "error"), "type");
      if (!wrong.empty() && wrong != "index_not_found_exception")
        return fail(Code::kIo, fmt::format("{}: {}: {}", index, wrong, text_of(member(doc, "error"), "reason")));
      if (const auto& there = member(doc, "found"); there.is_boolean() && there.get<bool>())
        by_id[text_of(doc, "_id")] = member(doc, "_source");
    }
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (const auto at = by_id.find(ids[i]); at != by_id.end()) found[i] = at->second;
  return found;
}

// Some at a time: a request for all of them might take longer than an answer is waited for, and be begun again while it
// still goes on. In between others are let in.
Status Session::remove(const std::string& index, const Json& query) {
  const auto path = fmt::format(
      "/{}/_delete_by_query?ignore_unavailable=true&conflicts=proceed&refresh=true&max_docs={}", index, kMostRemoved);
  while (true) {
    const std::lock_guard lock(mutex_);
    VIGIE_TRY(find_written(index));
    VIGIE_ASSIGN(const auto answer, send("POST", path, dumped({{"query", query}})));
    if (answer.status != 200) return failed(answer);
    VIGIE_ASSIGN(const auto said, read(answer));
    const auto deleted = whole_of(said, "deleted");
    if (deleted == 0 || deleted + whole_of(said, "version_conflicts") < std::int64_t{kMostRemoved}) return {};
  }
}

}  // namespace vigie::elastic

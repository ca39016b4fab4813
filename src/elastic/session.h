// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "elastic/link.h"

namespace vigie::elastic {

/// What is to be done with one document.
struct Write {
  enum class Kind : std::uint8_t {
    kIndex,   ///< there as `source`, whatever was there
    kCreate,  ///< only where none was
    kUpdate,  ///< members of `source` replace those of one that is there
    kDelete,
  };
  Kind kind = Kind::kIndex;
  std::string index, id;
  nlohmann::json source{};
  std::int64_t version = 0;  ///< of kIndex, where it is above 0: one of a higher version stays
};

struct Hit {
  std::string id;
  nlohmann::json source, sort;
  std::int64_t seq_no = 0, primary_term = 0;  ///< where the query asks for them
};

/// A member of what a cluster said, by its dotted path; a null, nothing, "" or 0 where it is not there or no such
/// thing.
const nlohmann::json& member(const nlohmann::json& json, std::string_view path);
const nlohmann::json& array_of(const nlohmann::json& json, std::string_view path);
std::string text_of(const nlohmann::json& json, std::string_view path);
std::int64_t whole_of(const nlohmann::json& json, std::string_view path);

/// Asks a cluster for documents, one request after the other on connections that are kept; what it wrote it finds. All
/// functions may be called from any thread. Code::kUnavailable: nobody answers, or not now, or lets nobody in;
/// Code::kIo: the cluster will not do it; Code::kCorrupt: what it says cannot be read.
class Session {
 public:
  /// `options`: of what an answer is waited for no more than 15 s, and who asks meanwhile waits no longer.
  Session(std::vector<std::string> nodes, Access access, const http::ClientOptions& options = {});

  /// Code::kUsage too: what answers is no such cluster.
  Result<Cluster> reach();
  /// Answers of 200 to 299, and of `missing` a null.
  Result<nlohmann::json> ask(std::string_view method, std::string_view path, const nlohmann::json& body = nullptr,
                             unsigned missing = 0);
  /// Statuses as they come, none of 4xx but 404 (of kUpdate, kDelete: there was none) and 409 (of kCreate: there was
  /// one; of a version: it was higher). Those that were done stay done where others fail.
  Result<std::vector<unsigned>> write(std::span<const Write> writes);
  /// The documents that a query finds, page by page of at most `page`, as many as `most`. `body` has "sort", which
  /// tells any two apart. An index that is not there is empty.
  Result<std::vector<Hit>> search(const std::string& index, nlohmann::json body, std::size_t most,
                                  std::size_t page = 1'000);
  /// Searches ask the same copy of an index from now on, so that none finds less than the one before.
  void ask_one_copy() { one_copy_ = true; }
  /// What others wrote is found by the next search.
  void refresh(const std::string& index);
  /// By their ids, as they are now; `fields`: of their source, none: all of it. What is not there is null.
  Result<std::vector<nlohmann::json>> get(const std::string& index, std::span<const std::string> ids,
                                          std::span<const std::string> fields = {});
  /// Those that a query finds go, some at a time, between which others ask.
  Status remove(const std::string& index, const nlohmann::json& query);

 private:
  void stay_away(const Error& why);
  Result<http::Answer> send(std::string_view method, std::string_view path, std::string_view body);
  Status write_some(std::span<const Write> writes, std::span<unsigned> statuses);
  Status find_written(const std::string& index);
  Result<const std::string*> alias_of(const std::string& index, std::span<const Write> writes);

  std::mutex mutex_;
  Link link_;
  Error away_;  // why nobody answered, until then
  std::chrono::steady_clock::time_point away_until_{};
  bool one_copy_ = false;
  std::set<std::string> unseen_;               // indexes of which something is not yet found
  std::map<std::string, std::string> behind_;  // aliases, by the indexes behind them
};

}  // namespace vigie::elastic

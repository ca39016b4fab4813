// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "journal/journal.h"
#include "server/index_counts.h"

namespace vigie::server {

/// A model whose predictions lie in indexes, and are watched there.
struct IndexedModel {
  std::string model;
  IndexedRows rows;
  double every = 60, settle = 60;  ///< s between two looks; and behind a window's end, for rows that come late
};
std::span<const Param> indexed_model_params();
/// From text: "elastic(to=https://localhost:9200, index=logs-*, model=credit)". Code::kUsage.
Result<IndexedModel> make_indexed_model(std::string_view spec, const Environment& environment);

/// How one of them stands.
struct IndexState {
  std::string model, index;
  std::int64_t windows = 0, rows = 0;  ///< that were counted since the service was started, and taken
  std::int64_t until = 0;              ///< µs: end of the last window that was
  std::int64_t newest = 0;             ///< µs: time of the newest row there; 0: none was seen
  std::int64_t late = 0;               ///< rows that came to one of them when it had been counted
  std::vector<std::string> notes;      ///< what is not counted, or not exactly
  std::vector<std::string> left_out;   ///< columns of the reference as it was posted that are not counted
  std::string trouble;                 ///< what keeps it, in one line; empty: nothing
};

/// Counts windows of such models there as they end, in a thread of its own, and hands what was counted on, as rows that
/// are posted would be counted. Which were is kept in a file. All functions may be called from any thread.
class IndexWatch {
 public:
  struct Service {
    /// The bytes of a model's reference; empty: it has none.
    std::function<std::string(const std::string& model)> reference;
    std::function<Status(const std::string& model, const std::string& bytes)> set_reference;
    std::function<Status(journal::Records records)> append;
  };
  IndexWatch(std::vector<IndexedModel> models, const std::string& folder, Service service,
             std::function<void(const std::string&)> log);
  ~IndexWatch();
  IndexWatch(const IndexWatch&) = delete;
  std::vector<IndexState> states() const;
  /// A window that was handed on was taken, with so many rows that are new; or, as by another reference than the model
  /// has, was not, and is counted anew from there on.
  void taken(const std::string& model, std::int64_t rows);
  void refused(const std::string& model, std::int64_t since);
  /// As it was said; nothing: it is not watched.
  std::optional<IndexedModel> found(const std::string& model) const;

 private:
  static constexpr std::chrono::seconds kPatience{5};
  struct Watched {
    IndexedModel model;
    std::string name;                 // under which it is known how far it was counted
    std::string reference, replaced;  // bytes of the one it is counted by, and of one in whose place another is put
    std::unique_ptr<IndexCounts> counts;
    std::vector<std::string> answer_notes;  // of counts
    std::chrono::steady_clock::time_point due{};
    IndexState state;
    std::chrono::steady_clock::time_point again{};  // may that one be there once more, …
    std::chrono::seconds patience = kPatience;      // … after this, until the other one is counted by
    bool said = false, goes_on = false;             // in the log: anything of it; as its last word
    std::int64_t last_from = 0, last_rows = 0;      // of the last window
    std::int64_t late_before = 0;                   // to those before it
    bool refused = false;                           // one of those that were counted since the last look
  };
  void run();
  Status look(Watched& of);
  Result<bool> prepare(Watched& of);
  void note(Watched& of);
  Status save() const;  // mutex_ is held
  void tell(Watched& of, const Status& done);
  Status count(Watched& of, const engine::WindowSpec& windows);
  bool stopped() const;

  std::string file_;
  Service service_;
  std::function<void(const std::string&)> log_;
  std::vector<Watched> watched_;
  struct Kept {
    std::int64_t until = 0;                   // µs: end of the last window
    std::uint64_t reference = 0;              // hash64() of the one that was counted by
    std::vector<std::string> gone, left_out;  // what it lacks of the one that was posted
  };
  std::map<std::string, Kept> kept_;  // written to with mutex_ held
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

/// GET /v1/indexes.
std::string to_json(const IndexState& state);

}  // namespace vigie::server

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
#include <vector>

#include "base/result.h"
#include "journal/reader.h"

struct MDB_env;
struct MDB_txn;

namespace vigie::server {

/// What is kept of one model besides its records.
struct Model {
  std::uint32_t number = 0;  ///< stands for the name in the index of ids
  std::string name;
  std::uint64_t predictions = 0;  ///< distinct ids that were ever accepted
  std::uint64_t labels = 0;       ///< of them, and of ids that are still to come, those with a label
  double last_seen = std::numeric_limits<double>::quiet_NaN();  ///< µs since 1970, when the last record came
  std::string state = "no_data";                                ///< the worse verdict of the last windows, or silent
  std::string config = "{}";                                    ///< as ModelConfig::json

  bool operator==(const Model&) const = default;
};

/// What the service knows of the journal's records up to an offset, in a folder (LMDB). A change is there whole or not
/// at all, with the offset that it belongs to: after a crash the journal is read on from there, and nothing is counted
/// twice. One writer; known() from any thread. Cost: about 1 µs an id, and on disk about 40 bytes and the id itself.
class State {
 public:
  /// Code::kIo, Code::kCorrupt, Code::kUsage (another process has it).
  static Result<std::unique_ptr<State>> open(const std::string& folder);
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  /// As of the last commit.
  Result<std::vector<Model>> models() const;
  Result<journal::Sequence> offset() const;
  /// Per id whether a prediction with it was counted; `out` is as long as `ids`.
  Status known(std::uint32_t model, std::span<const std::string_view> ids, std::vector<std::uint8_t>& out) const;

  /// What was put under a name and committed.
  Result<std::optional<std::string>> get(std::string_view name) const;
  Status put(std::string_view name, std::string_view bytes);

  /// Whether the record brought that id: it is the first one to have it, whether it is read for the first time or
  /// again. `time`: of the prediction, µs since 1970; `answer`: a few bytes that predicted() gives back.
  Result<bool> add_prediction(std::uint32_t model, std::string_view id, journal::Sequence record, std::int64_t time = 0,
                              std::string_view answer = {});
  /// Stands for a model as well: ids of its explanations, which are known as those of predictions are.
  static std::uint32_t explained(std::uint32_t model) { return model | 0x8000'0000U; }
  enum class Labelled : std::uint8_t { kFirst, kCorrected, kRepeated };
  Result<Labelled> add_label(std::uint32_t model, std::string_view id, std::string_view label);
  struct Predicted {
    journal::Sequence record = 0;        ///< that brought it
    std::optional<std::int64_t> time{};  ///< as add_prediction() was told; nothing where an older vigie counted it
    std::string_view answer{};
  };
  /// What is known of a prediction, and the label of an id; with what was added since the last commit, and from
  /// the writer's thread alone. A view holds until the next change.
  Result<std::optional<Predicted>> predicted(std::uint32_t model, std::string_view id);
  Result<std::optional<std::string_view>> label_of(std::uint32_t model, std::string_view id);

  /// What is kept under keys in their order, as bytes; likewise.
  Status keep(std::string_view key, std::string_view bytes);
  Result<std::optional<std::string_view>> kept(std::string_view key);
  Status drop(std::string_view prefix);
  /// Until `each` says false; it may not change anything.
  using Each = std::function<bool(std::string_view key, std::string_view bytes)>;
  Status scan(std::string_view prefix, const Each& each);
  /// The same, from a key on and as of the last commit; from any thread.
  Status look(std::string_view prefix, std::string_view from, const Each& each) const;

  /// Makes what was added since the last one last, with `models` and the offset that the next reading begins at. After
  /// an error all of it is forgotten, and what stands behind the last commit must be read again.
  Status commit(journal::Sequence offset, std::span<const Model> models);
  /// Forgets what was added since the last commit; from the thread that added it.
  void give_up();

 private:
  State() = default;
  Status begin();
  Result<std::optional<std::string_view>> find(unsigned table, std::string_view key);
  Result<std::optional<std::string>> stored(std::string_view name) const;
  Status store(std::string_view name, std::string_view bytes);
  Error error_of(int code, std::string_view doing) const;
  int walk(MDB_txn* in, std::string_view prefix, std::string_view from, const Each& each) const;
  Error failed(int code, std::string_view doing);  // and the change is forgotten

  std::string folder_;
  MDB_env* env_ = nullptr;
  MDB_txn* change_ = nullptr;
  unsigned ids_ = 0, labels_ = 0, about_ = 0, kept_ = 0;
  std::string key_, value_;
};

}  // namespace vigie::server

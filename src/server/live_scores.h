// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/incidents.h"
#include "engine/label_drift.h"
#include "engine/live_windows.h"
#include "engine/score_reference.h"
#include "server/row_privacy.h"
#include "server/state.h"
#include "store/store.h"
#include "table/json_rows.h"

namespace vigie::server {

/// How good a model's predictions were, window by window: scored as `vigie score` does it, once a window is over and
/// again as labels come, at any delay, corrected or before their predictions. What a score needs of the predictions is
/// kept in the State beside the labels, for kKeptFor from when their window was over. A window is preliminary
/// until it is older than nearly all labels were late so far. One thread at a time. Cost: a few µs a row that is
/// kept, and again each time that its window is scored, which a window is not more often than once in twenty times what
/// it takes. Labels themselves are compared with the reference's then, as any column is.
class LiveScores {
 public:
  static constexpr std::int64_t kKeptFor = 180LL * 86'400'000'000;  ///< µs

  /// `reference` has scores; `labels`: engine::labels_of() it, or none; `sliding`: of windows that overlap, whose rows
  /// are kept by pane, else nullptr; it must outlive this.
  static Result<std::unique_ptr<LiveScores>> make(std::uint32_t model, std::shared_ptr<const engine::Profile> reference,
                                                  std::optional<engine::Profile> labels,
                                                  const engine::WindowSpec& windows, State& state,
                                                  const engine::SlidingWindows* sliding = nullptr);
  /// The model has other windows from now on.
  static Status forget(std::uint32_t model, State& state);

  /// The columns that a score needs of a prediction besides its id, by the names that the reference has for them.
  static std::vector<std::string> wanted(const engine::Profile& reference);

  /// Predictions that came, all for the first time, and in which windows they are; `columns` as wanted(), `id` beside.
  Status add(table::Batch& rows, std::size_t id, const std::vector<std::size_t>& columns,
             const engine::LiveWindows& windows, journal::Sequence place, std::int64_t arrived);
  using Lines = std::map<std::int64_t, std::string>;  ///< rows as they are kept, by window
  /// Is called with those that add() keeps; another one of the same reference may add them.
  using Told = std::function<void(const Lines& lines)>;
  Told told;
  /// By it classes are named from now on.
  void show_by(std::shared_ptr<const RowPrivacy> privacy) { privacy_ = std::move(privacy); }
  /// Predictions that another one told of; those whose ids are known are left out.
  Status add(const Lines& lines, const engine::LiveWindows& windows, journal::Sequence place, std::int64_t arrived);
  /// Answers and labels of a window, which were counted elsewhere: it is scored by those alone once it is over, once.
  Status counted(std::int64_t window, std::string_view answers);
  /// So many labels came, of predictions in that record. Cost: that of all its windows.
  Status labelled(journal::Sequence record, std::uint64_t labels, std::int64_t arrived);
  /// A window is over, which the store knows by that key.
  Status closed(const engine::LiveWindows::Closed& window, std::string_view key, std::int64_t now);

  struct Scored {
    std::string key{};                                   ///< of the window, as closed() was told
    std::int64_t start = 0;                              ///< µs
    engine::Verdict verdict = engine::Verdict::kNoData;  ///< the worse of how good answers were and how labels moved
    std::optional<engine::Sighting> sighting{};          ///< nothing while it is preliminary
    std::string body{};                                  ///< as store::Score has it; empty: no label came yet
    std::optional<engine::ScoreWindow> window{};         ///< where there is a sighting, and answers could be scored
    std::vector<engine::ColumnResult> labels{};          ///< where there is a sighting: how they moved
  };
  using LevelOf = std::function<double(std::int64_t start, std::int64_t end)>;
  /// Those that are to be scored by now; `level` as sighting_of() takes it.
  Result<std::vector<Scored>> due(std::int64_t now, bool any_labels, const LevelOf& level);
  /// What must be kept to go on from here is in the State.
  Status save();

 private:
  std::vector<engine::ColumnResult> moved(table::Input& rows, std::int64_t count, std::int64_t labels,
                                          bool partial) const;
  Result<engine::ScoreWindow> card_of(table::Input& rows, const engine::ScoreOptions& options) const;
  engine::ScoreOptions options_of(bool partial) const;
  Status score_counted(std::string_view answers, bool partial, std::int64_t end, const LevelOf& level, Scored& out);
  std::string hidden_by() const;
  Error hidden(Error error) const;
  void hide(engine::ScoreWindow& window) const;
  LiveScores(std::uint32_t model, std::shared_ptr<const engine::Profile> reference, State& state);
  std::string key(char kind, std::int64_t number) const;
  Status keep(const Lines& lines, const engine::LiveWindows& windows, journal::Sequence place, std::int64_t arrived);
  Status forget_before(std::int64_t time);
  Status want(std::int64_t window, std::int64_t when);
  Status want_all(std::int64_t pane, std::int64_t when);
  std::int64_t panes() const { return sliding_ ? sliding_->panes().count : 1; }
  // What is kept of a window that is over.
  struct Over {
    bool partial = false;
    std::int64_t closed = 0, start = 0, end = 0;  // µs
    std::string key{};                            // in the store
    std::uint8_t looks = 0;                       // that judged it
    std::int64_t labels = 0;                      // at the last of them
  };
  Result<std::optional<Over>> over(std::int64_t window) const;
  Status keep(std::int64_t window, const Over& is);
  Result<Scored> score(std::int64_t window, Over about, std::int64_t now, const LevelOf& level, std::int64_t& ripe);
  std::int64_t quiet() const;
  std::int64_t usual_delay() const;

  std::uint32_t model_;
  std::shared_ptr<const engine::Profile> reference_;
  std::optional<engine::Profile> labels_;
  State& state_;
  const engine::SlidingWindows* sliding_ = nullptr;
  engine::ScoreOptions options_;
  std::shared_ptr<const RowPrivacy> privacy_;
  std::vector<std::string> wanted_;
  bool label_is_text_ = false;
  std::function<bool(std::string_view)> known_label_;
  std::map<std::int64_t, std::int64_t> due_;  // windows, and when to score them
  std::vector<std::uint64_t> delays_;         // labels by the logarithm of their delay
  bool delays_changed_ = false;
  std::int64_t cost_ = 0;  // µs that the last window took
};

}  // namespace vigie::server

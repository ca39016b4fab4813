// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/incidents.h"
#include "engine/live_windows.h"
#include "engine/merged_windows.h"
#include "event/counted_window.h"
#include "event/record.h"
#include "journal/reader.h"
#include "server/box_columns.h"
#include "server/figures.h"
#include "server/live_reference.h"
#include "server/live_scores.h"
#include "server/maintenance.h"
#include "server/model_config.h"
#include "server/row_samples.h"
#include "store/store.h"
#include "table/json_rows.h"

namespace vigie::server {

/// One model that has a reference: its predictions as rows of the reference's columns, in windows that are judged once
/// they are over. One thread at a time.
class Watch {
 public:
  using Again = std::function<Result<std::shared_ptr<const engine::Profile>>()>;
  /// `windows`: by rows or by a calendar unit; `place`: the record from which on it watches; `again`: gives the
  /// reference once more, after rest(). Code::kUsage as LiveWindows.
  static Result<std::unique_ptr<Watch>> make(std::string model, const std::shared_ptr<const engine::Profile>& reference,
                                             engine::WindowSpec windows, journal::Sequence place, Again again = {});
  /// Lets it score its windows as labels come, where the reference says how good predictions were.
  Status score_with(State& state, std::uint32_t model);
  /// Lets it compare its windows with others of its own, and put them together; both are kept there.
  void refer_to(State& state, std::uint32_t model);
  /// There is another posted reference from now on.
  static Status forget(std::uint32_t model, State& state);
  Status compare_with(const ReferenceChoice& choice);
  /// Where a column does not take its method, those of columns are passed over.
  Status compare_by(const LevelsAndMethods& said);
  /// As LiveWindows::check_by().
  Status check_by(std::vector<Expectation> rules) { return live_->check_by(std::move(rules)); }
  const std::string& model() const { return model_; }
  const std::shared_ptr<const engine::Profile>& reference() const { return reference_; }
  /// How many false alarms in 30 days are borne with.
  void bear(double false_alarms) { false_alarms_ = false_alarms; }
  /// How late rows may be to restate their window, in µs.
  /// An hour, and of windows or panes of minutes ten of them at most.
  static std::int64_t usual_lateness(const engine::WindowSpec& windows);
  void allow_lateness(std::optional<std::int64_t> micros) {
    const auto* sliding = live_->sliding();
    live_->allow_lateness(micros.value_or(usual_lateness(sliding ? sliding->panes().each : live_->window())));
  }
  using Maintained = std::function<std::optional<Maintenance::Time>(std::int64_t from, std::int64_t to)>;
  /// When it is worked on. Windows of such times say so, and do not count for the state.
  void maintained_by(Maintained maintained);
  /// What of rows to come may be kept and shown, as people said; `key`: of hashes. Before that nothing is.
  void show_by(const std::map<std::string, Privacy>& said, const std::string& key);
  const RowPrivacy& privacy() const { return *privacy_; }  ///< behind show_by()

  /// How a prediction's keys are the reference's columns: features by name, the prediction, the scores, the time.
  const table::JsonShape& shape() const { return *shape_; }
  /// Of shape(): the column of ids.
  std::size_t id_column() const { return id_column_; }

  const event::RequestColumns& request_columns() const { return request_columns_; }

  /// Rows read by shape(), of the record at that place of the journal. A row without a time has the time of arrival.
  /// `again`: they came before, and windows that were open then lack them.
  Status add(table::JsonRows& rows, std::int64_t arrived, journal::Sequence place, bool again);
  /// By what bytes of the reference are known: hash64().
  void known_by(std::uint64_t reference) { known_by_ = reference; }
  /// A window that was counted elsewhere, in the record at that place; its rows, 0 of one that was before.
  Result<std::int64_t> count(const event::CountedWindow& window, std::int64_t arrived, journal::Sequence place);
  /// Others watch the model as well, by rows of their own.
  void share(engine::LiveWindows::Sharing sharing);
  /// What they are to be told of its windows by now, or of all that have rows: by the key of each.
  std::vector<std::pair<std::int64_t, std::string>> parts(std::int64_t now, bool all);
  /// What one of them told of a window. False: it knows no such reference, yet.
  Result<bool> add_part(const std::string& name, std::int64_t key, std::string_view part, std::int64_t now);
  /// The first window that parts() is to tell more of.
  std::optional<std::int64_t> first_untold(std::int64_t now) const { return live_->first_untold(now); }
  /// Is called with rows that are to be scored, where any are.
  void score_elsewhere(LiveScores::Told told);
  /// Such rows of another one, which came in the record at that place.
  Status add_scored(const LiveScores::Lines& lines, std::int64_t arrived, journal::Sequence place);
  std::uint64_t known_by() const { return known_by_; }
  const engine::WindowSpec& window() const { return live_->window(); }
  bool scored() const { return scores_ != nullptr; }
  /// Whether windows are put together: those that are compared with what was posted.
  bool merges() const { return merges_; }
  /// What of it is judged by itself, and has a share of the false alarms: windows, their scores, windows put together.
  double tracks() const { return 1. + scored() + merges(); }
  /// A label came, of a prediction in that record.
  Status labelled(journal::Sequence record, std::uint64_t labels, std::int64_t arrived);
  struct Closed {
    store::Window window;
    engine::Sighting sighting;
    std::vector<store::Sample> samples;  ///< rows of it
  };
  /// Windows that are over, or all that have rows.
  Result<std::vector<Closed>> close(std::int64_t now, bool all = false);
  /// Between windows it needs a small part of the reference.
  void rest() { live_->rest(); }
  bool rests() const { return live_->rests(); }
  /// Whether it left some, since they took long.
  bool behind() const { return live_->behind(); }
  /// Whether a window that is over waits for what others tell of it.
  bool waits() const { return live_->waits(); }

  struct Scored {
    store::Score score;
    std::optional<engine::Sighting> sighting;  ///< nothing while it is preliminary
  };
  /// Windows that are over and are to be scored by now, for the first time or again.
  Result<std::vector<Scored>> scores(std::int64_t now, bool any_labels);

  const Figures& figures() const { return figures_; }
  /// The worse of the verdicts on the last window and on the last one whose labels are there: "ok", "warning", "drift",
  /// "no_data".
  std::string_view state() const;

  /// What must be kept to go on from here, and the first record that must be read again; LiveWindows::Resume::kNowhere
  /// where none must.
  Result<std::string> save();
  journal::Sequence read_from() const { return live_->resume().place; }
  /// What is kept more rarely, since it is more, so that less must be read again: all that was counted of windows which
  /// may still change, of the records before `place`.
  std::string keep_open(journal::Sequence place);
  /// Goes on from what save() gave, and keep_open() before it; `place`: of the next record to be counted.
  /// Code::kCorrupt. What is said is why windows that were open could not be read; nothing where they could.
  Result<std::string> load(std::string_view saved, std::string_view open, journal::Sequence place);
  /// Records below are passed over: what they held is in windows that are over.
  journal::Sequence begins_at() const { return begins_at_; }
  const engine::LiveWindows::Astray& astray() const { return live_->astray(); }

 private:
  using Versions = std::map<std::string, std::int64_t, std::less<>>;
  Watch() = default;
  double level(std::int64_t start, std::int64_t end) const;
  std::string key_in_store(std::int64_t start, std::int64_t end, std::int64_t key) const;
  void hide(engine::WindowResult& result, const RowPrivacy::Shared& shared) const;
  void hide_rule(engine::QualityResult& rule, const RowPrivacy::Shared& shared) const;
  std::string drawn(engine::Comparison& found, const RowPrivacy::Shared& shared) const;
  Status merge(const engine::LiveWindows::Closed& window, const engine::WindowResult& result,
               const engine::Tally& counted, const engine::Profile& posted);
  Closed of_merged(engine::MergedWindows::Merged merged) const;
  Status load_open(std::string_view bytes);
  Status load_parts();
  enum class Took : std::uint8_t { kUnknown, kNothing, kIt };  // kUnknown: of another reference
  Result<Took> take_part(const std::string& name, std::int64_t key, std::string_view part, std::int64_t now);
  Result<std::vector<std::uint8_t>> rows_apart(table::Batch& rows) const;
  Status count_versions(table::Batch& rows);
  Result<Versions> versions_in(std::int64_t window) const;
  void keep_panes();
  Result<std::int64_t> shared_end(const engine::LiveWindows::Closed& one, std::int64_t rows) const;
  Status place(engine::Sighting& sighting, const engine::LiveWindows::Closed& window) const;
  std::string model_;
  std::shared_ptr<const engine::Profile> reference_;
  std::unique_ptr<engine::LiveWindows> live_;
  std::unique_ptr<table::JsonShape> shape_;
  std::unique_ptr<LiveScores> scores_;
  std::unique_ptr<LiveReference> own_;
  State* state_ = nullptr;
  std::uint32_t number_ = 0;
  bool merges_ = false;
  std::optional<engine::Profile> labels_;  // of the reference, until score_with()
  std::uint64_t known_by_ = 0;
  std::vector<engine::MergedWindows::Merged> merged_;  // since close() was called
  std::map<std::int64_t, std::string> drawn_;          // likewise, by window: what is drawn of it, JSON
  std::map<std::int64_t, RowPrivacy::Shared> shared_;  // likewise
  std::optional<RowSamples> samples_;
  std::shared_ptr<const RowPrivacy> privacy_;
  std::vector<std::size_t> scored_columns_;  // of shape_, as LiveScores::wanted()
  std::size_t id_column_ = 0, time_column_ = 0, version_column_ = 0;
  std::optional<BoxRows::Columns> boxes_;        // where the reference has any
  std::map<std::int64_t, std::string> indexed_;  // windows that were counted elsewhere, and how exactly
  std::map<std::int64_t, Versions> versions_;    // rows, by window
  std::map<std::int64_t, std::map<std::string, Versions>> elsewhere_;  // those of others, by their names
  std::string name_;                                                   // among them; empty: there are none
  event::RequestColumns request_columns_;
  journal::Sequence begins_at_ = 0, made_at_ = 0;
  struct Latest {
    std::int64_t start = std::numeric_limits<std::int64_t>::min();
    engine::Verdict verdict = engine::Verdict::kNoData;
  };
  Latest compared_, scored_;
  Figures figures_;
  double false_alarms_ = 1;
  Maintained maintained_ = [](auto, auto) { return std::nullopt; };
};

/// Under which name the store has a model's windows that were put together; no model's own has a slash.
std::string merged_of(std::string_view model);

/// A reference's profile from rows as predictions have them, with their labels beside them where there are any: JSON in
/// any of the forms of JsonRows. Its columns are the features by their names, "prediction", "score" and "label"; of
/// rows that have boxes, those of box_columns.h. Its windows are days where 15 of them or more have rows, else hours,
/// else none; or those that `config` says, as it says what the task is and which features count.
Result<engine::Profile> reference_of_rows(std::string_view body, const std::string& name, const std::string& version,
                                          const ModelConfig& config);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/profile.h"
#include "engine/stream_detector.h"
#include "server/outside_work.h"
#include "server/state.h"
#include "server/stream_specs.h"
#include "table/json_rows.h"

namespace vigie::server {

/// The streams of one model that detectors look at, value by value in the order in which they come: of predictions as
/// they are read, of errors and residuals once both prediction and label are there, by the first label. What a label
/// needs of its prediction is kept with the id. What it knows is kept with the State and its offset, so that after a
/// crash no value is lost or taken twice; records that are read again are not for it. One thread at a time.
class ModelStreams {
 public:
  explicit ModelStreams(std::string model) : model_(std::move(model)) {}
  static std::string name_of(std::string_view model) { return "streams " + std::string(model); }

  /// Which there are from now on. Those that were there stay as they are, unless the reference is `anew`.
  Status set(const std::optional<StreamSpecs>& said, std::shared_ptr<const engine::Profile> reference, bool anew);
  /// What was kept of those that set() made.
  Status load(const State& state);
  Status save(State& state) const;
  /// Those of a model as of the last commit.
  static Result<std::vector<engine::StreamDetector>> kept(const State& state, const std::string& model);

  /// Values of such times are passed over.
  void leave_out(Planned planned) { planned_ = std::move(planned); }
  /// Of 30 days, of all together.
  void bear(double false_alarms);
  /// Whether any value came.
  bool speaks() const;
  /// By which records are read where the model has no reference.
  const table::JsonShape& shape() const;
  bool any() const { return !streams_.empty(); }
  /// Whether labels are for it.
  bool joins() const;

  /// Rows of predictions that were read by that shape.
  Status begin(table::JsonRows& rows, const table::JsonShape& shape, std::int64_t arrived);
  /// What is to be kept of a row of them until its label comes; empty: nothing. Holds until it is asked again.
  std::string_view answer(std::size_t row);
  using Sightings = std::vector<engine::Sighting>;
  /// Rows of them that came for the first time; `label_of` a row: one that came before.
  using LabelOf = std::function<Result<std::optional<std::string_view>>(std::size_t row)>;
  Status add(std::span<const std::size_t> which, const LabelOf& label_of, Sightings& out);
  /// The first label of a prediction; nothing where that is still to come.
  void labelled(const std::optional<State::Predicted>& predicted, std::string_view label, std::int64_t arrived,
                Sightings& out);

 private:
  struct Answer;
  struct Kept;
  static Result<Kept> read(const State& state, const std::string& model);
  void feed(const Answer& answer, std::int64_t time, std::string_view label, Sightings& out);
  void feed(engine::StreamDetector& stream, double value, std::int64_t time, Sightings& out);
  void end_hours(bool labels, std::int64_t time, Sightings& out);

  bool left_out(std::int64_t time);

  std::string model_;
  Planned planned_ = [](auto, auto) { return false; };
  std::int64_t minute_ = std::numeric_limits<std::int64_t>::min();  // that left_out() was last asked of
  bool planned_then_ = false;
  std::vector<engine::StreamDetector> streams_;
  std::shared_ptr<const engine::Profile> reference_;
  std::function<bool(std::string_view)> known_label_;
  std::optional<std::string> positive_;  // of two classes, where scores say which
  double threshold_ = .5;
  std::unique_ptr<table::JsonShape> shape_;
  std::uint64_t early_ = 0;  // labels that came before their predictions
  // Of what comes with predictions, and of what comes with labels: those may be days behind, and many hours at once.
  struct Clock {
    std::int64_t hour = std::numeric_limits<std::int64_t>::min();  // the latest that a value is of
    bool alarmed = false;                                          // in it
  };
  std::array<Clock, 2> clocks_{};
  double share_ = 0;

  // Of the rows that begin() was told.
  const table::JsonShape* seen_ = nullptr;  // that the places are of
  std::size_t time_at_ = 0, prediction_at_ = 0, score_at_ = 0;
  std::vector<std::size_t> at_;  // by stream
  table::Column times_, predictions_, scores_;
  std::vector<table::Column> values_;
  std::int64_t arrived_ = 0;
  std::string answer_;
};

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/live_windows.h"
#include "journal/reader.h"
#include "store/store.h"
#include "table/json_rows.h"

namespace vigie::server {

/// One model that has a reference: its predictions as rows of the reference's columns, in windows that are judged once
/// they are over. One thread at a time.
class Watch {
 public:
  /// `windows`: by rows or by a calendar unit; `place`: the record from which on it watches. Code::kUsage as
  /// LiveWindows.
  static Result<std::unique_ptr<Watch>> make(std::string model, const std::shared_ptr<const engine::Profile>& reference,
                                             engine::WindowSpec windows, journal::Sequence place);
  const std::string& model() const { return model_; }

  /// How a prediction's keys are the reference's columns: features by name, the prediction, the scores, the time.
  const table::JsonShape& shape() const { return *shape_; }
  /// Of shape(): the column of ids.
  std::size_t id_column() const { return id_column_; }

  /// Rows read by shape(), of the record at that place of the journal. A row without a time has the time of arrival.
  Status add(table::Batch& rows, std::int64_t arrived, journal::Sequence place);
  /// Windows that are over, or all that have rows.
  Result<std::vector<store::Window>> close(std::int64_t now, bool all = false);

  /// What must be kept to go on from here, and the first record that must be read again.
  std::string save() const;
  Status load(std::string_view bytes);
  journal::Sequence read_from() const { return live_->resume().place; }
  /// Records below are passed over: what they held is in windows that are over.
  journal::Sequence begins_at() const { return begins_at_; }
  std::int64_t late() const { return live_->late(); }

 private:
  Watch() = default;
  std::string model_;
  std::unique_ptr<engine::LiveWindows> live_;
  std::unique_ptr<table::JsonShape> shape_;
  std::size_t id_column_ = 0, time_column_ = 0;
  journal::Sequence begins_at_ = 0;
};

/// A reference's profile from rows as predictions have them, with their labels beside them where there are any: JSON in
/// any of the forms of JsonRows. Its columns are the features by their names, "prediction", "score" and "label". Its
/// windows are days where 15 of them or more have rows, else hours, else none.
Result<engine::Profile> reference_of_rows(std::string_view body, const std::string& name, const std::string& version);

}  // namespace vigie::server

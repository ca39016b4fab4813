// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/json_rows.h"

namespace vigie::event {

/// What a record holds.
enum class Kind : std::uint8_t {
  kPredictions = 1,   ///< rows of JSON, one a line, as they came: a key that nobody knows today is there tomorrow
  kLabels = 2,        ///< likewise
  kReference = 3,     ///< the bytes of a profile
  kModel = 4,         ///< what people say of the model, as JSON
  kAnswer = 5,        ///< what somebody says of an incident, as JSON
  kExplanations = 6,  ///< what explained answers: rows as those of predictions
  kImportances = 7,   ///< what explained them in the rows of a reference, which the record before brought
  kMaintenance = 8,   ///< that a model is worked on, or no more, as JSON
  kCounts = 9,        ///< what was counted elsewhere of a window of predictions, as bytes
  kHeard = 10,        ///< a record of another service that shares the store: server::HeardRecord
  kScored = 11,       ///< rows of another one that are to be scored, in such a record: server::ScoredRows
  kOrigin = 12,       ///< where the rows of a reference come from, which a record before brought, as JSON
};

/// A record of the journal: what one request brought that was accepted.
struct Record {
  Kind kind = Kind::kPredictions;
  std::string_view model;
  std::string_view body;
};

std::string encode(const Record& record);
/// What encode() writes before the body.
std::string encode_head(Kind kind, std::string_view model, std::size_t body_size);
/// Points into `bytes`. Code::kCorrupt.
Result<Record> decode(std::string_view bytes);

/// Columns of the keys that every row of that kind, predictions, labels or explanations, may have, at the places of
/// PredictionKey and LabelKey; `others` is not kTold.
/// `boxes`: with those of objects in an image.
const table::JsonShape& keys_of(Kind kind, table::OtherKeys others, bool boxes = false);
/// Whether any row may have them. Cost: 0.1 ns a byte.
bool speaks_of_boxes(std::string_view body);
enum PredictionKey : std::uint8_t { kPredictionId, kPredictionTime, kPredictionBoxes, kPredictionSize };

/// Of a column that is not there.
inline constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);
/// What a prediction says of the request that brought it, besides the time: where the columns are.
struct RequestColumns {
  std::size_t time = 0, latency = 0, status = 0;
};
/// Adds the keys that are not among them, and says where they are; a time that is among them as something else counts
/// as none.
RequestColumns add_request_keys(std::vector<table::JsonShape::Key>& keys);
/// The columns of keys_of() a prediction and those, for predictions that nothing else is to be known of.
const table::JsonShape& request_keys();
inline constexpr RequestColumns kRequestColumns{kPredictionTime, 2, 3};

enum LabelKey : std::uint8_t { kLabelId, kLabelTime, kLabelValue, kLabelBoxes, kLabelSize };

/// Keys of a record that something is made of, besides "features".
std::span<const std::string_view> record_keys();

/// Of a model's name: 1 to 200 bytes of UTF-8 without control characters, slash, backslash, quote, ?, # and %.
Status check_model(std::string_view name);

}  // namespace vigie::event

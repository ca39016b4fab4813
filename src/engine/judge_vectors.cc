// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/text.h"
#include "engine/judge_internal.h"
#include "engine/movement_internal.h"

/// What methods say that see whole rows, of which reference and window have kept a sample.
namespace vigie::engine {

bool Judge::judge_vectors(Draft& d, const drift::Method& method, const Place& place, const drift::Args& args) const {
  auto& r = d.result;
  const auto of = reference_.column_of(place.column);
  const auto type = reference_.columns[of].type;
  if (!sees_vectors(method, type)) return false;
  drift::Sample ref{.counts = {}, .values = {}}, cur{.counts = {}, .values = {}};
  if (rows_) {
    ref.vectors = rows_->vectors_at(of, place.segmentation, 0, place.index);
    cur.vectors = tally_.vectors_at(of, place.segmentation, place.window, place.index);
  }
  const bool kept = ref.vectors.width > 0 && cur.vectors.width > 0;
  // Without them the norms of an embedding are not what was asked about; a trace of its own, as of centroids, is.
  const bool own = type != ColumnType::kEmbedding || place.column >= reference_.columns.size();
  if (!kept && method.view != drift::View::kRow && own) return false;
  r.method = method.name, r.type = type;
  r.effect = r.detectable_effect = std::numeric_limits<double>::quiet_NaN();
  d.movement.clear();
  if (!kept) {
    r.reason = rows_ ? no_value(place.column, place.current)
                     : fmt::format("{} needs the rows of the reference, and {} is a profile without them", method.name,
                                   reference_.source);
    return true;
  }
  const auto score = method.run({.kind = drift::kVectors, .cuts = {}, .centers = {}}, ref, cur, args);
  r.statistic = score.statistic, r.p_value = score.p_value;
  r.null = score.null == drift::Null::kNone ? "" : std::string(drift::to_string(score.null));
  r.exact = score.exact, r.error_bound = score.error;
  r.detectable_effect = score.detectable;
  d.movement = score.note;
  const auto of_all = [&](const drift::Vectors& v) {
    return v.rows() == v.of ? with_commas(v.of) : fmt::format("{} of {}", with_commas(v.rows()), with_commas(v.of));
  };
  if (ref.vectors.rows() < ref.vectors.of || cur.vectors.rows() < cur.vectors.of)
    d.movement += fmt::format(" ({} rows against {})", of_all(ref.vectors), of_all(cur.vectors));
  if (score.moved) {
    r.effect = score.moved->corrected, r.effect_scale = scale_of(score.moved->share);
    d.noise = score.moved->noise;
    const auto levels = options_.levels.value_or(score.moved->share ? kShareLevels : kSdLevels);
    r.watch = levels.watch, r.major = levels.major;
  }
  d.tested = score.status == drift::Status::kOk && !std::isnan(r.p_value) && !place.partial;
  // Healthy windows have left no traces of whole rows.
  d.alone = between_;
  if (place.partial)
    r.reason = kCutOff;
  else if (ref.vectors.width != cur.vectors.width)
    r.reason =
        fmt::format("vectors of {} numbers in the reference, of {} in current", ref.vectors.width, cur.vectors.width);
  else if (score.status == drift::Status::kTooFewRows)
    r.reason = too_few(ref.vectors.rows(), cur.vectors.rows());
  else if (score.status == drift::Status::kConstant)
    r.reason = "the same single value in both", r.effect = 0;
  else if (!d.tested)
    r.reason = fmt::format("{} has no value: the numbers are too large or too small to be compared", method.name);
  return true;
}

}  // namespace vigie::engine

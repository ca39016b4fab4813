// SPDX-License-Identifier: Apache-2.0
#include "engine/aspects.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "engine/aspect_values_internal.h"

namespace vigie::engine {
namespace {

constexpr AspectInfo kAspects[] = {
    {Aspect::kHourOfDay, &drift::hour_of_day, ColumnType::kTimestamp, true, false, "hours"},
    {Aspect::kDayOfWeek, &drift::day_of_week, ColumnType::kTimestamp, true, false, "days"},
    {Aspect::kWords, &drift::words, ColumnType::kText, false, false, "words"},
    {Aspect::kUnseenWords, &drift::unseen_words, ColumnType::kText, false, true, "share of unseen words"},
    {Aspect::kCentroidDistance, &drift::centroid_distance, ColumnType::kEmbedding, false, true,
     "distances from the centroid"},
};

constexpr std::array<std::string_view, 24> kHours{"00 h", "01 h", "02 h", "03 h", "04 h", "05 h", "06 h", "07 h",
                                                  "08 h", "09 h", "10 h", "11 h", "12 h", "13 h", "14 h", "15 h",
                                                  "16 h", "17 h", "18 h", "19 h", "20 h", "21 h", "22 h", "23 h"};
constexpr std::array<std::string_view, 7> kDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                "Friday", "Saturday", "Sunday"};
constexpr std::int64_t kDay = 86'400;

}  // namespace

std::span<const AspectInfo> aspects() {
  return kAspects;
}

const AspectInfo& info(Aspect aspect) {
  return kAspects[static_cast<std::size_t>(aspect)];
}

const AspectInfo* aspect_of(const drift::Method& method) {
  const auto* it = std::find_if(std::begin(kAspects), std::end(kAspects),
                                [&](const auto& known) { return known.method->view == method.view; });
  return it == std::end(kAspects) ? nullptr : it;
}

std::vector<std::string_view> columns_of(const drift::Method& method) {
  if (const auto* aspect = aspect_of(method)) return {to_string(aspect->of)};
  if (method.view == drift::View::kLength) return {to_string(ColumnType::kText)};
  if (method.view == drift::View::kRow) return {to_string(ColumnType::kText), to_string(ColumnType::kEmbedding)};
  std::vector<std::string_view> out;
  if (method.accepts & drift::kNumeric) out.emplace_back("numeric");
  if (method.accepts & drift::kCategorical) out.emplace_back("categorical");
  if (method.accepts & drift::kVectors) out.emplace_back("embedding");
  return out;
}

Result<AspectValues> AspectValues::make(Aspect aspect, const std::string& zone, Learnt known) {
  AspectValues values(aspect, std::move(known));
  VIGIE_ASSIGN(values.zone_, Zone::find(zone));
  return values;
}

std::int32_t AspectValues::code_of(double time) {
  if (!(std::fabs(time) < 4e17)) return -1;
  const auto seconds = static_cast<std::int64_t>(std::floor(time / 1e6)), local = seconds + zone_.offset(seconds),
             day = floor_div(local, kDay);
  if (aspect_ == Aspect::kHourOfDay) return static_cast<std::int32_t>((local - day * kDay) / 3600);
  return static_cast<std::int32_t>(day + 3 - floor_div(day + 3, 7) * 7);  // 1970-01-01 was a Thursday
}

table::Column AspectValues::of(const table::Column& column) {
  if (aspect_ == Aspect::kCentroidDistance) return of_lists(column);
  if (aspect_ == Aspect::kWords || aspect_ == Aspect::kUnseenWords) return of_texts(column);
  codes_.resize(column.numbers.size());
  for (std::size_t i = 0; i < codes_.size(); ++i) codes_[i] = code_of(column.numbers[i]);
  table::Column out;
  out.codes = codes_;
  out.dictionary = aspect_ == Aspect::kHourOfDay ? std::span<const std::string_view>(kHours)
                                                 : std::span<const std::string_view>(kDays);
  return out;
}

table::Column AspectValues::of_texts(const table::Column& column) {
  each_.resize(column.dictionary.size());
  for (std::size_t i = 0; i < each_.size(); ++i) {
    double words = 0, unseen = 0;
    for_each_word(column.dictionary[i], [&](std::string_view word) {
      ++words;
      if (aspect_ == Aspect::kUnseenWords) unseen += !known_.words.holds(word);
    });
    each_[i] = aspect_ == Aspect::kWords ? words : words > 0 ? unseen / words : NAN;
  }
  numbers_.resize(column.codes.size());
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    numbers_[i] = column.codes[i] < 0 ? NAN : each_[static_cast<std::size_t>(column.codes[i])];
  table::Column out;
  out.type = table::Type::kFloat;
  out.numbers = numbers_;
  return out;
}

table::Column AspectValues::of_lists(const table::Column& column) {
  const auto rows = column.offsets.empty() ? 0 : column.offsets.size() - 1;
  numbers_.assign(rows, NAN);
  misfits_.clear();
  for (std::size_t i = 0; i < rows; ++i) {
    const auto from = static_cast<std::size_t>(column.offsets[i]), to = static_cast<std::size_t>(column.offsets[i + 1]);
    if ((!column.missing.empty() && column.missing[i]) || to == from) continue;
    if (to - from != known_.center.size()) {
      misfits_.push_back(static_cast<std::uint32_t>(i));
      continue;
    }
    double square = 0;
    for (auto j = from; j < to; ++j) square += std::pow(column.values[j] - double{known_.center[j - from]}, 2);
    numbers_[i] = std::isfinite(square) ? std::sqrt(square) : NAN;
  }
  table::Column out;
  out.type = table::Type::kFloat;
  out.numbers = numbers_;
  out.misfits = misfits_;
  return out;
}

double unevenness(double cycles) {
  if (!(cycles > 0)) return 1;
  const double rest = cycles - std::floor(cycles);
  return cycles < 1 ? 1 - cycles : rest * (1 - rest) / cycles;
}

double cycle_of(Aspect aspect) {
  return static_cast<double>(aspect == Aspect::kHourOfDay ? kDay : 7 * kDay) * 1e6;
}

}  // namespace vigie::engine

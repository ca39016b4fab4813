// SPDX-License-Identifier: Apache-2.0
#include "server/index_quality.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace vigie::server {
namespace {

constexpr std::int64_t kBatch = 65'536;

// Goes through the values of a column, rows of missing ones last.
class Cursor {
 public:
  Cursor(const CountedValues& values, bool texts) : values_(values), texts_(texts) {
    for (const auto& [text, rows] : values.texts) names_.push_back(text);
  }

  quality::Values next(std::int64_t rows, std::vector<double>& numbers, std::vector<std::int32_t>& codes) {
    numbers.clear(), codes.clear();
    const auto runs = texts_ ? values_.texts.size() : values_.numbers.size();
    for (auto left = rows; left > 0;) {
      const bool some = at_ < runs;
      const auto all = !some ? left : texts_ ? values_.texts[at_].second : values_.numbers[at_].second;
      const auto take = some ? std::min(left, all - taken_) : left;
      const auto n = static_cast<std::size_t>(take);
      if (texts_)
        codes.insert(codes.end(), n, some ? static_cast<std::int32_t>(at_) : -1);
      else
        numbers.insert(numbers.end(), n, some ? values_.numbers[at_].first : std::nan(""));
      left -= take, taken_ += take;
      if (some && taken_ >= all) ++at_, taken_ = 0;
    }
    quality::Values out;
    out.numbers = numbers, out.codes = codes, out.dictionary = names_;
    if (!std::exchange(told_, true)) out.mismatches = values_.mismatches;
    return out;
  }

 private:
  const CountedValues& values_;
  bool texts_, told_ = false;
  std::vector<std::string_view> names_;
  std::size_t at_ = 0;
  std::int64_t taken_ = 0;
};

}  // namespace

CountedValues counted_numbers(std::int64_t rows, double low, double high, const CountedBeyond& beyond,
                              const quality::Fences& fences) {
  CountedValues out;
  const auto put = [&](double value, std::int64_t n) {
    if (n > 0) out.numbers.emplace_back(value, n), rows -= n;
  };
  // Fences that are not known are no bounds.
  const auto least = [](double fence) { return std::isnan(fence) ? -std::numeric_limits<double>::infinity() : fence; };
  const auto most = [](double fence) { return std::isnan(fence) ? std::numeric_limits<double>::infinity() : fence; };
  const auto from = std::pair(least(fences.low), least(fences.outlier_low));
  const auto to = std::pair(most(fences.high), most(fences.outlier_high));
  put(low, std::min(beyond.below, beyond.far_below));
  put(std::max(low, beyond.below > beyond.far_below ? from.second : from.first),
      std::abs(beyond.below - beyond.far_below));
  put(high, std::min(beyond.above, beyond.far_above));
  put(std::min(high, beyond.above > beyond.far_above ? to.second : to.first),
      std::abs(beyond.above - beyond.far_above));
  if (rows <= 0) return out;
  // The greatest is there too, where none is above.
  if (beyond.above + beyond.far_above == 0) put(high, 1);
  put(std::max({low, from.first, from.second}), rows);
  return out;
}

CountedValues counted_categories(const std::vector<std::pair<std::string, std::int64_t>>& categories,
                                 std::int64_t others, quality::Kind kind) {
  CountedValues out;
  if (kind == quality::Kind::kString) {
    for (const auto& [name, rows] : categories)
      if (rows > 0) out.texts.emplace_back(name, rows);
    // A name that is too long to be kept: they are there, and cannot be told apart.
    if (others > 0) out.texts.emplace_back(std::string(quality::ColumnState::kCategoryBytes + 1, '?'), others);
    return out;
  }
  for (const auto& [name, rows] : categories) {
    double value = name == "true" ? 1 : 0;
    if (name != "true" && name != "false") std::from_chars(name.data(), name.data() + name.size(), value);
    if (rows > 0) out.numbers.emplace_back(value, rows);
  }
  if (others > 0 && !out.numbers.empty()) out.numbers.back().second += others;
  return out;
}

void add_counted(quality::TableState& state, std::int64_t rows, const std::vector<CountedValues>& columns) {
  std::vector<Cursor> cursors;
  for (std::size_t i = 0; i < columns.size(); ++i)
    cursors.emplace_back(columns[i], state.columns()[i].spec().kind == quality::Kind::kString);
  std::vector<double> numbers;
  std::vector<std::int32_t> codes;
  for (std::int64_t done = 0; done < rows;) {
    const auto some = std::min(rows - done, kBatch);
    state.begin(state.rows(), static_cast<std::size_t>(some));
    for (std::size_t i = 0; i < columns.size(); ++i) state.column(i, cursors[i].next(some, numbers, codes));
    state.end();
    done += some;
  }
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/column_builder_internal.h"

namespace vigie::engine {
namespace {

constexpr std::size_t kDistinct = 1 << 16;     // categories counted exactly in the first pass
constexpr std::size_t kTextDistinct = 50;      // a string column with at least so many values, …
constexpr double kTextShare = 0.5;             // … more than this share of its rows, is free text
constexpr double kTextLength = 100;            // or one whose values are longer than this on average
constexpr std::uint32_t kManyWords = 1 << 16;  // that are counted, of the half that chooses
constexpr std::size_t kDimensions = 2048;      // of embeddings whose centroid is kept: 8 kB
constexpr std::int64_t kLongest = 65'535;
constexpr std::size_t kBlock = sketch::Moments::kBlock;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

ColumnBuilder::ColumnBuilder(std::string name, table::Type source, std::optional<ColumnType> as, bool typed,
                             bool sketches)
    : typed_(typed), sketches_(sketches) {
  profile_.name = std::move(name);
  profile_.source = source;
  as_ = as;
  switch (source) {
    case table::Type::kBoolean:
      profile_.type = ColumnType::kBoolean;
      break;
    case table::Type::kTimestamp:
      profile_.type = ColumnType::kTimestamp;
      break;
    case table::Type::kString:
      profile_.type = ColumnType::kCategorical;
      break;  // or text: finish() knows
    case table::Type::kList:
      profile_.type = ColumnType::kEmbedding;
      break;
    default:
      profile_.type = ColumnType::kNumeric;
  }
  if (source == table::Type::kString && as != ColumnType::kCategorical) words_.emplace(kManyWords);
  if (sketches_)
    profile_.quantiles.emplace(), profile_.tails.emplace(), profile_.cardinality.emplace();
  else if (source == table::Type::kString)
    profile_.cardinality.emplace();
}

void ColumnBuilder::add(const table::Column& column) {
  profile_.mismatches += column.mismatches();
  if (typed_ && !again_ && column.type == table::Type::kString) texts_.add(column.dictionary);
  if (profile_.categorical()) return add_codes(encode(column, codes_));
  if (profile_.type == ColumnType::kEmbedding && !again_) add_lists(column);
  // In blocks that stay in the nearest cache while all look at them.
  const auto values = numbers_of(column, profile_.type, buffer_);
  for (std::size_t i = 0; i < values.size(); i += kBlock)
    add_numbers(values.subspan(i, std::min(kBlock, values.size() - i)));
}

void ColumnBuilder::add_numbers(std::span<const double> block) {
  std::array<double, kBlock> finite;
  Extremes extremes;
  if (!widen(block, extremes)) {
    std::size_t n = 0;
    std::int64_t infinite = 0;
    for (double v : block) {
      finite[n] = v;
      const double size = std::fabs(v);
      n += size < kInfinity;
      infinite += size == kInfinity;
    }
    profile_.infinite += infinite;
    missing_ += static_cast<std::int64_t>(block.size() - n);
    block = {finite.data(), n};
    extremes = {};
    widen(block, extremes);
  }
  bins_.add(block);
  if (again_ || !sketches_) return;
  profile_.moments.update(block, extremes);
  profile_.quantiles->update(block, extremes);
  profile_.tails->update(block, extremes);
  std::array<std::uint64_t, kBlock> hashes;
  for (std::size_t i = 0; i < block.size(); ++i) hashes[i] = hash64(block[i]);
  profile_.cardinality->update(std::span(hashes).first(block.size()));
}

bool ColumnBuilder::finish() {
  if (!profile_.categorical()) {
    auto bins = bins_.finish();
    if (!bins) {
      restart();
      bins_.start_again();
      return false;
    }
    profile_.bins = std::move(*bins);
    return true;
  }
  if (again_) {
    // Second pass: `counts_` holds the wanted names only, other_ the rest of the second half.
    set_categories();
    return true;
  }
  if (decide_text()) {
    become_text();
    return true;
  }
  if (!many_) {
    set_categories();
    return true;
  }
  auto items = many_->items();
  counts_.clear();
  std::size_t bytes = 0;
  for (const auto& item : items) {
    bytes += item.name.size();
    if (counts_.size() == kCategories || bytes > kCategoryBytes) break;
    counts_.emplace(item.name, Halves{});
  }
  restart();
  return false;
}

ColumnProfile ColumnBuilder::take() {
  if (profile_.categorical()) {
    profile_.distinct = many_ ? profile_.cardinality->estimate() : static_cast<double>(distinct_);
  } else if (profile_.type == ColumnType::kText) {
    profile_.distinct = profile_.cardinality->estimate();
  } else if (profile_.cardinality) {
    profile_.distinct = profile_.cardinality->estimate();
  }
  if (!sketches_) profile_.cardinality.reset();
  Counts whole;
  if (profile_.categorical()) {
    for (const auto& c : profile_.categories) whole.cells.push_back(c.count);
    whole.cells.push_back(profile_.other);
  } else {
    whole.cells = profile_.bins.counts;
  }
  whole.missing = missing_;
  if (profile_.halved) {
    whole.missing -= missing_first_;
    whole.uncounted_missing = missing_first_;
    whole.uncounted = rows_ - missing_ - whole.rows();
  }
  profile_.parts.assign(1, std::vector<Part>(1));
  profile_.parts[0][0].counts = std::move(whole);
  return std::move(profile_);
}

void ColumnBuilder::restart() {
  again_ = true;
  missing_ = missing_first_ = other_ = rows_ = 0;
  profile_.infinite = profile_.mismatches = 0;
}

void ColumnBuilder::add_codes(Coded coded) {
  // By code and half; missing rows, of code -1, come first.
  uses_.assign(2 * (coded.dictionary.size() + 1), 0);
  std::uint64_t bits = half_bits(rows_ / 64);
  for (auto code : coded.codes) {
    auto bit = static_cast<std::uint64_t>(rows_++) % 64;
    ++uses_[2 * static_cast<std::size_t>(code + 1) + ((bits >> bit) & 1)];
    if (bit == 63) bits = half_bits(rows_ / 64);
  }
  missing_ += uses_[0] + uses_[1];
  missing_first_ += uses_[0];
  for (std::size_t i = 0; i < coded.dictionary.size(); ++i) {
    const Halves use{uses_[2 * i + 2], uses_[2 * i + 3]};
    if (use.both() == 0) continue;
    auto name = coded.dictionary[i];
    auto found = counts_.find(name);
    if (again_) {
      if (found == counts_.end())
        other_ += use.second;
      else
        found->second += use;
      continue;
    }
    if (profile_.cardinality) profile_.cardinality->update(hash64(name));
    if (words_ && use.first > 0) for_each_word(name, [&](std::string_view word) { words_->update(word, use.first); });
    auto length = std::min(characters(name), kLongest);
    lengths_[length] += use.both();
    total_length_ += static_cast<double>(length) * static_cast<double>(use.both());
    total_ += use.both();
    if (many_)
      choose_from(name, use);
    else if (found != counts_.end())
      found->second += use;
    else if (counts_.size() < kDistinct)
      counts_.emplace(std::string(name), use);
    else {
      many_.emplace(kDistinct);
      for (const auto& [known, count] : counts_) choose_from(known, count);
      choose_from(name, use);
    }
  }
}

void ColumnBuilder::choose_from(std::string_view name, const Halves& use) {
  if (use.first > 0) many_->update(name, use.first);
}

bool ColumnBuilder::decide_text() const {
  if (profile_.type == ColumnType::kBoolean) return false;
  if (as_) return *as_ == ColumnType::kText;
  double distinct = many_ ? profile_.cardinality->estimate() : static_cast<double>(counts_.size());
  auto n = static_cast<double>(total_);
  return (distinct >= kTextDistinct && distinct > kTextShare * n) || (n > 0 && total_length_ / n > kTextLength);
}

Learnt ColumnBuilder::learnt() const {
  Learnt known;
  for (double sum : center_) known.center.push_back(static_cast<float>(sum / static_cast<double>(centered_)));
  if (centered_ == 0) known.center.clear();
  if (!words_ || profile_.type != ColumnType::kText) return known;
  const auto items = words_->items();
  for (std::size_t i = 0; i < std::min(items.size(), Vocabulary::kWords); ++i) known.words.add(items[i].name);
  return known;
}

void ColumnBuilder::add_lists(const table::Column& column) {
  for (std::size_t i = 0; i + 1 < column.offsets.size(); ++i) {
    const auto from = static_cast<std::size_t>(column.offsets[i]), to = static_cast<std::size_t>(column.offsets[i + 1]);
    if (in_second_half(rows_++) || to == from || (!column.missing.empty() && column.missing[i])) continue;
    const auto values = column.values.subspan(from, to - from);
    if (std::any_of(values.begin(), values.end(), [](double v) { return !std::isfinite(v); })) continue;
    if (center_.empty() && values.size() <= kDimensions) center_.resize(values.size());
    if (values.size() != center_.size()) continue;
    for (std::size_t j = 0; j < values.size(); ++j) center_[j] += values[j];
    ++centered_;
  }
}

void ColumnBuilder::become_text() {
  profile_.type = ColumnType::kText;
  profile_.texts_as_meant = as_.has_value() || texts_.all();
  std::vector<Tie> ties;
  for (auto [length, count] : lengths_) {
    ties.push_back({static_cast<double>(length), count});
    if (!sketches_) continue;
    std::vector<double> same(static_cast<std::size_t>(std::min<std::int64_t>(count, 4096)),
                             static_cast<double>(length));
    for (auto left = count; left > 0; left -= static_cast<std::int64_t>(same.size())) {
      auto part = std::span(same).first(
          static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(same.size()))));
      profile_.moments.update(part);
      profile_.quantiles->update(part);
      profile_.tails->update(part);
    }
  }
  profile_.bins = make_bins(ties);
}

void ColumnBuilder::set_categories() {
  struct Named {
    std::string name;
    Halves count;
  };
  std::vector<Named> all;
  for (auto& [name, count] : counts_) all.push_back({name, count});
  auto by = [&](auto measure) {
    std::sort(all.begin(), all.end(), [&](const Named& a, const Named& b) {
      auto x = measure(a.count), y = measure(b.count);
      return x != y ? x > y : a.name < b.name;
    });
  };
  distinct_ = all.size();
  std::size_t bytes = 0;
  for (const auto& c : all) bytes += c.name.size();
  profile_.halved = many_ || all.size() > kCategories || bytes > kCategoryBytes;
  profile_.other = other_;
  if (profile_.halved) {
    by([](const Halves& c) { return c.first; });
    // A category that the choosing half does not have is known only because the counted half has it: no choice.
    auto fits = [&](const Named& c, std::size_t before) {
      return c.count.first > 0 && before + c.name.size() <= kCategoryBytes;
    };
    std::size_t keep = 0, kept = 0;
    while (keep < all.size() && keep < kCategories && fits(all[keep], kept)) kept += all[keep++].name.size();
    for (auto i = keep; i < all.size(); ++i) profile_.other += all[i].count.second;
    all.resize(keep);
    by([](const Halves& c) { return c.second; });
  } else {
    by([](const Halves& c) { return c.both(); });
  }
  for (const auto& c : all) profile_.categories.push_back({c.name, profile_.halved ? c.count.second : c.count.both()});
}

}  // namespace vigie::engine

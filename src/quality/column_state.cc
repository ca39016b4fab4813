// SPDX-License-Identifier: Apache-2.0
#include "quality/column_state.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/extremes.h"
#include "base/hash.h"

namespace vigie::quality {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBlock = 512;
constexpr std::size_t kSlots = 1024;  // of at most kNumbers of the domain and as many others

// Multiplying carries bits up only, and small numbers have none but high ones.
void add_values(std::span<const double> from, std::uint64_t* to, std::uint64_t multiplier) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto bits = from[i] == from[i] ? std::bit_cast<std::uint64_t>(from[i] + 0.0) : ColumnState::kMissingHash;
    to[i] += (bits ^ (bits >> 32)) * multiplier;
  }
}

std::uint64_t product(const std::uint64_t* a, const std::uint64_t* b, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

}  // namespace

std::string_view to_string(Kind kind) {
  constexpr std::string_view kNames[] = {"number", "string", "time", "other", "unknown"};
  return kNames[static_cast<std::size_t>(kind)];
}

ColumnState::ColumnState(ColumnSpec spec, Fences fences, Depth depth)
    : spec_(std::move(spec)), fences_(std::move(fences)), depth_(depth), multiplier_(hash64(spec_.name) | 1) {
  if (spec_.kind != Kind::kNumber || depth_ < Depth::kMany) return;
  slots_.resize(kSlots);
  if (fences_.domain.size() > kNumbers) fences_.domain.clear();
  for (const double value : fences_.domain) count_number(value, hash64(value), 0, true);
}

void ColumnState::update(std::int64_t first, const Values& values, std::span<const std::uint64_t> weights,
                         std::span<std::uint64_t> hashes, std::span<const std::uint32_t> picks) {
  rows_ += static_cast<std::int64_t>(weights.size());
  mismatches_ += values.mismatches;
  thread_local std::vector<std::uint64_t> entry_hashes;
  switch (spec_.kind) {
    case Kind::kTime:
      times_.update(first, values.numbers);
      [[fallthrough]];
    case Kind::kNumber:
      update_numbers(values.numbers, weights, hashes);
      for (const std::uint32_t row : picks) {
        const double value = values.numbers[row];
        sample_.push_back(std::isnan(value) ? kMissingHash : std::bit_cast<std::uint64_t>(value));
      }
      break;
    case Kind::kString:
      update_strings(values, weights, hashes, entry_hashes);
      for (const std::uint32_t row : picks) {
        const std::int32_t code = values.codes[row];
        sample_.push_back(code < 0 ? kMissingHash : entry_hashes[static_cast<std::size_t>(code)]);
      }
      break;
    default:
      for (const std::uint8_t missing : values.missing) missing_ += missing != 0;
      for (const std::uint32_t row : picks)
        sample_.push_back(!values.missing.empty() && values.missing[row] ? kMissingHash : 0);
  }
}

void ColumnState::update_numbers(std::span<const double> values, std::span<const std::uint64_t> weights,
                                 std::span<std::uint64_t> hashes) {
  std::array<std::uint64_t, kBlock> all;
  std::array<double, kBlock> held;
  for (std::size_t from = 0; from < values.size(); from += kBlock) {
    const auto block = values.subspan(from, std::min(kBlock, values.size() - from));
    const double* v = block.data();
    const std::size_t n = block.size();
    Extremes extremes;
    std::size_t finite = n;
    const bool whole = widen(block, extremes), hashed = depth_ == Depth::kAll || !slots_.empty();
    if (!hashes.empty()) add_values(block, hashes.data() + from, multiplier_);
    if (hashed) {
      if (whole)
        for (std::size_t i = 0; i < n; ++i) all[i] = hash64(v[i]);
      else
        for (std::size_t i = 0; i < n; ++i) all[i] = v[i] == v[i] ? hash64(v[i]) : kMissingHash;
      if (depth_ == Depth::kAll) content_ += product(all.data(), weights.data() + from, n);
    }
    if (!whole) {
      finite = 0;
      for (std::size_t i = 0; i < n; ++i) {
        missing_ += v[i] != v[i];
        if (hashed) all[finite] = all[i];
        held[finite] = v[i];
        finite += std::abs(v[i]) < std::numeric_limits<double>::infinity();
        infinite_ += std::abs(v[i]) == std::numeric_limits<double>::infinity();
      }
      v = held.data();
      extremes = {};
      widen({v, finite}, extremes);
    }
    const auto [low, high] = extremes;
    low_ = std::min(low_, low);
    high_ = std::max(high_, high);
    // Most blocks have nothing outside.
    if (low < fences_.low || high > fences_.high || low < fences_.outlier_low || high > fences_.outlier_high) {
      for (std::size_t i = 0; i < finite; ++i) {
        below_ += v[i] < fences_.low;
        above_ += v[i] > fences_.high;
        outliers_ += (v[i] < fences_.outlier_low) | (v[i] > fences_.outlier_high);
      }
    }
    if (hashed) count_numbers({v, finite}, std::span(all).first(finite));
  }
}

void ColumnState::count_numbers(std::span<const double> values, std::span<const std::uint64_t> hashes) {
  std::size_t i = 0;
  for (; i < values.size() && !slots_.empty(); ++i) count_number(values[i], hashes[i], 1, false);
  if (depth_ == Depth::kAll)
    distinct_.update(hashes.subspan(i));
  else if (slots_.empty())
    distinct_ = Distinct(kDistinct);
}

// A number that has a slot is known to distinct_ already.
void ColumnState::count_number(double value, std::uint64_t hash, std::int64_t count, bool known) {
  const std::uint64_t key = hash + (hash == 0);
  std::size_t at = (key >> 32) % kSlots;
  while (slots_[at].hash && slots_[at].hash != key) at = (at + 1) % kSlots;
  Slot& slot = slots_[at];
  if (slot.count == 0 && !known) distinct_.update(key);
  if (slot.hash == 0) {
    if (!known && used_ == kNumbers) {
      // Without a domain these are no few values. With one, what the domain lacks is worth its number only.
      if (fences_.domain.empty())
        slots_.clear();
      else
        beyond_ += count;
      return;
    }
    slot = {key, value + 0.0, 0, known};
    used_ += !known;
  }
  slot.count += count;
}

void ColumnState::update_strings(const Values& values, std::span<const std::uint64_t> weights,
                                 std::span<std::uint64_t> hashes, std::vector<std::uint64_t>& entry_hashes) {
  // Of a thread and not of each state: there may be thousands.
  thread_local std::vector<std::int64_t> counts;
  const std::size_t entries = values.dictionary.size();
  counts.assign(entries + 1, 0);
  entry_hashes.resize(entries + 1);
  for (const std::int32_t code : values.codes) ++counts[static_cast<std::size_t>(std::int64_t{code} + 1)];
  missing_ += counts[0];
  for (std::size_t e = 0; e < entries; ++e) {
    const std::int64_t count = counts[e + 1];
    const std::string_view text = values.dictionary[e];
    if (count == 0) continue;
    entry_hashes[e] = hash64(text);
    distinct_.update(entry_hashes[e]);
    if (blank(text)) empty_ += count;
    if (!counted_) continue;
    if (text.size() > kCategoryBytes)
      counted_ = false;
    else
      categories_.update(text, count);
    counted_ = counted_ && categories_.exact();
    if (!counted_) categories_ = sketch::FrequentItems(kCategories);
  }
  entry_hashes[entries] = kMissingHash;
  if (depth_ < Depth::kMany) return;
  std::uint64_t content = 0;
  const std::uint64_t* entry = entry_hashes.data();
  for (std::size_t i = 0; i < values.codes.size(); ++i) {
    const std::int32_t code = values.codes[i];
    const std::uint64_t hash = entry[code < 0 ? entries : static_cast<std::size_t>(code)];
    content += hash * weights[i];
    if (!hashes.empty()) hashes[i] += hash * multiplier_;
  }
  content_ += content;
}

void ColumnState::lower(Depth depth) {
  if (depth >= depth_) return;
  depth_ = depth;
  if (depth < Depth::kMany) slots_.clear();
  if (spec_.kind != Kind::kString && slots_.empty()) distinct_ = Distinct(kDistinct);
}

void ColumnState::merge(const ColumnState& other) {
  if (&other == this) return merge(ColumnState(other));
  const bool counted = !std::isnan(distinct()) && !std::isnan(other.distinct());
  rows_ += other.rows_;
  missing_ += other.missing_;
  mismatches_ += other.mismatches_;
  infinite_ += other.infinite_;
  empty_ += other.empty_;
  below_ += other.below_;
  above_ += other.above_;
  outliers_ += other.outliers_;
  beyond_ += other.beyond_;
  low_ = std::min(low_, other.low_);
  high_ = std::max(high_, other.high_);
  distinct_.merge(other.distinct_);
  if (other.slots_.empty()) slots_.clear();
  for (const Slot& slot : other.slots_)
    if (slot.hash && !slots_.empty() && slot.count) count_number(slot.value, slot.hash, slot.count, false);
  if (!counted || (depth_ < Depth::kAll && spec_.kind != Kind::kString && slots_.empty()))
    distinct_ = Distinct(kDistinct);
  counted_ = counted_ && other.counted_ && categories_.merge(other.categories_) && categories_.exact();
  if (!counted_) categories_ = sketch::FrequentItems(kCategories);
  times_.merge(other.times_);
  content_ += other.content_;
  sample_.insert(sample_.end(), other.sample_.begin(), other.sample_.end());
}

double ColumnState::distinct() const {
  const bool counted =
      spec_.kind == Kind::kString || (depth_ >= Depth::kMany && (distinct_.held() > 0 || finite() == 0));
  return counted ? distinct_.estimate() : std::numeric_limits<double>::quiet_NaN();
}

bool ColumnState::counts_up() const {
  constexpr std::int64_t kFewest = 100;  // rows from which it means something
  const auto n = static_cast<double>(finite());
  const double different = distinct();
  const bool counted = different >= 1;  // not below Depth::kAll
  return spec_.kind == Kind::kNumber && finite() >= kFewest && finite() == rows_ && high_ - low_ == n - 1 &&
         low_ == std::floor(low_) && (!counted || different > .95 * n);
}

std::size_t ColumnState::size_bytes() const {
  return sizeof *this + slots_.capacity() * sizeof(Slot) + distinct_.size_bytes() + categories_.size_bytes() +
         times_.size_bytes() + sample_.capacity() * sizeof(std::uint64_t);
}

std::uint64_t ColumnState::content() const {
  if (depth_ == Depth::kAll) return content_;
  const auto bytes = std::as_bytes(std::span(sample_));
  return hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool ColumnState::varies() const {
  if (spec_.kind == Kind::kString) return distinct_.estimate() > 1;
  return low_ < high_ || (infinite_ > 0 && present() > 1);
}

std::optional<std::vector<NumberCount>> ColumnState::numbers() const {
  if (slots_.empty()) return std::nullopt;
  std::vector<NumberCount> out;
  for (const Slot& slot : slots_)
    if (slot.hash) out.emplace_back(slot.value, slot.count);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<std::vector<sketch::FrequentItems::Item>> ColumnState::categories() const {
  if (!counted_ || spec_.kind != Kind::kString) return std::nullopt;
  return categories_.items();
}

void ColumnState::save(ByteWriter& out, const Budget& budget) const {
  out.fixed(kVersion);
  out.string(spec_.name);
  out.fixed(static_cast<std::uint8_t>(spec_.kind));
  out.fixed(static_cast<std::uint8_t>(spec_.role));
  for (const double fence : {fences_.low, fences_.high, fences_.outlier_low, fences_.outlier_high}) out.fixed(fence);
  out.array(std::span<const double>(fences_.domain));
  for (const std::int64_t n : {rows_, missing_, mismatches_, infinite_, empty_, below_, above_, outliers_, beyond_})
    out.varint(static_cast<std::uint64_t>(n));
  out.fixed(low_);
  out.fixed(high_);
  distinct_.save(out, budget.distinct);
  const auto counts = numbers();
  out.fixed(static_cast<std::uint8_t>(counts.has_value()));
  if (counts) {
    out.varint(counts->size());
    for (const auto& [value, count] : *counts) {
      out.fixed(value);
      out.varint(static_cast<std::uint64_t>(count));
    }
  }
  std::size_t bytes = 0;
  if (counted_)
    for (const auto& item : categories_.items()) bytes += item.name.size() + 12;
  const bool kept = counted_ && bytes <= budget.category_bytes;
  out.fixed(static_cast<std::uint8_t>(kept));
  (kept ? categories_ : sketch::FrequentItems(kCategories)).save(out);
  times_.save(out);
  out.fixed(content());
  out.array(std::span<const std::uint64_t>(sample_));
}

Result<ColumnState> ColumnState::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "column quality: not a saved state");
  };
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  ColumnSpec spec;
  spec.name = in.string();
  const auto kind = in.fixed<std::uint8_t>(), role = in.fixed<std::uint8_t>();
  if (!in.ok() || kind > static_cast<std::uint8_t>(Kind::kUnknown) || role > static_cast<std::uint8_t>(Role::kOther))
    return corrupt();
  spec.kind = static_cast<Kind>(kind);
  spec.role = static_cast<Role>(role);
  Fences fences;
  for (double* fence : {&fences.low, &fences.high, &fences.outlier_low, &fences.outlier_high})
    *fence = in.fixed<double>();
  in.array(fences.domain);
  if (!in.ok() || fences.domain.size() > kNumbers) return corrupt();
  ColumnState state(std::move(spec), std::move(fences));
  for (std::int64_t* n : {&state.rows_, &state.missing_, &state.mismatches_, &state.infinite_, &state.empty_,
                          &state.below_, &state.above_, &state.outliers_, &state.beyond_}) {
    *n = static_cast<std::int64_t>(in.varint());
    if (!in.ok() || *n < 0 || *n > std::int64_t{1} << 56) return corrupt();
  }
  if (state.missing_ + state.infinite_ > state.rows_) return corrupt();
  for (const std::int64_t n : {state.mismatches_, state.empty_, state.below_, state.above_, state.outliers_})
    if (n > state.rows_) return corrupt();
  state.low_ = in.fixed<double>();
  state.high_ = in.fixed<double>();
  VIGIE_ASSIGN(state.distinct_, Distinct::load(in));
  if (state.distinct_.limit() != kDistinct) return corrupt();
  const auto counted = in.fixed<std::uint8_t>();
  if (!counted) state.slots_.clear();
  if (counted && state.slots_.empty()) return corrupt();
  const std::uint64_t numbers = counted ? in.count(9) : 0;
  if (numbers > 2 * kNumbers) return corrupt();
  for (std::uint64_t i = 0; i < numbers; ++i) {
    const double value = in.fixed<double>();
    const auto count = static_cast<std::int64_t>(in.varint());
    if (!in.ok() || std::isnan(value) || count < 0 || count > state.rows_ || state.slots_.empty()) return corrupt();
    const bool known =
        std::find(state.fences_.domain.begin(), state.fences_.domain.end(), value) != state.fences_.domain.end();
    if (known && count == 0) continue;
    state.count_number(value, hash64(value), count, false);
  }
  state.counted_ = in.fixed<std::uint8_t>() == 1;
  VIGIE_ASSIGN(state.categories_, sketch::FrequentItems::load(in));
  if (state.categories_.capacity() != kCategories || state.categories_.total() > state.rows_) return corrupt();
  VIGIE_ASSIGN(state.times_, Times::load(in));
  state.content_ = in.fixed<std::uint64_t>();
  in.array(state.sample_);
  if (!in.ok()) return corrupt();
  return state;
}

}  // namespace vigie::quality

// SPDX-License-Identifier: Apache-2.0
#include "sketch/relative.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace vigie::sketch {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr unsigned kShift = 46;                    // leaves 11 bits of exponent and 6 of mantissa
constexpr std::uint32_t kFirst = 1U << 6;          // bucket of the smallest normal number
constexpr std::uint32_t kLast = (2047U << 6) - 1;  // bucket of the largest finite number
constexpr std::uint32_t kRoom = 64;                // one power of two grown beyond what is needed

std::uint32_t bucket_of(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits << 1 >> (kShift + 1));
}

// The point of [low, high) whose relative distance to both ends is equal.
double middle_of(std::uint32_t bucket) {
  const auto low = std::bit_cast<double>(std::uint64_t{bucket} << kShift);
  const double width = std::bit_cast<double>((std::uint64_t{bucket} << kShift) | (1ULL << (kShift - 1))) - low;
  return low + width * (low / (low + width));
}

}  // namespace

void RelativeQuantiles::update(std::span<const double> values) {
  Extremes extremes;
  widen(values, extremes);
  update(values, extremes);
}

void RelativeQuantiles::update(std::span<const double> values, const Extremes& extremes) {
  min_ = std::min(min_, extremes.low);
  max_ = std::max(max_, extremes.high);
  count_ += static_cast<std::int64_t>(values.size());
  std::uint32_t low = low_, size = size_;
  std::int64_t* slots = counts_.data();
  for (double value : values) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint32_t bucket = bucket_of(bits);
    // All ones for zero. Arithmetic instead of a branch, which zeros among values would mispredict.
    const auto zero = static_cast<std::uint32_t>(static_cast<std::int32_t>(bucket - kFirst) >> 31);
    const std::uint32_t at = (bucket - low) & ~zero;
    const std::uint32_t sign = static_cast<std::uint32_t>(bits >> 63) * size;
    if (at < size) [[likely]] {
      ++slots[((at + sign) & ~zero) | (2 * size & zero)];
    } else {
      outside(value);
      low = low_;
      size = size_;
      slots = counts_.data();
    }
  }
}

void RelativeQuantiles::outside(double value) {
  if (std::isnan(value)) {
    --count_;
    return;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (bucket_of(bits) < kFirst)
    ++counts_.back();
  else
    add(std::min(bucket_of(bits), kLast), bits >> 63, 1);
}

void RelativeQuantiles::add(std::uint32_t bucket, bool negative, std::int64_t count) {
  if (bucket - low_ >= size_) {
    bucket = std::max(bucket, floor_bucket());
    if (bucket - low_ >= size_) widen_to(bucket);
  }
  counts_[(negative ? size_ : 0) + bucket - low_] += count;
}

std::uint32_t RelativeQuantiles::floor_bucket() const {
  for (std::uint32_t i = size_; i-- > 0;)
    if (counts_[i] || counts_[size_ + i]) return low_ + i + 1 > kFirst + kBuckets ? low_ + i + 1 - kBuckets : kFirst;
  return kFirst;
}

// Counts outside the new window are folded into its lowest bucket; the caller sees to it that none lie above.
void RelativeQuantiles::move_window(std::uint32_t low, std::uint32_t size) {
  std::vector<std::int64_t> moved(2 * std::size_t{size} + 1);
  for (std::uint32_t i = 0; i < size_; ++i) {
    for (std::uint32_t sign = 0; sign < 2; ++sign) {
      const std::int64_t count = counts_[sign * size_ + i];
      if (count) moved[sign * size + std::max(low_ + i, low) - low] += count;
    }
  }
  moved.back() = counts_.back();
  counts_ = std::move(moved);
  low_ = low;
  size_ = size;
}

void RelativeQuantiles::widen_to(std::uint32_t bucket) {
  std::uint32_t low = bucket, high = bucket;
  if (size_) {
    low = std::min(low, low_);
    high = std::max(high, low_ + size_ - 1);
  }
  if (!size_ || bucket < low_) low = std::max(kFirst, low - std::min(low, kRoom));
  if (!size_ || bucket >= low_ + size_) high = std::min(kLast, high + kRoom);
  // What lies kBuckets below the highest bucket in use collapses; `bucket` itself may become the highest.
  if (high - low >= kBuckets + kRoom) {
    const std::uint32_t floor =
        std::max(floor_bucket(), bucket + 1 > kFirst + kBuckets ? bucket + 1 - kBuckets : kFirst);
    low = std::max(low, floor);
    high = std::min(high, floor + kBuckets + kRoom - 1);
  }
  move_window(low, high - low + 1);
}

void RelativeQuantiles::merge(const RelativeQuantiles& other) {
  if (&other == this) return merge(RelativeQuantiles(other));
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  counts_.back() += other.counts_.back();
  for (std::uint32_t i = other.size_; i-- > 0;) {
    for (std::uint32_t sign = 0; sign < 2; ++sign) {
      const std::int64_t count = other.counts_[sign * other.size_ + i];
      if (count) add(other.low_ + i, sign == 1, count);
    }
  }
}

std::vector<RelativeQuantiles::Bucket> RelativeQuantiles::buckets() const {
  std::vector<Bucket> found;
  const std::uint32_t floor = floor_bucket();
  const auto value_of = [&](std::uint32_t i, double sign) {
    return std::clamp(sign * middle_of(std::max(low_ + i, floor)), min_, max_);
  };
  for (std::uint32_t i = size_; i-- > 0;)
    if (const auto count = counts_[size_ + i]) found.push_back({value_of(i, -1), count});
  if (counts_.back()) found.push_back({std::clamp(0.0, min_, max_), counts_.back()});
  for (std::uint32_t i = 0; i < size_; ++i)
    if (const auto count = counts_[i]) found.push_back({value_of(i, 1), count});
  return found;
}

double RelativeQuantiles::quantile(double q) const {
  if (!count_ || std::isnan(q)) return kNaN;
  if (q <= 0 || q >= 1) return q <= 0 ? min_ : max_;
  std::int64_t upto = 0;
  for (const Bucket& bucket : buckets())
    if (static_cast<double>(upto += bucket.count) >= q * static_cast<double>(count_)) return bucket.value;
  return max_;
}

std::int64_t RelativeQuantiles::rank(double x) const {
  if (!count_ || x < min_) return 0;
  if (x >= max_) return count_;
  std::int64_t rank = 0;
  for (const Bucket& bucket : buckets())
    if (bucket.value <= x) rank += bucket.count;
  return rank;
}

void RelativeQuantiles::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(min_);
  out.fixed(max_);
  out.varint(static_cast<std::uint64_t>(counts_.back()));
  RelativeQuantiles trimmed = *this;
  std::uint32_t low = 0, size = 0;
  const std::uint32_t floor = floor_bucket();
  for (std::uint32_t i = 0; i < size_; ++i) {
    if (!counts_[i] && !counts_[size_ + i]) continue;
    if (!size) low = std::max(low_ + i, floor);
    size = std::max(low_ + i, floor) - low + 1;
  }
  trimmed.move_window(low, size);
  out.varint(low);
  out.varint(size);
  for (std::uint32_t i = 0; i < 2 * size; ++i) out.varint(static_cast<std::uint64_t>(trimmed.counts_[i]));
}

Result<RelativeQuantiles> RelativeQuantiles::load(ByteReader& in) {
  const auto corrupt = [&in] {
    in.fail();
    return fail(Code::kCorrupt, "tail sketch: not a saved state");
  };
  RelativeQuantiles sketch;
  if (in.fixed<std::uint8_t>() != kVersion) return corrupt();
  sketch.min_ = in.fixed<double>();
  sketch.max_ = in.fixed<double>();
  const auto zeros = in.varint();
  const auto low = in.varint();
  const auto size = in.count(2);
  if (!in.ok() || size > kBuckets || (size ? low < kFirst || low + size - 1 > kLast || low > kLast : low != 0))
    return corrupt();
  sketch.low_ = static_cast<std::uint32_t>(low);
  sketch.size_ = static_cast<std::uint32_t>(size);
  sketch.counts_.assign(2 * size + 1, 0);
  std::uint64_t sum = zeros;
  for (std::size_t i = 0; i < 2 * size; ++i) {
    const auto count = in.varint();
    sketch.counts_[i] = static_cast<std::int64_t>(count);
    sum += count;
    if (count > 1ULL << 60 || sum > 1ULL << 60) return corrupt();
  }
  sketch.counts_.back() = static_cast<std::int64_t>(zeros);
  sketch.count_ = static_cast<std::int64_t>(sum);
  if (!in.ok() || zeros > 1ULL << 60 || (sum ? !(sketch.min_ <= sketch.max_) : !(sketch.min_ > sketch.max_)))
    return corrupt();
  return sketch;
}

}  // namespace vigie::sketch

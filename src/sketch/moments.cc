// SPDX-License-Identifier: Apache-2.0
#include "sketch/moments.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vigie::sketch {
namespace {

constexpr std::uint8_t kVersion = 1;
// Independent sums, because one chain of additions waits for each: also what lets -O2 use whole vector registers.
using Pair [[gnu::vector_size(16)]] = double;
constexpr std::size_t kStep = 8;

inline Pair pair_at(const double* at) {
  Pair pair;
  std::memcpy(&pair, at, sizeof pair);
  return pair;
}

inline double total(const Pair (&sums)[4]) {
  const Pair all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return all[0] + all[1];
}

double sum_of(std::span<const double> values) {
  Pair sums[4] = {};
  std::size_t i = 0;
  for (; i + kStep <= values.size(); i += kStep)
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += pair_at(values.data() + i + 2 * lane);
  double sum = total(sums);
  for (; i < values.size(); ++i) sum += values[i];
  return sum;
}

struct Powers {
  double m2 = 0, m3 = 0, m4 = 0;
};

Powers powers_of(std::span<const double> values, double mean) {
  Pair m2[4] = {}, m3[4] = {}, m4[4] = {};
  const Pair center = {mean, mean};
  std::size_t i = 0;
  for (; i + kStep <= values.size(); i += kStep) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      const Pair d = pair_at(values.data() + i + 2 * lane) - center;
      const Pair d2 = d * d;
      m2[lane] += d2;
      m3[lane] += d2 * d;
      m4[lane] += d2 * d2;
    }
  }
  Powers powers{total(m2), total(m3), total(m4)};
  for (; i < values.size(); ++i) {
    const double d = values[i] - mean, d2 = d * d;
    powers.m2 += d2;
    powers.m3 += d2 * d;
    powers.m4 += d2 * d2;
  }
  return powers;
}

}  // namespace

void Moments::update(std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); i += kBlock) {
    const auto block = values.subspan(i, std::min(kBlock, values.size() - i));
    Extremes extremes;
    widen(block, extremes);
    add_block(block, extremes);
  }
}

void Moments::update(std::span<const double> values, const Extremes& extremes) {
  if (values.empty()) return;
  values.size() <= kBlock ? add_block(values, extremes) : update(values);
}

void Moments::add_block(std::span<const double> block, const Extremes& extremes) {
  const double n = static_cast<double>(block.size());
  Moments part;
  part.count_ = static_cast<std::int64_t>(block.size());
  part.min_ = extremes.low;
  part.max_ = extremes.high;
  double sum = sum_of(block);
  part.mean_ = sum / n;
  if (!std::isfinite(sum) && std::isfinite(part.min_) && std::isfinite(part.max_)) {
    part.mean_ = 0;
    for (double value : block) part.mean_ += value / n;
  }
  // Rounding may leave the mean outside the values, which a constant block must not see.
  if (part.min_ <= part.max_ && std::isfinite(part.mean_)) part.mean_ = std::clamp(part.mean_, part.min_, part.max_);
  const Powers powers = powers_of(block, part.mean_);
  part.m2_ = powers.m2;
  part.m3_ = powers.m3;
  part.m4_ = powers.m4;
  merge(part);
}

void Moments::merge(const Moments& other) {
  if (!other.count_) return;
  if (!count_) {
    *this = other;
    return;
  }
  const double a = static_cast<double>(count_), b = static_cast<double>(other.count_), n = a + b;
  const double delta = other.mean_ - mean_, ab = a * b / n;
  if (delta == 0) {
    m2_ += other.m2_;
    m3_ += other.m3_;
    m4_ += other.m4_;
  } else {
    const double d2 = delta * delta;
    const double m2 = m2_ + other.m2_ + d2 * ab;
    const double m3 = m3_ + other.m3_ + d2 * delta * ab * ((a - b) / n) + 3 * delta * (a * other.m2_ - b * m2_) / n;
    const double m4 = m4_ + other.m4_ + d2 * d2 * ab * ((a * a - a * b + b * b) / (n * n)) +
                      6 * d2 * (a / n * (a / n) * other.m2_ + b / n * (b / n) * m2_) +
                      4 * delta * (a * other.m3_ - b * m3_) / n;
    mean_ = std::isfinite(delta) ? mean_ + delta * (b / n) : mean_ * (a / n) + other.mean_ * (b / n);
    m2_ = m2;
    m3_ = m3;
    m4_ = m4;
  }
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  if (min_ <= max_ && std::isfinite(mean_)) mean_ = std::clamp(mean_, min_, max_);
}

double Moments::variance() const {
  return count_ < 2 ? kNaN : m2_ / static_cast<double>(count_ - 1);
}

double Moments::sd() const {
  return std::sqrt(variance());
}

double Moments::skewness() const {
  return m2_ > 0 ? std::sqrt(static_cast<double>(count_)) * (m3_ / m2_) / std::sqrt(m2_) : kNaN;
}

double Moments::kurtosis() const {
  return m2_ > 0 ? static_cast<double>(count_) * (m4_ / m2_) / m2_ - 3 : kNaN;
}

void Moments::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.varint(static_cast<std::uint64_t>(count_));
  for (double value : {mean_, m2_, m3_, m4_, min_, max_}) out.fixed(value);
}

Result<Moments> Moments::load(ByteReader& in) {
  const auto version = in.fixed<std::uint8_t>();
  Moments m;
  const auto count = in.varint();
  for (double* field : {&m.mean_, &m.m2_, &m.m3_, &m.m4_, &m.min_, &m.max_}) *field = in.fixed<double>();
  m.count_ = static_cast<std::int64_t>(count);
  const bool filled = !(m.min_ > m.max_) && !(m.mean_ < m.min_) && !(m.mean_ > m.max_) && !(m.m2_ < 0);
  const bool empty =
      m.mean_ == 0 && m.m2_ == 0 && m.m3_ == 0 && m.m4_ == 0 && m.min_ == Moments().min_ && m.max_ == Moments().max_;
  if (!in.ok() || version != kVersion || count > 1ULL << 60 || !(count ? filled : empty)) {
    in.fail();
    return fail(Code::kCorrupt, "moments: not a saved state");
  }
  return m;
}

}  // namespace vigie::sketch

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>

#include "table/csv_index_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace vigie::table {
namespace {

struct Masks {
  std::uint64_t delimiter = 0, newline = 0, quote = 0, high = 0, nul = 0;
};

#ifdef __SSE2__
inline std::uint64_t mask_of(__m128i a, __m128i b, __m128i c, __m128i d) {
  auto word = [](__m128i v) { return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(v))); };
  return word(a) | word(b) << 16 | word(c) << 32 | word(d) << 48;
}

inline Masks look(const char* p, char delimiter) {
  auto load = [&](std::size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i)); };
  __m128i v[4] = {load(0), load(1), load(2), load(3)};
  auto equal = [&](char c) {
    __m128i want = _mm_set1_epi8(c);
    return mask_of(_mm_cmpeq_epi8(v[0], want), _mm_cmpeq_epi8(v[1], want), _mm_cmpeq_epi8(v[2], want),
                   _mm_cmpeq_epi8(v[3], want));
  };
  __m128i any = _mm_or_si128(_mm_or_si128(v[0], v[1]), _mm_or_si128(v[2], v[3]));
  __m128i least = _mm_min_epu8(_mm_min_epu8(v[0], v[1]), _mm_min_epu8(v[2], v[3]));
  return {equal(delimiter), equal('\n'), equal('"'), static_cast<std::uint64_t>(_mm_movemask_epi8(any)),
          static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())))};
}
#else
inline Masks look(const char* p, char delimiter) {
  Masks m;
  for (unsigned i = 0; i < 64; ++i) {
    std::uint64_t bit = 1ULL << i;
    if (p[i] == delimiter) m.delimiter |= bit;
    if (p[i] == '\n') m.newline |= bit;
    if (p[i] == '"') m.quote |= bit;
    if (static_cast<unsigned char>(p[i]) >= 0x80) m.high |= bit;
    if (p[i] == 0) m.nul |= bit;
  }
  return m;
}
#endif

inline std::uint64_t prefix_xor(std::uint64_t x) {
  for (int shift = 1; shift < 64; shift *= 2) x ^= x << shift;
  return x;
}

}  // namespace

void CsvIndex::reset(char delimiter) {
  delimiter_ = delimiter;
  state_ = State::kStart;
  has_nul_ = has_high_ = has_embedded_ = false;
  indexed_ = complete_ = 0;
  used_ = 1;
  record_first_ = 0;
  if (ends_.size() < 4096) ends_.resize(4096);
  ends_[0] = UINT32_MAX;
  records_.clear();
}

void CsvIndex::extend(char* text, std::size_t size, bool last) {
  ends_.resize(std::max(ends_.size(), ends_.capacity()));
  for (; indexed_ + 64 <= size; indexed_ += 64) step(text + indexed_, indexed_, 64);
  if (!last) return;
  // The supplied newline ends the last record; after one that is there already it would make a blank record.
  if (size && text[size - 1] != '\n') text[size++] = '\n';
  std::memset(text + size, ' ', 64 - (size - indexed_) % 64);
  for (; indexed_ < size; indexed_ += 64)
    step(text + indexed_, indexed_, static_cast<unsigned>(std::min<std::size_t>(64, size - indexed_)));
  indexed_ = size;
}

inline void CsvIndex::step(const char* text, std::size_t at, unsigned size) {
  Masks m = look(text, delimiter_);
  has_nul_ |= m.nul != 0;
  has_high_ |= m.high != 0;
  if (size < 64) {
    auto valid = (1ULL << size) - 1;
    m.delimiter &= valid, m.newline &= valid, m.quote &= valid;
  }
  std::uint64_t ends = m.delimiter | m.newline, newlines = m.newline;
  if (m.quote == 0 && state_ != State::kQuoted) [[likely]] {
    // The state at the end only matters to a quote that comes next.
    state_ = ends >> (size - 1) & 1 ? State::kStart : State::kPlain;
  } else {
    bool inside = state_ == State::kQuoted;
    std::uint64_t within = prefix_xor(m.quote) ^ (inside ? ~0ULL : 0);
    std::uint64_t before = (ends | m.quote) << 1 | (state_ != State::kPlain);
    if (m.quote & within & ~before) {
      newlines = 0;
      ends = slow(text, size, newlines);
    } else {
      ends &= ~within;
      newlines &= ~within;
      auto top = 1ULL << (size - 1);
      state_ = within & top    ? State::kQuoted
               : ends & top    ? State::kStart
               : m.quote & top ? State::kAfterQuote
                               : State::kPlain;
    }
    has_embedded_ |= (m.newline & ~newlines) != 0;
  }
  if (used_ + 64 > ends_.size()) ends_.resize(ends_.size() * 2);
  std::uint32_t* out = ends_.data() + used_;
  auto base = static_cast<std::uint32_t>(at);
  for (auto rest = ends; rest; rest &= rest - 1) *out++ = base + static_cast<std::uint32_t>(std::countr_zero(rest));
  for (auto rest = newlines; rest; rest &= rest - 1) {
    auto bit = rest & (0 - rest);
    auto end = static_cast<std::uint32_t>(used_) + static_cast<std::uint32_t>(std::popcount(ends & (bit - 1)));
    records_.push_back({record_first_, end - record_first_});
    record_first_ = end;
    complete_ = at + static_cast<std::size_t>(std::countr_zero(bit)) + 1;
  }
  used_ = static_cast<std::size_t>(out - ends_.data());
}

// One character at a time, for steps in which a quote stands where no field begins.
std::uint64_t CsvIndex::slow(const char* text, unsigned size, std::uint64_t& newlines) {
  std::uint64_t ends = 0;
  for (unsigned i = 0; i < size; ++i) {
    char c = text[i];
    if (c == '"') {
      if (state_ == State::kStart || state_ == State::kAfterQuote) {
        state_ = State::kQuoted;
      } else if (state_ == State::kQuoted) {
        state_ = State::kAfterQuote;
      }
    } else if (state_ != State::kQuoted && (c == delimiter_ || c == '\n')) {
      ends |= 1ULL << i;
      if (c == '\n') newlines |= 1ULL << i;
      state_ = State::kStart;
    } else if (state_ != State::kQuoted) {
      state_ = State::kPlain;
    }
  }
  return ends;
}

}  // namespace vigie::table

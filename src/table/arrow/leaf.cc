// SPDX-License-Identifier: Apache-2.0
#include <arrow/util/float16.h>
#include <fmt/format.h>
#include <parquet/exception.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "table/arrow/decimal_internal.h"
#include "table/arrow/parquet_internal.h"

namespace vigie::table {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kChunk = 16384;  // values a call: the scratch stays in the second-level cache

double half(const std::uint8_t* p) {
  return arrow::util::Float16::FromLittleEndian(p).ToDouble();
}

double big_endian(const std::uint8_t* p, std::int32_t size, int scale) {
  if (size <= 8) {
    std::int64_t v = size > 0 && p[0] & 0x80 ? -1 : 0;
    for (std::int32_t i = 0; i < size; ++i) v = static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << 8 | p[i]);
    return decimal_value(v, scale);
  }
  if (size > 32) throw parquet::ParquetException("a decimal of more than 32 bytes");
  return decimal_value(*arrow::Decimal256::FromBigEndian(p, size), scale);
}

std::string uuid(const std::uint8_t* p) {
  std::string out;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", p[i]);
  }
  return out;
}

}  // namespace

struct Leaf::Open {
  int group = -1;
  std::int64_t row = 0;
  std::shared_ptr<Track> track = std::make_shared<Track>();
  std::unique_ptr<parquet::RowGroupReader> reader;
  std::shared_ptr<parquet::ColumnReader> column;
  parquet::Type::type physical = parquet::Type::INT32;
  Scratch<std::int16_t> def, rep;
  Scratch<char> raw;
  Scratch<std::int64_t> exact;
  Scratch<double> listed;
  // A list column's levels and values that were read and not yet delivered.
  std::int64_t level = 0, levels = 0, value = 0, values = 0;

  template <class D>
  std::int64_t batch(std::int64_t want, std::int16_t* d, std::int16_t* r, typename D::c_type* out, std::int64_t* got) {
    return static_cast<parquet::TypedColumnReader<D>*>(column.get())->ReadBatch(want, d, r, out, got);
  }
  template <class D>
  typename D::c_type* room(std::int64_t want) {
    using T = typename D::c_type;
    return reinterpret_cast<T*>(raw.get(static_cast<std::size_t>(want) * sizeof(T)));
  }
};

Leaf::Leaf(const ParquetFile& file, const Plan& plan) : file_(file), plan_(plan) {}

Leaf::~Leaf() = default;

void Leaf::open(int group, std::int64_t row) {
  Resume resume;
  bool parked = parked_group_ == group && parked_.row <= row;
  if (parked) resume = parked_;
  open_ = std::make_unique<Open>();
  open_->group = group;
  open_->row = parked ? resume.row : 0;
  open_->reader = open_row_group(file_, group, open_->track, resume);
  open_->physical = file_.metadata->schema()->Column(plan_.leaf)->physical_type();
  bool words = plan_.native == Type::kString && open_->physical == parquet::Type::BYTE_ARRAY;
  open_->column = words ? open_->reader->ColumnWithExposeEncoding(plan_.leaf, parquet::ExposedEncoding::DICTIONARY)
                        : open_->reader->Column(plan_.leaf);
  if (parked && resume.dictionary_end >= 0) open_->track->dictionary_end = resume.dictionary_end;
}

template <class D, class Put>
static std::int64_t converted(auto& open, std::int64_t want, std::int16_t* def, std::int16_t* rep, std::int64_t* values,
                              Put put) {
  auto* raw = open.template room<D>(want);
  auto got = open.template batch<D>(want, def, rep, raw, values);
  for (std::int64_t i = 0; i < *values; ++i) put(i, raw[i]);
  return got;
}

std::int64_t Leaf::dense(std::int64_t want, std::int16_t* def, std::int16_t* rep, double* out, std::int64_t* values,
                         std::int64_t* exact) {
  auto& o = *open_;
  std::int64_t got = 0;
  switch (plan_.form) {
    case Form::kBool:
      return converted<parquet::BooleanType>(o, want, def, rep, values, [&](auto i, bool v) { out[i] = v; });
    case Form::kInt32:
      got = converted<parquet::Int32Type>(o, want, def, rep, values, [&](auto i, std::int32_t v) { out[i] = v; });
      break;
    case Form::kUint32:
      return converted<parquet::Int32Type>(o, want, def, rep, values,
                                           [&](auto i, std::int32_t v) { out[i] = static_cast<std::uint32_t>(v); });
    case Form::kInt64:
      got = converted<parquet::Int64Type>(o, want, def, rep, values,
                                          [&](auto i, std::int64_t v) { out[i] = static_cast<double>(v); });
      if (exact) std::copy_n(o.template room<parquet::Int64Type>(want), *values, exact);
      if (plan_.nanos) {  // on the integers: a double does not hold nanoseconds of today
        const auto* raw = o.template room<parquet::Int64Type>(want);
        for (std::int64_t i = 0; i < *values; ++i) {
          const std::int64_t micros = raw[i] / 1000 - (raw[i] % 1000 < 0);
          out[i] = static_cast<double>(micros);
        }
        return got;
      }
      break;
    case Form::kUint64:
      got = converted<parquet::Int64Type>(o, want, def, rep, values, [&](auto i, std::int64_t v) {
        out[i] = static_cast<double>(static_cast<std::uint64_t>(v));
      });
      if (exact) std::copy_n(o.template room<parquet::Int64Type>(want), *values, exact);
      return got;
    case Form::kInt96:
      return converted<parquet::Int96Type>(o, want, def, rep, values, [&](auto i, const parquet::Int96& v) {
        auto nanos = static_cast<std::uint64_t>(v.value[1]) << 32 | v.value[0];
        const std::uint64_t micros = nanos / 1000;
        out[i] = (static_cast<double>(v.value[2]) - 2440588) * 86400e6 + static_cast<double>(micros);
      });
    case Form::kFloat:
      return converted<parquet::FloatType>(o, want, def, rep, values,
                                           [&](auto i, float v) { out[i] = static_cast<double>(v); });
    case Form::kDouble:
      return o.batch<parquet::DoubleType>(want, def, rep, out, values);
    case Form::kHalf:
      return converted<parquet::FLBAType>(o, want, def, rep, values,
                                          [&](auto i, const parquet::FLBA& v) { out[i] = half(v.ptr); });
    case Form::kDecimal:
      if (o.physical == parquet::Type::BYTE_ARRAY)
        return converted<parquet::ByteArrayType>(o, want, def, rep, values, [&](auto i, const parquet::ByteArray& v) {
          out[i] = big_endian(v.ptr, static_cast<std::int32_t>(v.len), plan_.scale);
        });
      return converted<parquet::FLBAType>(o, want, def, rep, values, [&](auto i, const parquet::FLBA& v) {
        out[i] = big_endian(v.ptr, plan_.width, plan_.scale);
      });
    default:
      throw parquet::ParquetException("not a number");
  }
  if (plan_.scale != 0 && plan_.form == Form::kInt64) {
    const auto* raw = o.template room<parquet::Int64Type>(want);
    for (std::int64_t i = 0; i < *values; ++i) out[i] = decimal_value(raw[i], plan_.scale);
  } else if (plan_.scale != 0) {
    for (std::int64_t i = 0; i < *values; ++i) out[i] = decimal_value(static_cast<std::int64_t>(out[i]), plan_.scale);
  }
  if (plan_.multiply != 1)
    for (std::int64_t i = 0; i < *values; ++i) out[i] *= plan_.multiply;
  return got;
}

void Leaf::skip(std::int64_t rows) {
  auto over = [&]<class D>(D) { return static_cast<parquet::TypedColumnReader<D>&>(*open_->column).Skip(rows); };
  std::int64_t done = 0;
  if (rows <= 0) return;
  switch (open_->physical) {
    case parquet::Type::BOOLEAN:
      done = over(parquet::BooleanType{});
      break;
    case parquet::Type::INT32:
      done = over(parquet::Int32Type{});
      break;
    case parquet::Type::INT64:
      done = over(parquet::Int64Type{});
      break;
    case parquet::Type::INT96:
      done = over(parquet::Int96Type{});
      break;
    case parquet::Type::FLOAT:
      done = over(parquet::FloatType{});
      break;
    case parquet::Type::DOUBLE:
      done = over(parquet::DoubleType{});
      break;
    case parquet::Type::BYTE_ARRAY:
      done = over(parquet::ByteArrayType{});
      break;
    default:
      done = over(parquet::FLBAType{});
      break;
  }
  if (done != rows) throw parquet::ParquetException("the column has fewer values than rows");
}

void Leaf::flat_numbers(std::int64_t rows, Held& held) {
  auto& o = *open_;
  double* out = held.numbers.get(static_cast<std::size_t>(rows));
  bool text = plan_.asked == Type::kString && plan_.native == Type::kInteger && plan_.scale == 0 &&
              (plan_.form == Form::kInt64 || plan_.form == Form::kUint64);
  std::int64_t* exact = text ? o.exact.get(static_cast<std::size_t>(rows)) : nullptr;
  auto* def = plan_.present_level > 0 ? o.def.get(kChunk) : nullptr;
  for (std::int64_t done = 0; done < rows;) {
    std::int64_t values = 0;
    double* at = out + done;
    auto got = dense(std::min(kChunk, rows - done), def, nullptr, at, &values, exact ? exact + done : nullptr);
    if (got <= 0) throw parquet::ParquetException("the column has fewer values than rows");
    if (values < got) {
      if (!def || std::count(def, def + got, plan_.present_level) != values)
        throw parquet::ParquetException("the column's levels contradict its values");
      for (auto i = got, v = values; i-- > 0;) {
        bool there = def[i] == plan_.present_level;
        if (there) --v;
        at[i] = there ? at[v] : kMissing;
        if (exact && there) exact[done + i] = exact[done + v];
      }
    }
    done += got;
  }
  if (plan_.asked == Type::kList) {
    all_missing(held, plan_.asked, [&](auto i) { return !std::isnan(out[i]); });
  } else if (plan_.asked != plan_.native) {
    convert_numbers(held, plan_.native, plan_.asked, plan_.form == Form::kFloat || plan_.form == Form::kHalf, exact,
                    plan_.form == Form::kUint64);
  }
}

void Leaf::flat_words(std::int64_t rows, Held& held) {
  auto& o = *open_;
  auto* codes = held.codes.get(static_cast<std::size_t>(rows));
  auto* def = plan_.present_level > 0 ? o.def.get(kChunk) : nullptr;
  bool dictionary = o.column->GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY;
  std::vector<std::int32_t> map;
  const parquet::ByteArray* entries = nullptr;
  for (std::int64_t done = 0; done < rows;) {
    std::int64_t values = 0, got = 0;
    auto want = std::min(kChunk, rows - done);
    auto* at = codes + done;
    if (dictionary) {
      const parquet::ByteArray* words = nullptr;
      std::int32_t size = 0;
      got = static_cast<parquet::ByteArrayReader&>(*o.column).ReadBatchWithDictionary(want, def, nullptr, at, &values,
                                                                                      &words, &size);
      if (words && (words != entries || map.size() != static_cast<std::size_t>(size))) {
        entries = words;
        map.assign(static_cast<std::size_t>(size), -1);
      }
      for (std::int64_t i = 0; i < values; ++i) {
        auto k = static_cast<std::size_t>(at[i]);
        if (k >= map.size()) throw parquet::ParquetException("a value points outside the dictionary");
        if (map[k] < 0) map[k] = held.words.code({reinterpret_cast<const char*>(entries[k].ptr), entries[k].len});
        at[i] = map[k];
      }
    } else if (o.physical == parquet::Type::BYTE_ARRAY) {
      got = converted<parquet::ByteArrayType>(o, want, def, nullptr, &values, [&](auto i, const parquet::ByteArray& v) {
        at[i] = held.words.code({reinterpret_cast<const char*>(v.ptr), v.len});
      });
    } else {
      got = converted<parquet::FLBAType>(o, want, def, nullptr, &values, [&](auto i, const parquet::FLBA& v) {
        at[i] = plan_.form == Form::kUuid
                    ? held.words.code(uuid(v.ptr))
                    : held.words.code({reinterpret_cast<const char*>(v.ptr), static_cast<std::size_t>(plan_.width)});
      });
    }
    if (got <= 0) throw parquet::ParquetException("the column has fewer values than rows");
    if (values < got) {
      if (!def || std::count(def, def + got, plan_.present_level) != values)
        throw parquet::ParquetException("the column's levels contradict its values");
      for (auto i = got, v = values; i-- > 0;) at[i] = def[i] == plan_.present_level ? at[--v] : -1;
    }
    done += got;
  }
  if (held.words.foreign()) foreign_ = true;
  if (plan_.asked == Type::kList)
    all_missing(held, plan_.asked, [&](auto i) { return codes[i] >= 0; });
  else
    convert_words(held, plan_.asked);
}

void Leaf::lists(std::int64_t rows, Held& held) {
  auto& o = *open_;
  auto* def = o.def.get(kChunk);
  auto* rep = o.rep.get(kChunk);
  auto* values = o.listed.get(kChunk);
  bool any_missing = false;
  std::int64_t row = 0;
  held.offsets.reserve(static_cast<std::size_t>(rows) + 1);
  held.missing.resize(static_cast<std::size_t>(rows));
  while (true) {
    if (o.level == o.levels) {
      o.level = o.value = o.values = 0;
      o.levels = dense(kChunk, def, rep, values, &o.values, nullptr);
      if (o.levels <= 0) {
        o.levels = 0;
        if (row < rows) throw parquet::ParquetException("the column has fewer lists than rows");
        break;
      }
    }
    auto d = def[o.level];
    if (rep[o.level] == 0) {
      if (row == rows) break;
      held.offsets.push_back(static_cast<std::int64_t>(held.values.size()));
      bool gone = d < plan_.list_level - 1;
      held.missing[static_cast<std::size_t>(row)] = gone;
      any_missing |= gone;
      ++row;
    } else if (row == 0) {
      throw parquet::ParquetException("a list goes on before it begins");
    }
    if (d >= plan_.list_level) {
      bool there = d == plan_.present_level;
      if (there && o.value == o.values) throw parquet::ParquetException("the column's levels contradict its values");
      held.values.push_back(there ? values[o.value++] : kMissing);
    }
    ++o.level;
  }
  held.offsets.push_back(static_cast<std::int64_t>(held.values.size()));
  if (!any_missing) held.missing.clear();
}

void Leaf::read(int group, std::int64_t begin, std::int64_t rows, bool last, bool park, Held& held) {
  held.start(plan_.native, rows);
  if (plan_.form == Form::kNull) return all_missing(held, plan_.asked, [](auto) { return false; });
  bool list = plan_.native == Type::kList;
  if (!open_ || open_->group != group || open_->row > begin) open(group, begin);
  auto& o = *open_;
  if (list) {
    while (o.row < begin) {
      auto step = std::min(kChunk, begin - o.row);
      lists(step, held);
      held.start(plan_.native, rows);
      o.row += step;
    }
    lists(rows, held);
    if (plan_.asked != Type::kList)
      all_missing(held, plan_.asked,
                  [&](auto i) { return held.missing.empty() || !held.missing[static_cast<std::size_t>(i)]; });
  } else {
    skip(begin - o.row);
    o.row = begin;
    if (plan_.native == Type::kString)
      flat_words(rows, held);
    else
      flat_numbers(rows, held);
  }
  o.row += rows;
  if (!last && park && !list) {
    const auto& t = *o.track;
    bool spent = o.row == t.next_row;
    parked_ = {t.dictionary_end, spent ? t.stream->tell() : t.page, spent ? t.next_row : t.page_row};
    parked_group_ = group;
  }
  if (last || (park && !list)) open_.reset();
}

}  // namespace vigie::table

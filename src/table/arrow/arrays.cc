// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/extension_type.h>
#include <arrow/util/float16.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "table/arrow/arrays_internal.h"
#include "table/arrow/decimal_internal.h"

namespace vigie::table {
namespace {

using Id = arrow::Type;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// put(i) for each value that is there, kMissing for the others.
template <class Get>
void each(const arrow::Array& array, double* out, Get get) {
  auto n = array.length();
  if (array.null_count() == 0)
    for (std::int64_t i = 0; i < n; ++i) out[i] = get(i);
  else
    for (std::int64_t i = 0; i < n; ++i) out[i] = array.IsValid(i) ? get(i) : kMissing;
}

template <class Array>
void plain(const arrow::Array& array, double* out, double multiply = 1) {
  const auto* raw = static_cast<const Array&>(array).raw_values();
  each(array, out, [&](auto i) { return static_cast<double>(raw[i]) * multiply; });
}

template <class Array, class Value>
void decimals(const arrow::Array& array, double* out) {
  auto scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
  const auto& a = static_cast<const Array&>(array);
  each(array, out, [&](auto i) { return decimal_value(Value(a.GetValue(i)), scale); });
}

void instants(const arrow::Array& array, double* out) {
  const auto* raw = static_cast<const arrow::TimestampArray&>(array).raw_values();
  switch (static_cast<const arrow::TimestampType&>(*array.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return each(array, out, [&](auto i) { return static_cast<double>(raw[i]) * 1e6; });
    case arrow::TimeUnit::MILLI:
      return each(array, out, [&](auto i) { return static_cast<double>(raw[i]) * 1e3; });
    case arrow::TimeUnit::MICRO:
      return each(array, out, [&](auto i) { return static_cast<double>(raw[i]); });
    default:
      return each(array, out, [&](auto i) {
        const std::int64_t micros = raw[i] / 1000 - (raw[i] % 1000 < 0);
        return static_cast<double>(micros);
      });
  }
}

void numbers(const arrow::Array& array, double* out) {
  switch (array.type_id()) {
    case Id::BOOL:
      return each(array, out,
                  [&](auto i) { return static_cast<const arrow::BooleanArray&>(array).Value(i) ? 1.0 : 0.0; });
    case Id::INT8:
      return plain<arrow::Int8Array>(array, out);
    case Id::INT16:
      return plain<arrow::Int16Array>(array, out);
    case Id::INT32:
      return plain<arrow::Int32Array>(array, out);
    case Id::INT64:
      return plain<arrow::Int64Array>(array, out);
    case Id::UINT8:
      return plain<arrow::UInt8Array>(array, out);
    case Id::UINT16:
      return plain<arrow::UInt16Array>(array, out);
    case Id::UINT32:
      return plain<arrow::UInt32Array>(array, out);
    case Id::UINT64:
      return plain<arrow::UInt64Array>(array, out);
    case Id::TIME32:
      return plain<arrow::Time32Array>(array, out);
    case Id::TIME64:
      return plain<arrow::Time64Array>(array, out);
    case Id::DURATION:
      return plain<arrow::DurationArray>(array, out);
    case Id::FLOAT:
      return plain<arrow::FloatArray>(array, out);
    case Id::DOUBLE:
      return plain<arrow::DoubleArray>(array, out);
    case Id::DATE32:
      return plain<arrow::Date32Array>(array, out, 86400e6);
    case Id::DATE64:
      return plain<arrow::Date64Array>(array, out, 1e3);
    case Id::TIMESTAMP:
      return instants(array, out);
    case Id::HALF_FLOAT: {
      const auto& halves = static_cast<const arrow::HalfFloatArray&>(array);
      return each(array, out, [&](auto i) { return arrow::util::Float16::FromBits(halves.Value(i)).ToDouble(); });
    }
    case Id::DECIMAL32:
      return decimals<arrow::Decimal32Array, arrow::Decimal32>(array, out);
    case Id::DECIMAL64:
      return decimals<arrow::Decimal64Array, arrow::Decimal64>(array, out);
    case Id::DECIMAL128:
      return decimals<arrow::Decimal128Array, arrow::Decimal128>(array, out);
    case Id::DECIMAL256:
      return decimals<arrow::Decimal256Array, arrow::Decimal256>(array, out);
    case Id::DICTIONARY: {
      const auto& codes = static_cast<const arrow::DictionaryArray&>(array);
      std::vector<double> entries(static_cast<std::size_t>(codes.dictionary()->length()));
      numbers(*codes.dictionary(), entries.data());
      return each(array, out, [&](auto i) { return entries[static_cast<std::size_t>(codes.GetValueIndex(i))]; });
    }
    default:
      return each(array, out, [](auto) { return kMissing; });
  }
}

template <class Array>
void texts(const arrow::Array& array, Held& held, std::int32_t* codes) {
  const auto& a = static_cast<const Array&>(array);
  for (std::int64_t i = 0; i < a.length(); ++i) codes[i] = a.IsValid(i) ? held.words.code(a.GetView(i)) : -1;
}

void words(const arrow::Array& array, Held& held, std::int32_t* codes) {
  switch (array.type_id()) {
    case Id::BINARY:
      return texts<arrow::BinaryArray>(array, held, codes);
    case Id::LARGE_BINARY:
      return texts<arrow::LargeBinaryArray>(array, held, codes);
    case Id::BINARY_VIEW:
      return texts<arrow::BinaryViewArray>(array, held, codes);
    case Id::FIXED_SIZE_BINARY:
      return texts<arrow::FixedSizeBinaryArray>(array, held, codes);
    case Id::DICTIONARY: {
      const auto& a = static_cast<const arrow::DictionaryArray&>(array);
      std::vector<std::int32_t> entries(static_cast<std::size_t>(a.dictionary()->length()));
      words(*a.dictionary(), held, entries.data());
      for (std::int64_t i = 0; i < a.length(); ++i)
        codes[i] = a.IsValid(i) ? entries[static_cast<std::size_t>(a.GetValueIndex(i))] : -1;
      return;
    }
    default:
      std::fill_n(codes, array.length(), -1);
  }
}

template <class Array>
void list_rows(const arrow::Array& array, Held& held) {
  const auto& a = static_cast<const Array&>(array);
  const auto& elements = *a.values();
  // Elements may lie anywhere (views), so each list is decoded where it lies; long runs are one call.
  std::int64_t run_begin = 0, run_end = 0;
  auto flush = [&] {
    if (run_begin == run_end) return;
    auto at = held.values.size();
    held.values.resize(at + static_cast<std::size_t>(run_end - run_begin));
    numbers(*elements.Slice(run_begin, run_end - run_begin), held.values.data() + at);
  };
  std::int64_t total = 0;
  held.missing.assign(static_cast<std::size_t>(a.length()), 0);
  for (std::int64_t i = 0; i < a.length(); ++i) {
    held.offsets.push_back(total);
    if (a.IsNull(i)) {
      held.missing[static_cast<std::size_t>(i)] = 1;
      continue;
    }
    std::int64_t begin = a.value_offset(i), size = a.value_length(i);
    if (begin != run_end) {
      flush();
      run_begin = run_end = begin;
    }
    run_end += size;
    total += size;
  }
  flush();
  held.offsets.push_back(total);
  if (a.null_count() == 0) held.missing.clear();
}

void lists(const arrow::Array& array, Held& held) {
  switch (array.type_id()) {
    case Id::LIST:
      return list_rows<arrow::ListArray>(array, held);
    case Id::LARGE_LIST:
      return list_rows<arrow::LargeListArray>(array, held);
    case Id::LIST_VIEW:
      return list_rows<arrow::ListViewArray>(array, held);
    case Id::LARGE_LIST_VIEW:
      return list_rows<arrow::LargeListViewArray>(array, held);
    default:
      return list_rows<arrow::FixedSizeListArray>(array, held);
  }
}

// Extension types as what they are stored as; text as bytes, whose UTF-8 is looked at word by word and not by Arrow.
std::shared_ptr<arrow::ArrayData> as_stored(const std::shared_ptr<arrow::ArrayData>& data) {
  auto out = data->Copy();
  while (out->type->id() == Id::EXTENSION)
    out->type = static_cast<const arrow::ExtensionType&>(*out->type).storage_type();
  switch (out->type->id()) {
    case Id::STRING:
      out->type = arrow::binary();
      break;
    case Id::LARGE_STRING:
      out->type = arrow::large_binary();
      break;
    case Id::STRING_VIEW:
      out->type = arrow::binary_view();
      break;
    case Id::DICTIONARY: {
      const auto& type = static_cast<const arrow::DictionaryType&>(*out->type);
      out->dictionary = as_stored(out->dictionary);
      out->type = arrow::dictionary(type.index_type(), out->dictionary->type, type.ordered());
      break;
    }
    default:
      break;
  }
  return out;
}

}  // namespace

arrow::Result<bool> read_array(const arrow::Array& top, const ArrayPlan& plan, std::int64_t begin, std::int64_t rows,
                               Held& held) {
  ARROW_RETURN_NOT_OK(top.Validate());
  auto array = top.Slice(begin, rows);
  for (std::size_t i = 1; i < plan.path.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(array, static_cast<const arrow::StructArray&>(*array).GetFlattenedField(plan.path[i]));
  }
  array = arrow::MakeArray(as_stored(array->data()));
  ARROW_RETURN_NOT_OK(array->ValidateFull());
  held.start(plan.native, rows);
  auto n = static_cast<std::size_t>(rows);
  if (plan.native == Type::kList) {
    lists(*array, held);
    if (plan.asked != Type::kList) all_missing(held, plan.asked, [&](auto i) { return array->IsValid(i); });
  } else if (plan.native == Type::kString) {
    words(*array, held, held.codes.get(n));
    if (plan.asked == Type::kList)
      all_missing(held, plan.asked, [&](auto i) { return held.codes.data()[i] >= 0; });
    else
      convert_words(held, plan.asked);
  } else {
    auto* out = held.numbers.get(n);
    numbers(*array, out);
    if (plan.asked == Type::kList) {
      all_missing(held, plan.asked, [&](auto i) { return !std::isnan(out[i]); });
    } else if (plan.asked != plan.native) {
      auto id = array->type_id();
      // Signed and unsigned are the same bits to data()->GetValues.
      const auto* exact = id == Id::INT64 || id == Id::UINT64 ? array->data()->GetValues<std::int64_t>(1) : nullptr;
      convert_numbers(held, plan.native, plan.asked, id == Id::FLOAT || id == Id::HALF_FLOAT, exact, id == Id::UINT64);
    }
  }
  return held.words.foreign();
}

}  // namespace vigie::table

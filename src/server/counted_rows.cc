// SPDX-License-Identifier: Apache-2.0
#include "server/counted_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/call.h"
#include "base/iso_time.h"

namespace vigie::server {
namespace {

using table::Type;
constexpr std::int64_t kBatch = 65'536;
constexpr std::uint64_t kMostRows = std::uint64_t{1} << 56;
const double kNone = std::nan("");

std::string name_of(double value, Type type) {
  if (type == Type::kBoolean) return value != 0 ? "true" : "false";
  return type == Type::kTimestamp ? iso_time(value) : fmt::format("{}", value);
}

std::optional<double> number_of(std::string_view text, Type type) {
  text = trim(text);
  if (type == Type::kBoolean && (text == "true" || text == "false")) return text == "true";
  double value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

bool holds_texts(Type type) {
  return type == Type::kString;
}

}  // namespace

CountedRows::CountedRows(std::string name, table::Schema columns)
    : name_(std::move(name)), columns_(std::move(columns)), values_(columns_.size()) {}

std::uint32_t CountedRows::number(std::size_t column, double value) {
  if (std::isnan(value)) return kMissing;
  auto& of = values_[column];
  const auto [at, fresh] = of.number_at.try_emplace(value + 0.0, static_cast<std::uint32_t>(of.numbers.size()));
  if (fresh) of.numbers.push_back(value + 0.0);
  return at->second;
}

std::uint32_t CountedRows::text(std::size_t column, std::string_view value) {
  auto& of = values_[column];
  const auto [at, fresh] = of.text_at.try_emplace(std::string(value), static_cast<std::uint32_t>(of.texts.size()));
  if (fresh) of.texts.emplace_back(value);
  return at->second;
}

void CountedRows::add(const std::vector<std::uint32_t>& values, std::int64_t rows) {
  if (rows <= 0) return;
  codes_.insert(codes_.end(), values.begin(), values.end());
  counts_.push_back(rows);
  rows_ += rows;
}

void CountedRows::end_with(std::size_t column, std::uint32_t value) {
  if (counts_.empty()) return;
  if (counts_.back() > 1) {
    --counts_.back();
    const std::vector<std::uint32_t> last(codes_.end() - static_cast<std::ptrdiff_t>(columns_.size()), codes_.end());
    codes_.insert(codes_.end(), last.begin(), last.end());
    counts_.push_back(1);
  }
  codes_[codes_.size() - columns_.size() + column] = value;
}

void CountedRows::append(const CountedRows& other) {
  std::vector<std::uint32_t> values(columns_.size());
  for (std::size_t row = 0; row < other.counts_.size(); ++row) {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const auto code = other.codes_[row * columns_.size() + c];
      if (code == kMissing)
        values[c] = kMissing;
      else
        values[c] = holds_texts(columns_[c].type) ? text(c, other.values_[c].texts[code])
                                                  : number(c, other.values_[c].numbers[code]);
    }
    add(values, other.counts_[row]);
  }
}

std::int64_t CountedRows::present(std::size_t column) const {
  std::int64_t out = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (codes_[i * columns_.size() + column] != kMissing) out += counts_[i];
  return out;
}

void CountedRows::save(ByteWriter& out) const {
  out.varint(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    out.string(columns_[c].name);
    out.fixed(static_cast<std::uint8_t>(columns_[c].type));
    const auto& of = values_[c];
    out.varint(of.numbers.size() + of.texts.size());
    for (const auto number : of.numbers) out.fixed(number);
    for (const auto& text : of.texts) out.string(text);
  }
  out.varint(counts_.size());
  for (const auto code : codes_) out.varint(code == kMissing ? 0 : std::uint64_t{code} + 1);
  for (const auto count : counts_) out.varint(static_cast<std::uint64_t>(count));
}

Result<CountedRows> CountedRows::load(ByteReader& in, std::string name) {
  const auto corrupt = [] { return fail(Code::kCorrupt, "rows that were counted cannot be read"); };
  CountedRows out(std::move(name), {});
  const auto columns = in.count(3);
  for (std::uint64_t c = 0; c < columns && in.ok(); ++c) {
    table::Field field;
    field.name = in.string();
    const auto type = in.fixed<std::uint8_t>();
    if (type == 0 || type > static_cast<std::uint8_t>(Type::kString)) return corrupt();
    field.type = static_cast<Type>(type);
    auto& of = out.values_.emplace_back();
    const bool texts = holds_texts(field.type);
    for (auto left = in.count(texts ? 1 : sizeof(double)); left > 0 && in.ok(); --left)
      texts ? static_cast<void>(of.texts.emplace_back(in.string()))
            : static_cast<void>(of.numbers.push_back(in.fixed<double>()));
    out.columns_.push_back(std::move(field));
  }
  const auto different = in.count(columns + 1);
  for (std::uint64_t i = 0; i < different * columns && in.ok(); ++i) {
    const auto& of = out.values_[i % columns];
    const auto code = in.varint();
    if (code > of.numbers.size() + of.texts.size()) return corrupt();
    out.codes_.push_back(code == 0 ? kMissing : static_cast<std::uint32_t>(code - 1));
  }
  for (std::uint64_t i = 0; i < different && in.ok(); ++i) {
    const auto count = in.varint();
    if (count > kMostRows) return corrupt();
    out.counts_.push_back(static_cast<std::int64_t>(count));
    out.rows_ += out.counts_.back();
  }
  if (!in.ok()) return corrupt();
  return out;
}

/// The values of a column as those of the type that was asked for.
struct CountedRows::Converted {
  std::size_t column = 0;
  std::vector<double> numbers{};
  std::vector<std::string> texts{};
  std::vector<std::string_view> dictionary{};
  std::vector<bool> misfit{};
};

class CountedRows::Part final : public table::Batch {
 public:
  struct Piece {
    std::size_t row;
    std::int64_t times;
  };
  Part(const CountedRows& of, const table::Schema& schema, const std::vector<Converted>& values)
      : of_(of), schema_(schema), values_(values), buffers_(schema.size()) {}
  void add(Piece piece) { pieces_.push_back(piece), rows_ += piece.times; }
  std::int64_t rows() const override { return rows_; }
  Result<table::Column> column(std::size_t i) override {
    const auto& values = values_[i];
    auto& [numbers, codes, misfits] = buffers_[i];
    table::Column out;
    out.type = schema_[i].type;
    if (out.type == Type::kSkip) return out;
    const bool texts = holds_texts(out.type);
    numbers.clear(), codes.clear(), misfits.clear();
    for (const auto& [row, times] : pieces_) {
      const auto code = of_.codes_[row * of_.columns_.size() + values.column];
      const auto n = static_cast<std::size_t>(times);
      if (code != kMissing && !texts && values.misfit[code])
        for (std::size_t k = 0; k < n; ++k) misfits.push_back(static_cast<std::uint32_t>(numbers.size() + k));
      if (texts)
        codes.insert(codes.end(), n, code == kMissing ? -1 : static_cast<std::int32_t>(code));
      else
        numbers.insert(numbers.end(), n, code == kMissing ? kNone : values.numbers[code]);
    }
    out.numbers = numbers, out.codes = codes, out.dictionary = values.dictionary, out.misfits = misfits;
    return out;
  }

 private:
  struct Buffer {
    std::vector<double> numbers;
    std::vector<std::int32_t> codes;
    std::vector<std::uint32_t> misfits;
  };
  const CountedRows& of_;
  const table::Schema& schema_;
  const std::vector<Converted>& values_;
  std::vector<Buffer> buffers_;
  std::vector<Piece> pieces_;
  std::int64_t rows_ = 0;
};

class CountedRows::Pass final : public table::Reader {
 public:
  Pass(const CountedRows& of, const std::optional<table::Schema>& types) : of_(of) {
    for (std::size_t c = 0; c < of.columns_.size(); ++c) {
      auto field = of.columns_[c];
      if (types) {
        const auto asked = std::ranges::find(*types, field.name, &table::Field::name);
        if (asked == types->end() || asked->type == Type::kSkip) continue;
        field.type = asked->type;
      }
      convert(c, field.type);
      schema_.push_back(std::move(field));
    }
  }
  const table::Schema& schema() const override { return schema_; }
  Result<std::unique_ptr<table::Batch>> next() override {
    if (at_ == of_.counts_.size()) return std::unique_ptr<table::Batch>();
    auto out = std::make_unique<Part>(of_, schema_, values_);
    while (at_ < of_.counts_.size() && out->rows() < kBatch) {
      const auto some = std::min(of_.counts_[at_] - taken_, kBatch - out->rows());
      out->add({at_, some});
      taken_ += some, read_ += some;
      if (taken_ == of_.counts_[at_]) ++at_, taken_ = 0;
    }
    return std::unique_ptr<table::Batch>(std::move(out));
  }
  bool settled() const override { return true; }
  const table::Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override { return static_cast<std::uint64_t>(read_); }

 private:
  void convert(std::size_t column, Type type) {
    const auto& from = of_.values_[column];
    auto& to = values_.emplace_back(Converted{.column = column});
    const auto own = of_.columns_[column].type;
    if (holds_texts(type)) {
      to.texts = from.texts;
      for (const auto number : from.numbers) to.texts.push_back(name_of(number, own));
      to.dictionary.assign(to.texts.begin(), to.texts.end());
      return;
    }
    to.numbers = from.numbers, to.misfit.assign(from.numbers.size(), false);
    for (const auto& text : from.texts) {
      const auto number = number_of(text, type);
      to.numbers.push_back(number.value_or(kNone)), to.misfit.push_back(!number);
    }
  }

  const CountedRows& of_;
  table::Schema schema_;
  std::vector<Converted> values_;
  std::size_t at_ = 0;
  std::int64_t taken_ = 0, read_ = 0;
  table::Problems problems_;
};

Result<std::unique_ptr<table::Reader>> CountedRows::open(const std::optional<table::Schema>& types) {
  return std::unique_ptr<table::Reader>(std::make_unique<Pass>(*this, types));
}

}  // namespace vigie::server

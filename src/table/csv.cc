// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "table/bytes_source_internal.h"
#include "table/csv_block_internal.h"
#include "table/csv_head_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kMostBlocks = 16;       // decoded at once, whatever the threads: bounds the memory
constexpr std::size_t kWideBlock = 16 << 20;  // of a file of very many columns
constexpr std::size_t kLateNotes = 8;

std::string_view a_what(Type type) {
  switch (type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kInteger:
    case Type::kFloat:
      return "a number";
    case Type::kTimestamp:
      return "a timestamp";
    default:
      return "a list of numbers";
  }
}

class CsvBatch final : public Batch {
 public:
  CsvBatch(const CsvBlock& block, const Schema& types) : block_(block), types_(types) {}
  std::int64_t rows() const override { return static_cast<std::int64_t>(block_.rows()); }
  Result<Column> column(std::size_t i) override { return block_.column(i, types_[i].type); }

 private:
  const CsvBlock& block_;
  const Schema& types_;
};

class CsvReader final : public TextReader {
 public:
  CsvReader(std::shared_ptr<InputFile> file, std::unique_ptr<BytesSource> source, const ReadOptions& options,
            std::size_t block_size)
      : file_(std::move(file)), source_(std::move(source)), options_(options), block_size_(block_size) {}

  Status start(const std::optional<Schema>& types, const TextStart& start);
  const Schema& schema() const override { return over_ ? final_ : schema_; }
  Result<std::unique_ptr<Batch>> next() override;
  bool settled() const override { return settled_; }
  const Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override { return source_->consumed(); }
  const std::vector<Seen>& seen() const override { return seen_; }

 private:
  Status fill(CsvBlock& block);
  Status open_head(CsvBlock& block);
  Status check_nul(const CsvBlock& block) const;
  void choose_types(const CsvBlock& block, const std::optional<Schema>& types, const TextStart& start);
  void fetch();
  Status account(const CsvBlock& block);
  void account_misfits(const CsvBlock& block);
  void reject(std::string message);
  void finish();
  const std::string& path() const { return file_->path(); }

  std::shared_ptr<InputFile> file_;
  std::unique_ptr<BytesSource> source_;
  ReadOptions options_;
  std::size_t block_size_;
  CsvPlan plan_;
  char delimiter_ = ',';
  Schema schema_, final_;
  Problems problems_;
  std::vector<std::unique_ptr<CsvBlock>> blocks_;  // a ring of memory; [0, ready_) are decoded
  std::size_t ready_ = 0, cursor_ = 0;
  bool first_waits_ = false;  // blocks_[0] was filled by start() and not yet decoded
  std::string carry_;         // the record cut off by the end of the last block
  std::uint64_t line_ = 1, offset_ = 0;
  bool at_end_ = false, over_ = false, settled_ = true, said_latin1_ = false;
  std::string torn_;  // what to say of a record that the end of the file cuts off
  std::optional<Error> error_;
  std::vector<Seen> seen_;
  std::size_t late_notes_ = 0, late_more_ = 0, misfit_notes_ = 0, ragged_notes_ = 0;
  std::vector<bool> late_;  // columns whose first contradiction was noted
};

// Reads on until the block holds a whole record.
Status CsvReader::fill(CsvBlock& block) {
  auto target = std::max(block_size_, 2 * carry_.size());
  if (block.text.size() < target + CsvIndex::kPadding) block.text.resize(target + CsvIndex::kPadding);
  std::memcpy(block.text.data(), carry_.data(), carry_.size());
  block.size = carry_.size();
  block.first_line = line_;
  block.skip = 0;
  bool opened = line_ > 1 || offset_ > 0;
  if (opened) block.index.reset(delimiter_);
  while (true) {
    auto wanted = target - block.size;
    VIGIE_ASSIGN(auto n, source_->read(block.text.data() + block.size, wanted));
    block.size += n;
    at_end_ = n < wanted;
    if (!opened) {
      VIGIE_TRY(open_head(block));
      opened = delimiter_ != 0;
    }
    if (opened) block.index.extend(block.text.data(), block.size, at_end_);
    if (opened && (at_end_ || !block.index.records().empty())) break;
    if (block.size >= kRecordLimit)
      return fail(Code::kInput,
                  fmt::format("{}:{}: a record longer than 64 MB; is a quote never closed?", path(), line_));
    target = std::min(2 * target, kRecordLimit);
    block.text.resize(target + CsvIndex::kPadding);
  }
  VIGIE_TRY(check_nul(block));
  auto complete = std::min(block.index.complete(), block.size);
  carry_.assign(block.text.data() + complete, block.size - complete);
  offset_ += complete;
  line_ += block.index.has_embedded() ? block.lines() : block.index.records().size();
  if (at_end_ && !carry_.empty())
    torn_ = fmt::format("{}:{}: the quote opened in this record is never closed", path(), line_);
  return {};
}

// Byte order mark and delimiter, once enough of the file is there: delimiter_ stays 0 until then.
Status CsvReader::open_head(CsvBlock& block) {
  std::string_view text(block.text.data(), block.size);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return fail(Code::kInput, fmt::format("{}: UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)", path()));
  if (text.starts_with("\xef\xbb\xbf")) {
    block.size -= 3;
    std::memmove(block.text.data(), block.text.data() + 3, block.size);
    text = {block.text.data(), block.size};
    offset_ += 3;
  }
  delimiter_ = 0;
  auto head = sniff_csv(text, at_end_);
  if (!head.complete) {
    if (!at_end_) return {};
    if (auto nul = text.find('\0'); nul != text.npos)
      return fail(Code::kInput, fmt::format("{}: NUL byte at offset {}: not a text file", path(), offset_ + nul));
    return fail(Code::kInput, fmt::format("{}: the file is empty", path()));
  }
  delimiter_ = options_.delimiter ? options_.delimiter : options_.format == "tsv" ? '\t' : head.delimiter;
  block.skip = head.blank;
  block.index.reset(delimiter_);
  return {};
}

Status CsvReader::check_nul(const CsvBlock& block) const {
  if (!block.index.has_nul()) return {};
  auto at = static_cast<const char*>(std::memchr(block.text.data(), 0, block.size));
  if (!at) return {};
  return fail(Code::kInput,
              fmt::format("{}:{}: NUL byte at offset {}: not a text file, or UTF-16 without a mark", path(),
                          block.first_line + static_cast<std::uint64_t>(std::count(block.text.data(), at, '\n')),
                          offset_ + static_cast<std::uint64_t>(at - block.text.data())));
}

Status CsvReader::start(const std::optional<Schema>& types, const TextStart& start) {
  blocks_.push_back(std::make_unique<CsvBlock>());
  auto& block = *blocks_[0];
  delimiter_ = 0;
  VIGIE_TRY(fill(block));
  while (block.skip >= block.index.records().size()) {
    // Blank lines that fill a block, or a header that the end of the file cuts off within quotes.
    if (at_end_) return fail(Code::kInput, torn_.empty() ? path() + ": no header" : torn_);
    auto skip = block.skip - block.index.records().size();
    VIGIE_TRY(fill(block));
    block.skip = skip;
  }
  auto header = block.index.records()[block.skip++];
  auto place = fmt::format("{}:{}", path(), block.line_of(header));
  std::vector<std::string> fields;
  for (std::size_t j = 0; j < header.fields; ++j) {
    fields.push_back(block.field_text(header, j));
    if (fields.back().find('\r') != std::string::npos && block.index.records().size() == 1 && at_end_)
      return fail(Code::kInput, fmt::format("{}: lines end in a lone CR; convert it first (tr '\\r' '\\n')", place));
  }
  VIGIE_ASSIGN(fields, csv_names(std::move(fields), place, problems_.notes));
  for (auto& name : fields) schema_.push_back({std::move(name), Type::kString});
  plan_.columns.resize(schema_.size());
  plan_.decimal = options_.decimal;
  plan_.keep_ragged = options_.keep_ragged;
  // Wide files need long blocks, or every batch has a handful of rows.
  if (block_size_ == kTextBlock) block_size_ = std::clamp(schema_.size() * 5000, kTextBlock, kWideBlock);
  block.sort_out(plan_);
  while (block.rows() == 0 && block.ragged == 0 && !at_end_) {
    VIGIE_TRY(fill(block));
    block.sort_out(plan_);
  }
  if (block.rows() == 0 && block.ragged == 0 && torn_.empty())
    return fail(Code::kInput, fmt::format("{}: no rows after the header", path()));
  choose_types(block, types, start);
  first_waits_ = true;
  return {};
}

void CsvReader::choose_types(const CsvBlock& block, const std::optional<Schema>& types, const TextStart& start) {
  seen_.assign(schema_.size(), 0);
  late_.assign(schema_.size(), false);
  std::map<std::string_view, Type> given;
  if (types)
    for (const auto& field : *types) given[field.name] = field.type;
  parallel_for(schema_.size(), options_.threads, [&](std::size_t j) {
    auto& column = plan_.columns[j];
    column.fixed = true;
    if (types) {
      auto it = given.find(schema_[j].name);
      column.type = it == given.end() ? Type::kSkip : it->second;
    } else if (auto it = options_.schema.find(schema_[j].name); it != options_.schema.end()) {
      column.type = it->second;
    } else {
      if (auto other = start.seen.find(schema_[j].name); other != start.seen.end()) seen_[j] = other->second;
      seen_[j] |= block.look(j, plan_.decimal);
      column = {type_of(seen_[j]), false};
    }
    schema_[j].type = column.type;
  });
  for (std::size_t j = 0; j < schema_.size() && plan_.decimal == '.'; ++j) {
    if (plan_.columns[j].fixed || schema_[j].type != Type::kString) continue;
    if (auto row = block.decimal_comma(j)) {
      problems_.notes.push_back(fmt::format("{}:{}: column {}: {} is not a number (use --decimal ',')", path(),
                                            block.line_of_row(*row), quoted(schema_[j].name),
                                            quoted(block.cell_text(*row, j))));
      break;
    }
  }
  final_ = schema_;
}

// Reads and decodes the next blocks. An error waits until the rows before it are delivered.
void CsvReader::fetch() {
  ready_ = cursor_ = 0;
  auto threads = thread_count(options_.threads);
  auto most = threads == 1 ? 1 : std::min<std::size_t>(2 * threads, kMostBlocks);
  if (block_size_ > kTextBlock) most = std::max<std::size_t>(1, most * kTextBlock / block_size_);
  while (blocks_.size() < most) blocks_.push_back(std::make_unique<CsvBlock>());
  bool sorted = first_waits_;
  if (std::exchange(first_waits_, false)) ++ready_;
  while (ready_ < most && !at_end_) {
    if (auto status = fill(*blocks_[ready_]); !status) {
      error_ = std::move(status.error());
      break;
    }
    ++ready_;
  }
  parallel_for(ready_, options_.threads, [&](std::size_t i) {
    if (i > 0 || !sorted) blocks_[i]->sort_out(plan_);
    blocks_[i]->decode(plan_);
  });
}

Result<std::unique_ptr<Batch>> CsvReader::next() {
  while (true) {
    if (cursor_ == ready_) {
      if (error_) return *error_;
      if (!at_end_ || first_waits_) fetch();
      if (ready_ == cursor_) {
        if (error_) return *error_;
        if (!over_) {
          if (!torn_.empty()) {
            if (options_.strict) return *(error_ = fail(Code::kInput, torn_));
            reject(torn_);
          }
          finish();
        }
        return std::unique_ptr<Batch>();
      }
    }
    const CsvBlock& block = *blocks_[cursor_++];
    if (auto status = account(block); !status) {
      cursor_ = ready_;
      return *(error_ = std::move(status.error()));
    }
    if (block.rows() > 0) return std::unique_ptr<Batch>(std::make_unique<CsvBatch>(block, schema_));
  }
}

void CsvReader::reject(std::string message) {
  ++problems_.rejected;
  if (problems_.messages.size() < 3) problems_.messages.push_back(std::move(message));
}

// Adds what was wrong in a block to what was wrong before.
Status CsvReader::account(const CsvBlock& block) {
  std::int64_t said = 0;
  for (const auto& record : block.first_ragged) {
    auto message = fmt::format("{}:{}: {} field{} where the header has {}", path(), block.line_of(record),
                               record.fields, record.fields == 1 ? "" : "s", schema_.size());
    ++said;
    if (options_.keep_ragged) {
      if (++ragged_notes_ <= 3)
        problems_.notes.push_back(message + (record.fields < schema_.size() ? "; filled" : "; cut"));
    } else if (options_.strict) {
      return fail(Code::kInput, std::move(message));
    } else {
      reject(std::move(message));
    }
  }
  if (!options_.keep_ragged) problems_.rejected += block.ragged - said;
  if (block.not_utf8 && !std::exchange(said_latin1_, true))
    problems_.notes.push_back(
        fmt::format("{}:{}: not UTF-8; such cells are read as Latin-1", path(), block.not_utf8_line));
  if (block.rows() > 0) account_misfits(block);
  return {};
}

void CsvReader::account_misfits(const CsvBlock& block) {
  struct Place {
    std::uint32_t row;
    std::size_t column;
  };
  std::vector<Place> places;
  for (std::size_t j = 0; j < schema_.size(); ++j) {
    const auto& column = block.result(j);
    bool fixed = plan_.columns[j].fixed;
    if (!fixed) {
      // A column in which nothing was seen before is not contradicted by what comes first.
      if (!column.first.empty() && seen_[j] != 0 && !late_[j]) {
        late_[j] = true;
        places.push_back({column.first[0].row, j});
      }
      seen_[j] |= column.seen;
      continue;
    }
    for (const auto& misfit : column.first) places.push_back({misfit.row, j});
  }
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return a.row != b.row ? a.row < b.row : a.column < b.column; });
  for (const auto& [row, j] : places) {
    bool fixed = plan_.columns[j].fixed;
    if (fixed ? misfit_notes_ >= 3 : late_notes_ >= kLateNotes) {
      if (!fixed) ++late_more_;
      continue;
    }
    ++(fixed ? misfit_notes_ : late_notes_);
    auto text = block.cell_text(row, j);
    double value;
    bool integer;
    bool comma = plan_.decimal == '.' && (schema_[j].type == Type::kInteger || schema_[j].type == Type::kFloat) &&
                 parse_number(trimmed(text), ',', value, integer);
    problems_.notes.push_back(fmt::format("{}:{}: column {}: {} is not {}{}{}", path(), block.line_of_row(row),
                                          quoted(schema_[j].name), quoted(text), a_what(schema_[j].type),
                                          fixed ? "" : ", as all before it", comma ? " (use --decimal ',')" : ""));
  }
}

void CsvReader::finish() {
  over_ = true;
  if (late_more_) problems_.notes.push_back(fmt::format("{}: so it is in {} more columns", path(), late_more_));
  for (std::size_t j = 0; j < schema_.size(); ++j) {
    if (plan_.columns[j].fixed) continue;
    final_[j].type = type_of(seen_[j]);
    bool numbers = (schema_[j].type == Type::kInteger || schema_[j].type == Type::kFloat) &&
                   (final_[j].type == Type::kInteger || final_[j].type == Type::kFloat);
    if (final_[j].type != schema_[j].type && !numbers && schema_[j].type != Type::kString) settled_ = false;
    // What looked like strings from the start stays so: only the block looked at is known in full.
    if (schema_[j].type == Type::kString) final_[j].type = Type::kString;
  }
}

}  // namespace

Result<std::unique_ptr<TextReader>> open_csv(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                             const std::optional<Schema>& types, const TextStart& start) {
  VIGIE_ASSIGN(auto source, open_bytes(file));
  auto reader = std::make_unique<CsvReader>(std::move(file), std::move(source), options, start.block_size);
  VIGIE_TRY(reader->start(types, start));
  return std::unique_ptr<TextReader>(std::move(reader));
}

}  // namespace vigie::table

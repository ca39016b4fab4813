// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "table/blocked_internal.h"
#include "table/csv_block_internal.h"
#include "table/csv_head_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kWideBlock = 16 << 20;  // of a file of very many columns

class CsvReader final : public BlockedReader<CsvBlock> {
 public:
  CsvReader(std::shared_ptr<InputFile> file, std::unique_ptr<BytesSource> source, const ReadOptions& options,
            std::size_t block_size)
      : BlockedReader(std::move(file), std::move(source), options, block_size) {}

  Status start(const std::optional<Schema>& types, const TextStart& start);
  const std::vector<Seen>& seen() const override { return watch_.seen(); }

 private:
  Status fill(CsvBlock& block) override;
  void decode(CsvBlock& block) override {
    if (!block.sorted) block.sort_out(plan_);
    block.decode(plan_);
  }
  Status account(const CsvBlock& block) override;
  Status finish() override;
  Status open_head(CsvBlock& block);
  Status check_nul(const CsvBlock& block) const;
  void choose_types(const CsvBlock& block, const std::optional<Schema>& types, const TextStart& start);

  CsvPlan plan_;
  char delimiter_ = 0;
  std::string carry_;  // the record cut off by the end of the last block
  std::uint64_t line_ = 1, offset_ = 0;
  bool said_latin1_ = false;
  std::string torn_;  // what to say of a record that the end of the file cuts off
  std::int64_t ragged_notes_ = 0;
  TypeWatch watch_;
};

// Reads on until the block holds a whole record.
Status CsvReader::fill(CsvBlock& block) {
  auto target = std::max(block_size_, 2 * carry_.size());
  if (block.text.size() < target + CsvIndex::kPadding) block.text.resize(target + CsvIndex::kPadding);
  std::memcpy(block.text.data(), carry_.data(), carry_.size());
  block.size = carry_.size();
  block.first_line = line_;
  block.skip = 0;
  block.sorted = false;
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
  if (at_end_ && !carry_.empty()) {
    torn_ = fmt::format("{}:{}: the quote opened in this record is never closed", path(), line_);
    // One line may be left out. Where more are in the quote, nobody knows how many records are missing.
    const auto swallowed = std::count(carry_.begin(), carry_.end() - 1, '\n');
    if (swallowed > 0)
      return fail(Code::kInput, fmt::format("{}, and {} after it cannot be read: a torn file", torn_,
                                            plural(static_cast<long long>(swallowed), "line")));
  }
  return {};
}

// Byte order mark and delimiter, once enough of the file is there: delimiter_ stays 0 until then.
Status CsvReader::open_head(CsvBlock& block) {
  std::string_view text(block.text.data(), block.size);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return fail(Code::kInput, fmt::format("{}: UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)", path()));
  if (offset_ == 0 && text.starts_with("\xef\xbb\xbf")) {
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
  auto& block = first_block();
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
  first_waits();
  return {};
}

void CsvReader::choose_types(const CsvBlock& block, const std::optional<Schema>& types, const TextStart& start) {
  std::vector<Seen> seen(schema_.size(), 0);
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
      if (auto other = start.seen.find(schema_[j].name); other != start.seen.end()) seen[j] = other->second;
      seen[j] |= block.look(j, plan_.decimal);
      column = {type_of(seen[j]), false};
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
  watch_.start(path(), plan_.decimal, &schema_, plan_.columns, std::move(seen));
}

Status CsvReader::account(const CsvBlock& block) {
  for (const auto& record : block.first_ragged) {
    auto message = fmt::format("{}:{}: {} field{} where the header has {}", path(), block.line_of(record),
                               record.fields, record.fields == 1 ? "" : "s", schema_.size());
    if (!options_.keep_ragged) {
      VIGIE_TRY(reject(std::move(message)));
    } else if (++ragged_notes_ <= 3) {
      problems_.notes.push_back(message + (record.fields < schema_.size() ? "; filled" : "; cut"));
    }
  }
  auto said = static_cast<std::int64_t>(block.first_ragged.size());
  if (!options_.keep_ragged) {
    problems_.rejected += block.ragged - said;
  } else {
    ragged_notes_ += block.ragged - said;
  }
  if (block.not_utf8 && !std::exchange(said_latin1_, true))
    problems_.notes.push_back(
        fmt::format("{}:{}: not UTF-8; such cells are read as Latin-1", path(), block.not_utf8_line));
  if (block.rows() > 0)
    watch_.add(
        schema_.size(), [&](std::size_t j) -> const DecodedColumn& { return block.result(j); },
        [&](std::size_t row) { return block.line_of_row(row); },
        [&](std::size_t row, std::size_t j) { return block.cell_text(row, j); }, problems_.notes);
  return {};
}

Status CsvReader::finish() {
  if (!torn_.empty()) VIGIE_TRY(reject(torn_));
  if (ragged_notes_ > 3)
    problems_.notes.push_back(
        fmt::format("{}: {} records in all had too few or too many fields", path(), ragged_notes_));
  watch_.finish(final_, settled_, problems_.notes);
  return {};
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

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "table/blocked_internal.h"
#include "table/cell_internal.h"
#include "table/ndjson_block_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kMostColumns = 20000;

// Whether a key that only was null is elsewhere an object: `a` beside `a.b` is then no column.
bool is_null_object(const std::string& name, Seen seen, const auto& fields) {
  return seen == 0 && std::any_of(fields.begin(), fields.end(), [&](const auto& other) {
           return other.name.size() > name.size() + 1 && other.name[name.size()] == '.' && other.name.starts_with(name);
         });
}

class NdjsonReader final : public BlockedReader<JsonBlock> {
 public:
  NdjsonReader(std::shared_ptr<InputFile> file, std::unique_ptr<BytesSource> source, const ReadOptions& options,
               std::size_t block_size)
      : BlockedReader(std::move(file), std::move(source), options, block_size) {}

  Status start(const std::optional<Schema>& types, const TextStart& start);
  const std::vector<Seen>& seen() const override { return watch_.seen(); }

 private:
  Status fill(JsonBlock& block) override;
  void decode(JsonBlock& block) override { block.decode(plan_); }
  Status account(const JsonBlock& block) override;
  Status finish() override;
  Status account_rejects(const JsonBlock& block);
  Status open_head(JsonBlock& block, std::size_t& size);
  std::size_t split_lines(JsonBlock& block, std::size_t size) const;
  std::int32_t add_column(const std::string& name, Type type, bool fixed, Seen seen);

  JsonPlan plan_;
  std::vector<Seen> start_seen_;
  bool opened_ = false, array_ = false, closed_ = false;
  std::string carry_;
  std::uint64_t line_ = 1, offset_ = 0;
  std::vector<JsonFind> finds_;
  std::unordered_map<std::string, std::size_t> find_index_;  // by name
  TypeWatch watch_;
};

// Reads on until the block holds a whole record.
Status NdjsonReader::fill(JsonBlock& block) {
  auto target = std::max(block_size_, 2 * carry_.size());
  if (block.text.size() < target + JsonBlock::kPadding) block.text.resize(target + JsonBlock::kPadding);
  std::memcpy(block.text.data(), carry_.data(), carry_.size());
  auto size = carry_.size();
  block.first_line = line_;
  std::size_t whole = 0;
  while (true) {
    auto wanted = target - size;
    VIGIE_ASSIGN(auto n, source_->read(block.text.data() + size, wanted));
    size += n;
    at_end_ = n < wanted;
    if (!opened_) VIGIE_TRY(open_head(block, size));
    if (opened_) whole = array_ ? block.split_array(size, at_end_, closed_) : split_lines(block, size);
    if (at_end_ || whole > 0) break;
    if (size >= kRecordLimit)
      return fail(Code::kInput, fmt::format("{}:{}: a record longer than 64 MB", path(), line_));
    target = std::min(2 * target, kRecordLimit);
    block.text.resize(target + JsonBlock::kPadding);
  }
  // Bytes that no record owns must not look like one to a parser that peeks beyond the end.
  std::memset(block.text.data() + size, ' ', JsonBlock::kPadding);
  if (auto nul = std::string_view(block.text.data(), size).find('\0'); nul != std::string_view::npos) {
    auto line = line_ + static_cast<std::uint64_t>(std::count(block.text.data(), block.text.data() + nul, '\n'));
    return fail(Code::kInput,
                fmt::format("{}:{}: NUL byte at offset {}: not a text file", path(), line, offset_ + nul));
  }
  block.size = whole;
  carry_.assign(block.text.data() + whole, size - whole);
  offset_ += whole;
  line_ += array_ ? static_cast<std::uint64_t>(std::count(block.text.data(), block.text.data() + whole, '\n'))
                  : block.split_lines();
  return {};
}

// Byte order mark, and whether the file is one array.
Status NdjsonReader::open_head(JsonBlock& block, std::size_t& size) {
  char* text = block.text.data();
  std::string_view head(text, size);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff"))
    return fail(Code::kInput, fmt::format("{}: UTF-16 text; convert it first (iconv -f UTF-16 -t UTF-8)", path()));
  if (offset_ == 0 && head.starts_with("\xef\xbb\xbf")) {
    size -= 3;
    std::memmove(text, text + 3, size);
    offset_ += 3;
  }
  auto first = std::find_if_not(text, text + size, is_blank);
  if (first == text + size) {
    if (at_end_) return fail(Code::kInput, fmt::format("{}: the file is empty", path()));
    return {};
  }
  opened_ = true;
  array_ = *first == '[';
  if (array_) *first = ' ';
  return {};
}

std::size_t NdjsonReader::split_lines(JsonBlock& block, std::size_t size) const {
  if (at_end_) return size;
  auto last = static_cast<const char*>(::memrchr(block.text.data(), '\n', size));
  return last ? static_cast<std::size_t>(last + 1 - block.text.data()) : 0;
}

std::int32_t NdjsonReader::add_column(const std::string& name, Type type, bool fixed, Seen seen) {
  auto column = static_cast<std::int32_t>(schema_.size());
  schema_.push_back({name, type});
  plan_.columns.push_back({type, fixed});
  plan_.by_name.emplace(name, column);
  start_seen_.push_back(seen);
  return column;
}

Status NdjsonReader::start(const std::optional<Schema>& types, const TextStart& start) {
  auto& block = first_block();
  JsonPlan look;
  look.discover = true;
  while (true) {
    VIGIE_TRY(fill(block));
    block.decode(look);
    if (block.rows() > 0 || at_end_) break;
    VIGIE_TRY(account_rejects(block));
  }
  if (block.rows() == 0 && block.rejected == 0 && problems_.rejected == 0 && (!array_ || closed_))
    return fail(Code::kInput, fmt::format("{}: no rows", path()));
  plan_.discover = !types;
  std::unordered_map<std::string, Type> given;
  if (types)
    for (const auto& field : *types)
      if (field.type != Type::kSkip) given.emplace(field.name, field.type);
  // Of keys that only differ in their spelling (escapes), the column is one.
  std::unordered_map<std::string, Seen> seen;
  for (const auto& find : block.finds) seen[find.name] |= find.seen;
  for (const auto& [name, what] : start.seen) seen[name] |= what;
  for (const auto& find : block.finds) {
    auto it = plan_.by_name.find(find.name);
    std::int32_t column = it == plan_.by_name.end() ? -1 : it->second;
    if (!types && column < 0 && is_null_object(find.name, seen[find.name], block.finds)) continue;
    if (column < 0 && types) {
      if (auto type = given.find(find.name); type != given.end()) column = add_column(find.name, type->second, true, 0);
    } else if (column < 0) {
      auto fixed = options_.schema.find(find.name);
      column = fixed == options_.schema.end() ? add_column(find.name, type_of(seen[find.name]), false, seen[find.name])
                                              : add_column(find.name, fixed->second, true, 0);
    }
    if (column >= 0) plan_.tree.insert(find.path, column);
  }
  // A key may be rare: what other files or the caller know of is looked for to the end.
  if (types && !(schema_.empty() && at_end_))
    for (const auto& field : *types)
      if (field.type != Type::kSkip && !plan_.by_name.contains(field.name)) add_column(field.name, field.type, true, 0);
  if (!types)
    for (const auto& [name, what] : start.seen)
      if (!plan_.by_name.contains(name)) {
        auto fixed = options_.schema.find(name);
        if (fixed == options_.schema.end()) {
          add_column(name, type_of(what), false, what);
        } else {
          add_column(name, fixed->second, true, 0);
        }
      }
  if (schema_.size() > kMostColumns)
    return fail(Code::kInput, fmt::format("{}: {} different keys; more than {} are no columns", path(), schema_.size(),
                                          kMostColumns));
  final_ = schema_;
  watch_.start(path(), 0, &schema_, plan_.columns, start_seen_);
  first_waits();
  return {};
}

Status NdjsonReader::account_rejects(const JsonBlock& block) {
  for (const auto& [line, at, reason] : block.first_rejected)
    VIGIE_TRY(reject(fmt::format("{}:{}: {}", path(), line, reason)));
  problems_.rejected += block.rejected - static_cast<std::int64_t>(block.first_rejected.size());
  return {};
}

Status NdjsonReader::account(const JsonBlock& block) {
  VIGIE_TRY(account_rejects(block));
  for (const auto& find : block.finds) {
    auto [it, fresh] = find_index_.emplace(find.name, finds_.size());
    if (fresh) {
      finds_.push_back(find);
      if (schema_.size() + finds_.size() > kMostColumns)
        return fail(Code::kInput, fmt::format("{}: more than {} different keys", path(), kMostColumns));
    } else {
      finds_[it->second].seen |= find.seen;
    }
  }
  if (block.rows() > 0)
    watch_.add(
        schema_.size(), [&](std::size_t j) -> const DecodedColumn& { return block.result(j); },
        [&](std::size_t row) { return block.line_of_row(row); },
        [&](std::size_t row, std::size_t j) { return block.cell_text(row, j); }, problems_.notes);
  return {};
}

Status NdjsonReader::finish() {
  if (array_ && !closed_)
    return fail(Code::kInput, fmt::format("{}:{}: the array is never closed: a torn file", path(), line_));
  watch_.finish(final_, settled_, problems_.notes);
  for (const auto& find : finds_) {
    if (is_null_object(find.name, find.seen, schema_) || is_null_object(find.name, find.seen, finds_)) continue;
    auto fixed = options_.schema.find(find.name);
    final_.push_back({find.name, fixed == options_.schema.end() ? type_of(find.seen) : fixed->second});
    settled_ = false;
  }
  if (settled_) return {};
  const auto& seen = watch_.seen();
  for (std::size_t j = schema_.size(); j-- > 0;)
    if (!plan_.columns[j].fixed && is_null_object(schema_[j].name, seen[j], final_))
      final_.erase(final_.begin() + static_cast<std::ptrdiff_t>(j));
  return {};
}

}  // namespace

Result<std::unique_ptr<TextReader>> open_ndjson(std::shared_ptr<InputFile> file, const ReadOptions& options,
                                                const std::optional<Schema>& types, const TextStart& start) {
  VIGIE_ASSIGN(auto source, open_bytes(file));
  auto reader = std::make_unique<NdjsonReader>(std::move(file), std::move(source), options, start.block_size);
  VIGIE_TRY(reader->start(types, start));
  return std::unique_ptr<TextReader>(std::move(reader));
}

}  // namespace vigie::table

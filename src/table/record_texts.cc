// SPDX-License-Identifier: Apache-2.0
#include "table/record_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.h"
#include "table/bytes_source_internal.h"
#include "table/cell_internal.h"
#include "table/input_internal.h"
#include "table/json_cells.h"
#include "table/json_rows.h"
#include "table/ndjson_block_internal.h"

namespace vigie::table {
namespace {

constexpr std::string_view kStamp = "@timestamp";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Error no_time(const std::string& column, const std::string& source) {
  return fail(Code::kUsage, fmt::format("--timestamp: column {} of {} is no time (ISO 8601 or epoch numbers)",
                                        quoted(column), source));
}

// The place of the column of the time; that of none: as many as there are.
std::size_t find_time(const std::vector<std::string>& names, const std::string& given) {
  const auto find = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  if (!given.empty()) return find(given);
  const auto stamp = find(kStamp);
  return stamp < names.size() ? stamp : find("timestamp");
}

bool can_be_time(Type type) {
  return type == Type::kTimestamp || type == Type::kInteger || type == Type::kFloat;
}

// Lines of NDJSON, of which the time and the id are looked at.
class Lines final : public RecordTexts {
 public:
  Lines(std::vector<Part> parts, const ReadOptions& options, const RecordKeys& keys)
      : parts_(std::move(parts)), strict_(options.strict), time_name_(keys.time) {
    for (const auto& part : parts_) files_.push_back(part.path), bytes_ += part.bytes;
    const auto add = [&](std::string_view name, Type type) {
      std::vector<std::string> path;
      for (std::string_view rest = name;;) {
        const auto dot = name == kStamp ? rest.npos : rest.find('.');
        path.emplace_back(rest.substr(0, dot));
        if (dot == rest.npos) break;
        rest.remove_prefix(dot + 1);
      }
      plan_.tree.insert(path, static_cast<std::int32_t>(plan_.columns.size()));
      if (path.size() > 1) plan_.tree.insert({std::string(name)}, static_cast<std::int32_t>(plan_.columns.size()));
      plan_.columns.push_back({type, true});
      return plan_.columns.size() - 1;
    };
    plan_.closed = true;
    stamp_ = time_ = add(kStamp, Type::kTimestamp);
    const auto name = keys.time.empty() ? std::string("timestamp") : keys.time;
    if (name != kStamp) time_ = add(name, Type::kTimestamp);
    if (!keys.id.empty()) id_ = add(keys.id, Type::kString);
  }

  Result<std::span<const RecordText>> next() override {
    records_.clear();
    while (records_.empty()) {
      VIGIE_ASSIGN(const bool more, fill());
      if (!more) break;
    }
    return std::span<const RecordText>(records_);
  }
  const Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override { return done_ + (source_ ? source_->consumed() : 0); }

  // Instead of the first next(); goes on until these keys were met.
  Result<RecordsHead> look(std::vector<std::string> keys) {
    RecordsHead head;
    head.lines = true;
    bool other = false;  // values that are no times
    do {
      VIGIE_ASSIGN(const auto records, next());
      if (records.empty()) break;
      if (head.records == 0) head.name = files_[records[0].file];
      head.records += std::ssize(records);
      head.timed = head.timed || std::any_of(records.begin(), records.end(), [](const auto& record) {
                     return record.stamped || !std::isnan(record.time);
                   });
      other = other || (!time_name_.empty() && block_.column(time_, Type::kTimestamp).mismatches() > 0);
      JsonPlan every;
      every.discover = true;
      block_.decode(every);
      for (const auto& find : block_.finds)
        if (std::find(head.columns.begin(), head.columns.end(), find.name) == head.columns.end())
          head.columns.push_back(find.name);
      std::erase_if(keys, [&](const auto& key) {
        return key.empty() || std::find(head.columns.begin(), head.columns.end(), key) != head.columns.end();
      });
    } while (!keys.empty());
    if (!head.timed && other) head.time = no_time(time_name_, head.name);
    return head;
  }

 private:
  Result<bool> fill() {
    if (!source_) {
      if (part_ == parts_.size()) return false;
      VIGIE_ASSIGN(file_, file_of(parts_[part_]));
      VIGIE_ASSIGN(source_, open_bytes(file_));
      block_.first_line = 1;
    }
    const auto& path = parts_[part_].path;
    auto& text = block_.text;
    // What was behind the last whole record, once nobody looks at the records before it any more.
    std::copy(rest_.begin(), rest_.end(), text.begin());
    std::size_t kept = std::exchange(rest_, {}).size();
    bool last = false;
    while (true) {
      if (text.size() < kept + kTextBlock + JsonBlock::kPadding) text.resize(kept + kTextBlock + JsonBlock::kPadding);
      VIGIE_ASSIGN(const auto got, source_->read(text.data() + kept, kTextBlock));
      kept += got;
      last = got < kTextBlock;
      const std::string_view all(text.data(), kept);
      const auto newline = all.rfind('\n');
      block_.size = last ? kept : newline == all.npos ? 0 : newline + 1;
      if (block_.size > 0 || last) break;
      if (kept > kRecordLimit)
        return fail(Code::kInput,
                    fmt::format("{}:{}: a record of more than {} MB", path, block_.first_line, kRecordLimit >> 20));
    }
    if (block_.first_line == 1) VIGIE_TRY(check_start(path));
    rest_.assign(text.data() + block_.size, kept - block_.size);
    std::memset(text.data() + block_.size, ' ', JsonBlock::kPadding);
    const auto lines = block_.split_lines();
    block_.decode(plan_);
    VIGIE_TRY(take(path));
    block_.first_line += lines;
    if (last) {
      done_ += parts_[part_].bytes, ++part_;
      source_.reset(), file_.reset();
    }
    return true;
  }

  Status check_start(const std::string& path) {
    auto* const text = block_.text.data();
    constexpr std::string_view kBom = "\xef\xbb\xbf";
    const std::string_view all(text, block_.size);
    if (all.starts_with(kBom)) std::memset(text, ' ', kBom.size());
    const auto first = all.find_first_not_of(" \t\r\n");
    if (first != all.npos && all[first] == '[')
      return fail(Code::kInput, fmt::format("{}: an array of JSON: one record a line is needed (jq -c '.[]')", path));
    return {};
  }

  Status take(const std::string& path) {
    for (const auto& [line, at, reason] : block_.first_rejected) {
      auto message = fmt::format("{}:{}: {}", path, line, reason);
      if (strict_) return fail(Code::kInput, std::move(message));
      if (problems_.messages.size() < 3) problems_.messages.push_back(std::move(message));
    }
    problems_.rejected += block_.rejected;
    const auto times = block_.column(time_, Type::kTimestamp), stamps = block_.column(stamp_, Type::kTimestamp);
    const auto ids = id_ ? block_.column(*id_, Type::kString) : Column{};
    std::size_t misfit = 0;
    for (std::size_t row = 0; row < block_.rows(); ++row) {
      while (misfit < stamps.misfits.size() && stamps.misfits[misfit] < row) ++misfit;
      const bool bad = misfit < stamps.misfits.size() && stamps.misfits[misfit] == row;
      const double stamp = stamps.numbers[row], time = times.numbers[row];
      const auto code = id_ ? ids.codes[row] : -1;
      records_.push_back({block_.row_text(row), std::isnan(stamp) ? time : stamp,
                          code < 0 ? std::string_view() : ids.dictionary[static_cast<std::size_t>(code)],
                          bad || !std::isnan(stamp), part_, block_.line_of_row(row)});
    }
    return {};
  }

  std::vector<Part> parts_;
  bool strict_;
  std::string time_name_;
  JsonPlan plan_;
  std::size_t stamp_ = 0, time_ = 0;
  std::optional<std::size_t> id_;
  std::size_t part_ = 0;
  std::uint64_t done_ = 0;
  std::string rest_;
  std::shared_ptr<InputFile> file_;
  std::unique_ptr<BytesSource> source_;
  JsonBlock block_;
  std::vector<RecordText> records_;
  Problems problems_;
};

// Rows of a table.
class Rows final : public RecordTexts {
 public:
  static Result<std::unique_ptr<RecordTexts>> open(std::unique_ptr<Input> input, const ReadOptions& options,
                                                   const RecordKeys& keys) {
    auto out = std::make_unique<Rows>();
    out->input_ = std::move(input);
    out->files_ = {out->input_->name()}, out->bytes_ = out->input_->bytes();
    VIGIE_ASSIGN(auto schema, out->types());
    VIGIE_TRY(out->plan(std::move(schema), options, keys));
    VIGIE_ASSIGN(out->reader_, out->input_->open(out->types_));
    return std::unique_ptr<RecordTexts>(std::move(out));
  }

  Result<std::span<const RecordText>> next() override {
    records_.clear(), texts_.clear();
    VIGIE_ASSIGN(batch_, reader_->next());
    if (!batch_) return std::span<const RecordText>();
    VIGIE_TRY(cells_->load(*batch_, reader_->schema()));
    const auto rows = static_cast<std::size_t>(batch_->rows());
    std::vector<std::size_t> ends;
    for (std::size_t row = 0; row < rows; ++row) {
      texts_ += '{';
      const auto empty = texts_.size();
      for (std::size_t c = 0; c < keys_.size(); ++c) {
        if (keys_[c].empty()) continue;
        const auto before = texts_.size();
        if (before > empty) texts_ += ',';
        texts_ += keys_[c];
        if (!cells_->append(c, row, texts_)) texts_.resize(before);
      }
      texts_ += '}';
      ends.push_back(texts_.size());
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const auto begin = row ? ends[row - 1] : 0;
      records_.push_back({std::string_view(texts_).substr(begin, ends[row] - begin), time_of(row), id_of(row), stamped_,
                          0, ++number_});
    }
    return std::span<const RecordText>(records_);
  }
  const Problems& problems() const override { return reader_->problems(); }
  std::uint64_t consumed() const override { return reader_->consumed(); }

 private:
  // As the whole of the data has them.
  Result<Schema> types() {
    std::optional<Schema> types;
    for (int attempt = 0; attempt < 8; ++attempt) {
      VIGIE_ASSIGN(const auto reader, input_->open(types));
      while (true) {
        VIGIE_ASSIGN(const auto batch, reader->next());
        if (!batch) break;
      }
      types = reader->schema();
      if (reader->settled()) return std::move(*types);
    }
    return fail(Code::kInternal, fmt::format("{}: column types do not settle", input_->name()));
  }

  Status plan(Schema schema, const ReadOptions& options, const RecordKeys& keys) {
    std::vector<std::string> names;
    for (const auto& field : schema) names.push_back(field.name);
    const auto find = [&](const std::string& name) {
      return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    };
    for (const auto& [option, name] : {std::pair{"--timestamp", &keys.time}, std::pair{"--id", &keys.id}})
      if (!name->empty() && find(*name) == names.size())
        return fail(Code::kUsage,
                    fmt::format("{}: {}", option, unknown_name("column", *name, names, " in " + input_->name())));
    const auto time = find_time(names, keys.time);
    std::vector<bool> bare;
    const auto kind = input_->kind();
    const bool text = (kind == "CSV" || kind == "TSV") && options.decimal == '.';
    const auto id = keys.id.empty() ? schema.size() : find(keys.id);
    for (std::size_t c = 0; c < schema.size(); ++c) {
      const auto type = schema[c].type;
      if (type == Type::kSkip) continue;
      const bool number = type == Type::kInteger || type == Type::kFloat;
      const bool is_time = c == time && can_be_time(type);
      if (c == time && !is_time && !keys.time.empty()) return no_time(keys.time, input_->name());
      const bool as_written = text && (number || type == Type::kBoolean);
      if (is_time) time_ = types_.size(), stamped_ = schema[c].name == kStamp;
      if (c == id) id_ = types_.size();
      types_.push_back({schema[c].name, (as_written && !is_time) || c == id ? Type::kString : type});
      bare.push_back(as_written && !is_time && c != id);
      auto& key = keys_.emplace_back();
      append_json(key, schema[c].name);
      key += ':';
    }
    cells_.emplace(types_, std::move(bare));
    return {};
  }

  double time_of(std::size_t row) const {
    if (!time_) return kNone;
    const auto& column = cells_->column(*time_);
    const double value = column.numbers[row];
    return column.type == Type::kTimestamp || std::isnan(value) ? value : parse_epoch(value).value_or(kNone);
  }
  std::string_view id_of(std::size_t row) const {
    if (!id_) return {};
    const auto& column = cells_->column(*id_);
    const auto code = column.codes[row];
    return code < 0 ? std::string_view() : column.dictionary[static_cast<std::size_t>(code)];
  }

  std::unique_ptr<Input> input_;
  Schema types_;
  std::optional<JsonCells> cells_;
  std::vector<std::string> keys_;  // as `"age":`
  std::optional<std::size_t> time_, id_;
  bool stamped_ = false;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Batch> batch_;
  std::string texts_;
  std::vector<RecordText> records_;
  std::uint64_t number_ = 0;
};

}  // namespace

Result<RecordData> RecordData::open(const std::string& data, const ReadOptions& options) {
  VIGIE_ASSIGN(auto parts, parts_of(data, options));
  RecordData out;
  out.data_ = data, out.options_ = options;
  out.parts_ = std::make_shared<const std::vector<Part>>(std::move(parts));
  return out;
}

std::string_view RecordData::kind() const {
  return kind_name((*parts_)[0].kind);
}

Result<RecordsHead> RecordData::look(const RecordKeys& keys, bool on) const {
  if ((*parts_)[0].kind == Kind::kNdjson)
    return Lines(*parts_, options_, keys).look(on ? std::vector{keys.time, keys.id} : std::vector<std::string>());
  const auto input = input_of(data_, options_, *parts_);
  VIGIE_ASSIGN(const auto reader, input->open());
  RecordsHead head;
  head.name = data_;
  for (const auto& field : reader->schema()) head.columns.push_back(field.name);
  const auto time = find_time(head.columns, keys.time);
  // Types are a guess as yet, but what is a word now is no time later.
  head.timed = time < head.columns.size() && can_be_time(reader->schema()[time].type);
  if (time < head.columns.size() && !head.timed && !keys.time.empty()) head.time = no_time(keys.time, data_);
  return head;
}

Result<std::unique_ptr<RecordTexts>> RecordData::texts(const RecordKeys& keys) const {
  if ((*parts_)[0].kind == Kind::kNdjson)
    return std::unique_ptr<RecordTexts>(std::make_unique<Lines>(*parts_, options_, keys));
  return Rows::open(input_of(data_, options_, *parts_), options_, keys);
}

}  // namespace vigie::table

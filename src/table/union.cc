// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/text.h"
#include "table/cell_internal.h"
#include "table/input_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kMostNotes = 20;
constexpr std::size_t kAbsent = SIZE_MAX;

bool is_number(Type type) {
  return type == Type::kInteger || type == Type::kFloat;
}

// One batch of one file under the names of all files.
class UnionBatch final : public Batch {
 public:
  UnionBatch(std::unique_ptr<Batch> batch, const std::vector<std::size_t>& source, const Schema& schema)
      : batch_(std::move(batch)), source_(source), schema_(schema), absent_(schema.size()) {}
  std::int64_t rows() const override { return batch_->rows(); }
  Result<Column> column(std::size_t i) override {
    if (source_[i] != kAbsent) {
      VIGIE_ASSIGN(auto column, batch_->column(source_[i]));
      column.type = schema_[i].type;
      return column;
    }
    Column column;
    column.type = schema_[i].type;
    auto n = static_cast<std::size_t>(rows());
    auto& memory = absent_[i];
    switch (column.type) {
      case Type::kSkip:
        break;
      case Type::kString:
        memory.codes.assign(n, -1);
        column.codes = memory.codes;
        break;
      case Type::kList:
        memory.offsets.assign(n + 1, 0);
        memory.missing.assign(n, 1);
        column.offsets = memory.offsets;
        column.missing = memory.missing;
        break;
      default:
        memory.numbers.assign(n, std::numeric_limits<double>::quiet_NaN());
        column.numbers = memory.numbers;
    }
    return column;
  }
  void release(std::size_t i) override {
    if (source_[i] != kAbsent) return batch_->release(source_[i]);
    absent_[i] = {};
  }

 private:
  struct Memory {
    std::vector<std::int32_t> codes;
    std::vector<double> numbers;
    std::vector<std::int64_t> offsets;
    std::vector<std::uint8_t> missing;
  };
  std::unique_ptr<Batch> batch_;
  const std::vector<std::size_t>& source_;
  const Schema& schema_;
  std::vector<Memory> absent_;
};

class UnionReader final : public Reader {
 public:
  UnionReader(const std::vector<Part>& parts, const ReadOptions& options, const Union& all,
              const std::optional<Schema>& types)
      : parts_(parts), options_(options), types_(types), schema_(all.schema), seen_(all.seen) {
    for (std::size_t i = 0; i < schema_.size(); ++i) {
      auto& field = schema_[i];
      if (types) {
        auto it = std::find_if(types->begin(), types->end(), [&](const Field& f) { return f.name == field.name; });
        field.type = it == types->end() ? Type::kSkip : it->type;
      } else {
        start_.seen[field.name] = seen_[i];
      }
    }
    final_ = schema_;
  }

  const Schema& schema() const override { return over_ ? final_ : schema_; }
  bool settled() const override { return settled_; }
  const Problems& problems() const override {
    shown_ = problems_;
    if (reader_) add(shown_, reader_->problems());
    return shown_;
  }
  std::uint64_t consumed() const override { return before_ + (reader_ ? reader_->consumed() : 0); }

  Result<std::unique_ptr<Batch>> next() override {
    while (true) {
      if (!reader_) {
        if (part_ == parts_.size()) {
          finish();
          return std::unique_ptr<Batch>();
        }
        VIGIE_TRY(open_next());
      }
      VIGIE_ASSIGN(auto batch, reader_->next());
      if (batch) return std::unique_ptr<Batch>(std::make_unique<UnionBatch>(std::move(batch), source_, schema_));
      close();
    }
  }

 private:
  Status open_next() {
    VIGIE_ASSIGN(reader_, open_part(parts_[part_], options_, types_, start_));
    source_.assign(schema_.size(), kAbsent);
    const auto& own = reader_->schema();
    std::unordered_map<std::string_view, std::size_t> at;
    for (std::size_t j = 0; j < own.size(); ++j) at.emplace(own[j].name, j);
    for (std::size_t i = 0; i < schema_.size(); ++i)
      if (auto it = at.find(schema_[i].name); it != at.end()) source_[i] = it->second;
    return {};
  }
  void close() {
    add(problems_, reader_->problems());
    settled_ = settled_ && reader_->settled();
    if (auto* text = dynamic_cast<const TextReader*>(reader_.get()))
      for (std::size_t i = 0; i < schema_.size(); ++i)
        if (source_[i] != kAbsent) seen_[i] |= text->seen()[source_[i]];
    // Keys that appear late are columns that no other file has.
    if (!types_) {
      const auto& own = reader_->schema();
      for (const auto& field : own)
        if (std::none_of(final_.begin(), final_.end(), [&](const Field& f) { return f.name == field.name; })) {
          final_.push_back(field);
          settled_ = false;
        }
    }
    before_ += parts_[part_++].bytes;
    reader_.reset();
  }
  void finish() {
    if (over_) return;
    over_ = true;
    if (types_ || parts_[0].kind == Kind::kParquet || parts_[0].kind == Kind::kArrow) return;
    for (std::size_t i = 0; i < schema_.size(); ++i) {
      if (options_.schema.contains(schema_[i].name)) continue;
      auto type = type_of(seen_[i]);
      if (type == schema_[i].type || schema_[i].type == Type::kString) continue;
      if (!is_number(type) || !is_number(schema_[i].type)) settled_ = false;
      final_[i].type = type;
    }
  }
  static void add(Problems& sum, const Problems& more) {
    sum.rejected += more.rejected;
    for (const auto& message : more.messages)
      if (sum.messages.size() < 3) sum.messages.push_back(message);
    for (const auto& note : more.notes)
      if (sum.notes.size() < kMostNotes) sum.notes.push_back(note);
  }

  const std::vector<Part>& parts_;
  ReadOptions options_;
  std::optional<Schema> types_;
  Schema schema_, final_;
  std::vector<Seen> seen_;
  TextStart start_;
  std::unique_ptr<Reader> reader_;
  std::size_t part_ = 0;
  std::vector<std::size_t> source_;  // of each column, its index in the file's own schema
  Problems problems_;
  mutable Problems shown_;
  std::uint64_t before_ = 0;
  bool over_ = false, settled_ = true;
};

}  // namespace

Result<Union> unite(const std::vector<Part>& parts, const ReadOptions& options) {
  Union all;
  struct Known {
    std::size_t index;
    const Part* part;
  };
  std::unordered_map<std::string, Known> known;
  for (const auto& part : parts) {
    VIGIE_ASSIGN(auto reader, open_part(part, options, std::nullopt));
    const auto* text = dynamic_cast<const TextReader*>(reader.get());
    const auto& schema = reader->schema();
    for (std::size_t j = 0; j < schema.size(); ++j) {
      auto seen = text ? text->seen()[j] : Seen{0};
      auto [it, fresh] = known.emplace(schema[j].name, Known{all.schema.size(), &part});
      if (fresh) {
        all.schema.push_back(schema[j]);
        all.seen.push_back(seen);
        continue;
      }
      auto& field = all.schema[it->second.index];
      if (text) {
        all.seen[it->second.index] |= seen;
        if (!options.schema.contains(field.name)) field.type = type_of(all.seen[it->second.index]);
      } else if (field.type != schema[j].type) {
        if (!is_number(field.type) || !is_number(schema[j].type))
          return fail(Code::kInput,
                      fmt::format("{}: column {} is {} here and {} in {}", part.path, quoted(field.name),
                                  to_string(schema[j].type), to_string(field.type), it->second.part->path));
        field.type = Type::kFloat;
      }
    }
  }
  return all;
}

std::unique_ptr<Reader> open_union(const std::vector<Part>& parts, const ReadOptions& options, const Union& all,
                                   const std::optional<Schema>& types) {
  return std::make_unique<UnionReader>(parts, options, all, types);
}

}  // namespace vigie::table

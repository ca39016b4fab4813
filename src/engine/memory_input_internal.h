// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "table/table.h"

namespace vigie::engine {

/// A table in memory behind the interface of a data file, for tests and measurements of the engine's own path.
class MemoryInput : public table::Input {
 public:
  struct Lists {
    std::size_t width = 1;  ///< of each row
    std::vector<double> values{};
  };
  using Values = std::variant<std::vector<double>, std::vector<std::string>, Lists>;  ///< NaN and "" are missing

  explicit MemoryInput(std::string name, std::int64_t batch = 10'000) : name_(std::move(name)), batch_(batch) {}

  MemoryInput& add(const std::string& column, std::vector<double> values, table::Type type = table::Type::kFloat) {
    schema_.push_back({column, type});
    rows_ = static_cast<std::int64_t>(values.size());
    values_.emplace_back(std::move(values));
    return *this;
  }
  MemoryInput& add(const std::string& column, std::vector<std::string> values) {
    schema_.push_back({column, table::Type::kString});
    rows_ = static_cast<std::int64_t>(values.size());
    values_.emplace_back(std::move(values));
    return *this;
  }

  MemoryInput& add(const std::string& column, Lists lists) {
    schema_.push_back({column, table::Type::kList});
    rows_ = static_cast<std::int64_t>(lists.values.size() / lists.width);
    values_.emplace_back(std::move(lists));
    return *this;
  }

  const std::string& name() const override { return name_; }
  std::uint64_t bytes() const override { return static_cast<std::uint64_t>(rows_); }
  Result<std::unique_ptr<table::Reader>> open(const std::optional<table::Schema>& types = std::nullopt) override {
    table::Schema schema;
    std::vector<const Values*> values;
    for (std::size_t i = 0; i < schema_.size(); ++i) {
      bool wanted =
          !types || std::any_of(types->begin(), types->end(), [&](const auto& f) { return f.name == schema_[i].name; });
      if (!wanted) continue;
      schema.push_back(schema_[i]);
      values.push_back(&values_[i]);
    }
    return std::unique_ptr<table::Reader>(new Pass(std::move(schema), std::move(values), rows_, batch_));
  }

 private:
  struct Rows : table::Batch {
    std::int64_t first, count;
    const table::Schema* schema;
    const std::vector<const Values*>* values;
    std::vector<std::vector<std::int32_t>> codes;
    std::vector<std::vector<std::string_view>> dictionaries;
    std::vector<std::vector<std::int64_t>> offsets;

    std::int64_t rows() const override { return count; }
    Result<table::Column> column(std::size_t i) override {
      table::Column c;
      c.type = (*schema)[i].type;
      if (const auto* numbers = std::get_if<std::vector<double>>((*values)[i])) {
        c.numbers = std::span(*numbers).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
        return c;
      }
      if (const auto* lists = std::get_if<Lists>((*values)[i])) {
        offsets[i].clear();
        for (auto r = first; r <= first + count; ++r) offsets[i].push_back(r * static_cast<std::int64_t>(lists->width));
        c.offsets = offsets[i], c.values = lists->values;
        return c;
      }
      const auto& texts = std::get<std::vector<std::string>>(*(*values)[i]);
      std::unordered_map<std::string_view, std::int32_t> seen;
      codes[i].clear(), dictionaries[i].clear();
      for (auto r = first; r < first + count; ++r) {
        std::string_view text = texts[static_cast<std::size_t>(r)];
        if (text.empty()) {
          codes[i].push_back(-1);
          continue;
        }
        auto [it, fresh] = seen.try_emplace(text, static_cast<std::int32_t>(dictionaries[i].size()));
        if (fresh) dictionaries[i].push_back(text);
        codes[i].push_back(it->second);
      }
      c.codes = codes[i], c.dictionary = dictionaries[i];
      return c;
    }
  };

  class Pass : public table::Reader {
   public:
    Pass(table::Schema schema, std::vector<const Values*> values, std::int64_t rows, std::int64_t batch)
        : schema_(std::move(schema)), values_(std::move(values)), rows_(rows), batch_(batch) {}
    const table::Schema& schema() const override { return schema_; }
    Result<std::unique_ptr<table::Batch>> next() override {
      if (at_ >= rows_) return std::unique_ptr<table::Batch>();
      auto batch = std::make_unique<Rows>();
      batch->first = at_, batch->count = std::min(batch_, rows_ - at_);
      batch->schema = &schema_, batch->values = &values_;
      batch->codes.resize(schema_.size()), batch->dictionaries.resize(schema_.size());
      batch->offsets.resize(schema_.size());
      at_ += batch->count;
      return std::unique_ptr<table::Batch>(std::move(batch));
    }
    bool settled() const override { return true; }
    const table::Problems& problems() const override { return problems_; }
    std::uint64_t consumed() const override { return static_cast<std::uint64_t>(at_); }

   private:
    table::Schema schema_;
    std::vector<const Values*> values_;
    std::int64_t rows_, batch_, at_ = 0;
    table::Problems problems_;
  };

  std::string name_;
  std::int64_t batch_, rows_ = 0;
  table::Schema schema_;
  std::deque<Values> values_;
};

}  // namespace vigie::engine

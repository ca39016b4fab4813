// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "table/json_rows.h"

namespace vigie::server {

/// JSON that lies in memory, as a table: a prediction's features by their own names. `body` must live as long.
class JsonInput final : public table::Input {
 public:
  JsonInput(std::string_view body, std::string name) : body_(body), name_(std::move(name)) {
    const table::JsonShape nothing({});
    rows_.read(body_, nothing);
    keys_ = rows_.unknown();
    for (const auto* group : {"features", "tags"}) {
      for (auto& key : keys_) {
        if (key.path[0] != group || key.path.size() < 2) continue;
        auto own = key.field.name.substr(key.path[0].size() + 1);
        if (std::none_of(keys_.begin(), keys_.end(), [&](const auto& k) { return k.field.name == own; }))
          key.field.name = std::move(own);
      }
    }
    for (const auto& reject : rows_.rejected()) {
      ++problems_.rejected;
      if (problems_.messages.size() < 3)
        problems_.messages.push_back(
            fmt::format("{}: record {}, line {}: {}", name_, reject.record, reject.line, reject.reason));
    }
    count_ = rows_.rows();
    // Times of which some are ISO 8601 and some epoch numbers look like texts together.
    for (auto& key : keys_)
      if (key.path == std::vector<std::string>{"timestamp"} && key.field.type == table::Type::kString && all_times())
        key.field.type = table::Type::kTimestamp;
  }

  const std::vector<table::JsonShape::Key>& keys() const { return keys_; }
  std::int64_t count() const { return count_; }
  const table::Problems& problems() const { return problems_; }

  const std::string& name() const override { return name_; }
  std::uint64_t bytes() const override { return body_.size(); }
  Result<std::unique_ptr<table::Reader>> open(const std::optional<table::Schema>& types = std::nullopt) override {
    std::vector<table::JsonShape::Key> wanted;
    for (auto key : keys_) {
      if (types) {
        const auto asked =
            std::find_if(types->begin(), types->end(), [&](const auto& f) { return f.name == key.field.name; });
        if (asked == types->end() || asked->type == table::Type::kSkip) continue;
        key.field.type = asked->type;
      }
      wanted.push_back(std::move(key));
    }
    return std::unique_ptr<table::Reader>(std::make_unique<Pass>(*this, std::move(wanted)));
  }

 private:
  bool all_times() const {
    const table::JsonShape times({{{"timestamp", table::Type::kTimestamp}}}, table::OtherKeys::kSkipped);
    table::JsonRows rows;
    rows.read(body_, times);
    const auto column = rows.column(0);
    return column && column->misfits.empty();
  }

  // One batch that holds all.
  class Pass final : public table::Reader {
   public:
    Pass(const JsonInput& input, std::vector<table::JsonShape::Key> keys)
        : input_(input), shape_(std::move(keys), table::OtherKeys::kChecked) {}
    const table::Schema& schema() const override { return shape_.schema(); }
    Result<std::unique_ptr<table::Batch>> next() override {
      if (std::exchange(read_, true)) return std::unique_ptr<table::Batch>();
      auto rows = std::make_unique<table::JsonRows>();
      rows->read(input_.body_, shape_);
      if (rows->rows() == 0) return std::unique_ptr<table::Batch>();
      return std::unique_ptr<table::Batch>(std::move(rows));
    }
    bool settled() const override { return true; }
    const table::Problems& problems() const override { return input_.problems_; }
    std::uint64_t consumed() const override { return read_ ? input_.body_.size() : 0; }

   private:
    const JsonInput& input_;
    table::JsonShape shape_;
    bool read_ = false;
  };

  std::string_view body_;
  std::string name_;
  table::JsonRows rows_;
  std::vector<table::JsonShape::Key> keys_;
  table::Problems problems_;
  std::int64_t count_ = 0;
};

}  // namespace vigie::server

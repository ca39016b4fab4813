// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "server/watch.h"

namespace vigie::server {
namespace {

constexpr std::size_t kWindows = 15;  // from which days or hours tell how much healthy ones differ

// JSON that lies in memory, as a table.
class JsonInput final : public table::Input {
 public:
  JsonInput(std::string_view body, std::string name) : body_(body), name_(std::move(name)) {
    const table::JsonShape nothing({});
    rows_.read(body_, nothing);
    for (auto key : rows_.unknown()) {
      if (key.path[0] == "features" && key.path.size() > 1)
        key.field.name = fmt::format("{}", fmt::join(key.path.begin() + 1, key.path.end(), "."));
      keys_.push_back(std::move(key));
    }
    for (const auto& reject : rows_.rejected()) {
      ++problems_.rejected;
      if (problems_.messages.size() < 3)
        problems_.messages.push_back(
            fmt::format("{}: record {}, line {}: {}", name_, reject.record, reject.line, reject.reason));
    }
    count_ = rows_.rows();
  }

  const std::vector<table::JsonShape::Key>& keys() const { return keys_; }
  std::int64_t count() const { return count_; }

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
  // One batch that holds all.
  class Pass final : public table::Reader {
   public:
    Pass(const JsonInput& input, std::vector<table::JsonShape::Key> keys)
        : input_(input), shape_(std::move(keys), true) {}
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

Result<std::size_t> windows_of(table::Input& input, const std::string& timestamp, const engine::WindowSpec& spec) {
  VIGIE_ASSIGN(auto reader, input.open(table::Schema{{timestamp, table::Type::kTimestamp}}));
  VIGIE_ASSIGN(auto windower, engine::Windower::make(spec));
  std::vector<std::int32_t> windows;
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) return windower.size();
    VIGIE_ASSIGN(const auto times, batch->column(0));
    windower.assign(0, batch->rows(), times.numbers, windows);
  }
}

}  // namespace

Result<engine::Profile> reference_of_rows(std::string_view body, const std::string& name, const std::string& version) {
  JsonInput input(body, name);
  if (input.count() == 0) return fail(Code::kInput, fmt::format("{}: no record could be read", name));
  engine::ProfileOptions options;
  options.version = version;
  const std::set<std::string, std::less<>> others{"version", "latency_ms", "status", "trace_id"};
  for (const auto& key : input.keys()) {
    const auto& first = key.path[0];
    const auto& column = key.field.name;
    if (key.path.size() == 1 && first == "timestamp")
      options.roles.timestamp = column;
    else if (key.path.size() == 1 && first == "prediction")
      options.roles.prediction = column;
    else if (key.path.size() == 1 && first == "label")
      options.roles.label = column;
    else if (key.path.size() == 1 && first == "id")
      options.roles.id = column;
    else if (first == "scores" || (key.path.size() == 1 && first == "score"))
      options.roles.scores.push_back(column);
    else if (first == "tags" || others.contains(first))
      options.roles.ignore.push_back(column);
  }
  if (!options.roles.timestamp.empty()) {
    for (auto kind : {engine::WindowSpec::Kind::kDay, engine::WindowSpec::Kind::kHour}) {
      engine::WindowSpec spec;
      spec.kind = kind;
      VIGIE_ASSIGN(const auto windows, windows_of(input, options.roles.timestamp, spec));
      if (windows < kWindows) continue;
      options.window = spec;
      break;
    }
  }
  return engine::make_profile(input, options);
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "base/text.h"
#include "table/arrow/parquet_internal.h"

namespace vigie::table {
namespace {

// More columns than this are not kept open from one batch of a row group to the next: each holds a page and a
// dictionary, about 1 to 2 MB.
constexpr std::size_t kOpenColumns = 64;
constexpr const char* kKind = "not a readable Parquet file";

struct Part {
  int group;
  std::int64_t begin, rows;
  bool last;
};

class ParquetReader;

class ParquetBatch : public Batch {
 public:
  ParquetBatch(ParquetReader& reader, Part part);
  ~ParquetBatch() override;
  std::int64_t rows() const override { return part_.rows; }
  Result<Column> column(std::size_t i) override;
  void release(std::size_t i) override;

 private:
  ParquetReader& reader_;
  Part part_;
  std::vector<std::unique_ptr<Held>> held_;
};

class ParquetReader : public Reader {
 public:
  ParquetReader(ParquetFile file, std::vector<Plan> plans, std::vector<std::string> notes)
      : file_(std::move(file)), plans_(std::move(plans)) {
    problems_.notes = std::move(notes);
    for (const auto& plan : plans_) {
      schema_.push_back({plan.name, plan.asked});
      leaves_.emplace_back(file_, plan);
    }
    rows_ = file_.metadata->num_rows();
  }
  const Schema& schema() const override { return schema_; }
  bool settled() const override { return true; }
  const Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override {
    return static_cast<std::uint64_t>(static_cast<double>(file_.file->size()) * static_cast<double>(done_) /
                                      static_cast<double>(rows_));
  }

  Result<std::unique_ptr<Batch>> next() override try {
    while (begin_ == group_rows_) {
      if (++group_ == file_.metadata->num_row_groups()) return finish();
      auto meta = file_.metadata->RowGroup(group_);
      begin_ = 0;
      group_rows_ = meta->num_rows();
      step_ = group_rows_ > 0 ? rows_a_batch(*meta) : 0;
    }
    Part part{group_, begin_, std::min(step_, group_rows_ - begin_), begin_ + step_ >= group_rows_};
    begin_ += part.rows;
    done_ += part.rows;
    return std::unique_ptr<Batch>(std::make_unique<ParquetBatch>(*this, part));
  } catch (const std::exception& e) {
    return file_.file->error(kKind, e.what());
  }

  Status decode(std::size_t i, const Part& part, Held& held) try {
    leaves_[i].read(part.group, part.begin, part.rows, part.last, plans_.size() > kOpenColumns, held);
    return {};
  } catch (const std::exception& e) {
    return file_.file->error(kKind,
                             fmt::format("column {}, row group {}: {}", quoted(plans_[i].name), part.group, e.what()));
  }

  Pool& pool() { return pool_; }

 private:
  std::unique_ptr<Batch> finish() {
    --group_;
    if (!finished_)
      for (std::size_t i = 0; i < plans_.size(); ++i)
        if (leaves_[i].foreign()) problems_.notes.push_back(foreign_note(plans_[i].name));
    finished_ = true;
    return nullptr;
  }

  // Wide values make short batches. Depends on the file and the columns alone.
  std::int64_t rows_a_batch(const parquet::RowGroupMetaData& group) const {
    double widest = 8;
    for (const auto& plan : plans_) {
      bool list = plan.native == Type::kList;
      if (!list && plan.native != Type::kString) continue;
      auto chunk = group.ColumnChunk(plan.leaf);
      double bytes =
          list ? 8.0 * static_cast<double>(chunk->num_values()) : static_cast<double>(chunk->total_uncompressed_size());
      widest = std::max(widest, bytes / static_cast<double>(group_rows_));
    }
    return std::clamp(static_cast<std::int64_t>(static_cast<double>(kColumnBytes) / widest), std::int64_t{16},
                      kBatchRows);
  }

  ParquetFile file_;
  std::vector<Plan> plans_;
  Schema schema_;
  Problems problems_;
  std::deque<Leaf> leaves_;
  Pool pool_;
  std::int64_t rows_ = 0, done_ = 0;
  int group_ = -1;
  std::int64_t begin_ = 0, group_rows_ = 0, step_ = 0;
  bool finished_ = false;
};

ParquetBatch::ParquetBatch(ParquetReader& reader, Part part)
    : reader_(reader), part_(part), held_(reader.schema().size()) {}

ParquetBatch::~ParquetBatch() {
  for (auto& held : held_) reader_.pool().give(std::move(held));
}

void ParquetBatch::release(std::size_t i) {
  reader_.pool().give(std::move(held_[i]));
}

Result<Column> ParquetBatch::column(std::size_t i) {
  if (!held_[i]) {
    auto held = reader_.pool().take();
    VIGIE_TRY(reader_.decode(i, part_, *held));
    held_[i] = std::move(held);
  }
  return held_[i]->view();
}

}  // namespace

Result<std::unique_ptr<Reader>> open_parquet(const std::shared_ptr<HostFile>& file, const ReadOptions& options,
                                             const std::optional<Schema>& types) try {
  ParquetFile parquet;
  parquet.file = file;
  parquet.properties = parquet::ReaderProperties(memory_pool());
  parquet.properties.set_page_checksum_verification(true);
  parquet.metadata = parquet::ParquetFileReader::Open(file, parquet.properties)->metadata();
  const auto& metadata = *parquet.metadata;
  std::int64_t rows = 0;
  for (int g = 0; g < metadata.num_row_groups(); ++g) {
    auto n = metadata.RowGroup(g)->num_rows();
    if (n < 0 || n > metadata.num_rows() - rows)
      return file->error(kKind, "the row groups contradict the number of rows");
    rows += n;
  }
  if (rows != metadata.num_rows()) return file->error(kKind, "the row groups contradict the number of rows");
  if (metadata.num_columns() == 0) return fail(Code::kInput, file->path() + ": no columns");
  if (rows == 0) return fail(Code::kInput, file->path() + ": no rows");

  std::vector<std::string> notes;
  auto all = plan_columns(*metadata.schema(), notes);
  Schema columns;
  for (const auto& plan : all) columns.push_back({plan.name, plan.native});
  auto asked = asked_types(columns, options, types, notes);
  std::vector<Plan> plans;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (asked[i] == Type::kSkip) continue;
    all[i].name = columns[i].name;
    all[i].asked = asked[i];
    plans.push_back(std::move(all[i]));
  }
  return std::unique_ptr<Reader>(
      std::make_unique<ParquetReader>(std::move(parquet), std::move(plans), std::move(notes)));
} catch (const std::exception& e) {
  return file->error(kKind, e.what());
}

}  // namespace vigie::table

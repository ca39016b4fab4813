// SPDX-License-Identifier: Apache-2.0
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "base/text.h"
#include "table/arrow/arrays_internal.h"
#include "table/arrow/reader_internal.h"

namespace vigie::table {
namespace {

// Record batches that take more than this on the disk are read column by column, where the format allows it.
constexpr std::int64_t kWholeBatch = 32 << 20;
constexpr const char* kKind = "not a readable Arrow file";

class Failed : public std::exception {
 public:
  explicit Failed(const arrow::Status& status) : text_(status.ToString()) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

void check(const arrow::Status& status) {
  if (!status.ok()) throw Failed(status);
}

template <class T>
T take(arrow::Result<T> result) {
  if (!result.ok()) throw Failed(result.status());
  return std::move(result).ValueUnsafe();
}

arrow::ipc::IpcReadOptions read_options(std::vector<int> fields) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  options.memory_pool = memory_pool();
  options.included_fields = std::move(fields);
  return options;
}

// The record batch that is being delivered: whole, or one top-level column after the other.
class Source {
 public:
  Source(std::shared_ptr<HostFile> file, bool stream) : file_(std::move(file)), stream_(stream) {
    if (stream_)
      schema_ = take(arrow::ipc::RecordBatchStreamReader::Open(file_, read_options({})))->schema();
    else
      open_file();
  }
  const arrow::Schema& schema() const { return *schema_; }
  /// Rows of a file; −1 for a stream.
  std::int64_t count() { return stream_ ? -1 : take(reader_->CountRows()); }

  void want(std::vector<int> tops) {
    tops_ = std::move(tops);
    if (stream_) {
      check(file_->Seek(0));
      stream_reader_ = take(arrow::ipc::RecordBatchStreamReader::Open(file_, read_options(tops_)));
    } else if (file_->size() / std::max(1, reader_->num_record_batches()) > kWholeBatch) {
      single_ = true;
      for (int top : tops_) columns_[top].reader = nullptr;
    } else {
      reader_ = take(arrow::ipc::RecordBatchFileReader::Open(file_, read_options(tops_)));
    }
  }

  // Goes to the next record batch; −1 after the last, else its rows.
  std::int64_t advance() {
    whole_ = nullptr;
    if (stream_) {
      check(stream_reader_->ReadNext(&whole_));
      return whole_ ? whole_->num_rows() : -1;
    }
    if (++at_ == reader_->num_record_batches()) {
      --at_;
      return -1;
    }
    if (single_) {
      for (auto& [top, column] : columns_) column.array = nullptr;
      return column_of(tops_.front())->length();
    }
    whole_ = take(reader_->ReadRecordBatch(at_));
    return whole_->num_rows();
  }

  std::shared_ptr<arrow::Array> column_of(int top) {
    if (!single_) {
      auto i = std::lower_bound(tops_.begin(), tops_.end(), top) - tops_.begin();
      return whole_->column(static_cast<int>(i));
    }
    auto& column = columns_.at(top);
    std::lock_guard lock(column.mutex);  // the fields of one struct share a top-level column
    if (!column.array) {
      if (!column.reader) column.reader = take(arrow::ipc::RecordBatchFileReader::Open(file_, read_options({top})));
      column.array = take(column.reader->ReadRecordBatch(at_))->column(0);
    }
    return column.array;
  }

  /// Lets a column's memory go, when it can be read again.
  void release(int top) {
    if (!single_) return;
    auto& column = columns_.at(top);
    std::lock_guard lock(column.mutex);
    column.array = nullptr;
  }

 private:
  struct Single {
    std::mutex mutex;
    std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader;
    std::shared_ptr<arrow::Array> array;
  };

  void open_file() {
    reader_ = take(arrow::ipc::RecordBatchFileReader::Open(file_, read_options({})));
    schema_ = reader_->schema();
  }

  std::shared_ptr<HostFile> file_;
  bool stream_, single_ = false;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> tops_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_reader_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::map<int, Single> columns_;
  std::shared_ptr<arrow::RecordBatch> whole_;
  int at_ = -1;
};

class ArrowReader;

class ArrowBatch : public Batch {
 public:
  ArrowBatch(ArrowReader& reader, std::int64_t begin, std::int64_t rows, bool last);
  ~ArrowBatch() override;
  std::int64_t rows() const override { return rows_; }
  Result<Column> column(std::size_t i) override;
  void release(std::size_t i) override;

 private:
  ArrowReader& reader_;
  std::int64_t begin_, rows_;
  bool last_;
  std::vector<std::unique_ptr<Held>> held_;
};

class ArrowReader : public Reader {
 public:
  ArrowReader(std::shared_ptr<HostFile> file, std::unique_ptr<Source> source, std::vector<ArrayPlan> plans,
              std::vector<std::string> notes, std::int64_t step)
      : file_(std::move(file)),
        source_(std::move(source)),
        plans_(std::move(plans)),
        step_(step),
        foreign_(plans_.size()) {
    problems_.notes = std::move(notes);
    for (const auto& plan : plans_) schema_.push_back({plan.name, plan.asked});
  }
  const Schema& schema() const override { return schema_; }
  bool settled() const override { return true; }
  const Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override {
    auto at = file_->Tell();
    return at.ok() ? static_cast<std::uint64_t>(*at) : 0;
  }

  Result<std::unique_ptr<Batch>> next() override try {
    while (begin_ == rows_) {
      auto rows = finished_ ? -1 : source_->advance();
      if (rows < 0) return finish();
      begin_ = 0;
      rows_ = rows;
    }
    auto begin = begin_, rows = std::min(step_, rows_ - begin_);
    begin_ += rows;
    done_ += rows;
    return std::unique_ptr<Batch>(std::make_unique<ArrowBatch>(*this, begin, rows, begin_ == rows_));
  } catch (const std::exception& e) {
    return file_->error(kKind, e.what());
  }

  Status decode(std::size_t i, std::int64_t begin, std::int64_t rows, Held& held) try {
    auto array = source_->column_of(plans_[i].path[0]);
    if (array->length() < begin + rows) throw Failed(arrow::Status::Invalid("fewer values than rows"));
    if (take(read_array(*array, plans_[i], begin, rows, held))) foreign_[i] = true;
    return {};
  } catch (const std::exception& e) {
    return file_->error(kKind, fmt::format("column {}: {}", quoted(plans_[i].name), e.what()));
  }

  void done_with(std::size_t i) { source_->release(plans_[i].path[0]); }
  Pool& pool() { return pool_; }

 private:
  Result<std::unique_ptr<Batch>> finish() {
    if (done_ == 0) return fail(Code::kInput, file_->path() + ": no rows");
    if (!finished_)
      for (std::size_t i = 0; i < plans_.size(); ++i)
        if (foreign_[i]) problems_.notes.push_back(foreign_note(plans_[i].name));
    finished_ = true;
    return std::unique_ptr<Batch>();
  }

  std::shared_ptr<HostFile> file_;
  std::unique_ptr<Source> source_;
  std::vector<ArrayPlan> plans_;
  Schema schema_;
  Problems problems_;
  Pool pool_;
  std::int64_t step_;
  std::int64_t begin_ = 0, rows_ = 0, done_ = 0;
  bool finished_ = false;
  std::vector<std::atomic<bool>> foreign_;
};

ArrowBatch::ArrowBatch(ArrowReader& reader, std::int64_t begin, std::int64_t rows, bool last)
    : reader_(reader), begin_(begin), rows_(rows), last_(last), held_(reader.schema().size()) {}

ArrowBatch::~ArrowBatch() {
  for (auto& held : held_) reader_.pool().give(std::move(held));
}

Result<Column> ArrowBatch::column(std::size_t i) {
  if (!held_[i]) {
    auto held = reader_.pool().take();
    VIGIE_TRY(reader_.decode(i, begin_, rows_, *held));
    held_[i] = std::move(held);
    if (last_) reader_.done_with(i);
  }
  return held_[i]->view();
}

void ArrowBatch::release(std::size_t i) {
  reader_.pool().give(std::move(held_[i]));
}

}  // namespace

Result<std::unique_ptr<Reader>> open_arrow(const std::shared_ptr<HostFile>& file, bool stream,
                                           const ReadOptions& options, const std::optional<Schema>& types) try {
  auto source = std::make_unique<Source>(file, stream);
  auto rows = source->count();
  if (source->schema().num_fields() == 0) return fail(Code::kInput, file->path() + ": no columns");
  if (rows == 0) return fail(Code::kInput, file->path() + ": no rows");
  std::vector<std::string> notes;
  auto all = plan_arrays(source->schema(), notes);
  Schema columns;
  for (const auto& plan : all) columns.push_back({plan.name, plan.native});
  auto asked = asked_types(columns, options, types, notes);
  std::vector<ArrayPlan> plans;
  std::vector<int> tops;
  double widest = 8;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (asked[i] == Type::kSkip) continue;
    all[i].name = columns[i].name;
    all[i].asked = asked[i];
    if (tops.empty() || tops.back() != all[i].path[0]) tops.push_back(all[i].path[0]);
    // The size of one column's values is not known before they are read: the file's average row stands in.
    if (rows > 0 && (all[i].native == Type::kList || all[i].native == Type::kString))
      widest = std::max(widest, static_cast<double>(file->size()) / static_cast<double>(rows));
    plans.push_back(std::move(all[i]));
  }
  if (tops.empty()) tops.push_back(0);  // Arrow takes no field to mean all of them
  source->want(std::move(tops));
  return std::unique_ptr<Reader>(
      std::make_unique<ArrowReader>(file, std::move(source), std::move(plans), std::move(notes), batch_rows(widest)));
} catch (const std::exception& e) {
  return file->error(kKind, e.what());
}

}  // namespace vigie::table

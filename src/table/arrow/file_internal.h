// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/util/config.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "table/arrow/module_internal.h"

namespace vigie::table {

/// What Arrow's readers take memory from: jemalloc where Arrow has it, which gives back what mimalloc, Arrow's own
/// choice, still held: 26 of 96 MB after 10 M × 20. The choice of $ARROW_DEFAULT_MEMORY_POOL stands.
arrow::MemoryPool* memory_pool();

/// The program's file as Arrow wants to see it. ReadAt is thread safe; Seek, Tell and Read share one position.
class HostFile : public arrow::io::RandomAccessFile {
 public:
  HostFile(ModuleHost host, std::shared_ptr<InputFile> file) : host_(host), file_(std::move(file)) {}

  const std::string& path() const { return file_->path(); }
  std::int64_t size() const { return static_cast<std::int64_t>(file_->size()); }
  /// An Error for what Arrow said (an exception's or a Status' text): a failed read as the system named it, else
  /// "PATH: KIND: TEXT" in one line.
  Error error(std::string_view kind, std::string text) const;

  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Seek(std::int64_t position) override;
  arrow::Result<std::int64_t> GetSize() override { return size(); }
  arrow::Result<std::int64_t> Read(std::int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t size) override;
  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t size) override;
#if ARROW_VERSION_MAJOR >= 26
  using RandomAccessFile::ReadAsync;
  /// At once, in the caller's thread: Arrow's threads for reading gain nothing here.
  arrow::Future<std::shared_ptr<arrow::Buffer>> ReadAsync(const arrow::io::IOContext&, std::int64_t position,
                                                          std::int64_t size, bool allow_short_read) override;
#endif

 private:
  ModuleHost host_;
  std::shared_ptr<InputFile> file_;
  std::int64_t position_ = 0;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

/// The bytes [begin, end) of a file, in order, with an optional jump: bytes [begin, gap) and then [resume, end). Holds
/// one page and a small buffer; a page's memory is used again for the next one once nobody else holds it.
class ChunkStream : public arrow::io::InputStream {
 public:
  ChunkStream(std::shared_ptr<HostFile> file, std::int64_t begin, std::int64_t end)
      : file_(std::move(file)), position_(begin), end_(end) {}
  void jump(std::int64_t gap, std::int64_t resume) { gap_ = gap, resume_ = resume; }

  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  /// The position in the file.
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  std::int64_t tell();
  arrow::Result<std::string_view> Peek(std::int64_t size) override;
  arrow::Result<std::int64_t> Read(std::int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t size) override;

 private:
  void cross();
  std::int64_t left() const { return (gap_ >= 0 ? gap_ : end_) - position_; }

  std::shared_ptr<HostFile> file_;
  std::int64_t position_, end_, gap_ = -1, resume_ = -1;
  std::string ahead_;           // bytes from position_ on
  std::size_t ahead_used_ = 0;  // of which these are spent
  std::shared_ptr<arrow::ResizableBuffer> page_;
};

}  // namespace vigie::table

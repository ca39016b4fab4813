// SPDX-License-Identifier: Apache-2.0
#include <arrow/buffer.h>
#include <arrow/util/future.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>

#include "table/arrow/file_internal.h"

namespace vigie::table {

arrow::MemoryPool* memory_pool() {
  static arrow::MemoryPool* const pool = [] {
    arrow::MemoryPool* found = nullptr;
    const bool chosen = std::getenv("ARROW_DEFAULT_MEMORY_POOL") != nullptr;
    return !chosen && arrow::jemalloc_memory_pool(&found).ok() ? found : arrow::default_memory_pool();
  }();
  return pool;
}

Error HostFile::error(std::string_view kind, std::string text) const {
  {
    std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
  }
  text = text.substr(0, text.find('\n'));
  for (std::string_view prefix :
       {"IOError: ", "Invalid: ", "Serialization error: ", "Not yet implemented: ", "NotImplemented: "})
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return fail(Code::kInput, fmt::format("{}: {}: {}", path(), kind, text));
}

arrow::Status HostFile::Seek(std::int64_t position) {
  if (position < 0 || position > size()) return arrow::Status::IOError("position outside the file");
  position_ = position;
  return arrow::Status::OK();
}

arrow::Result<std::int64_t> HostFile::ReadAt(std::int64_t position, std::int64_t size, void* out) {
  if (position < 0 || size < 0) return arrow::Status::IOError("position outside the file");
  auto n =
      host_.read(*file_, static_cast<std::uint64_t>(position), static_cast<char*>(out), static_cast<std::size_t>(size));
  if (n) return static_cast<std::int64_t>(*n);
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = n.error();
  return arrow::Status::IOError(n.error().message);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> HostFile::ReadAt(std::int64_t position, std::int64_t size) {
  if (position < 0 || size < 0 || position > this->size()) return arrow::Status::IOError("position outside the file");
  // What a damaged file asks for is not allocated before it is known to be there.
  size = std::min(size, this->size() - position);
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size, memory_pool()));
  ARROW_ASSIGN_OR_RAISE(auto n, ReadAt(position, size, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(n, false));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

#if ARROW_VERSION_MAJOR >= 26
arrow::Future<std::shared_ptr<arrow::Buffer>> HostFile::ReadAsync(const arrow::io::IOContext&, std::int64_t position,
                                                                  std::int64_t size, bool allow_short_read) {
  using Read = arrow::Future<std::shared_ptr<arrow::Buffer>>;
  return Read::MakeFinished(RandomAccessFile::ReadAt(position, size, allow_short_read));
}
#endif

arrow::Result<std::int64_t> HostFile::Read(std::int64_t size, void* out) {
  ARROW_ASSIGN_OR_RAISE(auto n, ReadAt(position_, size, out));
  position_ += n;
  return n;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> HostFile::Read(std::int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
  position_ += buffer->size();
  return buffer;
}

void ChunkStream::cross() {
  if (gap_ < 0 || position_ < gap_) return;
  position_ = resume_;
  gap_ = -1;
  ahead_.clear();
  ahead_used_ = 0;
}

std::int64_t ChunkStream::tell() {
  cross();
  return position_;
}

arrow::Result<std::string_view> ChunkStream::Peek(std::int64_t size) {
  cross();
  size = std::min(size, left());
  if (static_cast<std::int64_t>(ahead_.size() - ahead_used_) < size) {
    auto want = std::max<std::int64_t>(size, std::min<std::int64_t>(left(), 1024));
    ahead_.resize(static_cast<std::size_t>(want));
    ahead_used_ = 0;
    ARROW_ASSIGN_OR_RAISE(auto n, file_->ReadAt(position_, want, ahead_.data()));
    ahead_.resize(static_cast<std::size_t>(n));
  }
  return std::string_view(ahead_).substr(ahead_used_, static_cast<std::size_t>(size));
}

arrow::Result<std::int64_t> ChunkStream::Read(std::int64_t size, void* out) {
  cross();
  size = std::min(size, left());
  auto have = std::min(static_cast<std::size_t>(size), ahead_.size() - ahead_used_);
  std::memcpy(out, ahead_.data() + ahead_used_, have);
  ahead_used_ += have;
  auto got = static_cast<std::int64_t>(have);
  position_ += got;
  if (got < size) {
    ARROW_ASSIGN_OR_RAISE(auto n, file_->ReadAt(position_, size - got, static_cast<char*>(out) + got));
    position_ += n;
    got += n;
  }
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ChunkStream::Read(std::int64_t size) {
  cross();
  size = std::min(size, left());
  if (page_ && page_.use_count() == 1) {
    ARROW_RETURN_NOT_OK(page_->Resize(size, false));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto fresh, arrow::AllocateResizableBuffer(size, memory_pool()));
    page_ = std::move(fresh);
  }
  ARROW_ASSIGN_OR_RAISE(auto n, Read(size, page_->mutable_data()));
  ARROW_RETURN_NOT_OK(page_->Resize(n, false));
  return page_;
}

}  // namespace vigie::table

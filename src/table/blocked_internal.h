// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "table/bytes_source_internal.h"
#include "table/format_internal.h"

namespace vigie::table {

/// A reader of a text file that is cut into blocks of whole records, one after the other, and decoded several blocks at
/// once. What is delivered and said does not depend on how many: problems are added up block by block in order, and an
/// error waits until the rows before it are delivered.
///
/// Block has rows(), column(i, type) and needs nothing else.
template <class Block>
class BlockedReader : public TextReader {
 public:
  const Schema& schema() const override { return over_ ? final_ : schema_; }
  bool settled() const override { return settled_; }
  const Problems& problems() const override { return problems_; }
  std::uint64_t consumed() const override { return source_->consumed(); }

  Result<std::unique_ptr<Batch>> next() override {
    while (true) {
      if (cursor_ == ready_) {
        if (!error_) fetch();
        if (cursor_ == ready_) {
          if (error_) return *error_;
          if (!over_) {
            VIGIE_TRY(keep(finish()));
            over_ = true;
          }
          return std::unique_ptr<Batch>();
        }
      }
      const Block& block = *blocks_[cursor_++];
      VIGIE_TRY(keep(account(block)));
      if (block.rows() > 0) return std::unique_ptr<Batch>(std::make_unique<View>(block, schema_));
    }
  }

 protected:
  BlockedReader(std::shared_ptr<InputFile> file, std::unique_ptr<BytesSource> source, const ReadOptions& options,
                std::size_t block_size)
      : file_(std::move(file)), source_(std::move(source)), options_(options), block_size_(block_size) {
    blocks_.push_back(std::make_unique<Block>());
  }

  /// Reads the next block; sets at_end_ with the last one.
  virtual Status fill(Block& block) = 0;
  /// Decodes a block; several at once.
  virtual void decode(Block& block) = 0;
  /// Adds what was wrong in a block to what was wrong before it.
  virtual Status account(const Block& block) = 0;
  /// After the last block: final_, settled_ and what the end of the file shows.
  virtual Status finish() = 0;

  const std::string& path() const { return file_->path(); }
  /// Whether the first block was filled, though not decoded, before the first next().
  Block& first_block() { return *blocks_[0]; }
  void first_waits() { first_waits_ = true; }
  Status reject(std::string message) {
    if (options_.strict) return fail(Code::kInput, std::move(message));
    ++problems_.rejected;
    if (problems_.messages.size() < 3) problems_.messages.push_back(std::move(message));
    return {};
  }

  std::shared_ptr<InputFile> file_;
  std::unique_ptr<BytesSource> source_;
  ReadOptions options_;
  std::size_t block_size_;
  Schema schema_, final_;
  Problems problems_;
  bool at_end_ = false, settled_ = true;

 private:
  static constexpr std::size_t kMostBlocks = 16;  // whatever the threads: bounds the memory

  class View final : public Batch {
   public:
    View(const Block& block, const Schema& schema) : block_(block), schema_(schema) {}
    std::int64_t rows() const override { return static_cast<std::int64_t>(block_.rows()); }
    Result<Column> column(std::size_t i) override { return block_.column(i, schema_[i].type); }

   private:
    const Block& block_;
    const Schema& schema_;
  };

  Status keep(Status status) {
    if (!status) {
      cursor_ = ready_;
      error_ = status.error();
    }
    return status;
  }

  void fetch() {
    ready_ = cursor_ = 0;
    const std::size_t threads = thread_count(options_.threads);
    auto most = threads == 1 ? 1 : std::min(2 * threads, kMostBlocks);
    if (block_size_ > kTextBlock) most = std::max<std::size_t>(1, most * kTextBlock / block_size_);
    while (blocks_.size() < most) blocks_.push_back(std::make_unique<Block>());
    if (std::exchange(first_waits_, false)) ++ready_;
    while (ready_ < most && !at_end_) {
      if (auto status = fill(*blocks_[ready_]); !status) {
        error_ = std::move(status.error());
        break;
      }
      ++ready_;
    }
    parallel_for(ready_, options_.threads, [&](std::size_t i) { decode(*blocks_[i]); });
  }

  std::vector<std::unique_ptr<Block>> blocks_;  // [0, ready_) are decoded, [0, cursor_) delivered
  std::size_t ready_ = 0, cursor_ = 0;
  bool first_waits_ = false, over_ = false;
  std::optional<Error> error_;
};

}  // namespace vigie::table

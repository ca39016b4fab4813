// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "table/bytes_source_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kBuffer = 256 << 10;

// The next bytes of a file, no more than there were at its opening: every pass over a file that grows sees the same.
Result<std::size_t> read_next(const InputFile& file, std::uint64_t& at, char* out, std::size_t size) {
  auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, file.size() - at));
  VIGIE_ASSIGN(auto n, file.read(at, out, wanted));
  at += n;
  if (n < wanted)
    return fail(Code::kInput, fmt::format("{}: became shorter while it was read: it ends at byte {} of {}", file.path(),
                                          at, file.size()));
  return n;
}

class Plain final : public BytesSource {
 public:
  explicit Plain(std::shared_ptr<InputFile> file) : file_(std::move(file)) {}
  Result<std::size_t> read(char* out, std::size_t size) override { return read_next(*file_, at_, out, size); }
  std::uint64_t consumed() const override { return at_; }

 private:
  std::shared_ptr<InputFile> file_;
  std::uint64_t at_ = 0;
};

// What both decompressors share: a window of compressed bytes.
class Compressed : public BytesSource {
 public:
  explicit Compressed(std::shared_ptr<InputFile> file) : file_(std::move(file)), buffer_(kBuffer) {}
  std::uint64_t consumed() const override { return at_ - (end_ - begin_); }

 protected:
  // False at the end that the file had at its opening.
  Result<bool> refill() {
    if (begin_ < end_) return true;
    VIGIE_ASSIGN(auto n, read_next(*file_, at_, buffer_.data(), buffer_.size()));
    begin_ = 0, end_ = n;
    return n > 0;
  }
  Error torn(std::string_view kind, std::string_view what) const {
    return fail(Code::kInput, fmt::format("{}: {} stream {} at byte {}", file_->path(), kind, what, consumed()));
  }

  std::shared_ptr<InputFile> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t at_ = 0;
};

class Gzip final : public Compressed {
 public:
  using Compressed::Compressed;
  ~Gzip() override {
    if (open_) inflateEnd(&stream_);
  }
  Result<std::size_t> read(char* out, std::size_t size) override {
    std::size_t done = 0;
    while (done < size && !over_) {
      VIGIE_ASSIGN(bool more, refill());
      if (!more) {
        if (!between_) return torn("gzip", "ends early");
        over_ = true;
        break;
      }
      if (between_) {
        // Bytes after the last member that are no member (zero padding of tapes, a trailing newline) are not data.
        if (started_ && buffer_[begin_] != '\x1f') {
          over_ = true;
          break;
        }
        if ((open_ ? inflateReset(&stream_) : inflateInit2(&stream_, 15 + 16)) != Z_OK)
          return torn("gzip", "cannot be opened");
        open_ = started_ = true;
        between_ = false;
      }
      auto room = std::min<std::size_t>(size - done, 1U << 30);
      stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data() + begin_);
      stream_.avail_in = static_cast<uInt>(end_ - begin_);
      stream_.next_out = reinterpret_cast<Bytef*>(out + done);
      stream_.avail_out = static_cast<uInt>(room);
      int code = inflate(&stream_, Z_NO_FLUSH);
      begin_ = end_ - stream_.avail_in;
      done += room - stream_.avail_out;
      if (code == Z_STREAM_END) {
        between_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return torn("gzip", fmt::format("is damaged ({})", stream_.msg ? stream_.msg : "unknown"));
      }
    }
    return done;
  }

 private:
  z_stream stream_{};
  bool open_ = false, started_ = false, between_ = true, over_ = false;
};

class Zstd final : public Compressed {
 public:
  explicit Zstd(std::shared_ptr<InputFile> file) : Compressed(std::move(file)), stream_(ZSTD_createDStream()) {}
  ~Zstd() override { ZSTD_freeDStream(stream_); }
  Result<std::size_t> read(char* out, std::size_t size) override {
    if (!stream_) return torn("zstd", "cannot be opened");
    ZSTD_outBuffer target{out, size, 0};
    while (target.pos < size && !over_) {
      VIGIE_ASSIGN(bool more, refill());
      // With no input left the decoder may still hold output of the last block.
      ZSTD_inBuffer from{buffer_.data() + begin_, end_ - begin_, 0};
      auto before = target.pos;
      if (!more && between_) {
        over_ = true;
        break;
      }
      auto left = ZSTD_decompressStream(stream_, &target, &from);
      if (ZSTD_isError(left)) return torn("zstd", fmt::format("is damaged ({})", ZSTD_getErrorName(left)));
      begin_ += from.pos;
      between_ = left == 0;
      if (!more && !between_ && target.pos == before) return torn("zstd", "ends early");
    }
    return target.pos;
  }

 private:
  ZSTD_DStream* stream_;
  bool between_ = true, over_ = false;
};

}  // namespace

Result<std::unique_ptr<BytesSource>> open_bytes(std::shared_ptr<InputFile> file) {
  char head[4] = {};
  VIGIE_ASSIGN(auto n, file->read(0, head, sizeof head));
  std::string_view magic(head, n);
  if (magic.starts_with("\x1f\x8b")) return std::unique_ptr<BytesSource>(std::make_unique<Gzip>(std::move(file)));
  if (n > 1 && n < 4 && std::string_view("\x28\xb5\x2f\xfd").starts_with(magic))
    return fail(Code::kInput, fmt::format("{}: zstd stream ends early at byte {}", file->path(), n));
  bool skippable = n == 4 && (head[0] & '\xf0') == '\x50' && magic.substr(1) == "\x2a\x4d\x18";
  if (magic == "\x28\xb5\x2f\xfd" || skippable)
    return std::unique_ptr<BytesSource>(std::make_unique<Zstd>(std::move(file)));
  return std::unique_ptr<BytesSource>(std::make_unique<Plain>(std::move(file)));
}

}  // namespace vigie::table

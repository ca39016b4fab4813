// SPDX-License-Identifier: Apache-2.0
#include "table/number_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "base/file.h"
#include "base/text.h"
#include "table/bytes_source_internal.h"
#include "table/cell_internal.h"

namespace vigie::table {
namespace {

constexpr std::size_t kRead = 64 << 10, kLongest = 1 << 20, kPadding = 8;

}  // namespace

NumberLines::NumberLines(std::string name, const NumberLineOptions& options)
    : name_(std::move(name)), options_(options), buffer_(2 * kRead + kPadding) {}

NumberLines::~NumberLines() {
  if (owned_) ::close(fd_);
}

Result<std::unique_ptr<NumberLines>> NumberLines::open(const std::string& data, const NumberLineOptions& options) {
  std::unique_ptr<NumberLines> lines(new NumberLines(data, options));
  struct stat info{};
  if (data == "-") {
    lines->fd_ = STDIN_FILENO;
  } else if (::stat(data.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    lines->fd_ = ::open(data.c_str(), O_RDONLY | O_CLOEXEC);
    if (lines->fd_ < 0) return fail(Code::kIo, fmt::format("{}: cannot open: {}", data, std::strerror(errno)));
    lines->owned_ = true;
  } else {
    VIGIE_ASSIGN(auto file, InputFile::open(data));
    lines->file_ = std::make_shared<InputFile>(std::move(file));
    VIGIE_ASSIGN(lines->source_, open_bytes(lines->file_));
  }
  return lines;
}

std::uint64_t NumberLines::bytes() const {
  return file_ ? file_->size() : 0;
}

std::uint64_t NumberLines::consumed() const {
  return source_ ? source_->consumed() : offset_;
}

Result<std::size_t> NumberLines::read(char* out, std::size_t size) {
  if (source_) return source_->read(out, size);
  while (true) {
    // A negative descriptor is passed over.
    pollfd of[] = {{.fd = options_.stop, .events = POLLIN, .revents = 0}, {.fd = fd_, .events = POLLIN, .revents = 0}};
    if (::poll(of, 2, -1) < 0 && errno != EINTR)
      return fail(Code::kIo, fmt::format("{}: cannot read: {}", name_, std::strerror(errno)));
    if (of[0].revents) {
      stopped_ = true;
      return 0;
    }
    if (!of[1].revents) continue;
    const auto n = ::read(fd_, out, size);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR && errno != EAGAIN)
      return fail(Code::kIo, fmt::format("{}: cannot read: {}", name_, std::strerror(errno)));
  }
}

// Reads once, and takes what lines are whole by then.
Status NumberLines::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, size_ - begin_);
    size_ -= begin_, begin_ = 0;
  }
  if (size_ > kLongest)
    return fail(Code::kInput,
                fmt::format("{}:{}: a line of more than a megabyte: no numbers, one a line", name_, line_ + 1));
  buffer_.resize(std::max(buffer_.size(), size_ + kRead + kPadding));
  VIGIE_ASSIGN(const auto n, read(buffer_.data() + size_, kRead));
  if (n == 0) {
    // What came of a line when it was stopped may be half a number.
    if (!stopped_) VIGIE_TRY(finish());
    ended_ = true;
    return {};
  }
  if (offset_ == 0) {
    constexpr std::string_view kBom = "\xef\xbb\xbf", kGzip = "\x1f\x8b", kZstd = "\x28\xb5\x2f\xfd";
    const std::string_view head(buffer_.data(), size_ + n);
    for (const auto mark : {kBom, kGzip, kZstd})
      if (head.size() < mark.size() && mark.starts_with(head)) {
        size_ = head.size();
        return {};
      }
    if (head.starts_with(kBom)) begin_ = kBom.size();
    if (!source_ && (head.starts_with(kGzip) || head.starts_with(kZstd)))
      return fail(Code::kInput, name_ + ": is compressed: decompress it on the way (zcat, zstdcat)");
  }
  const std::size_t from = offset_ == 0 ? 0 : size_, filled = size_ + n;
  const auto* nul = static_cast<const char*>(std::memchr(buffer_.data() + from, 0, filled - from));
  const std::size_t end = nul ? static_cast<std::size_t>(nul - buffer_.data()) : filled;
  size_ = end;
  VIGIE_TRY(take(end));
  offset_ += end - from;
  if (nul)
    error_ =
        fail(Code::kInput, fmt::format("{}:{}: NUL byte at offset {}: not a text file", name_, line_ + 1, offset_));
  return {};
}

Status NumberLines::finish() {
  if (size_ > 0) {
    buffer_[size_++] = '\n';
    VIGIE_TRY(take(size_));
  }
  if (count_ > 0 || !numbers_.empty()) return {};
  if (problems_.messages.empty()) return fail(Code::kInput, name_ + ": the file is empty");
  return fail(Code::kInput, fmt::format("{}; no line of {} is a number", problems_.messages[0], name_));
}

// The whole lines that end before `end`.
Status NumberLines::take(std::size_t end) {
  const char* p = buffer_.data() + begin_;
  const char* const last = buffer_.data() + end;
  while (const auto* stop = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(last - p)))) {
    ++line_;
    double value;
    if (p < stop && cell::quick_number(p, stop, options_.decimal, value) != cell::Quick::kNo) [[likely]]
      numbers_.push_back(value);
    else
      VIGIE_TRY(slow(p, stop));
    p = stop + 1;
  }
  begin_ = static_cast<std::size_t>(p - buffer_.data());
  return {};
}

Status NumberLines::slow(const char* begin, const char* end) {
  if (begin < end && end[-1] == '\r') --end;
  const auto text = trimmed({begin, static_cast<std::size_t>(end - begin)});
  double value = std::numeric_limits<double>::quiet_NaN();
  bool integer;
  if (!text.empty() && (parse_number(text, options_.decimal, value, integer) || is_missing(text))) {
    numbers_.push_back(value);
    return {};
  }
  std::string what = text.empty() ? "a blank line" : quoted(text) + " is not a number";
  if (options_.decimal == '.' && parse_number(text, ',', value, integer)) what += " (use --decimal ',')";
  auto message = fmt::format("{}:{}: {}", name_, line_, what);
  if (options_.strict) return fail(Code::kInput, std::move(message));
  ++problems_.rejected;
  if (problems_.messages.size() < 3) problems_.messages.push_back(std::move(message));
  return {};
}

Result<std::span<const double>> NumberLines::next() {
  if (error_) return *error_;
  numbers_.clear();
  if (auto status = fill(); !status) error_ = std::move(status.error());
  count_ += static_cast<std::int64_t>(numbers_.size());
  if (error_ && numbers_.empty()) return *error_;
  return std::span<const double>(numbers_);
}

}  // namespace vigie::table

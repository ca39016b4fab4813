// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "source/lines.h"

namespace vigie::source {
namespace {

constexpr int kWait = 200;  // ms, for a writer that is at it

}  // namespace

Pipe::Pipe(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  ::fcntl(fd_, F_SETPIPE_SZ, static_cast<int>(kPiece));  // else 64 KiB, where it is a pipe
}

// Of what there is up to a piece; whether anything came.
bool Pipe::fill() {
  bool some = false;
  const auto enough = buffer_.size() + kPiece;
  while (!ended_ && buffer_.size() < enough) {
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, some ? 0 : flows_ ? kWait : 0) <= 0) break;
    const auto size = buffer_.size();
    buffer_.resize(size + kPiece);
    const auto got = ::read(fd_, buffer_.data() + size, kPiece);
    buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) break;
    if (got < 0) trouble_ = fmt::format("{}: cannot read: {}", name_, std::strerror(errno));
    if (got == 0) said_.push_back(fmt::format("{}: has ended", name_));
    ended_ = got <= 0;
    some = true;
  }
  return flows_ = some;
}

std::optional<Piece> Pipe::next(std::int64_t) {
  while (true) {
    if (inside_) {
      const auto end = buffer_.find('\n');
      buffer_.erase(0, end == buffer_.npos ? end : end + 1);
      newlines_ += end != buffer_.npos;
      inside_ = end == buffer_.npos;
    }
    const auto last = buffer_.rfind('\n');
    cut_ = last == buffer_.npos && buffer_.size() >= kLongest;
    pending_ = last == buffer_.npos ? buffer_.size() : last + 1;
    if (cut_) return Piece{name_, newlines_ + 1, {}, true};
    if (last != buffer_.npos || (ended_ && !buffer_.empty()))
      return Piece{name_, newlines_ + 1, std::string_view(buffer_).substr(0, pending_), false};
    if (!fill()) return {};
  }
}

void Pipe::keep() {
  newlines_ += static_cast<std::uint64_t>(
      std::count(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(pending_), '\n'));
  buffer_.erase(0, pending_);
  inside_ = cut_, pending_ = 0;
}

}  // namespace vigie::source

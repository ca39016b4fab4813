// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie {

/// A file open for reading. Movable; closes itself. Thread safe: reads carry their own offset.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path);
  /// An unlinked temporary file in $TMPDIR or /tmp that holds everything `fd` had to say: standard input, made
  /// re-readable. `name` stands for it in messages.
  static Result<InputFile> spool(int fd, const std::string& name);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// Reads up to `size` bytes at `offset`; fewer only at the end of the file.
  Result<std::size_t> read(std::uint64_t offset, char* out, std::size_t size) const;
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  int fd() const { return fd_; }

 private:
  InputFile(int fd, std::uint64_t size, std::string path) : fd_(fd), size_(size), path_(std::move(path)) {}
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string path_;
};

/// The whole of a file; one over `limit` bytes is an error.
Result<std::string> read_file(const std::string& path, std::uint64_t limit = 1ULL << 30);

/// Replaces `path` by `bytes` so that a reader or a crash at any instant sees the old file or the new one whole
/// (temporary file beside it, fsync, rename, fsync of the folder). `replace` false refuses an existing file. A symbolic
/// link stays one, and what it points to is replaced; a device or pipe is written to, without that promise.
Status write_file(const std::string& path, std::string_view bytes, bool replace = true);

/// What write_file() says of a file that it must not replace.
std::string already_there(const std::string& path);

/// Fault points for tests: when set, called before each I/O call with its name ("open", "read", "write", "fsync",
/// "rename"); a non-zero return is the errno with which that call fails instead of being made.
void set_io_fault(std::function<int(std::string_view)> fault);

}  // namespace vigie

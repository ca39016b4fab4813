// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "source/lines.h"

struct stat;

namespace vigie::source {

using Place = std::pair<std::uint64_t, std::uint64_t>;  ///< device and inode
inline constexpr std::int64_t kSecond = 1'000'000;
inline constexpr std::size_t kHead = 1024;  ///< bytes by which files are told apart
inline constexpr std::size_t kSure = 64;    ///< of them that no two files share by chance

/// A file as a look found it.
struct Entry {
  std::string path;
  Place place;
  std::uint64_t size = 0;
  std::int64_t changed = 0, written = 0;  ///< µs since 1970
  bool regular = false, removed = false;
};

/// A regular file, open for reading. Movable; closes itself.
class OpenFile {
 public:
  /// Waits for nobody, as the writer of a pipe that took the file's place. Code::kInput: what is there is no file.
  static Result<OpenFile> open(const std::string& path);
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(fd_, other.fd_), std::swap(path_, other.path_);
    return *this;
  }
  ~OpenFile();
  /// As it is now.
  std::optional<Entry> entry() const;
  /// Up to `size` bytes at `offset`; fewer only at the end of the file.
  Result<std::size_t> read(std::uint64_t offset, char* out, std::size_t size) const;

 private:
  OpenFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

std::optional<Entry> entry_at(const std::string& path);
/// The regular files that a path with or without wildcards names, each once, by their names. `trouble`: why there is
/// none, or not all of them, in one line; else empty.
std::vector<Entry> find_files(const std::string& pattern, std::string& trouble);
/// Shows regular files of the folder that a file lies in, links not among them, until one is taken.
void beside(const std::string& path, const std::function<bool(Entry&&)>& take);
/// Whether the name is one that rotation makes of the other: app.log.1, app.log-20261127.
bool named_after(const std::string& path, const std::string& other);

/// Its first bytes, kHead at most; none where it cannot be read.
std::string head_of(const std::string& path);
bool begins_as(std::string_view head, const Position& at);
/// By its name, or by how gzip, zstd, xz and bzip2 begin.
bool is_packed(const std::string& path, std::string_view head);

}  // namespace vigie::source

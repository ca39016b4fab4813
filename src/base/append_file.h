// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie {

/// A file that only grows at its end, but for room that is made there. Movable; closes itself. One thread at a time.
class AppendFile {
 public:
  /// Opens `path`, or makes it and sees to it that its folder knows of it after a crash.
  static Result<AppendFile> open(const std::string& path);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  /// All of the bytes or none of them: after a failed write the file is cut back to what it was; where that fails too,
  /// usable() is false and what follows would stand behind half a block.
  Status append(std::string_view bytes);
  /// Returns when what was appended survives a loss of power. After a failure nobody knows what does: the kernel may
  /// have dropped it, and a second call would not tell.
  Status sync();
  /// Sees to it that room for `bytes` more lies behind the end as zeros, made a MiB at a time: to sync() what is then
  /// written there, the disk is told of no new size, which halves the time and writes each byte twice. Until
  /// drop_room(), truncate() or the end of this object who opens the file finds the zeros, also after a crash. False:
  /// there is no room, as on a full disk. From then on nobody else may write to the file.
  bool make_room(std::uint64_t bytes);
  Status drop_room();
  Status truncate(std::uint64_t size);
  bool usable() const { return usable_; }
  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  AppendFile(int fd, std::uint64_t size, std::string path)
      : fd_(fd), size_(size), room_(size), path_(std::move(path)) {}
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t room_ = 0;  // where the zeros behind it end
  bool usable_ = true;
  std::string path_;
};

/// Makes the names in a folder, new and removed ones, survive a loss of power.
Status sync_folder(const std::string& folder);

}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#include "base/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/io_internal.h"

namespace vigie {

Result<AppendFile> AppendFile::open(const std::string& path) {
  const bool fresh = ::access(path.c_str(), F_OK) != 0;
  const int fd = attempt("open", [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600); });
  if (fd < 0) return os_error(path, "open", errno);
  struct stat info{};
  if (attempt("open", [&] { return ::fstat(fd, &info); }) < 0) {
    const auto failed = os_error(path, "open", errno);
    ::close(fd);
    return failed;
  }
  AppendFile file(fd, static_cast<std::uint64_t>(info.st_size), path);
  if (fresh) {
    if (auto known = sync_folder(std::filesystem::path(path).parent_path().string()); !known) {
      ::unlink(path.c_str());  // or the next one would take it for known
      return known.error();
    }
  }
  return file;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      room_(other.room_),
      usable_(other.usable_),
      path_(std::move(other.path_)) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(room_, other.room_);
  std::swap(usable_, other.usable_);
  std::swap(path_, other.path_);
  return *this;
}

AppendFile::~AppendFile() {
  if (fd_ < 0) return;
  (void)drop_room();
  ::close(fd_);
}

Status AppendFile::append(std::string_view bytes) {
  // Where O_APPEND is set, Linux has pwrite write at the end as well.
  for (std::uint64_t at = size_, end = size_ + bytes.size(); at < end;) {
    const auto rest = bytes.substr(at - size_);
    const auto put = attempt("write", [&] { return ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(at)); });
    if (put < 0) {
      auto failed = os_error(path_, "write", errno);
      usable_ = truncate(size_).has_value();
      return failed;
    }
    at += static_cast<std::uint64_t>(put);
  }
  size_ += bytes.size();
  room_ = std::max(room_, size_);
  return {};
}

bool AppendFile::make_room(std::uint64_t bytes) {
  if (size_ + bytes <= room_) return true;
  static const std::string zeros(1 << 20, '\0');
  bool made = ::fcntl(fd_, F_SETFL, 0) == 0;  // no O_APPEND
  while (made && room_ < size_ + bytes) {
    const auto put =
        attempt("write", [&] { return ::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(room_)); });
    if (put > 0) room_ += static_cast<std::uint64_t>(put);
    made = put == static_cast<ssize_t>(zeros.size());
  }
  if (!made) (void)drop_room();  // or zeros would take what is left
  return made;
}

Status AppendFile::drop_room() {
  return room_ > size_ ? truncate(size_) : Status();
}

Status AppendFile::sync() {
  if (attempt("fsync", [&] { return ::fdatasync(fd_); }) < 0) return os_error(path_, "make lasting", errno);
  return {};
}

Status AppendFile::truncate(std::uint64_t size) {
  if (attempt("truncate", [&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) < 0)
    return os_error(path_, "shorten", errno);
  size_ = room_ = size;
  return {};
}

Status sync_folder(const std::string& folder) {
  const std::string path = folder.empty() ? "." : folder;
  Closer dir{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (dir.fd < 0) return os_error(path, "open", errno);
  if (attempt("fsync", [&] { return ::fsync(dir.fd); }) < 0) return os_error(path, "make lasting", errno);
  return {};
}

}  // namespace vigie

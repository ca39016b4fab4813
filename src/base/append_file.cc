// SPDX-License-Identifier: Apache-2.0
#include "base/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/io_internal.h"

namespace vigie {

Result<AppendFile> AppendFile::open(const std::string& path) {
  const bool fresh = ::access(path.c_str(), F_OK) != 0;
  const int fd = attempt("open", [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600); });
  if (fd < 0) return os_error(path, "open", errno);
  struct stat info{};
  ::fstat(fd, &info);
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
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), usable_(other.usable_), path_(std::move(other.path_)) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(usable_, other.usable_);
  std::swap(path_, other.path_);
  return *this;
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status AppendFile::append(std::string_view bytes) {
  if (auto written = write_all(fd_, path_, bytes); !written) {
    usable_ = truncate(size_).has_value();
    return written;
  }
  size_ += bytes.size();
  return {};
}

Status AppendFile::sync() {
  if (attempt("fsync", [&] { return ::fdatasync(fd_); }) < 0) return os_error(path_, "make lasting", errno);
  return {};
}

Status AppendFile::truncate(std::uint64_t size) {
  if (attempt("truncate", [&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) < 0)
    return os_error(path_, "shorten", errno);
  size_ = size;
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

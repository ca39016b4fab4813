// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "base/io_internal.h"

namespace vigie {
namespace {

// Set by tests, while other threads read and write.
using Fault = std::function<int(std::string_view)>;
std::atomic<bool> faulty = false;
std::mutex setting;
std::shared_ptr<const Fault> fault;

}  // namespace

void set_io_fault(std::function<int(std::string_view)> f) {
  const std::lock_guard lock(setting);
  faulty = static_cast<bool>(f);
  fault = f ? std::make_shared<const Fault>(std::move(f)) : nullptr;
}

int io_fault(std::string_view name) {
  if (!faulty) return 0;
  std::unique_lock lock(setting);
  const auto at = fault;
  lock.unlock();
  return at ? (*at)(name) : 0;
}

Error os_error(std::string_view path, std::string_view what, int code) {
  return fail(Code::kIo, fmt::format("{}: cannot {}: {}", path, what, std::strerror(code)));
}

Status write_all(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = attempt("write", [&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return os_error(path, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Closer::~Closer() {
  if (fd >= 0) ::close(fd);
}

Result<InputFile> InputFile::open(const std::string& path) {
  int fd = attempt("open", [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd < 0) return os_error(path, "open", errno);
  struct stat info{};
  ::fstat(fd, &info);
  if (S_ISDIR(info.st_mode)) {
    ::close(fd);
    return fail(Code::kInput,
                fmt::format("{}: is a folder, not a file (quote a pattern for its files: '{}/*')", path, path));
  }
  if (!S_ISREG(info.st_mode)) {
    Closer close{fd};
    return spool(fd, path);
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return InputFile(fd, static_cast<std::uint64_t>(info.st_size), path);
}

Result<InputFile> InputFile::spool(int in, const std::string& name) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = folder && *folder ? folder : "/tmp";
  // A file that never has a name cannot be left behind; not every file system can do it.
  int fd = attempt("open", [&] { return ::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
    path += "/vigie-XXXXXX";
    fd = attempt("open", [&] { return ::mkostemp(path.data(), O_CLOEXEC); });
    if (fd >= 0) ::unlink(path.c_str());
  }
  if (fd < 0) return os_error(path, "create a file (set TMPDIR to a folder with room)", errno);
  InputFile file(fd, 0, name);
  const auto place = fmt::format("{} (copy of {})", path, name);
  std::vector<char> buffer(1 << 20);
  while (true) {
    // ThreadSanitizer lets a signal be seen while poll waits, and not while read does.
    pollfd ready{in, POLLIN, 0};
    (void)::poll(&ready, 1, -1);
    auto n = attempt("read", [&] { return ::read(in, buffer.data(), buffer.size()); });
    if (n < 0) return os_error(name, "read", errno);
    if (n == 0) break;
    if (auto s = write_all(fd, place, {buffer.data(), static_cast<std::size_t>(n)}); !s) return std::move(s.error());
    file.size_ += static_cast<std::uint64_t>(n);
  }
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), path_(std::move(other.path_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> InputFile::read(std::uint64_t offset, char* out, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    auto n = attempt("read", [&] { return ::pread(fd_, out + done, size - done, static_cast<off_t>(offset + done)); });
    if (n < 0) return os_error(path_, "read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::string> read_file(const std::string& path, std::uint64_t limit) {
  VIGIE_ASSIGN(auto file, InputFile::open(path));
  if (file.size() > limit)
    return fail(Code::kInput, fmt::format("{}: {} bytes, more than the {} allowed", path, file.size(), limit));
  std::string bytes(file.size(), '\0');
  VIGIE_ASSIGN(auto n, file.read(0, bytes.data(), bytes.size()));
  bytes.resize(n);
  return bytes;
}

std::string already_there(const std::string& path) {
  return fmt::format("{}: exists already; it is never rewritten: choose another name", path);
}

Status write_file(const std::string& path, std::string_view bytes, bool replace) {
  if (!replace && ::access(path.c_str(), F_OK) == 0) return fail(Code::kUsage, already_there(path));
  struct stat info{};
  if (replace && ::lstat(path.c_str(), &info) == 0) {
    if (S_ISLNK(info.st_mode)) {
      // What a link points to is replaced, not the link.
      std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
      if (real && path != real.get()) return write_file(real.get(), bytes, replace);
    } else if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
      // Devices and pipes are written to: a rename would put a file in their place.
      int device = attempt("open", [&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC); });
      if (device < 0) return os_error(path, "open", errno);
      Closer close{device};
      return write_all(device, path, bytes);
    }
  }
  auto slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  std::string temporary = path + ".tmpXXXXXX";
  int fd = attempt("open", [&] { return ::mkostemp(temporary.data(), O_CLOEXEC); });
  if (fd < 0) return os_error(path, "create", errno);
  Closer close{fd};
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd, 0666 & ~mask);
  auto give_up = [&](Error error) {
    ::unlink(temporary.c_str());
    return error;
  };
  if (auto s = write_all(fd, path, bytes); !s) return give_up(s.error());
  if (attempt("fsync", [&] { return ::fsync(fd); }) < 0) return give_up(os_error(path, "write", errno));
  if (replace) {
    if (attempt("rename", [&] { return ::rename(temporary.c_str(), path.c_str()); }) < 0)
      return give_up(os_error(path, "replace", errno));
  } else {
    // link() and not rename(): of two that write one name at once, one must be told no.
    if (attempt("rename", [&] { return ::link(temporary.c_str(), path.c_str()); }) < 0)
      return give_up(errno == EEXIST ? fail(Code::kUsage, already_there(path)) : os_error(path, "create", errno));
    ::unlink(temporary.c_str());
  }
  Closer dir{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (dir.fd >= 0) (void)attempt("fsync", [&] { return ::fsync(dir.fd); });
  return {};
}

}  // namespace vigie

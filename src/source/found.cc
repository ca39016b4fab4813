// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "source/found_internal.h"

namespace vigie::source {
namespace {

thread_local std::string unsearchable;  // the folder that glob() could not read

Error refused(const std::string& path, std::string_view what, int error) {
  return fail(Code::kIo, fmt::format("{}: cannot {}: {}", path, what, std::strerror(error)));
}

Entry entry_of(std::string path, const struct stat& info) {
  const auto micros = [](const timespec& t) { return std::int64_t{t.tv_sec} * kSecond + t.tv_nsec / 1000; };
  return {std::move(path),      {info.st_dev, info.st_ino}, static_cast<std::uint64_t>(info.st_size),
          micros(info.st_ctim), micros(info.st_mtim),       S_ISREG(info.st_mode),
          info.st_nlink == 0};
}

std::pair<std::string, std::string> parted(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == path.npos) return {"", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

}  // namespace

Result<OpenFile> OpenFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return refused(path, "open", errno);
  OpenFile file(fd, path);
  if (const auto entry = file.entry(); !entry || !entry->regular)
    return fail(Code::kInput, fmt::format("{}: is no file", path));
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return file;
}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Entry> OpenFile::entry() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0) return {};
  return entry_of(path_, info);
}

Result<std::size_t> OpenFile::read(std::uint64_t offset, char* out, std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::pread(fd_, out + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused(path_, "read", errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

std::optional<Entry> entry_at(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return entry_of(path, info);
}

std::vector<Entry> find_files(const std::string& pattern, std::string& trouble) {
  std::vector<Entry> out;
  trouble.clear();
  if (!has_glob(pattern)) {
    if (auto entry = entry_at(pattern); !entry)
      trouble = errno == ENOENT ? fmt::format("{}: is not there yet", pattern)
                                : fmt::format("{}: cannot open: {}", pattern, std::strerror(errno));
    else if (!entry->regular)
      trouble = fmt::format("{}: is no file; a folder's files are '{}/*'", pattern, pattern);
    else
      out.push_back(std::move(*entry));
    return out;
  }
  unsearchable.clear();
  glob_t found{};
  const auto refused = [](const char* path, int error) {
    if (error == EACCES) unsearchable = fmt::format("{}: cannot open: {}", path, std::strerror(error));
    return 0;
  };
  if (::glob(pattern.c_str(), GLOB_NOSORT, refused, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (auto entry = entry_at(found.gl_pathv[i]); entry && entry->regular) out.push_back(std::move(*entry));
  ::globfree(&found);
  std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
  std::set<Place> seen;  // one file may have several names
  std::erase_if(out, [&](const Entry& entry) { return !seen.insert(entry.place).second; });
  if (!unsearchable.empty())
    trouble = unsearchable;
  else if (out.empty())
    trouble = fmt::format("{}: no file is there yet", pattern);
  return out;
}

void beside(const std::string& path, const std::function<bool(Entry&&)>& take) {
  const auto folder = parted(path).first;
  DIR* all = ::opendir(folder.empty() ? "." : folder.c_str());
  if (!all) return;
  while (const auto* one = ::readdir(all))
    if (struct stat info{}; ::lstat((folder + one->d_name).c_str(), &info) == 0 && S_ISREG(info.st_mode))
      if (take(entry_of(folder + one->d_name, info))) break;
  ::closedir(all);
}

bool named_after(const std::string& path, const std::string& other) {
  return parted(path).second.starts_with(parted(other).second);
}

std::string head_of(const std::string& path) {
  const auto file = OpenFile::open(path);
  std::string head(kHead, '\0');
  const auto got = file ? file->read(0, head.data(), head.size()) : Result<std::size_t>(file.error());
  head.resize(got ? *got : 0);
  return head;
}

bool begins_as(std::string_view head, const Position& at) {
  return at.head == 0 || (head.size() >= at.head && hash64(head.substr(0, at.head)) == at.hash);
}

bool is_packed(const std::string& path, std::string_view head) {
  const std::string_view name(path);
  for (const auto* end : {".gz", ".zst", ".xz", ".bz2"})
    if (name.ends_with(end)) return true;
  for (const std::string_view magic : {std::string_view("\x1f\x8b"), std::string_view("\x28\xb5\x2f\xfd"),
                                       std::string_view("\xfd"
                                                        "7zXZ"),
                                       std::string_view("BZh")})
    if (head.starts_with(magic)) return true;
  return false;
}

}  // namespace vigie::source

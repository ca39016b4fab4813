// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/interrupt_internal.h"
#include "cli/output_internal.h"

namespace vigie::cli {
namespace {

namespace fs = std::filesystem;

bool is_stream(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

// Whether a file can be made beside `path`, told by making one.
Status try_folder(const std::string& path) {
  std::error_code none;
  auto target = fs::is_symlink(path, none) ? fs::weakly_canonical(path, none) : fs::path(path);
  auto folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (!fs::exists(folder, none))
    return fail(Code::kIo, fmt::format("{}: cannot create: there is no folder {}", path, folder.string()));
  if (!fs::is_directory(folder, none))
    return fail(Code::kIo, fmt::format("{}: cannot create: {} is not a folder", path, folder.string()));
  auto probe = target.string() + ".tmpXXXXXX";
  HoldSignals hold;
  int fd = ::mkostemp(probe.data(), O_CLOEXEC);
  if (fd < 0) return fail(Code::kIo, fmt::format("{}: cannot create: {}", path, std::strerror(errno)));
  ::close(fd);
  ::unlink(probe.c_str());
  return {};
}

}  // namespace

Status check_output(const std::string& path, const Output& kind) {
  if (path == "-")
    return fail(Code::kUsage, fmt::format("-o -: {} is written to a file, as {}{}", kind.what, kind.example,
                                          kind.instead.empty() ? "" : fmt::format("; {}", kind.instead)));
  if (path.empty()) return fail(Code::kUsage, fmt::format("-o \"\": expected a file name, as {}", kind.example));
  std::error_code none;
  if (fs::is_directory(path, none))
    return fail(Code::kUsage, fmt::format("{}: is a folder; name a file in it, as {}", path,
                                          (fs::path(path) / std::string(kind.example)).string()));
  if (!kind.replace && fs::exists(fs::symlink_status(path, none))) return fail(Code::kUsage, already_there(path));
  if (is_stream(path)) {
    if (::access(path.c_str(), W_OK) != 0)
      return fail(Code::kIo, fmt::format("{}: cannot write: {}", path, std::strerror(errno)));
    return {};
  }
  if (!kind.endings.empty() && std::none_of(kind.endings.begin(), kind.endings.end(),
                                            [&](std::string_view ending) { return path.ends_with(ending); }))
    return fail(Code::kUsage, fmt::format("-o {}: expected a name that ends in {}", vigie::quoted(path, 200),
                                          fmt::join(kind.endings, " or ")));
  return try_folder(path);
}

Status check_not_input(const std::string& path, const std::string& input, std::string_view option) {
  std::error_code none;
  if (!fs::is_regular_file(path, none) || !fs::equivalent(path, input, none)) return {};
  return fail(Code::kUsage, fmt::format("-o {}: is {} itself; choose another name", vigie::quoted(path, 200), option));
}

Status write_output(const std::string& path, std::string_view bytes, bool replace) {
  // Nothing is left beside a pipe, and who reads it may never come.
  std::optional<HoldSignals> hold;
  if (!is_stream(path)) hold.emplace();
  return write_file(path, bytes, replace);
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie {

/// The errno with which the I/O call of this name is to fail, 0: it is to be made. See set_io_fault().
int io_fault(std::string_view name);

Error os_error(std::string_view path, std::string_view what, int code);  ///< "PATH: cannot WHAT: strerror"

/// Runs one system call with its fault point, again after EINTR.
template <class Call>
auto attempt(std::string_view name, Call call) -> decltype(call()) {
  if (int code = io_fault(name)) {
    errno = code;
    return -1;
  }
  decltype(call()) r;
  do r = call();
  while (r < 0 && errno == EINTR);
  return r;
}

Status write_all(int fd, const std::string& path, std::string_view bytes);

/// A descriptor that is closed at the end of its scope.
struct Closer {
  int fd;
  ~Closer();
};

}  // namespace vigie

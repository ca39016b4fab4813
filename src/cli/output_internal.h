// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigie::cli {

/// What a command writes with -o.
struct Output {
  std::string_view what;                      ///< "a report"
  std::string_view example;                   ///< a file name
  std::string_view instead;                   ///< what else to do than -o -, may be empty
  std::span<const std::string_view> endings;  ///< that a name must have one of; empty: any. Pipes and devices need none
  bool replace = true;                        ///< whether an existing file is written over
};

/// Whether `path` can be written, so that it is said before data is read and not after it: a wrong name is
/// Code::kUsage, a folder in which no file can be made Code::kIo. Leaves nothing behind.
Status check_output(const std::string& path, const Output& kind);

/// Code::kUsage when the file that would be written over is the one that `option` names.
Status check_not_input(const std::string& path, const std::string& input, std::string_view option);

/// write_file(), whole or not at all also when a signal comes.
Status write_output(const std::string& path, std::string_view bytes, bool replace);

}  // namespace vigie::cli

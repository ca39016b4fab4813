// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "cli/command_internal.h"
#include "cli/credentials_internal.h"
#include "cli/interrupt_internal.h"
#include "cli/task_options_internal.h"

namespace vigie::cli {

/// As the options of `vigie send` have them.
struct SendOptions {
  std::string data, to, model, reference, speed = "max", delay, timeout, from_row;
  std::vector<std::string> tags;
  bool labels_only = false, json = false;
  bool again = true;                                               ///< whether it is said how to go on
  double shift = 0;                                                ///< µs that are added to each row's time
  double until = std::numeric_limits<double>::infinity();          ///< µs: rows of a later time are not sent
  std::function<void(std::int64_t row, std::string& out)> more{};  ///< RecordOptions::more
  DataOptions columns;
  WindowOptions windows;
  TaskOptions task;  ///< of the reference
  Credentials credentials;
};

/// Sends the rows and says what became of them; gives the exit status. `signals`: ask for its end; nullptr: its own.
Result<int> send(SendOptions& options, const CatchSignals* signals = nullptr);

}  // namespace vigie::cli

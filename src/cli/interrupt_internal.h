// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

namespace vigie::cli {

/// Before anything else is opened: closed standard streams become ones that are empty or, for output, cannot be
/// written.
void open_standard_streams();

/// From now on SIGINT, SIGTERM and SIGHUP end the program at once, by that signal, except while HoldSignals lives.
/// Those that the caller ignores stay ignored.
void watch_signals();

/// While one lives (one at a time), a signal waits: for the writing of a file, that it be there whole or not at all and
/// that nothing be left beside it.
class HoldSignals {
 public:
  HoldSignals();
  ~HoldSignals();
  HoldSignals(const HoldSignals&) = delete;
};

/// While one lives (one at a time, and no HoldSignals), the first signal only asks for an end and ends standard input,
/// and the second one ends the program: for a command that reads on until it is told to stop, and then says what it has
/// seen.
class CatchSignals {
 public:
  CatchSignals();
  ~CatchSignals();
  CatchSignals(const CatchSignals&) = delete;
  bool asked() const;
  int number() const;                  ///< of the signal, once asked
  int fd() const { return ends_[0]; }  ///< can be read once asked

 private:
  int ends_[2] = {-1, -1}, nothing_ = -1;
};

/// While one lives (one at a time), SIGHUP ends nothing and is told here, also where the caller ignores it: for a
/// service that reads its settings anew.
class CatchHangup {
 public:
  CatchHangup();
  ~CatchHangup();
  CatchHangup(const CatchHangup&) = delete;
  int fd() const { return ends_[0]; }  ///< can be read once there was one
  bool taken() const;                  ///< whether there was one since the last time

 private:
  int ends_[2] = {-1, -1};
  struct sigaction before_{};
};

/// Whether a line on standard error has to be cleared before the end.
void bar_is_shown(bool shown);
bool bar_is_shown();

}  // namespace vigie::cli

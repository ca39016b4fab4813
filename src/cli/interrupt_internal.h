// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Whether a line on standard error has to be cleared before the end.
void bar_is_shown(bool shown);

}  // namespace vigie::cli

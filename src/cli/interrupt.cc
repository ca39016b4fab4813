// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "cli/interrupt_internal.h"

namespace vigie::cli {
namespace {

enum State { kFree, kHeld, kHeldAndAsked, kEnding };
std::atomic<int> state{kFree}, asked{0}, wake{-1}, nothing{-1}, hung_up{-1};
std::atomic<bool> line{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// Ends as if the signal had never been caught, so that a shell sees by what.
void end(int number) {
  if (line) (void)!::write(STDERR_FILENO, "\r\033[K", 4);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

extern "C" void vigie_cli_on_signal(int number) {
  asked = number;
  while (true) {
    int now = kFree;
    if (state.compare_exchange_strong(now, kEnding)) return end(number);
    if (now == kHeldAndAsked && wake >= 0) return end(number);
    // On another thread the state may be given up between the two exchanges: then it is free, and tried again.
    if (now != kHeld || state.compare_exchange_strong(now, kHeldAndAsked)) {
      if (wake >= 0) (void)!::write(wake, "", 1);
      // A read that waits there begins anew (SA_RESTART), and finds the end.
      if (nothing >= 0) (void)::dup2(nothing, STDIN_FILENO);
      return;
    }
  }
}

extern "C" void vigie_cli_on_hangup(int) {
  if (const int fd = hung_up; fd >= 0) (void)!::write(fd, "", 1);
}

}  // namespace

void open_standard_streams() {
  // A file opened in place of one that the caller closed would be written into by what is said.
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) (void)!::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

void watch_signals() {
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    // What the caller has switched off (nohup, a shell's background) stays so.
    if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action.sa_handler = vigie_cli_on_signal;
    action.sa_flags = SA_RESTART;
    ::sigfillset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
  // A file over the size that is allowed (ulimit -f) is an error of writing like others.
  ::signal(SIGXFSZ, SIG_IGN);
}

HoldSignals::HoldSignals() {
  int now = kFree;
  while (!state.compare_exchange_strong(now, kHeld)) {
    ::pause();  // another thread is ending the program
    now = kFree;
  }
}

HoldSignals::~HoldSignals() {
  int now = kHeld;
  if (state.compare_exchange_strong(now, kFree)) return;
  state = kEnding;
  end(asked);
}

CatchSignals::CatchSignals() {
  (void)!::pipe2(ends_, O_CLOEXEC | O_NONBLOCK);
  wake = ends_[1];
  nothing = nothing_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  state = kHeld;
}

CatchSignals::~CatchSignals() {
  state = kFree;
  wake = nothing = -1;
  for (const int fd : {ends_[0], ends_[1], nothing_})
    if (fd >= 0) ::close(fd);
}

bool CatchSignals::asked() const {
  return state == kHeldAndAsked;
}

int CatchSignals::number() const {
  return cli::asked;
}

CatchHangup::CatchHangup() {
  (void)!::pipe2(ends_, O_CLOEXEC | O_NONBLOCK);
  hung_up = ends_[1];
  struct sigaction action{};
  action.sa_handler = vigie_cli_on_hangup;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGHUP, &action, &before_);
}

CatchHangup::~CatchHangup() {
  ::sigaction(SIGHUP, &before_, nullptr);
  hung_up = -1;
  for (const int fd : ends_)
    if (fd >= 0) ::close(fd);
}

bool CatchHangup::taken() const {
  char bytes[64];
  bool any = false;
  while (::read(ends_[0], bytes, sizeof bytes) > 0) any = true;
  return any;
}

void bar_is_shown(bool shown) {
  line = shown;
}

bool bar_is_shown() {
  return line;
}

}  // namespace vigie::cli

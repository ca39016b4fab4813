// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "cli/interrupt_internal.h"

namespace vigie::cli {
namespace {

// A child in which one thread begins and ends holds without pause while a signal arrives on another.
int status_of_child() {
  auto child = ::fork();
  if (child == 0) {
    ::alarm(20);
    watch_signals();
    std::atomic<bool> holding{false};
    std::thread other([&] {
      while (!holding) std::this_thread::yield();
      ::raise(SIGTERM);
      ::usleep(200'000);
      ::_exit(7);  // the signal was swallowed
    });
    while (true) {
      HoldSignals hold;
      holding = true;
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Interrupt, ASignalOnAnotherThreadIsNeverSwallowed) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer delivers signals later than they come";
#endif
  for (int i = 0; i < 300; ++i) {
    auto status = status_of_child();
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << "child " << i << " ended with " << status;
  }
}

}  // namespace
}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "store/store.h"

namespace vigie::server {

/// Drops of the store what is too old, a little at a time, in a thread of its own; gives memory that lies free back to
/// the system, each minute.
class Housekeeping {
 public:
  static constexpr std::size_t kAtOnce = 50;  ///< things in one turn, in which the store does nothing else
  /// `log`: of what went wrong, once until it goes well again.
  Housekeeping(store::Store& store, store::Retention keep, std::function<void(const std::string&)> log);
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;

 private:
  void run();
  store::Store& store_;
  store::Retention keep_;
  std::function<void(const std::string&)> log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include "server/housekeeping.h"

#include <malloc.h>
#include <pthread.h>

namespace vigie::server {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kRest{60'000}, kBetween{50};

}  // namespace

Housekeeping::Housekeeping(store::Store& store, store::Retention keep, std::function<void(const std::string&)> log)
    : store_(store), keep_(keep), log_(std::move(log)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "vigie-keep");
}

Housekeeping::~Housekeeping() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Housekeeping::run() {
  bool well = true;
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const auto more = store_.forget(keep_, kAtOnce);
    if (!more && well && log_) log_("what is too old cannot be dropped: " + more.error().message);
    well = more.has_value();
    if (!more || !*more) ::malloc_trim(0);  // of many models a third of the heap lies free between what stays
    lock.lock();
    wake_.wait_for(lock, more && *more ? kBetween : kRest, [&] { return stop_; });
  }
}

}  // namespace vigie::server

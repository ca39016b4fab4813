// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace vigie {
namespace {

thread_local bool inside = false;

class Pool {
 public:
  explicit Pool(unsigned workers) {
    for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
  std::size_t size() const { return threads_.size(); }

  void run(std::size_t count, unsigned helpers, const std::function<void(std::size_t)>& body) {
    std::lock_guard turn(turn_);
    {
      std::lock_guard lock(mutex_);
      body_ = &body, count_ = count, next_ = 0, seats_ = helpers, busy_ = 0;
      ++round_;
    }
    wake_.notify_all();
    drain();
    std::unique_lock lock(mutex_);
    seats_ = 0;
    done_.wait(lock, [this] { return busy_ == 0; });
    body_ = nullptr;
  }

 private:
  void drain() {
    inside = true;
    for (std::size_t i; (i = next_.fetch_add(1)) < count_;) (*body_)(i);
    inside = false;
  }
  void work(const std::stop_token& stop) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [&] { return round_ != seen; })) {
      seen = round_;
      if (seats_ == 0) continue;
      --seats_, ++busy_;
      lock.unlock();
      drain();
      lock.lock();
      if (--busy_ == 0) done_.notify_all();
    }
  }

  std::mutex turn_, mutex_;
  std::condition_variable_any wake_;
  std::condition_variable done_;
  const std::function<void(std::size_t)>* body_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<std::size_t> next_ = 0;
  unsigned seats_ = 0, busy_ = 0;
  std::uint64_t round_ = 0;
  std::vector<std::jthread> threads_;  // last: its threads use everything above
};

}  // namespace

unsigned thread_count(unsigned asked) {
  return asked ? asked : std::max(1U, std::thread::hardware_concurrency());
}

void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& body) {
  auto wanted = static_cast<unsigned>(std::min<std::size_t>(thread_count(threads), count));
  if (wanted <= 1 || inside) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  static Pool pool(std::max(1U, std::thread::hardware_concurrency()) - 1);
  pool.run(count, std::min(wanted - 1, static_cast<unsigned>(pool.size())), body);
}

}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "source/source.h"

namespace vigie::source {

/// What samples are told to, from the thread that takes them.
struct Listener {
  /// A sample; of a source with several instances all of them.
  std::function<void(const std::string& name, const std::vector<Figure>& figures, std::int64_t now)> took;
  /// None could be had; the reason in one line.
  std::function<void(const std::string& name, const std::string& why, std::int64_t now)> failed;
  /// After each round in which there was any.
  std::function<void(std::int64_t now)> round;
  /// A line for people: what fails is said when it begins or changes, and when it is over.
  std::function<void(const std::string& line)> log;
};

/// Looks at sources again and again, in a thread of its own: what answers slowly keeps no other waiting.
class Sampling {
 public:
  explicit Sampling(Listener listener);
  /// What is asked and not answered is left.
  ~Sampling();
  Sampling(const Sampling&) = delete;

  /// In place of one of that name; from any thread.
  void add(Sample sample);
  void remove(const std::string& name);

 private:
  struct Running {
    Sample sample;
    std::int64_t due = 0, asked = 0;  // µs; asked: 0 where nothing is under way
    std::string trouble;
  };
  void run();
  void begin(std::int64_t id, Running& running, http::Transfers& transfers);
  void end(Running& running, const Reached* reached);

  Listener listener_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::unique_ptr<Running>>> wanted_;  // to be added, or where nullptr removed
  std::map<std::string, std::int64_t> ids_;
  std::map<std::int64_t, std::unique_ptr<Running>> running_;  // by ids, of which none is used twice
  http::Transfers transfers_;
  std::int64_t next_ = 0;
  bool any_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace vigie::source

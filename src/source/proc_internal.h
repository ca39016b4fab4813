// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/source.h"

// What the files of /proc and of cgroups have in common.
namespace vigie::source {

/// What a file holds that says it has no size; nothing where it is not to be had.
std::optional<std::string> slurp(const std::string& path);
std::vector<std::string_view> lines_of(std::string_view text);
/// At blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);
/// NaN where it is none.
double number_of(std::string_view text);
/// Of lines as "MemTotal:   16315212 kB" or "usage_usec 172": the number behind the name; nothing where there is none.
std::optional<double> value_of(std::string_view text, std::string_view name);

/// What network devices of the machine received and sent, as /proc/net/dev has it; what passes through is counted once.
struct Network {
  double received = 0, sent = 0;
};
Network network_of(std::string_view net_dev);

/// Counters as rates: the first time, and where a counter fell, nothing is added.
class Rates {
 public:
  /// Before the add() of a sample at that time.
  void begin(std::int64_t now);
  void add(std::vector<Figure>& out, std::string instance, std::string series, double counter, double times = 1);

 private:
  struct Last {
    double counter = 0;
    std::int64_t at = 0;
  };
  std::map<std::pair<std::string, std::string>, Last> last_;
  std::int64_t now_ = 0;
};

}  // namespace vigie::source

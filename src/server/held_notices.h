// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/incident.h"

namespace vigie::server {

/// Notices of a model that wait until nobody is to be left alone any more, as in planned maintenance: of each incident
/// one is told then, the weightiest, with the incident as it is by then. An incident that opened and ended meanwhile is
/// not told of. One thread at a time. Memory: one incident for each that there was meanwhile.
class HeldNotices {
 public:
  /// What is to be told now; the rest waits. `quiet`: nobody is to be told now.
  std::vector<event::Notice> pass(std::vector<event::Notice> fresh, bool quiet);
  bool empty() const { return held_.empty(); }
  std::string save() const;
  Status load(std::string_view bytes);

 private:
  struct Held {
    bool opened = false;  // while they were held
    event::Notice notice;
  };
  std::map<std::string, Held> held_;  // by incident
};

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "event/incident.h"

namespace vigie::view {

/// A number over the last minutes, of a model or of a source of samples.
struct LiveLine {
  std::string name;            ///< "p95", "cpu_cores": its ending tells the unit, as _ms, _bytes or _share
  std::vector<double> values;  ///< one a minute, the latest at the end; NaN where there is none
};

/// One model of a running service.
struct LiveModel {
  std::string name, state, owner, description;
  std::uint64_t predictions = 0, labels = 0;
  double last_seen = 0;       ///< µs since 1970; NaN: never
  bool watched = false;       ///< it has a reference
  std::string maintenance{};  ///< it is worked on now: until when, and why; else empty
  bool drawn = true;          ///< its windows are given
  struct Window {
    std::int64_t start = 0, end = 0;     ///< µs since 1970
    std::string verdict, score_verdict;  ///< of what was compared, or "maintenance"; of the score: empty without labels
  };
  struct Stream {
    std::string on, reason;
  };
  std::vector<Window> windows;    ///< the latest, in time order
  std::vector<Stream> changed{};  ///< by its detectors, and not back
  std::vector<LiveLine> lines{};  ///< of its requests
};

/// What is sampled beside the models.
struct LiveSource {
  std::string name;
  std::vector<LiveLine> lines;
};

struct LivePage {
  std::string version;
  double now = 0;  ///< µs since 1970
  std::vector<LiveModel> models;
  std::vector<event::Incident> incidents;  ///< the latest, youngest first
  std::vector<LiveSource> sources{};
  std::string trouble;   ///< what keeps the service from going on; empty: nothing
  std::string shipping;  ///< what keeps documents from being shipped, and since when; empty: nothing
};

/// The page of a running service: its models, how their last windows were, and what is wrong; the gravest first. As a
/// report it asks the network for nothing but itself, every half minute, and works without JavaScript.
std::string to_page(const LivePage& page);

}  // namespace vigie::view

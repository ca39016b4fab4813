// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/incident.h"
#include "notify/delivery.h"
#include "server/follower.h"
#include "server/http.h"
#include "server/ingest.h"
#include "server/intake.h"
#include "server/shipping.h"

namespace vigie::server {

/// Metrics as Prometheus reads them: text format 0.0.4, or OpenMetrics 1.0. Samples follow the family that they are of;
/// every family is begun once.
class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;
  explicit Exposition(bool open_metrics) : open_metrics_(open_metrics) {}
  /// `name` of a counter without "_total".
  void gauge(std::string_view name, std::string_view help) { family(name, "gauge", help); }
  void counter(std::string_view name, std::string_view help) { family(name, "counter", help); }
  void sample(double value, const Labels& labels = {});
  /// A gauge that is written already.
  void append(std::string_view written) { out_ += written; }
  /// All of it, with its end.
  std::string take();

 private:
  void family(std::string_view name, std::string_view type, std::string_view help);
  bool open_metrics_;
  std::string name_, out_;
};

/// Whether an Accept header would rather have OpenMetrics 1.0 than text.
bool wants_open_metrics(std::string_view accept);

/// What the service knows of itself at a time.
struct Readings {
  std::string version, data;
  std::int64_t now = 0;  ///< µs since 1970
  std::vector<Model> models;
  std::vector<event::Incident> unresolved;
  std::map<std::string, std::shared_ptr<const Figures>, std::less<>> figures;  ///< by model
  Follower::Lag lag;
  std::int64_t lost = 0;  ///< pieces of the journal that could not be read
  Ingest::Counts records;
  std::vector<FeedState> sources;
  std::optional<ShippingState> shipping;
  HttpServer::Counts http;
  std::vector<notify::TargetState> targets;
  std::uint64_t journal_bytes = 0, journal_records = 0;
  bool healthy = true, reloaded = true;
  std::int64_t reloaded_at = 0;  ///< µs since 1970
  std::string samples;           ///< a gauge, written as it is
};

/// /metrics: the readings, and what the system says of the process and of the disk.
Reply metrics_of(const Readings& readings, std::string_view accept);

}  // namespace vigie::server

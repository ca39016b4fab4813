// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "elastic/documents.h"
#include "elastic/link.h"
#include "elastic/target.h"
#include "event/record.h"
#include "journal/journal.h"

namespace vigie::server {

/// How shipping stands.
struct ShippingState {
  std::vector<std::string> to;      ///< the nodes
  std::string cluster;              ///< what answers; empty: nothing yet
  elastic::Shipper::Counts counts;  ///< since the service was started
  std::int64_t dropped = 0;         ///< numbers of the journal that went before they were shipped
  journal::Sequence lag = 0;        ///< records that are to be read
  std::string trouble;              ///< what keeps it, in one line; empty: nothing
  std::int64_t since = 0;           ///< of that, µs since 1970
};

/// The record that is to be shipped next, by what is kept in a service's folder; 0: none was. Code::kIo,
/// Code::kCorrupt.
Result<journal::Sequence> shipped_until(const std::string& folder);

/// Ships what the journal brings to Elasticsearch or OpenSearch, in a thread of its own: predictions, labels and
/// explanations, each as a document of its own whose id is that of its record, so that what comes again is stored once.
/// How far it is is kept in a file: a crash repeats some seconds of records. It holds up nobody: what the journal keeps
/// no longer is lost to it, and counted. All functions may be called from any thread.
class Shipping {
 public:
  /// `folder`: of the service; `log` is told lines for people. Code::kIo, Code::kCorrupt: what is kept.
  static Result<std::unique_ptr<Shipping>> start(elastic::Target target, journal::Journal& journal,
                                                 const std::string& folder, const std::string& version,
                                                 std::function<void(const std::string&)> log);
  /// Sends nothing more; what is under way is forgotten, and comes again.
  ~Shipping();
  Shipping(const Shipping&) = delete;
  ShippingState state() const;

 private:
  Shipping(elastic::Target target, journal::Journal& journal, const std::string& folder, const std::string& version,
           std::function<void(const std::string&)> log);
  void run();
  Result<bool> reach();
  void begin();
  Status turn();
  Result<bool> read();
  void add(const event::Record& record, std::int64_t arrived, journal::Sequence number);
  void look();
  Status set_up(const elastic::Place& place);
  Status commit();
  bool rest(std::chrono::milliseconds time) const;
  void told(std::string trouble);

  elastic::Target target_;
  journal::Journal& journal_;
  std::string offset_file_;
  std::function<void(const std::string&)> log_;
  elastic::Link link_;
  std::optional<elastic::Cluster> cluster_;
  std::map<std::string, bool, std::less<>> places_;  // that were set up
  std::map<std::pair<event::Kind, std::string>, elastic::Documents> documents_;
  std::optional<elastic::Shipper> shipper_;
  std::map<std::int64_t, std::shared_ptr<const elastic::Bulk>> orders_;
  elastic::Rejects rejects_;
  journal::Sequence committed_ = 0;
  journal::Reader reader_;
  table::JsonRows rows_;
  std::int64_t unsettled_ = 0;                                      // documents since the last commit
  std::chrono::steady_clock::time_point first_{}, committed_at_{};  // when the oldest of them came
  std::chrono::steady_clock::time_point looked_at_{};
  bool told_full_ = false;
  elastic::Shipper::Counts before_;  // of shippers that were left
  mutable std::mutex mutex_;
  ShippingState state_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// GET /v1/shipping.
std::string to_json(const ShippingState& state);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "elastic/access.h"
#include "elastic/cluster.h"
#include "elastic/shipper.h"
#include "http/transfers.h"

namespace vigie::elastic {

/// The nodes of a cluster, and how they are asked. One thread at a time.
class Link {
 public:
  /// `nodes`: addresses without a path behind them, but for one that a proxy has.
  Link(std::vector<std::string> nodes, Access access, const http::ClientOptions& options);

  /// One answer, of the first node that gives any: all have the time of ClientOptions::answer together, or 15 s, of
  /// which one that answered last has all, and others what leaves some for those behind it that did not fail.
  /// Code::kUnavailable: none does.
  Result<http::Answer> ask(std::string_view method, std::string_view path, std::string_view body = {});
  /// The cluster, which is told apart before it is sent anything.
  Result<Cluster> reach();
  /// Sends what setup_of() says, and gives what could not be set up, a line each. An error where documents would go
  /// astray without it (Code::kUsage), or nobody is let in (Code::kUnavailable).
  Result<std::vector<std::string>> set_up(const Cluster& cluster, const SetupOptions& options);
  /// Sends a bulk request.
  Status send(const Shipper::Order& order);
  struct Done {
    std::int64_t id;
    Result<http::Answer> answer;
  };
  /// As http::Transfers::wait().
  std::vector<Done> wait(std::chrono::milliseconds at_most);
  std::size_t nodes() const { return nodes_.size(); }

 private:
  std::vector<std::string> nodes_;
  Access access_;
  http::Transfers transfers_, questions_;
  std::chrono::milliseconds patience_;
  std::size_t first_ = 0, asked_ = 0;  // node to ask first, and who was asked last
  bool answered_ = false;              // first_ did, last time
  std::vector<bool> failed_;           // per node: it did not, when it was asked last
  std::string bulk_path_;
};

}  // namespace vigie::elastic

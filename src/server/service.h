// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "notify/delivery.h"
#include "server/http.h"

namespace vigie::server {

struct ServiceOptions {
  std::string data = "vigie-data";  ///< folder, made where it is not there
  HttpOptions http;
  journal::Options journal;
  std::size_t most_models = 10'000;
  std::vector<std::string> notify;              ///< who is told of incidents: specs of make_target()
  std::vector<std::string> samples;             ///< what is sampled: specs of source::make_sample()
  std::vector<std::string> prices;              ///< as Prices::read() has them
  notify::Environment environment;              ///< for targets and samples
  notify::Context telling;                      ///< what messages say besides
  std::function<void(const std::string&)> log;  ///< lines about what could not be told
  std::string version;
};

/// The live watch: HTTP in, a journal, and what is counted of it, in one folder. Everything that was answered 202 is
/// there after any crash.
class Service {
 public:
  /// Reads on where the last one stopped, then listens. Code::kUsage: another process has the folder, or the address
  /// cannot be had; Code::kIo, Code::kCorrupt: the folder.
  static Result<std::unique_ptr<Service>> start(ServiceOptions options);
  ~Service();
  std::uint16_t port() const;
  /// The file with what a crash left half written at the end of the journal; empty: none.
  const std::string& torn() const;

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigie::server

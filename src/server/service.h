// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "elastic/target.h"
#include "journal/journal.h"
#include "notify/delivery.h"
#include "server/admission.h"
#include "server/cost.h"
#include "server/http.h"
#include "server/index_watch.h"
#include "server/model_config.h"
#include "server/tokens.h"
#include "source/feed.h"
#include "source/source.h"
#include "store/store.h"

namespace vigie::server {

/// A model as a file declares it.
struct DeclaredModel {
  std::string name;
  ModelConfig config;
};

struct ServiceOptions {
  std::string data = "vigie-data";  ///< folder, made where it is not there
  HttpOptions http;
  journal::Options journal;
  Limits limits;
  Tokens tokens;
  bool behind_proxy = false;                             ///< any Host is taken
  std::vector<DeclaredModel> models;                     ///< are as if they had been PUT
  std::vector<PlannedWork> maintenance;                  ///< of all models
  std::string maintenance_json = "{}";                   ///< as it was said
  std::vector<std::unique_ptr<notify::Target>> targets;  ///< who is told of incidents
  std::vector<source::Sample> samples;                   ///< what is sampled beside the models
  std::vector<source::Feed> sources;                     ///< where records come from besides requests
  std::vector<IndexedModel> indexes;                     ///< models that are watched in an index
  std::vector<elastic::Target> shipping;                 ///< where they go as documents: one at most
  std::optional<elastic::Target> store;                  ///< where what is found is kept; none: a file in `data`
  Prices prices;
  store::Retention keep;                        ///< of what was found
  notify::Context telling;                      ///< what messages say besides
  std::function<void(const std::string&)> log;  ///< lines about what could not be told
  std::string version;
  std::vector<std::string> changed;  ///< of a reload: names of the settings that are others than before
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
  /// Takes over what of other options may change while it runs: whom it tells and how, the models, the sources
  /// of records, the limits of requests and of the journal. All of it or, with an error, nothing; an error of who read
  /// the options is counted and given back. One thread at a time.
  Status reload(Result<ServiceOptions> options);
  /// The file with what a crash left half written at the end of the journal; empty: none.
  const std::string& torn() const;

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/command_internal.h"

namespace vigie::cli {

Command add_setup(CLI::App& program);

/// The service that is to be watched.
struct Watched {
  std::string url = "http://127.0.0.1:8090";
  std::string token_file, ca;  ///< as the program that watches finds them
};

/// A file that is to be written.
struct Written {
  std::string name, what, text;
};

/// A configuration that scrapes the service, and the rules that it loads.
std::vector<Written> prometheus_files(const Watched& service);
/// A dashboard, and a provider that loads it.
std::vector<Written> grafana_files();
/// Saved objects for Kibana and OpenSearch Dashboards, one a line: index patterns of what is shipped under names that
/// begin with `prefix`, what is drawn of it, and dashboards; `page`: of the service, for a link. Ids are always the
/// same.
std::string kibana_objects(const std::string& prefix, const std::string& page);
/// A dashboard of Lens besides, for Kibana 8.9 and later.
std::string lens_objects(const std::string& prefix);
/// What Vega draws of such an index, within the dashboard's time and filters: performance with its intervals; reference
/// against current of what moved most; how many models are in which state; of the machine, whatever model is chosen.
std::string vega_performance(const std::string& index);
std::string vega_distributions(const std::string& index);
std::string vega_states(const std::string& index);
std::string vega_machine(const std::string& index);
/// A rule by which Kibana tells its own connectors; the id is always the same.
struct KibanaRule {
  std::string id, name, json;
};
std::vector<KibanaRule> kibana_rules(const std::string& prefix, const std::string& space);
/// The same for OpenSearch, as monitors of its alerting plugin, which gives them their ids.
std::vector<KibanaRule> opensearch_monitors(const std::string& prefix);

}  // namespace vigie::cli

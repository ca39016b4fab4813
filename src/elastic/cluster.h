// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace vigie::elastic {

/// Which server answers.
struct Cluster {
  bool opensearch = false;
  int major = 0, minor = 0;
  std::string version{};    ///< as it says it
  bool serverless = false;  ///< it has no settings of shards and the like
  bool at_least(int its_major, int its_minor) const {
    return major > its_major || (major == its_major && minor >= its_minor);
  }
  std::string name() const;  ///< "Elasticsearch 8.19.0"
};
/// From the answer to `GET /`. OpenSearch may claim the version of another: its distribution or its tagline counts.
/// Code::kUsage: what answers is neither.
Result<Cluster> read_cluster(const http::Answer& answer);

/// Where documents go.
struct Place {
  enum class Kind : std::uint8_t {
    kMonths,  ///< an index a month of the documents' time, `NAME-2026.11`; those without a time in `NAME-undated`
    kDays,    ///< `NAME-2026.11.27`
    kIndex,   ///< one index
    kStream,  ///< a data stream
  };
  Kind kind = Kind::kMonths;
  std::string name;
  /// For a time in µs since 1970, NaN where there is none. Depends on nothing else: a second try goes to the same.
  std::string index(double time) const;
  std::string pattern() const;  ///< of all its indexes
};
/// Why a name cannot be one of an index; empty: it can.
std::string wrong_name(std::string_view name);
/// A name made of any text: lower case, dashes for what no name may have.
std::string name_of(std::string_view text);

struct SetupOptions {
  Place place;
  std::int64_t keep_days = 0;  ///< after so many days documents go; 0: they stay
};
struct SetupStep {
  enum class When : std::uint8_t {
    kAlways,
    kAbsent,    ///< only where GET of the path answers 404
    kChanged,   ///< likewise, and in the place of what differs(); its path then ends in what that says
    kReplaced,  ///< only where the one before took the place of another; 404: nothing was under that
    kThere,     ///< of what may not be there yet, which 404 says
  };
  std::string what;  ///< for people
  std::string method = "PUT", path, body;
  bool needed = false;  ///< without it documents would go astray
  When when = When::kAlways;
  bool lifecycle = false;  ///< where the server has none, nothing behind it may speak of it: as with no keep_days
};
/// Of a policy that is there, by the answer to its GET, and one that is to be: the parameters by which this takes the
/// other's place. Empty: vigie made it, and for the same time; what people altered in it stays.
std::string differs(std::string_view there, std::string_view wanted);
/// What a cluster is to know of documents before they come: mappings and settings as component templates
/// (vigie@mappings, vigie@settings, and vigie@custom for what people add), an index template, and where they do not
/// stay a lifecycle, in the order in which they are to be sent. They may be sent again.
std::vector<SetupStep> setup_of(const Cluster& cluster, const SetupOptions& options);

}  // namespace vigie::elastic

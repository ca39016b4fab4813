// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "drift/compat.h"

namespace vigie::cli {

/// What `vigie list` says of one kind of unit: a program gets `document`, an array of all their properties under the
/// kind's name, a person a table.
struct Listing {
  nlohmann::ordered_json document;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

Listing list_detectors();
Listing list_notifiers();
Listing list_sources();

/// For help: what a detector or an ensemble is, and its parameters with defaults and bounds. Of something else: the
/// nearest one.
std::string about_detector(const std::string& spec);

/// The program whose rules --compat names; Code::kUsage with the nearest name for an unknown one.
Result<const drift::Peer*> peer_named(const std::string& name);
/// What compare --compat knows of it.
Result<Listing> list_compat(const std::string& name);

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/list_internal.h"
#include "drift/compat.h"

namespace vigie::cli {
namespace {

std::vector<std::string> kinds(std::uint8_t accepts) {
  std::vector<std::string> out;
  if (accepts & drift::kNumeric) out.emplace_back("numeric");
  if (accepts & drift::kCategorical) out.emplace_back("categorical");
  return out;
}

std::string rule(const drift::PeerMethod& m) {
  switch (m.rule) {
    case drift::PeerRule::kAtLeast:
      return fmt::format("≥ {}", m.threshold);
    case drift::PeerRule::kAbove:
      return fmt::format("> {}", m.threshold);
    case drift::PeerRule::kPBelow:
      return fmt::format("p < {}", m.threshold);
    case drift::PeerRule::kPAtMost:
      return fmt::format("p ≤ {}", m.threshold);
    case drift::PeerRule::kReference:
      break;
  }
  return "> mean + 3 sd of the reference's chunks";
}

}  // namespace

Result<const drift::Peer*> peer_named(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& p : drift::peers()) known.emplace_back(p.name);
  if (const auto* peer = drift::find_peer(name)) return peer;
  return fail(Code::kUsage,
              fmt::format("--compat: {} ({})", unknown_name("program", name, known), fmt::join(known, ", ")));
}

Result<Listing> list_compat(const std::string& name) {
  VIGIE_ASSIGN(const auto* peer, peer_named(name));
  Listing out{
      {{"program", peer->name}, {"version", peer->version}}, {"method", "columns", "drift when", "what it is"}, {}};
  auto& all = out.document["methods"] = nlohmann::ordered_json::array();
  for (const auto& m : peer->methods) {
    all.push_back({{"name", m.name}, {"summary", m.summary}, {"accepts", kinds(m.accepts)}, {"drift", rule(m)}});
    out.rows.push_back(
        {std::string(m.name), fmt::format("{}", fmt::join(kinds(m.accepts), ", ")), rule(m), std::string(m.summary)});
  }
  return out;
}

}  // namespace vigie::cli

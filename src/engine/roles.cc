// SPDX-License-Identifier: Apache-2.0
#include "engine/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace vigie::engine {
namespace {

bool in(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

Status check_roles(const std::vector<std::string>& known, const Roles& roles, const std::string& source) {
  auto check = [&](const std::string& name, std::string_view option) -> Status {
    if (name.empty() || in(known, name)) return {};
    return fail(Code::kUsage, fmt::format("{}: {}", option, unknown_name("column", name, known, " in " + source)));
  };
  VIGIE_TRY(check(roles.timestamp, "--timestamp"));
  VIGIE_TRY(check(roles.prediction, "--prediction"));
  VIGIE_TRY(check(roles.label, "--label"));
  VIGIE_TRY(check(roles.id, "--id"));
  VIGIE_TRY(check(roles.weight, "--weight"));
  for (const auto& s : roles.scores) VIGIE_TRY(check(s, "--score"));
  for (const auto& s : roles.features) VIGIE_TRY(check(s, "--features"));
  for (const auto& s : roles.ignore) VIGIE_TRY(check(s, "--ignore"));
  return {};
}

std::optional<Role> compared_as(const std::string& name, const Roles& roles) {
  if (name == roles.timestamp || name == roles.id || name == roles.weight) return std::nullopt;
  if (name == roles.prediction) return Role::kPrediction;
  if (in(roles.scores, name)) return Role::kScore;
  if (name == roles.label) return Role::kLabel;
  if ((!roles.features.empty() && !in(roles.features, name)) || in(roles.ignore, name)) return std::nullopt;
  return Role::kFeature;
}

Status check_segments(const std::vector<SegmentBy>& segments) {
  for (const auto& by : segments) {
    bool fits = by.size() == 1 || (by.size() == 2 && by[0] != by[1]);
    if (!fits)
      return fail(Code::kUsage,
                  fmt::format("--segment {}: expected a column or a pair of them, as origin or origin,carrier",
                              vigie::quoted(to_string(by))));
  }
  return {};
}

Status apply_roles(Profile& profile, const Roles& roles) {
  std::vector<std::string> known;
  for (const auto& c : profile.columns) known.push_back(c.name);
  for (const auto& f : profile.others) known.push_back(f.name);
  // The time may be the current data's alone.
  auto named = roles;
  named.timestamp.clear();
  VIGIE_TRY(check_roles(known, named, profile.source));
  auto counted_before = [&](const std::string& name, std::string_view option) -> Status {
    bool there = name.empty() || std::any_of(profile.columns.begin(), profile.columns.end(),
                                             [&](const auto& c) { return c.name == name; });
    if (there) return {};
    return fail(Code::kUsage, fmt::format("{} {}: the profile of {} was made without counting that column", option,
                                          name, profile.source));
  };
  VIGIE_TRY(counted_before(roles.prediction, "--prediction"));
  VIGIE_TRY(counted_before(roles.label, "--label"));
  for (const auto& s : roles.scores) VIGIE_TRY(counted_before(s, "--score"));
  for (const auto& s : roles.features) VIGIE_TRY(counted_before(s, "--features"));
  std::vector<ColumnProfile> kept;
  for (auto& c : profile.columns) {
    auto role = compared_as(c.name, roles);
    if (!role) {
      // A column that had a role when the profile was made is no feature that --features could leave out.
      bool narrowed = c.role != Role::kFeature && !in(roles.ignore, c.name) && c.name != roles.timestamp &&
                      c.name != roles.id && c.name != roles.weight;
      if (!narrowed) {
        profile.others.push_back({c.name, c.source});
        continue;
      }
    } else if (*role != Role::kFeature) {
      c.role = *role;
    }
    kept.push_back(std::move(c));
  }
  profile.columns = std::move(kept);
  std::erase_if(profile.aspects, [&](AspectProfile& a) {
    auto of = std::find_if(profile.columns.begin(), profile.columns.end(),
                           [&](const auto& c) { return c.name == a.profile.name; });
    if (of != profile.columns.end()) a.profile.role = of->role;
    return of == profile.columns.end();
  });
  if (profile.columns.empty())
    return fail(Code::kUsage, fmt::format("{}: no column is left to compare", profile.source));
  if (!roles.timestamp.empty()) profile.timestamp = roles.timestamp;
  return {};
}

}  // namespace vigie::engine

// SPDX-License-Identifier: Apache-2.0
#include "server/maintenance.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const PlannedWork& work) {
  return {{"from", work.from}, {"to", work.to}, {"note", work.note}, {"by", work.by}};
}

PlannedWork work_of(const Json& json) {
  PlannedWork out;
  out.from = json.at("from"), out.to = json.at("to"), out.note = json.at("note"), out.by = json.at("by");
  return out;
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error unreadable() {
  return fail(Code::kCorrupt, "what was kept of planned maintenance cannot be read");
}

}  // namespace

template <class F>
void Maintenance::each(std::string_view model, F&& f) const {
  std::lock_guard lock(mutex_);
  for (const auto& work : of_all_) f(work);
  const auto at = models_.find(model);
  if (at == models_.end()) return;
  for (const auto* works : {&at->second.planned, &at->second.said})
    for (const auto& work : *works) f(work);
}

void Maintenance::plan_for_all(std::vector<PlannedWork> works) {
  std::lock_guard lock(mutex_);
  of_all_ = std::move(works);
}

void Maintenance::plan(const std::string& model, std::vector<PlannedWork> works) {
  std::lock_guard lock(mutex_);
  if (works.empty() && !models_.contains(model)) return;
  models_[model].planned = std::move(works);
}

std::string Maintenance::begun(const PlannedWork& work) {
  return dumped(json_of(work));
}

std::string Maintenance::ended(std::int64_t now) {
  return dumped(Json{{"ended", now}});
}

Status Maintenance::say(const std::string& model, std::string_view record) {
  try {
    const auto json = Json::parse(record);
    std::lock_guard lock(mutex_);
    auto& said = models_[model].said;
    if (const auto ended = json.find("ended"); ended != json.end()) {
      const auto now = ended->get<std::int64_t>();
      for (auto& work : said) work.to = std::min(work.to, now);
      std::erase_if(said, [](const PlannedWork& work) { return work.from >= work.to; });
      return {};
    }
    auto work = work_of(json);
    if (std::find(said.begin(), said.end(), work) != said.end()) return {};  // after a crash it comes again
    said.push_back(std::move(work));
    if (said.size() > kMostSaid)
      said.erase(std::min_element(said.begin(), said.end(), [](const auto& a, const auto& b) { return a.to < b.to; }));
    return {};
  } catch (const std::exception&) {
    return unreadable();
  }
}

std::string Maintenance::save(const std::string& model) const {
  std::lock_guard lock(mutex_);
  Json out = Json::array();
  if (const auto at = models_.find(model); at != models_.end())
    for (const auto& work : at->second.said) out.push_back(json_of(work));
  return dumped(out);
}

Status Maintenance::load(const std::string& model, std::string_view bytes) {
  try {
    std::vector<PlannedWork> said;
    for (const auto& one : Json::parse(bytes)) said.push_back(work_of(one));
    std::lock_guard lock(mutex_);
    models_[model].said = std::move(said);
    return {};
  } catch (const std::exception&) {
    return unreadable();
  }
}

std::optional<Maintenance::Time> Maintenance::touching(std::string_view model, std::int64_t from,
                                                       std::int64_t to) const {
  std::optional<Time> first;
  each(model, [&](const PlannedWork& work) {
    if (auto time = work.touching(from, to); time && (!first || time->from < first->from)) first = std::move(time);
  });
  return first;
}

std::vector<Maintenance::Time> Maintenance::within(std::string_view model, std::int64_t from, std::int64_t to,
                                                   std::size_t most) const {
  std::vector<Time> out;
  each(model, [&](const PlannedWork& work) {
    auto start = from;
    for (std::size_t i = 0; i < most && start < to; ++i) {
      auto time = work.touching(start, to);
      if (!time) break;
      start = std::max(time->to, start + 1);
      out.push_back(std::move(*time));
    }
  });
  std::sort(out.begin(), out.end(),
            [](const Time& a, const Time& b) { return std::pair(a.from, a.to) < std::pair(b.from, b.to); });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace vigie::server

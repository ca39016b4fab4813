// SPDX-License-Identifier: Apache-2.0
#include "server/streams_api.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "server/answers.h"
#include "server/model_streams.h"

namespace vigie::server {
namespace {

using engine::StreamDetector;
using Json = nlohmann::ordered_json;

std::string_view state_of(const StreamDetector& stream) {
  return stream.values() == 0                        ? "waiting"
         : stream.changed()                          ? "changed"
         : stream.to_learn() > 0 || !stream.speaks() ? "learning"
                                                     : "stable";
}

Json known(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

std::string time_text(std::int64_t at) {
  return iso_time(static_cast<double>(at));
}

Json json_of(const StreamDetector& stream) {
  Json out{{"on", stream.spec().on},
           {"detector", stream.spec().detector},
           {"state", state_of(stream)},
           {"reason", stream.changed() ? Json(stream.changed()->reason) : Json()},
           {"values", stream.values()},
           {"skipped", stream.skipped()},
           {"level", known(stream.level())},
           {"values_per_30_days", known(stream.rate())},
           {"false_alarms", known(stream.share())},
           {"target_arl", known(stream.target_arl())},
           {"values_per_update", stream.block()},
           {"alarms", stream.alarms()},
           {"last_alarm", nullptr}};
  if (const auto& last = stream.last())
    out["last_alarm"] = {{"time", time_text(last->at)},
                         {"since", time_text(last->onset)},
                         {"before", known(last->before)},
                         {"after", known(last->after)},
                         {"counts", last->counts}};
  return out;
}

}  // namespace

Reply detectors(const State& state, const std::string& model) {
  const auto kept = ModelStreams::kept(state, model);
  if (!kept) return refuse(503, kept.error().message, "state");
  std::string body = "[";
  for (const auto& stream : *kept)
    body.append(body.size() > 1 ? ",\n" : "\n")
        .append(json_of(stream).dump(-1, ' ', false, Json::error_handler_t::replace));
  return {200, body + "]\n"};
}

Result<std::vector<view::LiveModel::Stream>> changed_streams(const State& state, const std::string& model) {
  std::vector<view::LiveModel::Stream> out;
  VIGIE_ASSIGN(const auto kept, ModelStreams::kept(state, model));
  for (const auto& stream : kept)
    if (stream.changed()) out.push_back({stream.spec().on, stream.changed()->reason});
  return out;
}

}  // namespace vigie::server

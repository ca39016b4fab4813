// SPDX-License-Identifier: Apache-2.0
#include "elastic/documents.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/iso_time.h"
#include "base/text.h"

namespace vigie::elastic {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto kReplace = nlohmann::json::error_handler_t::replace;

}  // namespace

Documents::Documents(Place place, std::string model) : place_(std::move(place)), model_(std::move(model)) {
  if (model_.empty()) return;
  said_ = R"("vigie":{"model":{"id":)";
  append_json(said_, model_);
  said_ += "}}";
}

std::string Documents::id_of(std::string_view id) const {
  const std::string_view parts[] = {"ship", model_, "id", id};
  return stable_id(parts);
}

std::string Documents::id_at(std::string_view place, std::uint64_t number, std::string_view json) const {
  const auto line = std::to_string(number);
  const std::string_view parts[] = {"ship", model_, "at", place, line, json};
  return stable_id(parts);
}

Document Documents::of(std::string id, std::string_view json, double time, bool stamped) {
  id_ = std::move(id);
  first_.clear();
  // Of a key that stands there twice no server takes the document.
  if (!stamped && json.find("\"@timestamp\"") == json.npos && !std::isnan(time)) {
    first_ += R"("@timestamp":")";
    (first_ += iso_time(time)) += '"';
  }
  if (!said_.empty() && json.find("\"vigie\"") == json.npos) (first_ += first_.empty() ? "" : ",") += said_;
  index_ = place_.index(time);
  return {id_, index_, json, first_};
}

Status Rejects::add(const std::vector<Shipper::Rejected>& rejected, const std::vector<std::string>& files) {
  for (const auto& r : rejected) {
    if (!file_) {
      VIGIE_ASSIGN(file_, AppendFile::open(path_));
    }
    const auto file = r.file < files.size() ? files[r.file] : std::string();
    auto line = Json{{"file", file},   {"record", r.number}, {"status", r.status},
                     {"type", r.type}, {"reason", r.reason}, {"action", Json::parse(r.action, nullptr, false)}}
                    .dump(-1, ' ', false, kReplace);
    line.back() = ',';
    line += "\"document\":";
    if (nlohmann::json::accept(r.source))
      line += r.source;
    else
      append_json(line, is_utf8(r.source) ? r.source : vigie::quoted(r.source, 1 << 20));
    line += "}\n";
    if (file_->size() + line.size() <= most_)
      VIGIE_TRY(file_->append(line));
    else
      full_ = true;
    if (first_.size() < 3)
      first_.push_back(fmt::format("{}:{}: rejected: {}{}{}", file, r.number, r.type,
                                   r.type.empty() || r.reason.empty() ? "" : ": ", vigie::quoted(r.reason, 200)));
  }
  return {};
}

}  // namespace vigie::elastic

// SPDX-License-Identifier: Apache-2.0
#include "server/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/iso_time.h"
#include "base/text.h"
#include "http/client.h"
#include "table/json_rows.h"

namespace vigie::server {

nlohmann::ordered_json json_of(const Model& model) {
  auto seen = iso_time(model.last_seen);
  return {{"model", model.name},
          {"state", model.state},
          {"predictions", model.predictions},
          {"labels", model.labels},
          {"last_seen", seen.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(std::move(seen))}};
}

nlohmann::ordered_json json_of(const PlannedWork::Time& work) {
  const auto text = [](const std::string& said) {
    return said.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(said);
  };
  return {{"from", iso_time(static_cast<double>(work.from))},
          {"to", iso_time(static_cast<double>(work.to))},
          {"note", text(work.note)},
          {"by", text(work.by)}};
}

Reply reply_of(unsigned status, const nlohmann::ordered_json& body) {
  return {status, body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

Reply refuse(const Error& error, std::string_view where) {
  const bool later = error.code == Code::kUnavailable && where != "store";
  return refuse(later ? 429 : error.code == Code::kInput ? 400 : 503, error.message, where);
}

Result<std::int64_t> whole_number(std::string_view parameter, const std::string& value) {
  std::int64_t number = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc() && stop == end && number >= 0) return number;
  return fail(Code::kInput,
              fmt::format("{}: expected a whole number from 0 up, got {}", parameter, vigie::quoted(value)));
}

Result<Parameters> Parameters::read(const Request& request, const std::vector<std::string>& names, std::size_t most) {
  Parameters out;
  out.most = most;
  for (const auto& part : request.path) out.path_ += "/" + http::encoded(part);
  for (const auto& [name, value] : request.query) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return fail(Code::kInput, unknown_name("parameter", name, names));
    if (name == "limit") {
      const auto* end = value.data() + value.size();
      const auto [stop, error] = std::from_chars(value.data(), end, out.most);
      if (error != std::errc() || stop != end || out.most < 1 || out.most > kMost)
        return fail(Code::kInput, fmt::format("limit: expected 1 to {}, got {}", kMost, vigie::quoted(value)));
    } else if (name == "from" || name == "to") {
      const auto time = table::parse_time(value);
      if (!time)
        return fail(Code::kInput,
                    fmt::format("{}: {} is no time: ISO 8601 or epoch numbers", name, vigie::quoted(value)));
      (name == "from" ? out.from : out.to) = static_cast<std::int64_t>(*time);
    }
    out.said_.emplace_back(name, value);
  }
  return out;
}

bool Parameters::has(std::string_view name) const {
  return std::any_of(said_.begin(), said_.end(), [&](const auto& one) { return one.first == name; });
}

const std::string& Parameters::operator[](std::string_view name) const {
  static const std::string nothing;
  const auto at = std::find_if(said_.rbegin(), said_.rend(), [&](const auto& one) { return one.first == name; });
  return at == said_.rend() ? nothing : at->second;
}

void Parameters::link_next(Reply& reply, std::string_view after) const {
  auto next = fmt::format("{}?after={}&limit={}", path_, http::encoded(after), most);
  for (const auto& [name, value] : said_)
    if (name != "after" && name != "limit") next += fmt::format("&{}={}", http::encoded(name), http::encoded(value));
  reply.headers.emplace_back("Link", fmt::format("<{}>; rel=\"next\"", next));
}

}  // namespace vigie::server

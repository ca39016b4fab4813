// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/service_client_internal.h"

namespace vigie::cli {

Result<ServiceClient> ServiceClient::make(const std::string& url, std::string_view option,
                                          const Credentials& credentials) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return fail(Code::kUsage,
                fmt::format("{} {}: expected an address as http://127.0.0.1:8090", option, vigie::quoted(url, 200)));
  ServiceClient out;
  VIGIE_ASSIGN(out.token_, credentials.read());
  out.url_ = url;
  while (out.url_.ends_with('/')) out.url_.pop_back();
  out.client_ = std::make_unique<http::Client>(http::ClientOptions{.user_agent = fmt::format("vigie/{}", kVersion)});
  return out;
}

Result<http::Answer> ServiceClient::ask(const std::string& path) {
  VIGIE_ASSIGN(auto answer, client_->send("GET", url_ + path, "", authorized(token_)));
  if (answer.status == 200) return answer;
  const auto body = Json::parse(answer.body, nullptr, false);
  const bool said = body.is_object() && body.contains("error") && body["error"].is_string();
  const auto why = said ? body["error"].get<std::string>() : "it does not look like vigie serve";
  return fail(answer.status >= 500 || !said ? Code::kUnavailable : Code::kInput,
              fmt::format("{}: status {}: {}", http::place_of(url_), answer.status, why));
}

Result<ServiceClient::Json> ServiceClient::get(const std::string& path) {
  VIGIE_ASSIGN(const auto answer, ask(path));
  auto json = Json::parse(answer.body, nullptr, false);
  if (json.is_discarded())
    return fail(Code::kUnavailable, fmt::format("{}: the answer is not JSON", http::place_of(url_)));
  return json;
}

Status ServiceClient::pages(const std::string& path, const std::function<Result<bool>(const http::Answer&)>& each) {
  auto next = path;
  while (!next.empty()) {
    VIGIE_ASSIGN(const auto answer, ask(next));
    VIGIE_ASSIGN(const bool more, each(answer));
    const auto link = answer.header("link");
    const auto end = link.find(">; rel=\"next\"");
    next = more && link.starts_with('<') && end != link.npos ? std::string(link.substr(1, end - 1)) : "";
  }
  return {};
}

Result<ServiceClient::Json> ServiceClient::list(const std::string& path) {
  auto all = Json::array();
  VIGIE_TRY(pages(path, [&](const http::Answer& page) -> Result<bool> {
    auto some = Json::parse(page.body, nullptr, false);
    if (!some.is_array())
      return fail(Code::kUnavailable, fmt::format("{}: the answer is no list", http::place_of(url_)));
    for (auto& one : some) all.push_back(std::move(one));
    return true;
  }));
  return all;
}

}  // namespace vigie::cli

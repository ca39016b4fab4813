// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {

http::Request post(const std::string& url, const Json& body) {
  http::Request out;
  out.url = url;
  out.headers = {{"Content-Type", "application/json"}};
  out.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

void authorize(http::Request& request, const Settings& settings) {
  if (!settings["token"].empty())
    request.headers.emplace_back("Authorization", "Bearer " + settings["token"]);
  else if (!settings["user"].empty())
    request.headers.emplace_back("Authorization", "Basic " + base64(settings["user"] + ":" + settings["password"]));
}

Status check_login(std::string_view notifier, const Settings& settings) {
  if (!settings["token"].empty() && !settings["user"].empty())
    return fail(Code::kUsage, fmt::format("{}: token and user exclude each other", notifier));
  return {};
}

Status check_url(std::string_view notifier, const Settings& settings) {
  if (is_link(settings["url"])) return {};
  return fail(Code::kUsage, fmt::format("{}.url: expected an address that begins with https:// or http://", notifier));
}

std::string joined(std::string_view url, std::string_view path) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url).append(path);
}

Json labels_of(const event::Incident& incident) {
  return {{"alertname", "VigieIncident"},
          {"model", one_line(incident.model, 200)},
          {"severity", to_string(incident.severity)},
          {"incident", one_line(incident.id, 300)}};
}

Json annotations_of(const event::Notice& notice, const Context& context) {
  const auto& incident = notice.incident;
  auto text = text_of(notice, context);
  Json out{{"summary", text.headline}, {"description", shortened(plain(text), 4000)}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = one_line(value, 1000);
  };
  add("owner", incident.owner);
  if (is_link(incident.runbook)) add("runbook_url", incident.runbook);
  for (std::size_t i = 0; i < text.causes.size(); ++i) add(fmt::format("cause_{}", i + 1).c_str(), text.causes[i]);
  return out;
}

std::string signature(std::string_view key, std::string_view message) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()),
       message.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace vigie::notify

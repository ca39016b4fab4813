// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "notify/notify.h"

namespace vigie::notify {

using Json = nlohmann::ordered_json;

/// A POST of JSON.
http::Request post(const std::string& url, const Json& body);

/// What a target with a login takes beside its own parameters, and the header that comes of it.
#define VIGIE_LOGIN_PARAMS                                                    \
  {.name = "user", .doc = "of HTTP basic authentication"},                    \
      {.name = "password", .doc = "of that user", .secret = true}, {          \
    .name = "token", .doc = "a bearer token, instead of both", .secret = true \
  }
void authorize(http::Request& request, const Settings& settings);
/// Not both of them.
Status check_login(std::string_view notifier, const Settings& settings);

/// Code::kUsage where `url` cannot be one of HTTP.
Status check_url(std::string_view notifier, const Settings& settings);

/// The address and a path behind it.
std::string joined(std::string_view url, std::string_view path);

/// Labels and annotations of an incident, as Alertmanager has them. The labels of an incident stay what they are, but
/// for its severity.
Json labels_of(const event::Incident& incident);
Json annotations_of(const event::Notice& notice, const Context& context);

using http::base64;
using http::from_base64;
/// HMAC with SHA-256.
std::string signature(std::string_view key, std::string_view message);

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "source/source.h"

// What sources that ask over HTTP have in common. Of a URL what follows the host is in no message.
namespace vigie::source {

inline Status check_url(std::string_view source, std::string_view url) {
  const auto scheme = url.find("://");
  if ((url.starts_with("http://") || url.starts_with("https://")) && url.size() > scheme + 3) return {};
  return fail(Code::kUsage, fmt::format("{}.url: expected an address that begins with https:// or http://", source));
}

inline std::string host_of(std::string_view url) {
  const auto place = http::place_of(url);
  return place.substr(place.find("://") + 3);
}

inline http::Request get(const std::string& url, const std::string& token) {
  http::Request request;
  request.method = "GET", request.url = url;
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  return request;
}

/// Code::kUnavailable: not reached, or answered with anything but 2xx.
inline Status reached_well(const Reached& reached, std::string_view url) {
  if (!reached.answer) return fail(Code::kUnavailable, reached.answer.error().message);
  const auto status = reached.answer->status;
  if (status >= 200 && status < 300) return {};
  return fail(Code::kUnavailable, fmt::format("{}: answers {}", http::place_of(url), status));
}

}  // namespace vigie::source

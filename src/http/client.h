// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigie::http {

struct Answer {
  unsigned status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case

  /// The header's value, empty where it is not there.
  std::string_view header(std::string_view name) const;
  /// Seconds of Retry-After, 0 where it is not there or a date.
  long retry_after() const;
};

struct ClientOptions {
  std::chrono::milliseconds connect{5'000};        ///< until the other side must have taken the connection
  std::chrono::milliseconds answer{60'000};        ///< and until it must have answered
  std::size_t most_bytes = std::size_t{64} << 20;  ///< of an answer
  std::string user_agent = "vigie";
};

/// Requests over HTTP and HTTPS, one after the other on connections that are kept open (libcurl); HTTP and HTTPS alone,
/// no redirects, certificates are checked. One thread at a time. Nothing of a URL but its scheme and host is in
/// messages: what follows may be secret.
class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;

  /// Any status is an answer. Code::kUsage: the URL cannot be one. Code::kUnavailable: nobody answers, or not in time.
  Result<Answer> send(std::string_view method, const std::string& url, std::string_view body,
                      const std::vector<std::pair<std::string, std::string>>& headers = {});

 private:
  ClientOptions options_;
  void* curl_;
};

/// Bytes as headers have them, with padding.
std::string base64(std::string_view bytes);
/// Nothing for what is no base64.
std::optional<std::string> from_base64(std::string_view text);
/// Text as a part of a URL's path or query has it: all but letters, digits and -._~ by their bytes, as %20.
std::string encoded(std::string_view text);
/// Of a URL what may be shown: scheme, host and port.
std::string place_of(std::string_view url);

}  // namespace vigie::http

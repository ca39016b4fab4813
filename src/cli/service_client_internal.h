// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/credentials_internal.h"
#include "http/client.h"

namespace vigie::cli {

/// Asks a running `vigie serve`.
class ServiceClient {
 public:
  using Json = nlohmann::ordered_json;
  /// Code::kUsage: `url`, which `option` gave, is none; what Credentials::read() says.
  static Result<ServiceClient> make(const std::string& url, std::string_view option, const Credentials& credentials);

  /// Code::kUnavailable: nobody answers, or it is none; Code::kInput: it says no, and why.
  Result<http::Answer> ask(const std::string& path);
  Result<Json> get(const std::string& path);
  /// Of a list that comes in pages, one after the other until there is none, or `each` says false.
  Status pages(const std::string& path, const std::function<Result<bool>(const http::Answer& page)>& each);
  /// All entries of such a list.
  Result<Json> list(const std::string& path);

 private:
  ServiceClient() = default;
  std::string url_, token_;
  std::unique_ptr<http::Client> client_;
};

}  // namespace vigie::cli

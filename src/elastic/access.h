// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/transfers.h"

namespace vigie::elastic {

/// By what a cluster knows who asks, and who asks the cluster.
struct Access {
  std::string user, password;  ///< basic, or with `sigv4` the keys of AWS
  std::string session;         ///< AWS: a session's token, may be empty
  std::string api_key;         ///< as header() takes it
  std::string sigv4;           ///< as http::Request
  std::string ca, pin;         ///< as http::Request
  int gzip = 1;                ///< level of bodies, 0: not packed

  /// A request to a node: `path` from its root on. Code::kInternal: it cannot be packed.
  Result<http::Request> request(std::string_view method, const std::string& node, std::string_view path,
                                std::string body) const;
};

/// The value of an API key as Authorization has it: of `id:key` its base64; of one that is encoded already, itself.
std::string api_key_of(std::string_view given);
/// 64 digits of a fingerprint, lower case, from such with or without colons. Code::kUsage.
Result<std::string> pin_of(std::string_view given);
/// Text as gzip. Code::kInternal.
Result<std::string> packed(std::string_view text, int level);

}  // namespace vigie::elastic

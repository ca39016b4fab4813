// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ssl.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace vigie::server {

struct Tls {
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
  std::int64_t end = 0;  ///< of the certificate, seconds since 1970
};

/// TLS 1.2 and 1.3 with a certificate, its chain behind it, and its key, from PEM files. Code::kUsage names the file:
/// it is not there, holds none, has a password, or the key is another certificate's. A certificate that has expired is
/// taken: who asks will say so.
Result<std::shared_ptr<Tls>> make_tls(const std::string& certificate, const std::string& key);

}  // namespace vigie::server

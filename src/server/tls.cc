// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>

#include "base/file.h"
#include "server/tls_internal.h"

namespace vigie::server {

Result<std::shared_ptr<Tls>> make_tls(const std::string& certificate, const std::string& key) {
  constexpr std::size_t kMost = 1 << 20;
  VIGIE_ASSIGN(const auto chain, read_file(certificate, kMost));
  VIGIE_ASSIGN(const auto secret, read_file(key, kMost));
  auto out = std::make_shared<Tls>();
  auto& context = out->context;
  auto* const raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  boost::system::error_code error;
  // Else a key with a password would be asked for on the terminal.
  static_cast<void>(context.set_password_callback([](auto, auto) { return std::string(); }, error));
  if (!error) static_cast<void>(context.use_certificate_chain(boost::asio::buffer(chain), error));
  if (error) return fail(Code::kUsage, fmt::format("{}: no certificate in PEM: {}", certificate, error.message()));
  static_cast<void>(context.use_private_key(boost::asio::buffer(secret), boost::asio::ssl::context::pem, error));
  if (error)
    return fail(Code::kUsage,
                fmt::format("{}: no key of {}, in PEM and without a password: {}", key, certificate, error.message()));
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(raw)), &end) == 1) out->end = ::timegm(&end);
  return out;
}

}  // namespace vigie::server

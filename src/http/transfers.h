// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/client.h"

namespace vigie::http {

/// Something to send: a request by HTTP, or, where `to` names somebody, a mail by SMTP.
struct Request {
  std::string method = "POST", url, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string from;             ///< of a mail: the sender's address
  std::vector<std::string> to;  ///< of a mail: addresses
  std::string user, password;   ///< what to log in with; an empty user: nothing
  /// Of HTTP: "aws:amz:REGION:SERVICE" signs by AWS' version 4, user and password being its keys. Empty: they are
  /// basic.
  std::string sigv4{};
  std::string ca{};  ///< of HTTPS: certificates by which the server is known, a file of PEM; empty: those of trust()
  /// Of HTTPS: SHA-256 of a certificate as 64 lower-case digits. Whoever shows it, or one that it signed, is trusted,
  /// and nobody else; the name in the certificate must be right all the same.
  std::string pin{};
  /// Within which it must be answered, where ClientOptions::answer is not meant; 0: that.
  std::chrono::milliseconds answer{0};
  enum class Tls : std::uint8_t { kRequired, kOptional, kNever } tls = Tls::kRequired;  ///< of a mail
};

/// Requests under way at the same time, in one thread: a slow receiver keeps no other waiting. All but wake() from that
/// thread. Proxies of the environment are used, certificates are checked, redirects are not followed.
class Transfers {
 public:
  explicit Transfers(ClientOptions options = {});
  ~Transfers();  ///< breaks off what is under way, at once
  Transfers(const Transfers&) = delete;

  /// Code::kInternal: libcurl is not to be had; nothing can be sent.
  Status usable() const;
  /// Code::kInternal too: libcurl does not take how it is to be asked, as it cannot sign or has no such TLS.
  Status start(std::int64_t id, Request request);

  /// As Client::send(). A mail's status is the server's last (250), its body what the server objected to, line by line:
  /// recipients that it did not take while it took others.
  struct Done {
    std::int64_t id;
    Result<Answer> answer;
  };
  /// Those that ended. Returns when there is one, at wake(), or after the time; with none now and then before.
  std::vector<Done> wait(std::chrono::milliseconds at_most);
  /// From any thread.
  void wake();

 private:
  struct Running;
  ClientOptions options_;
  void* multi_;
  std::map<void*, std::unique_ptr<Running>> running_;
};

/// One request, waited for.
Result<Answer> send(const Request& request, const ClientOptions& options = {});

}  // namespace vigie::http

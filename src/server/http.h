// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigie::server {

struct Request {
  std::string method;                                      ///< "GET", …
  std::vector<std::string> path;                           ///< its parts, decoded: {"v1", "models"}
  std::vector<std::pair<std::string, std::string>> query;  ///< behind the question mark, decoded
  std::string type, accept, authorization, host, origin;   ///< headers
  std::string body;                                        ///< unpacked
};

struct Reply {
  unsigned status = 200;
  std::string body{};
  std::string_view type = "application/json";  ///< of static storage
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// {"error": …, "where": …}; with 429 a Retry-After.
Reply refuse(unsigned status, std::string_view error, std::string_view where);

/// A part of a path or of a query, as an address has it.
std::string escaped(std::string_view text);

struct HttpOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8090;               ///< 0: a free one
  unsigned threads = 0;                    ///< 0: one per core
  std::uint64_t body_limit = 64ULL << 20;  ///< bytes, packed and unpacked
  std::uint32_t header_limit = 16 << 10;
  std::size_t connections = 10'000;   ///< more are answered 503, with TLS closed at once
  std::chrono::seconds patience{30};  ///< for a request that has begun, and for one that is to come
  std::string certificate, key;       ///< files of TLS, PEM: the chain, and its key without a password; empty: no TLS
};

/// Told once, from any thread; dropped untold it ends the connection. It does not outlive the server.
using Answer = std::move_only_function<void(Reply)>;
/// Begins to answer. Whether the next request of the connection may begin before this one is answered: what it does is
/// done in order by now, and only waits to last.
using Handler = std::function<bool(Request&&, Answer)>;
/// Looks at a request before its body is read, and refuses it or not.
using Gate = std::function<std::optional<Reply>(const Request&)>;

/// An HTTP/1.1 server (Boost.Beast), with or without TLS 1.2 and 1.3: connections are kept, requests may follow each
/// other without waiting, bodies may be packed (gzip, zstd). What is malformed or over a limit is answered as
/// {"error", "where"}.
class HttpServer {
 public:
  /// Listens; nobody is answered before run(). Gate and handler are called from its threads. Code::kUsage: not an
  /// address, or it is taken, or the files of TLS do not fit.
  static Result<std::unique_ptr<HttpServer>> listen(const HttpOptions& options, Gate gate, Handler handler);
  ~HttpServer();
  void run();
  /// From now on the limits and the certificate of `options`; connections that are open keep theirs. Code::kUsage, and
  /// nothing changes: the files of TLS do not fit.
  Status adopt(const HttpOptions& options);
  /// Stops taking connections and waits until answers under way are sent, a second at most. Then the handler is not
  /// called any more; an Answer that comes later goes nowhere.
  void stop();
  std::uint16_t port() const;

  struct Counts {
    std::uint64_t connections = 0;                ///< that are open
    std::array<std::uint64_t, 5> answered{};      ///< 1xx to 5xx
    std::optional<std::int64_t> certificate_end;  ///< seconds since 1970
  };
  Counts counts() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A body as it was before it was packed: "gzip", "zstd", "identity" or "". Code::kUsage: another packing;
/// Code::kInput: damaged, or larger than the limit (its message ends in "too large").
Result<std::string> unpack(std::string body, std::string_view packing, std::uint64_t limit);

}  // namespace vigie::server

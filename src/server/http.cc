// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <charconv>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/parallel.h"
#include "server/tls_internal.h"

namespace vigie::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
// Named, not any_io_executor: half of the CPU of small requests would go into the latter.
using Strand = asio::strand<asio::io_context::executor_type>;
template <class T>
using Task = asio::awaitable<T, Strand>;
using Stream = beast::basic_stream<tcp, Strand>;
using Secured = asio::ssl::stream<Stream>;
constexpr asio::use_awaitable_t<Strand> kAwait;
constexpr auto kNoThrow = asio::experimental::as_tuple(kAwait);
constexpr std::size_t kRead = 64 << 10;  // of a larger body at once
constexpr std::size_t kMostDrained = 16 << 20;
constexpr auto kParting = std::chrono::seconds(1);

std::optional<std::string> decoded(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      out += part[i];
      continue;
    }
    unsigned byte = 0;
    if (i + 2 >= part.size()) return {};
    const auto [end, error] = std::from_chars(part.data() + i + 1, part.data() + i + 3, byte, 16);
    if (error != std::errc() || end != part.data() + i + 3) return {};
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace

Reply refuse(unsigned status, std::string_view error, std::string_view where) {
  const nlohmann::ordered_json body{{"error", error}, {"where", where}};
  Reply reply{status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  if (status == 429) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    plain ? void(out += c) : void(out += fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

class HttpServer::Impl {
 public:
  Impl(const HttpOptions& options, Gate gate, Handler handler)
      : host_(options.host),
        port_(options.port),
        thread_count_(thread_count(options.threads)),
        gate_(std::move(gate)),
        handler_(std::move(handler)),
        io_(static_cast<int>(thread_count_)),
        acceptor_(io_) {}

  Status listen(const HttpOptions& options) {
    VIGIE_TRY(adopt(options));
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host_, error);
    if (error)
      return fail(Code::kUsage, fmt::format("cannot listen on {}: no address, as 127.0.0.1:8090 or [::1]:8090", host_));
    const tcp::endpoint here(address, port_);
    static_cast<void>(acceptor_.open(here.protocol(), error));
    if (!error) static_cast<void>(acceptor_.set_option(tcp::acceptor::reuse_address(true), error));
    if (!error) static_cast<void>(acceptor_.bind(here, error));
    if (!error) static_cast<void>(acceptor_.listen(asio::socket_base::max_listen_connections, error));
    if (error) return fail(Code::kUsage, fmt::format("cannot listen on {}:{}: {}", host_, port_, error.message()));
    return {};
  }

  void run() {
    asio::co_spawn(asio::make_strand(io_), accept(), asio::detached);
    for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  Status adopt(const HttpOptions& options) {
    auto terms = std::make_shared<Terms>();
    terms->body_limit = options.body_limit, terms->header_limit = options.header_limit;
    terms->connections = options.connections, terms->patience = options.patience;
    if (!options.certificate.empty()) {
      VIGIE_ASSIGN(terms->tls, make_tls(options.certificate, options.key));
    }
    std::lock_guard lock(mutex_);
    terms_ = std::move(terms);
    return {};
  }

  Counts counts() const {
    Counts out;
    out.connections = open_;
    for (std::size_t i = 0; i < out.answered.size(); ++i) out.answered[i] = answered_[i];
    if (const auto terms = this->terms(); terms->tls) out.certificate_end = terms->tls->end;
    return out;
  }

  ~Impl() { stop(); }

  void stop() {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
      boost::system::error_code ignored;
      static_cast<void>(acceptor_.close(ignored));
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (busy_ > 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    io_.stop();
    for (auto& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  // What a reload may change.
  struct Terms {
    std::uint64_t body_limit = 0;
    std::uint32_t header_limit = 0;
    std::size_t connections = 0;
    std::chrono::seconds patience{};
    std::shared_ptr<Tls> tls;
  };
  std::shared_ptr<const Terms> terms() const {
    std::lock_guard lock(mutex_);
    return terms_;
  }

  Task<void> accept() {
    while (!stopping_) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(io_), kNoThrow);
      if (error == asio::error::operation_aborted || stopping_) co_return;
      if (error) {  // as when no more files can be opened
        asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(kNoThrow);
        continue;
      }
      auto strand = socket.get_executor();
      asio::co_spawn(strand, greet(Stream(std::move(socket))), asio::detached);
    }
  }

  Task<void> greet(Stream stream) {
    struct Counted {
      std::atomic<std::size_t>& count;
      std::size_t now;
      explicit Counted(std::atomic<std::size_t>& c) : count(c), now(++c) {}
      ~Counted() { --count; }
    } open(open_);
    boost::system::error_code ignored;
    static_cast<void>(stream.socket().set_option(tcp::no_delay(true), ignored));
    beast::flat_buffer buffer;
    const auto terms = this->terms();
    if (!terms->tls) {
      co_await serve(stream, buffer, open.now);
    } else if (open.now <= terms->connections) {
      stream.expires_after(terms->patience);
      auto [unread, secure] = co_await beast::async_detect_ssl(stream, buffer, kNoThrow);
      if (unread) co_return;
      if (!secure) {
        co_await send(stream, refuse(400, "TLS is spoken here: https://, not http://", "connection"), 11, false, false);
      } else {
        Secured secured(std::move(stream), terms->tls->context);
        auto [failed, used] = co_await secured.async_handshake(Secured::server, buffer.data(), kNoThrow);
        if (failed) co_return;
        buffer.consume(used);
        co_await serve(secured, buffer, open.now);
        co_await drain(secured, buffer);
        secured.next_layer().expires_after(kParting);
        co_await secured.async_shutdown(kNoThrow);
        co_return;
      }
    }
    static_cast<void>(stream.socket().shutdown(tcp::socket::shutdown_send, ignored));
    co_await drain(stream, buffer);
  }

  // Who still sends would have the answer torn from it by a socket that is closed with bytes unread.
  template <class S>
  Task<void> drain(S& stream, beast::flat_buffer& buffer) {
    beast::get_lowest_layer(stream).expires_after(kParting);
    for (std::size_t left = kMostDrained; left > 0 && !stopping_;) {
      buffer.clear();
      auto [gone, n] = co_await stream.async_read_some(buffer.prepare(kRead), kNoThrow);
      if (gone) break;
      left -= std::min(left, n);
    }
  }

  template <class S>
  Task<void> serve(S& stream, beast::flat_buffer& buffer, std::size_t number) {
    bool keep = true;
    while (keep && !stopping_) {
      const auto terms = this->terms();
      http::request_parser<http::string_body> parser;
      parser.body_limit(terms->body_limit);
      parser.header_limit(terms->header_limit);
      beast::get_lowest_layer(stream).expires_after(terms->patience);
      auto [bad_head, head] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
      if (bad_head == http::error::end_of_stream || bad_head == beast::error::timeout) break;
      Request request;
      std::optional<Reply> reply;
      if (!bad_head) reply = read_head(parser.get(), request);
      if (!bad_head && !reply && number > terms->connections)
        reply = refuse(503, fmt::format("more than {} connections", terms->connections), "connection");
      if (!bad_head && !reply) reply = gate_(request);
      // Whom nothing is taken from need not send it.
      keep = !bad_head && parser.keep_alive() && (!reply || parser.is_done()) && number <= terms->connections;
      if (!bad_head && !reply && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on(http::status::continue_, 11);
        auto [unsent, n] = co_await http::async_write(stream, go_on, kNoThrow);
        if (unsent) break;
      }
      auto bad = bad_head;
      if (!bad && !reply) {
        if (parser.content_length().value_or(kRead) > buffer.size())
          buffer.reserve(std::min<std::size_t>(kRead, parser.content_length().value_or(kRead)));
        auto [bad_body, size] = co_await http::async_read(stream, buffer, parser, kNoThrow);
        bad = bad_body;
      }
      if (bad == http::error::body_limit || bad == http::error::header_limit) {
        const bool body = bad == http::error::body_limit;
        reply = refuse(body ? 413 : 431,
                       body ? fmt::format("the body is larger than {} bytes", terms->body_limit)
                            : fmt::format("the header is larger than {} bytes", terms->header_limit),
                       body ? "body" : "header");
      } else if (bad.category() == http::make_error_code(http::error::bad_value).category() &&
                 bad != http::error::partial_message && bad) {
        reply = refuse(400, fmt::format("not HTTP: {}", bad.message()), "header");
      } else if (bad) {
        break;  // the other side has gone
      }
      keep = keep && !bad;
      const bool head_only = !bad && parser.get().method() == http::verb::head;
      const unsigned version = bad ? 11 : parser.get().version();
      if (!reply) {
        ++busy_;
        reply = co_await answered(std::move(request), parser.release(), terms->body_limit);
        --busy_;
      }
      const bool sent = co_await send(stream, std::move(*reply), version, head_only, keep);
      if (!sent) break;
    }
  }

  template <class S>
  Task<bool> send(S& stream, Reply reply, unsigned version, bool head_only, bool keep) {
    ++answered_[std::clamp(reply.status / 100, 1U, 5U) - 1];
    http::response<http::string_body> response(static_cast<http::status>(reply.status), version);
    response.set(http::field::server, "vigie");
    response.set(http::field::content_type, reply.type);
    response.set("X-Content-Type-Options", "nosniff");
    if (reply.type.starts_with("text/html")) response.set("X-Frame-Options", "DENY");
    for (const auto& [name, value] : reply.headers) response.insert(name, value);
    response.keep_alive(keep && !stopping_);
    response.body() = std::move(reply.body);
    response.prepare_payload();
    if (head_only) response.body().clear();
    beast::get_lowest_layer(stream).expires_after(terms()->patience);
    ++busy_;
    auto [unsent, n] = co_await http::async_write(stream, response, kNoThrow);
    --busy_;
    co_return !unsent;
  }

  // What there is before the body; a refusal where it cannot be.
  static std::optional<Reply> read_head(const http::request<http::string_body>& message, Request& request) {
    const auto header = [&](http::field field) { return std::string(message[field]); };
    request.method = std::string(message.method_string());
    request.type = header(http::field::content_type), request.accept = header(http::field::accept);
    request.authorization = header(http::field::authorization);
    request.host = header(http::field::host), request.origin = header(http::field::origin);
    std::string_view target(message.target().data(), message.target().size());
    std::string_view query;
    if (auto mark = target.find('?'); mark != target.npos)
      query = target.substr(mark + 1), target = target.substr(0, mark);
    while (!query.empty()) {
      const auto part = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(query.size(), part.size() + 1));
      const auto name = part.substr(0, part.find('='));
      auto plain = decoded(name), value = decoded(part.substr(std::min(part.size(), name.size() + 1)));
      if (!plain || !value) return refuse(400, "a % that two hexadecimal digits do not follow", "query");
      if (!part.empty()) request.query.emplace_back(std::move(*plain), std::move(*value));
    }
    while (!target.empty()) {
      if (target[0] == '/') target.remove_prefix(1);
      const auto part = target.substr(0, target.find('/'));
      target.remove_prefix(part.size());
      auto plain = decoded(part);
      if (!plain) return refuse(400, "a % that two hexadecimal digits do not follow", "path");
      if (!part.empty()) request.path.push_back(std::move(*plain));
    }
    return {};
  }

  Task<Reply> answered(Request request, http::request<http::string_body> message, std::uint64_t most) {
    auto packing = message[http::field::content_encoding];
    auto body = unpack(std::move(message.body()), {packing.data(), packing.size()}, most);
    if (!body) {
      const bool large = body.error().message.ends_with("too large");
      co_return refuse(large ? 413 : body.error().code == Code::kUsage ? 415 : 400, body.error().message, "body");
    }
    request.body = std::move(*body);
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<Strand>&, void(Reply)>(
        [this](auto done, Request asked) {
          auto shared = std::make_shared<decltype(done)>(std::move(done));
          handler_(std::move(asked), [shared](Reply reply) {
            auto executor = asio::get_associated_executor(*shared);
            asio::post(executor,
                       [shared, reply = std::move(reply)]() mutable { std::move (*shared)(std::move(reply)); });
          });
        },
        kAwait, std::move(request));
  }

  const std::string host_;
  const std::uint16_t port_;
  const unsigned thread_count_;
  const Gate gate_;
  const Handler handler_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Terms> terms_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> open_ = 0, busy_ = 0;
  std::array<std::atomic<std::uint64_t>, 5> answered_{};
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

void HttpServer::stop() {
  impl_->stop();
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

void HttpServer::run() {
  impl_->run();
}

Status HttpServer::adopt(const HttpOptions& options) {
  return impl_->adopt(options);
}

HttpServer::Counts HttpServer::counts() const {
  return impl_->counts();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpOptions& options, Gate gate, Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(gate), std::move(handler));
  VIGIE_TRY(impl->listen(options));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace vigie::server

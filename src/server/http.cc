// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/beast.hpp>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/parallel.h"

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
constexpr asio::use_awaitable_t<Strand> kAwait;
constexpr auto kNoThrow = asio::experimental::as_tuple(kAwait);
constexpr std::size_t kRead = 64 << 10;  // of a larger body at once

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
  Impl(HttpOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        io_(static_cast<int>(thread_count(options_.threads))),
        acceptor_(io_) {}

  Status listen() {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options_.host, error);
    if (error)
      return fail(Code::kUsage,
                  fmt::format("--listen: {} is no address, as 127.0.0.1:8090 or [::1]:8090", options_.host));
    const tcp::endpoint here(address, options_.port);
    acceptor_.open(here.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(here, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(Code::kUsage, fmt::format("--listen {}:{}: {}", options_.host, options_.port, error.message()));
    asio::co_spawn(asio::make_strand(io_), accept(), asio::detached);
    for (unsigned i = 0; i < thread_count(options_.threads); ++i) threads_.emplace_back([this] { io_.run(); });
    return {};
  }

  ~Impl() { stop(); }

  void stop() {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (busy_ > 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    io_.stop();
    for (auto& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
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
      asio::co_spawn(strand, serve(Stream(std::move(socket))), asio::detached);
    }
  }

  Task<void> serve(Stream stream) {
    struct Counted {
      std::atomic<std::size_t>& count;
      std::size_t now;
      explicit Counted(std::atomic<std::size_t>& c) : count(c), now(++c) {}
      ~Counted() { --count; }
    } open(open_);
    boost::system::error_code ignored;
    stream.socket().set_option(tcp::no_delay(true), ignored);
    beast::flat_buffer buffer;
    bool keep = true;
    while (keep && !stopping_) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(options_.body_limit);
      parser.header_limit(options_.header_limit);
      stream.expires_after(options_.patience);
      auto [bad_head, head] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
      if (bad_head == http::error::end_of_stream || bad_head == beast::error::timeout) break;
      if (!bad_head && beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on(http::status::continue_, 11);
        auto [unsent, n] = co_await http::async_write(stream, go_on, kNoThrow);
        if (unsent) break;
      }
      auto bad = bad_head;
      if (!bad) {
        if (parser.content_length().value_or(kRead) > buffer.size())
          buffer.reserve(std::min<std::size_t>(kRead, parser.content_length().value_or(kRead)));
        auto [bad_body, size] = co_await http::async_read(stream, buffer, parser, kNoThrow);
        bad = bad_body;
      }
      std::optional<Reply> reply;
      if (bad == http::error::body_limit || bad == http::error::header_limit) {
        const bool body = bad == http::error::body_limit;
        reply = refuse(body ? 413 : 431,
                       body ? fmt::format("the body is larger than {} bytes", options_.body_limit)
                            : fmt::format("the header is larger than {} bytes", options_.header_limit),
                       body ? "body" : "header");
      } else if (bad.category() == http::make_error_code(http::error::bad_value).category() &&
                 bad != http::error::partial_message && bad) {
        reply = refuse(400, fmt::format("not HTTP: {}", bad.message()), "header");
      } else if (bad) {
        break;  // the other side has gone
      }
      keep = !bad && parser.keep_alive();
      const bool head_only = !bad && parser.get().method() == http::verb::head;
      const unsigned version = bad ? 11 : parser.get().version();
      if (!reply && open.now > options_.connections)
        reply = refuse(503, fmt::format("more than {} connections", options_.connections), "connection"), keep = false;
      if (!reply) {
        ++busy_;
        reply = co_await answered(parser.release());
        --busy_;
      }
      http::response<http::string_body> response(static_cast<http::status>(reply->status), version);
      response.set(http::field::server, "vigie");
      response.set(http::field::content_type, reply->type);
      for (const auto& [name, value] : reply->headers) response.set(name, value);
      response.keep_alive(keep && !stopping_);
      response.body() = std::move(reply->body);
      response.prepare_payload();
      if (head_only) response.body().clear();
      stream.expires_after(options_.patience);
      ++busy_;
      auto [unsent, n] = co_await http::async_write(stream, response, kNoThrow);
      --busy_;
      if (unsent) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  Task<Reply> answered(http::request<http::string_body> message) {
    Request request;
    request.method = std::string(message.method_string());
    request.type = std::string(message[http::field::content_type]);
    request.authorization = std::string(message[http::field::authorization]);
    std::string_view target(message.target().data(), message.target().size());
    std::string_view query;
    if (auto mark = target.find('?'); mark != target.npos)
      query = target.substr(mark + 1), target = target.substr(0, mark);
    while (!query.empty()) {
      const auto part = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(query.size(), part.size() + 1));
      const auto name = part.substr(0, part.find('='));
      auto plain = decoded(name), value = decoded(part.substr(std::min(part.size(), name.size() + 1)));
      if (!plain || !value) co_return refuse(400, "a % that two hexadecimal digits do not follow", "query");
      if (!part.empty()) request.query.emplace_back(std::move(*plain), std::move(*value));
    }
    while (!target.empty()) {
      if (target[0] == '/') target.remove_prefix(1);
      const auto part = target.substr(0, target.find('/'));
      target.remove_prefix(part.size());
      auto plain = decoded(part);
      if (!plain) co_return refuse(400, "a % that two hexadecimal digits do not follow", "path");
      if (!part.empty()) request.path.push_back(std::move(*plain));
    }
    auto packing = message[http::field::content_encoding];
    auto body = unpack(std::move(message.body()), {packing.data(), packing.size()}, options_.body_limit);
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

  HttpOptions options_;
  Handler handler_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> open_ = 0, busy_ = 0;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

void HttpServer::stop() {
  impl_->stop();
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(HttpOptions options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  VIGIE_TRY(impl->listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace vigie::server

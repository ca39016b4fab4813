// SPDX-License-Identifier: Apache-2.0
#include "server/http.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <charconv>
#include <ctime>
#include <deque>
#include <limits>
#include <list>
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
// Named, not any_io_executor: half of the CPU of small requests would go into the latter. No strand: of a connection
// one operation is under way at a time, and nothing else touches its socket.
using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;
using Secured = asio::ssl::stream<Socket&>;
using SystemError = boost::system::error_code;
using Done = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;
constexpr asio::use_awaitable_t<Executor> kAwait;
constexpr auto kNoThrow = asio::experimental::as_tuple(kAwait);
constexpr std::size_t kReadHead = 4 << 10;
constexpr std::size_t kHead = 256;            // that nearly all that is sent before a body fits into
constexpr std::size_t kRead = 64 << 10;       // of a larger body at once
constexpr std::uint64_t kReserved = 4 << 20;  // for a body that is yet to come
constexpr auto kNeverHere = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kMostDrained = 16 << 20;
constexpr std::size_t kMostTurns = 64;  // of a connection, begun and not yet answered
constexpr auto kParting = std::chrono::seconds(1);
constexpr auto kGlance = std::chrono::milliseconds(250);  // between two looks at who is overdue

// Cuts off whom nothing came from in time, or who does not take what is sent. To look at all of them now and then costs
// less than a timer for each operation.
class Deadlines {
  using Clock = std::chrono::steady_clock;
  // To a few milliseconds, at a third of the price.
  static Clock::duration now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  struct Open {
    int socket;
    std::atomic<Clock::duration> until;
  };

 public:
  static constexpr Clock::duration kNever = Clock::duration::max();
  // Of one socket, which is to outlive it.
  class Deadline {
   public:
    Deadline(Deadlines& all, Socket& socket) : all_(all) {
      const std::lock_guard lock(all.mutex_);
      all.open_.emplace_front(socket.native_handle(), kNever), at_ = all.open_.begin();
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline() {
      const std::lock_guard lock(all_.mutex_);
      all_.open_.erase(at_);
    }
    void in(std::chrono::seconds time) { at_->until.store(now() + time, std::memory_order_relaxed); }
    void never() { at_->until.store(kNever, std::memory_order_relaxed); }

   private:
    Deadlines& all_;
    std::list<Open>::iterator at_;
  };

  void enforce() {
    const auto now = Deadlines::now();
    const std::lock_guard lock(mutex_);
    for (auto& open : open_) {
      auto until = open.until.load();
      if (until <= now && open.until.compare_exchange_strong(until, kNever)) ::shutdown(open.socket, SHUT_RDWR);
    }
  }

 private:
  std::mutex mutex_;
  std::list<Open> open_;
};

// Whether no header ends before it is meant to, and begins another one.
bool is_sound(const Reply& reply) {
  const auto broken = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
  };
  return !broken(reply.type) && std::none_of(reply.headers.begin(), reply.headers.end(), [&](const auto& header) {
    return broken(header.first) || broken(header.second);
  });
}

// A terminal's prompt stands on a line of its own behind it.
bool wants_line_end(const Reply& reply) {
  return reply.type == "application/json" && !reply.body.empty() && reply.body.back() != '\n';
}

// What goes before a body; the reply is sound.
std::string head_of(const Reply& reply, unsigned version, bool keep) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
  std::string out;
  out.reserve(kHead + reply.body.size());
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("HTTP/1.{} {} "), version % 10, reply.status);
  out.append(reason.data(), reason.size()).append("\r\nServer: vigie\r\nContent-Type: ").append(reply.type);
  out += "\r\nX-Content-Type-Options: nosniff\r\n";
  if (reply.type.starts_with("text/html")) out += "X-Frame-Options: DENY\r\n";
  for (const auto& [name, value] : reply.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (keep != (version == 11)) out += keep ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("Content-Length: {}\r\n\r\n"),
                 reply.body.size() + (wants_line_end(reply) ? 1 : 0));
  return out;
}

std::optional<std::string> decoded(std::string_view part) {
  std::string out(part.substr(0, part.find('%')));
  for (std::size_t i = out.size(); i < part.size(); ++i) {
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

// Keeps of a request what is asked for, and nothing of the other headers.
class Parser final : public http::basic_parser<true> {
 public:
  Request request;
  std::string packing, expects;
  std::optional<Reply> refused;  // what its target cannot be
  unsigned version = 11;

 private:
  using Text = beast::string_view;
  void on_request_impl(http::verb, Text method, Text target, int said, SystemError&) override {
    version = static_cast<unsigned>(said);
    request.method = method;
    refused = read_target({target.data(), target.size()});
  }
  void on_field_impl(http::field name, Text, Text value, SystemError&) override {
    auto* kept = is_header_done() ? nullptr : kept_of(name);  // what follows a body says nothing
    if (kept && kept->empty()) *kept = value;
  }
  std::size_t on_body_impl(Text more, SystemError&) override {
    request.body.append(more.data(), more.size());
    return more.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text more, SystemError& error) override {
    return on_body_impl(more, error);
  }
  void on_response_impl(int, Text, int, SystemError&) override {}
  void on_header_impl(SystemError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, SystemError&) override {}
  void on_chunk_header_impl(std::uint64_t, Text, SystemError&) override {}
  void on_finish_impl(SystemError&) override {}

  std::string* kept_of(http::field name) {
    switch (name) {
      case http::field::content_type:
        return &request.type;
      case http::field::accept:
        return &request.accept;
      case http::field::authorization:
        return &request.authorization;
      case http::field::host:
        return &request.host;
      case http::field::origin:
        return &request.origin;
      case http::field::content_encoding:
        return &packing;
      case http::field::expect:
        return &expects;
      default:
        return nullptr;
    }
  }

  std::optional<Reply> read_target(std::string_view target) {
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
    request.path.reserve(4);
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
};

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
        acceptor_(io_),
        glance_(io_) {}

  Status listen(const HttpOptions& options) {
    VIGIE_TRY(adopt(options));
    SystemError error;
    const auto address = asio::ip::make_address(host_, error);
    if (error)
      return fail(Code::kUsage, fmt::format("cannot listen on {}: no address, as 127.0.0.1:8090 or [::1]:8090", host_));
    const tcp::endpoint here(address, port_);
    static_cast<void>(acceptor_.open(here.protocol(), error));
    if (!error) static_cast<void>(acceptor_.set_option(Acceptor::reuse_address(true), error));
    if (!error) static_cast<void>(acceptor_.bind(here, error));
    if (!error) static_cast<void>(acceptor_.listen(asio::socket_base::max_listen_connections, error));
    if (error) return fail(Code::kUsage, fmt::format("cannot listen on {}:{}: {}", host_, port_, error.message()));
    return {};
  }

  void run() {
    asio::co_spawn(io_.get_executor(), accept(), asio::detached);
    asio::co_spawn(io_.get_executor(), watch_deadlines(), asio::detached);
    for (unsigned i = 0; i < thread_count_; ++i) {
      threads_.emplace_back([this] { io_.run(); });
      pthread_setname_np(threads_.back().native_handle(), "vigie-http");
    }
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
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // which wakes who accepts there; the acceptor is only theirs
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
      auto [error, socket] = co_await acceptor_.async_accept(io_.get_executor(), kNoThrow);
      if (error == asio::error::operation_aborted || stopping_) co_return;
      if (error) {  // as when no more files can be opened
        Timer pause(io_, std::chrono::milliseconds(50));
        co_await pause.async_wait(kNoThrow);
        continue;
      }
      asio::co_spawn(io_.get_executor(), greet(std::move(socket)), asio::detached);
    }
  }

  Task<void> watch_deadlines() {
    while (!stopping_) {
      glance_.expires_after(kGlance);
      co_await glance_.async_wait(kNoThrow);
      deadlines_.enforce();
    }
  }

  struct Counted {
    std::atomic<std::size_t>& count;
    std::size_t now;
    explicit Counted(std::atomic<std::size_t>& c) : count(c), now(++c) {}
    Counted(const Counted&) = delete;
    ~Counted() { --count; }
  };

  Task<void> greet(Socket socket) {
    const Counted open(open_);
    Deadlines::Deadline deadline(deadlines_, socket);
    SystemError ignored;
    static_cast<void>(socket.set_option(tcp::no_delay(true), ignored));
    static_cast<void>(socket.non_blocking(true, ignored));
    beast::flat_buffer buffer;
    const auto terms = this->terms();
    if (!terms->tls) {
      co_await serve(socket, deadline, buffer, *terms, open.now);
    } else if (open.now <= terms->connections) {
      deadline.in(terms->patience);
      auto [unread, secure] = co_await beast::async_detect_ssl(socket, buffer, kNoThrow);
      if (unread) co_return;
      if (!secure) {
        const auto refused = refuse(400, "TLS is spoken here: https://, not http://", "connection");
        const auto message = message_of(refused, 11, false, false);
        co_await asio::async_write(socket, asio::buffer(message), kNoThrow);
      } else {
        Secured secured(socket, terms->tls->context);
        auto [failed, used] = co_await secured.async_handshake(Secured::server, buffer.data(), kNoThrow);
        if (failed) co_return;
        buffer.consume(used);
        co_await serve(secured, deadline, buffer, *terms, open.now);
        co_await drain(secured, deadline, buffer);
        deadline.in(kParting);
        co_await secured.async_shutdown(kNoThrow);
        co_return;
      }
    }
    static_cast<void>(socket.shutdown(tcp::socket::shutdown_send, ignored));
    co_await drain(socket, deadline, buffer);
  }

  // What was asked on a connection and is not yet answered, in the order that it came; more than one where requests
  // follow each other without waiting. It is told of answers by other threads and waits for all of them at once.
  class Turns {
   public:
    struct Turn {
      Turn(std::atomic<std::size_t>& all_busy, unsigned v, bool h, bool k)
          : busy(all_busy), version(v), head_only(h), keep(k) {}
      const Counted busy;
      const unsigned version;
      const bool head_only, keep;
      std::optional<Reply> reply;
      std::string failed;  // why none came, where that is known
    };
    explicit Turns(Impl& server) : server_(server) {}
    Turn& begin(unsigned version, bool head_only, bool keep) {
      return turns_.emplace_back(server_.busy_, version, head_only, keep);
    }
    // Where the answer to one of them is to be told, once; who drops it leaves that one without.
    auto answer_of(Turn& turn) {
      ++open_;
      return Promise(*this, turn);
    }
    bool answered() const { return open_ == 1; }
    // Goes on with `done` once all of them are answered.
    void wait(Done done) {
      done_.emplace(std::move(done));
      close();
    }
    bool empty() const { return turns_.empty(); }
    bool full() const { return turns_.size() >= kMostTurns; }
    const std::deque<Turn>& all() const { return turns_; }
    void clear() { turns_.clear(), open_ = 1; }

   private:
    class Promise {
     public:
      Promise(Turns& turns, Turn& turn) : turns_(&turns), turn_(&turn) {}
      Promise(Promise&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), turn_(other.turn_) {}
      Promise(const Promise&) = delete;
      ~Promise() {
        if (turns_) turns_->close();
      }
      void operator()(Reply reply) {
        turn_->reply = std::move(reply);
        std::exchange(turns_, nullptr)->close();
      }

     private:
      Turns* turns_;
      Turn* turn_;
    };
    // Nothing of it is touched afterwards: with the last one another thread may have ended it.
    void close() {
      if (auto& server = server_; --open_ == 0) server.go_on(std::move(*done_));
    }

    Impl& server_;
    std::deque<Turn> turns_;
    std::atomic<std::size_t> open_ = 1;  // answers that are awaited, and wait() itself
    std::optional<Done> done_;
  };

  // Sends the answers to all that was asked, as one message. Whether more may be asked.
  template <class S>
  Task<bool> answer(S& stream, Deadlines::Deadline& deadline, Turns& turns, std::chrono::seconds patience) {
    if (!turns.answered()) {
      deadline.never();
      co_await asio::async_initiate<decltype(kAwait)&, void()>([&turns](Done done) { turns.wait(std::move(done)); },
                                                               kAwait);
    }
    std::string message;
    bool more = true;
    for (const auto& turn : turns.all()) {
      if (!turn.reply && turn.failed.empty()) {
        more = false;
        break;
      }
      // Only the last one may say that nothing more is answered.
      const bool keep = &turn != &turns.all().back() || (turn.keep && !stopping_);
      auto one =
          message_of(turn.reply ? *turn.reply : refuse(500, turn.failed, "server"), turn.version, turn.head_only, keep);
      message.empty() ? void(message = std::move(one)) : void(message += one);
    }
    deadline.in(patience);
    if (const auto sent = send_now(stream, message); sent < message.size()) {
      auto [unsent, n] = co_await asio::async_write(stream, asio::buffer(message) + sent, kNoThrow);
      more = more && !unsent;
    }
    turns.clear();
    co_return more;
  }

  // Who still sends would have the answer torn from it by a socket that is closed with bytes unread.
  template <class S>
  Task<void> drain(S& stream, Deadlines::Deadline& deadline, beast::flat_buffer& buffer) {
    deadline.in(kParting);
    for (std::size_t left = kMostDrained; left > 0 && !stopping_;) {
      buffer.clear();
      auto [gone, n] = co_await stream.async_read_some(buffer.prepare(kRead), kNoThrow);
      if (gone) break;
      left -= std::min(left, n);
    }
  }

  // Some clients end a body with a line break that is not of it (RFC 9112, 2.2).
  static void skip_blank_lines(beast::flat_buffer& buffer) {
    const std::string_view text(static_cast<const char*>(buffer.cdata().data()), buffer.size());
    buffer.consume(std::min(text.find_first_not_of("\r\n"), text.size()));
  }

  // Whether the head is there, or all of it: nothing more is to be read, or can be.
  static bool parse(beast::flat_buffer& buffer, Parser& parser, bool all, SystemError& bad) {
    parser.eager(all);
    while (all ? !parser.is_done() : !parser.is_header_done()) {
      if (!parser.got_some()) skip_blank_lines(buffer);
      if (buffer.size() == 0) return false;
      SystemError error;
      buffer.consume(parser.put(buffer.data(), error));
      if (error == http::error::need_more) return false;
      if (error) return bad = error, true;
    }
    return true;
  }

  // A body whose length was told is read to where it stays.
  template <class S>
  static Task<SystemError> read_body(S& stream, beast::flat_buffer& buffer, Parser& parser) {
    auto& body = parser.request.body;
    const auto length = parser.content_length();
    while (length && body.size() < *length) {
      const auto had = body.size();
      body.resize(had + std::min<std::size_t>(kRead, *length - had));
      auto [failed, n] = co_await stream.async_read_some(asio::buffer(body.data() + had, body.size() - had), kNoThrow);
      body.resize(had + n);
      if (failed) co_return failed;
    }
    SystemError bad;
    while (!length && !parse(buffer, parser, true, bad)) {
      auto [failed, n] = co_await stream.async_read_some(buffer.prepare(kRead), kNoThrow);
      if (failed) co_return failed;
      buffer.commit(n);
    }
    co_return bad;
  }

  template <class S>
  Task<void> serve(S& stream, Deadlines::Deadline& deadline, beast::flat_buffer& buffer, const Terms& terms,
                   std::size_t number) {
    Turns turns(*this);
    bool keep = true, ahead = false;  // more was there than was asked for
    while (keep && !stopping_) {
      Parser parser;
      parser.body_limit(terms.body_limit);
      parser.header_limit(terms.header_limit);
      deadline.in(terms.patience);
      SystemError bad;
      while (!parse(buffer, parser, false, bad)) {
        if (!turns.empty() && !co_await answer(stream, deadline, turns, terms.patience)) co_return;
        auto [failed, n] = co_await stream.async_read_some(buffer.prepare(ahead ? kRead : kReadHead), kNoThrow);
        if (failed) co_return;  // the other side has gone
        buffer.commit(n);
      }
      auto& request = parser.request;
      std::optional<Reply> reply;
      if (!bad) reply = std::move(parser.refused);
      if (!bad && !reply && number > terms.connections)
        reply = refuse(503, fmt::format("more than {} connections", terms.connections), "connection");
      if (!bad && !reply) reply = gate_(request);
      // Whom nothing is taken from need not send it.
      keep = !bad && parser.keep_alive() && (!reply || parser.is_done()) && number <= terms.connections;
      const bool told_to_go_on = !bad && !reply && beast::iequals(parser.expects, "100-continue");
      const bool more_to_come =
          !bad && !reply && !parser.is_done() && parser.content_length().value_or(kNeverHere) > buffer.size();
      if (!turns.empty() && (told_to_go_on || more_to_come) &&
          !co_await answer(stream, deadline, turns, terms.patience))
        co_return;
      if (told_to_go_on) {
        constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
        auto [unsent, n] = co_await asio::async_write(stream, asio::buffer(kGoOn), kNoThrow);
        if (unsent) co_return;
      }
      if (!bad && !reply && !parser.is_done()) {
        const auto length = parser.content_length().value_or(0);
        request.body.reserve(std::min(length, kReserved));
        request.body.assign(static_cast<const char*>(buffer.cdata().data()),
                            std::min<std::size_t>(length, buffer.size()));
        buffer.consume(request.body.size());
        if (!parser.content_length() || request.body.size() < length) bad = co_await read_body(stream, buffer, parser);
      }
      if (bad == http::error::body_limit || bad == http::error::header_limit) {
        const bool of_body = bad == http::error::body_limit;
        reply = refuse(of_body ? 413 : 431,
                       of_body ? fmt::format("the body is larger than {} bytes", terms.body_limit)
                               : fmt::format("the header is larger than {} bytes", terms.header_limit),
                       of_body ? "body" : "header");
      } else if (bad.category() == http::make_error_code(http::error::bad_value).category() && bad) {
        reply = refuse(400, fmt::format("not HTTP: {}", bad.message()), "header");
      } else if (bad) {
        break;
      }
      keep = keep && !bad;
      ahead = buffer.size() > 0;
      auto& turn = turns.begin(bad ? 11 : parser.version, !bad && request.method == "HEAD", keep);
      if (!reply) reply = unpacked(request.body, parser.packing, terms.body_limit);
      turn.reply = std::move(reply);
      const bool may_follow = turn.reply || handle(std::move(request), turns, turn);
      if ((!may_follow || turns.full()) && !co_await answer(stream, deadline, turns, terms.patience)) co_return;
    }
    if (!turns.empty()) co_await answer(stream, deadline, turns, terms.patience);
  }

  // Whether more may be begun. Who throws may have begun an answer, as memory may end anywhere.
  bool handle(Request&& request, Turns& turns, Turns::Turn& turn) try {
    return handler_(std::move(request), turns.answer_of(turn));
  } catch (const std::exception& error) {
    turn.failed = fmt::format("it could not be answered: {}", error.what());
    return false;
  }

  std::string message_of(const Reply& reply, unsigned version, bool head_only, bool keep) {
    if (!is_sound(reply))
      return message_of(refuse(500, "the answer's headers would hold a line break", "header"), version, head_only,
                        keep);
    ++answered_[std::clamp(reply.status / 100, 1U, 5U) - 1];
    auto message = head_of(reply, version, keep);
    if (!head_only) message += reply.body;
    if (!head_only && wants_line_end(reply)) message += '\n';
    return message;
  }

  // How much of it there is room for at once, which nearly always is all.
  static std::size_t send_now(Socket& socket, const std::string& message) {
    SystemError told_to_who_sends_the_rest;
    return socket.write_some(asio::buffer(message), told_to_who_sends_the_rest);
  }
  static std::size_t send_now(Secured&, const std::string&) { return 0; }

  static std::optional<Reply> unpacked(std::string& body, std::string_view packing, std::uint64_t most) {
    auto plain = unpack(std::move(body), packing, most);
    if (!plain) {
      const bool large = plain.error().message.ends_with("too large");
      return refuse(large ? 413 : plain.error().code == Code::kUsage ? 415 : 400, plain.error().message, "body");
    }
    body = std::move(*plain);
    return {};
  }

  // Connections whose answers come before those of the first one are sent go on with it, in one thread that is woken
  // once.
  void go_on(Done done) {
    {
      const std::lock_guard lock(answering_);
      answered_now_.push_back(std::move(done));
      if (answered_now_.size() > 1) return;
    }
    asio::post(io_, [this] {
      std::unique_lock lock(answering_);
      auto all = std::exchange(answered_now_, {});
      answered_now_.reserve(all.capacity());
      lock.unlock();
      for (auto& connection : all) std::move(connection)();
    });
  }

  const std::string host_;
  const std::uint16_t port_;
  const unsigned thread_count_;
  const Gate gate_;
  const Handler handler_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Terms> terms_;
  // These outlive the connections, which go with io_. What each request alters lies apart from what it only reads.
  Deadlines deadlines_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> open_ = 0;
  alignas(64) std::atomic<std::size_t> busy_ = 0;
  std::array<std::atomic<std::uint64_t>, 5> answered_{};
  alignas(64) std::mutex answering_;
  asio::io_context io_;
  Acceptor acceptor_;
  Timer glance_;
  std::vector<Done> answered_now_;  // connections that wait to send
  std::vector<std::thread> threads_;
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

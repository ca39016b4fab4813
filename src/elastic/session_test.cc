// SPDX-License-Identifier: Apache-2.0
#include "elastic/session.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

namespace vigie::elastic {
namespace {

using Json = nlohmann::json;

// Answers one request after the other, on a connection each.
class Node {
 public:
  using Answer = std::function<std::string(const std::string& head, const std::string& body)>;
  explicit Node(Answer answer) : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, at, size) != 0 || ::listen(socket_, 8) != 0 || ::getsockname(socket_, at, &size) != 0)
      std::abort();
    url = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    thread_ = std::thread([this] {
      for (int peer; (peer = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(peer)) serve(peer);
    });
  }
  ~Node() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  Node(const Node&) = delete;
  std::string url;
  std::vector<std::string> asked;  ///< first lines

 private:
  void serve(int peer) {
    std::string request;
    std::size_t head = std::string::npos, body = 0;
    while (head == std::string::npos || request.size() < head + 4 + body) {
      char bytes[4096];
      const auto n = ::read(peer, bytes, sizeof bytes);
      if (n <= 0) return;
      request.append(bytes, static_cast<std::size_t>(n));
      head = request.find("\r\n\r\n");
      if (const auto length = request.find("Content-Length: "); head != std::string::npos && length < head)
        body = std::strtoul(request.c_str() + length + 16, nullptr, 10);
    }
    const auto first = request.substr(0, request.find(" HTTP/"));
    asked.push_back(first);
    const auto said = answer_(first, request.substr(head + 4));
    const auto status = said.starts_with("404") ? "404 Not Found" : "200 OK";
    const auto text = said.starts_with("404") ? std::string("{}") : said;
    const auto reply =
        fmt::format("HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", status, text.size(), text);
    [[maybe_unused]] const auto sent = ::write(peer, reply.data(), reply.size());
  }
  Answer answer_;
  int socket_;
  std::thread thread_;
};

Access plain() {
  Access access;
  access.gzip = 0;
  return access;
}

// One that takes connections and says nothing.
struct Silent {
  Silent() {
    sockaddr_in address{};
    address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const at = reinterpret_cast<sockaddr*>(&address);
    const bool there =
        ::bind(socket, at, size) == 0 && ::listen(socket, 8) == 0 && ::getsockname(socket, at, &size) == 0;
    EXPECT_TRUE(there);
    url = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~Silent() { ::close(socket); }
  Silent(const Silent&) = delete;
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string url;
};

// Several of them together take no longer than one, and the one that answers is found, and asked first from then on.
TEST(Link, FindsTheOneThatAnswers) {
  const Silent one, two, three;
  const auto patience = std::chrono::milliseconds(300);
  Link silent({one.url, two.url, three.url}, plain(), {.answer = patience});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(silent.ask("GET", "/"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5 * patience / 2);
  Node node([](const std::string&, const std::string&) { return "{}"; });
  Link link({one.url, node.url, two.url}, plain(), {.answer = 10 * patience});
  EXPECT_TRUE(link.ask("GET", "/"));
  const auto found = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(link.ask("GET", "/"));
  EXPECT_LT(std::chrono::steady_clock::now() - found, 3 * patience);
  // Who refuses at once leaves time for the others.
  Link refusing({"http://127.0.0.1:9", node.url}, plain(), {.answer = patience});
  EXPECT_TRUE(refusing.ask("GET", "/"));
}

TEST(Session, NobodyWaitsLongForWhoDoesNotAnswer) {
  const Silent silent;
  const auto& url = silent.url;
  Session session({url}, plain(), {.answer = std::chrono::milliseconds(300)});
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) {
    const auto found = session.search("w", Json::object(), 1);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::kUnavailable);
    EXPECT_EQ(found.error().message.find(url), 0U) << found.error().message;
    const auto cluster = session.reach();
    ASSERT_FALSE(cluster);
    EXPECT_EQ(cluster.error().code, Code::kUnavailable);
  }
  // Ten times, of which the first waits.
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds(300));
  EXPECT_LT(took, std::chrono::milliseconds(2'000));
}

// A long removal goes on from request to request, each of which is over soon.
TEST(Session, RemovesSomeAtATime) {
  int left = 12'000;
  Node node([&](const std::string&, const std::string&) {
    const int now = std::min(left, 5'000);
    left -= now;
    return fmt::format(R"({{"deleted":{},"version_conflicts":0}})", now);
  });
  Session session({node.url}, plain());
  ASSERT_TRUE(session.remove("ops", {{"match_all", Json::object()}}));
  EXPECT_EQ(left, 0);
  ASSERT_EQ(node.asked.size(), 3U);
  EXPECT_NE(node.asked[0].find("/ops/_delete_by_query?"), std::string::npos);
  EXPECT_NE(node.asked[0].find("&max_docs=5000"), std::string::npos);
}

// What others keep altering is not tried for ever.
TEST(Session, RemovesNoLongerThanSomethingGoes) {
  Node node([](const std::string&, const std::string&) { return R"({"deleted":0,"version_conflicts":5000})"; });
  Session session({node.url}, plain());
  ASSERT_TRUE(session.remove("ops", {{"match_all", Json::object()}}));
  EXPECT_EQ(node.asked.size(), 1U);
}

// The answer names the index behind an alias.
TEST(Session, WritesThroughAnAlias) {
  Node node([](const std::string& asked, const std::string&) -> std::string {
    if (asked == "GET /_alias/w")
      return R"({"w-1":{"aliases":{"w":{}}},"w-2":{"aliases":{"w":{"is_write_index":true}}}})";
    if (asked == "GET /_alias/s") return "404";
    return R"({"items":[{"index":{"_index":"s","_id":"1","status":201}},{"create":{"_index":"w-2","_id":"1","status":409}}]})";
  });
  Session session({node.url}, plain());
  const Write writes[] = {{Write::Kind::kCreate, "w", "1", {{"a", 1}}}, {Write::Kind::kIndex, "s", "1", {{"a", 1}}}};
  for (int i = 0; i < 2; ++i) {
    const auto said = session.write(writes);
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(*said, (std::vector{409U, 201U}));
  }
  EXPECT_EQ(node.asked.size(), 4U);  // it is asked once
}

TEST(Session, AnAliasOfTwoIndexesFindsNothingByIds) {
  Node node([](const std::string&, const std::string&) {
    return R"({"docs":[{"_index":"w","_id":"1","error":{"type":"illegal_argument_exception","reason":"alias [w] has more than one index"}}]})";
  });
  Session session({node.url}, plain());
  const std::string ids[] = {"1"};
  const auto found = session.get("w", ids);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "w: illegal_argument_exception: alias [w] has more than one index");
}

}  // namespace
}  // namespace vigie::elastic

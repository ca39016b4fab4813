// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <gtest/gtest.h>

#include "http/transfers.h"

namespace vigie::http {
namespace {

TEST(HttpClient, OnlyTheHostOfAUrlIsShown) {
  EXPECT_EQ(place_of("https://user:secret@hooks.example.com/services/T0/secret?key=1"), "https://hooks.example.com");
  EXPECT_EQ(place_of("http://[::1]:8090/v1"), "http://[::1]:8090");
  EXPECT_EQ(place_of("example.com/secret"), "example.com");
}

TEST(HttpClient, WhatIsNoUrlOfHttpIsBadUsage) {
  Client client;
  for (auto url : {"file:///etc/hosts", "gopher://127.0.0.1/", "", "http://"}) {
    const auto answer = client.send("GET", url, "");
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, Code::kUsage) << answer.error().message;
  }
}

TEST(HttpClient, NobodyThereIsUnavailableAndShowsNoSecret) {
  Client client;
  const auto answer = client.send("POST", "http://127.0.0.1:9/hidden", "{}");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().message.find("hidden"), std::string::npos) << answer.error().message;
  // Nor is how long it took, which differs from time to time.
  EXPECT_EQ(answer.error().message.find(" after "), std::string::npos) << answer.error().message;
  EXPECT_NE(answer.error().message.find("onnect"), std::string::npos) << answer.error().message;
}

// What keeps others out must hold, or nothing is sent.
TEST(HttpClient, WhatLibcurlDoesNotTakeIsTold) {
  const std::string too_long(9'000'000, 'x');
  const auto refused = [](const auto& ask_for) {
    Request request;
    request.url = "http://127.0.0.1:9/hidden", ask_for(request);
    const auto said = send(request);
    EXPECT_FALSE(said);
    Transfers transfers;
    const auto started = transfers.start(1, request);
    EXPECT_FALSE(started);
    if (said || started) return std::string();
    EXPECT_EQ(said.error().code, Code::kInternal);
    EXPECT_EQ(said.error().message, started.error().message);
    return said.error().message.substr(0, 68);
  };
  EXPECT_EQ(refused([&](Request& r) { r.user = "a", r.password = "b", r.sigv4 = too_long; }),
            "http://127.0.0.1:9: the signature for AWS: libcurl does not take it:");
  EXPECT_EQ(refused([&](Request& r) { r.ca = too_long; }),
            "http://127.0.0.1:9: the file of certificates: libcurl does not take ");
  EXPECT_EQ(refused([](Request& r) { r.headers = {{"Authorization", "ApiKey a\r\nX: y"}}; }),
            "http://127.0.0.1:9: Authorization: a header holds a line break");
}

TEST(HttpClient, WhatAUrlCannotHoldIsEncoded) {
  EXPECT_EQ(encoded("a-b_c.d~1"), "a-b_c.d~1");
  EXPECT_EQ(encoded("a b/ü?%"), "a%20b%2F%C3%BC%3F%25");
  EXPECT_EQ(encoded(""), "");
}

}  // namespace
}  // namespace vigie::http

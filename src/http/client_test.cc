// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <gtest/gtest.h>

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
}

TEST(HttpClient, WhatAUrlCannotHoldIsEncoded) {
  EXPECT_EQ(encoded("a-b_c.d~1"), "a-b_c.d~1");
  EXPECT_EQ(encoded("a b/ü?%"), "a%20b%2F%C3%BC%3F%25");
  EXPECT_EQ(encoded(""), "");
}

}  // namespace
}  // namespace vigie::http

// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <gtest/gtest.h>

namespace vigie {
namespace {

constexpr Param kParams[] = {{.name = "to", .doc = "where"},
                             {.name = "index", .doc = "which"},
                             {.name = "token", .doc = "who", .secret = true},
                             {.name = "key", .doc = "who", .secret = true, .referred = true}};

std::string error_of(std::string_view text) {
  const auto settings = read_settings(*parse_call(text), kParams, [](const auto&) { return std::nullopt; });
  return settings ? "" : settings.error().message;
}

TEST(Settings, AValueWithACommaNeedsQuotes) {
  EXPECT_EQ(error_of("x(to=a, index=\"b-10,b-11\")"), "");
  EXPECT_EQ(error_of("x(to=a, index=b-10,b-11)"),
            "x.index: a list needs quotes, index=\"a,b\"; \"b-11\" is no name=value");
  EXPECT_EQ(error_of("x(index = b-10 , , b-11, b-12, to=a)"),
            "x.index: a list needs quotes, index=\"a,b\"; \"b-11\" is no name=value");
  EXPECT_EQ(error_of("x(b-11, index=b-10)"), "x: expected x(to=…)");
}

TEST(Settings, WhatMayBeSecretIsNotShown) {
  for (const auto* text : {"x(token=half,hush)", "x(key=,hush)", "x(to=half,http://hush)", "x(to=a,ann:hush@b)",
                           "x(hush)", "x(token=half,hush, index=b)"}) {
    const auto error = error_of(text);
    EXPECT_NE(error, "") << text;
    EXPECT_EQ(error.find("hush"), error.npos) << error;
    EXPECT_EQ(error.find("half"), error.npos) << error;
  }
  EXPECT_EQ(error_of("x(token=half,hush)"),
            "x.token: a list needs quotes, token=\"a,b\"; what stands behind it is no name=value");
}

}  // namespace
}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"

#include <gtest/gtest.h>

namespace vigie {
namespace {

using Parts = std::vector<std::string>;

TEST(Call, IsANameAndItsParts) {
  const auto parts = [](std::string_view text) { return parse_call(text)->parts; };
  EXPECT_EQ(parse_call(" ddm ")->name, "ddm");
  EXPECT_EQ(parse_call("ddm ( )")->name, "ddm");
  EXPECT_EQ(parts("ddm"), Parts{});
  EXPECT_EQ(parts("a( b=1 ,, c = 2,)"), (Parts{"b=1", "c = 2"}));
  EXPECT_EQ(parts("any(ddm(x=1, y=2), adwin)"), (Parts{"ddm(x=1, y=2)", "adwin"}));
  EXPECT_EQ(parts("mail(to=\"a, b)(\", c=1)"), (Parts{"to=\"a, b)(\"", "c=1"}));
}

TEST(Call, WhatIsNoneIsSaidWithoutShowingIt) {
  for (const auto& [text, message] : {std::pair{"a(secret", "the last bracket is missing"},
                                      {"a(secret) ", ""},
                                      {"a(secret))", "brackets do not match"},
                                      {"a((secret)", "brackets do not match"},
                                      {"a(b(c(secret)))", "brackets do not match"},
                                      {"a(\"secret)", "the last quote is missing"}}) {
    const auto call = parse_call(text);
    EXPECT_EQ(call ? "" : call.error().message, message) << text;
  }
}

}  // namespace
}  // namespace vigie

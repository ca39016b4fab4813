// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "view/course_internal.h"

namespace vigie::view {
namespace {

using engine::Verdict;

// w warning, d drift, o ok, - no data
Course course(std::string_view letters) {
  Course out;
  for (const char letter : letters)
    out.verdicts.push_back(letter == 'w'   ? Verdict::kWarning
                           : letter == 'd' ? Verdict::kDrift
                           : letter == 'o' ? Verdict::kOk
                                           : Verdict::kNoData);
  out.undecided.assign(letters.size(), false);
  return out;
}

TEST(Course, WhatStaysIsToldFromDaysOfChance) {
  for (const auto* stays : {"ooooowwww", "oooooooow", "wwwoooooo", "owwowwoo", "ow-wo-wo-", "wdwdwdwdw", "dooo"})
    EXPECT_TRUE(lasting(course(stays))) << stays;
  for (const auto* passes : {"owoooooooo", "owwooooooo", "owooowooowoo", "ooooooooo", "-w---o---"})
    EXPECT_FALSE(lasting(course(passes))) << passes;
}

}  // namespace
}  // namespace vigie::view

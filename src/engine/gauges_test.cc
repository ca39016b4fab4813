// SPDX-License-Identifier: Apache-2.0
#include "engine/gauges.h"

#include <gtest/gtest.h>

namespace vigie::engine {
namespace {

TEST(Gauges, InPartsAreTheWholeAndAreReadAsTheyWereSaved) {
  Gauges first, second;
  for (double value : {3., 1.}) first.add("load", value);
  second.add("load", 2), second.add("cores", .5);
  first.merge(second);
  ByteWriter out;
  first.save(out);
  const auto bytes = out.take();
  const auto read = Gauges::load(bytes).value();
  const auto* load = read.find("load");
  ASSERT_TRUE(load);
  EXPECT_EQ(load->n, 3);
  EXPECT_EQ(load->mean(), 2);
  EXPECT_EQ(load->least, 1);
  EXPECT_EQ(load->most, 3);
  EXPECT_EQ(load->last, 2);
  EXPECT_EQ(read.find("cores")->mean(), .5);
  EXPECT_FALSE(read.find("none"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Gauges::load(std::string_view(bytes).substr(0, size))) << size;
}

}  // namespace
}  // namespace vigie::engine

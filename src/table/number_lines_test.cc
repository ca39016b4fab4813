// SPDX-License-Identifier: Apache-2.0
#include "table/number_lines.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "table/text_test_internal.h"

namespace vigie::table {
namespace {

using test::Folder;

/// "1 2 nan | rejected 1 | f.txt:3: …", or "1 | error: …".
std::string all_of(const std::string& path, const NumberLineOptions& options = {}) {
  auto lines = NumberLines::open(path, options);
  std::string out;
  while (lines && !(*lines)->ended()) {
    auto some = (*lines)->next();
    if (!some) return out + "| " + some.error().message;
    for (const double value : *some) out += fmt::format("{} ", value);
  }
  if (!lines) return lines.error().message;
  const auto& problems = (*lines)->problems();
  return out +
         (problems.rejected ? fmt::format("| {}: {}", problems.rejected, fmt::join(problems.messages, "; ")) : "");
}

TEST(NumberLines, OneALine) {
  Folder folder;
  const auto read = [&](std::string_view text, const NumberLineOptions& options = {}) {
    const auto path = folder.write("f.txt", text);
    auto out = all_of(path, options);
    for (std::size_t at; (at = out.find(path)) != out.npos;) out.replace(at, path.size(), "f.txt");
    return out;
  };
  EXPECT_EQ(read("1\n2.5\n-3e2\n"), "1 2.5 -300 ");
  EXPECT_EQ(read("1\n2"), "1 2 ");
  EXPECT_EQ(read("1\r\n +2\t\r\n.5\n"), "1 2 0.5 ");
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "7\n"),
            "7 ");
  EXPECT_EQ(read("nan\nNA\nnull\ninf\n-Infinity\n"), "nan nan nan inf -inf ");
  EXPECT_EQ(read("1\n\nx\n2\n3,5\n0x10\n"),
            "1 2 | 4: f.txt:2: a blank line; f.txt:3: \"x\" is not a number; f.txt:5: \"3,5\" is not a number (use "
            "--decimal ',')");
  EXPECT_EQ(read("3,5\n1.000,5\n", {.decimal = ','}), "3.5 | 1: f.txt:2: \"1.000,5\" is not a number");
  EXPECT_EQ(read("1\nx\n2\n", {.strict = true}), "1 | f.txt:2: \"x\" is not a number");
  EXPECT_EQ(read(""), "| f.txt: the file is empty");
  EXPECT_EQ(read("\xef\xbb\xbf"), "| f.txt: the file is empty");
  EXPECT_EQ(read("\n"), "| f.txt:1: a blank line; no line of f.txt is a number");
  EXPECT_EQ(read("age,fare\n1,2\n"), "| f.txt:1: \"age,fare\" is not a number; no line of f.txt is a number");
  EXPECT_EQ(read(std::string_view("1\n2\n\0\n", 6)), "1 2 | f.txt:3: NUL byte at offset 4: not a text file");
  EXPECT_EQ(read(test::gz("1\n2\n")), "1 2 ");
  EXPECT_EQ(read(std::string(2 << 20, '1')), "| f.txt:1: a line of more than a megabyte: no numbers, one a line");
}

TEST(NumberLines, ManyOfAnyLengthAreThoseOfTheText) {
  Rng rng(1);
  std::string text, wanted;
  for (int i = 0; i < 60000; ++i) {
    const double value = std::ldexp(rng.uniform() - 0.5, static_cast<int>(rng() % 40));
    text += fmt::format("{}\n", value);
    wanted += fmt::format("{} ", value);
  }
  Folder folder;
  EXPECT_EQ(all_of(folder.write("f.txt", text)), wanted);
}

// A pipe gives what has come, keeps the beginning of a line, and ends when it is told to.
TEST(NumberLines, AsTheyCome) {
  int pipe[2], stop[2];
  ASSERT_EQ(::pipe(pipe) + ::pipe(stop), 0);
  auto lines = NumberLines::open(fmt::format("/proc/self/fd/{}", pipe[0]), {.stop = stop[0]});
  ASSERT_TRUE(lines);
  const auto after = [&](std::string_view text) {
    EXPECT_EQ(::write(pipe[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    auto some = (*lines)->next();
    return some ? fmt::format("{}", fmt::join(*some, " ")) : some.error().message;
  };
  EXPECT_EQ(after("1\n2\n3"), "1 2");
  EXPECT_EQ(after("x\n"), "");
  EXPECT_EQ((*lines)->problems().rejected, 1);
  EXPECT_EQ(after("4\n5"), "4");
  EXPECT_FALSE((*lines)->ended());
  ASSERT_EQ(::write(stop[1], "", 1), 1);
  EXPECT_EQ(after("6\n"), "");
  EXPECT_TRUE((*lines)->ended() && (*lines)->stopped());
  for (const int fd : {pipe[0], pipe[1], stop[0], stop[1]}) ::close(fd);
}

}  // namespace
}  // namespace vigie::table

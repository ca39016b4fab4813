// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/bytes.h"
#include "base/extremes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/text.h"

namespace vigie {
namespace {

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "vigie-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator()));
  }

 private:
  std::string path_;
};

TEST(Bytes, RoundTrip) {
  ByteWriter out;
  out.fixed(1.5);
  out.varint(300);
  out.string("état");
  std::vector<double> values = {1, 2, NAN};
  out.array(std::span<const double>(values));
  ByteReader in(out.bytes());
  EXPECT_EQ(in.fixed<double>(), 1.5);
  EXPECT_EQ(in.varint(), 300U);
  EXPECT_EQ(in.string(), "état");
  std::vector<double> back;
  in.array(back);
  EXPECT_EQ(back.size(), 3U);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(Bytes, EveryCutIsNoticed) {
  ByteWriter out;
  out.varint(1ULL << 40);
  out.string("hello");
  auto bytes = out.bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ByteReader in(std::string_view(bytes).substr(0, n));
    in.varint();
    in.string();
    EXPECT_FALSE(in.ok()) << n;
  }
  ByteReader huge(std::string_view("\xff\xff\xff\xff\x7f", 5));
  std::vector<double> none;
  huge.array(none);
  EXPECT_FALSE(huge.ok());
  EXPECT_TRUE(none.empty());
}

TEST(Bytes, SealNoticesEveryFlippedBitAndEveryCut) {
  auto sealed = seal("TEST", 2, "some payload");
  auto opened = unseal("TEST", 2, sealed, "x");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->payload, "some payload");
  EXPECT_FALSE(unseal("TEST", 1, sealed, "x")) << "a newer version";
  EXPECT_FALSE(unseal("ELSE", 2, sealed, "x"));
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    auto bad = sealed;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(unseal("TEST", 2, bad, "x")) << i;
  }
  for (std::size_t n = 0; n < sealed.size(); ++n) EXPECT_FALSE(unseal("TEST", 2, sealed.substr(0, n), "x")) << n;
  EXPECT_EQ(unseal("TEST", 2, "TEST", "x").error().message, "x: torn: 4 bytes, and the head alone has 13");
}

TEST(Similarity, ShareOfTheLongerNameLeftAlone) {
  EXPECT_EQ(similarity("", ""), 1);
  EXPECT_EQ(similarity("Fare", "fare"), 1);
  EXPECT_EQ(similarity("fare", "fares"), .8);
  EXPECT_EQ(similarity("abc", "xyz"), 0);
}

TEST(Text, NearestName) {
  std::vector<std::string> names = {"compare", "profile", "show"};
  EXPECT_EQ(nearest("comprae", names), "compare");
  EXPECT_EQ(nearest("PROFIL", names), "profile");
  EXPECT_EQ(nearest("zzz", names), "");
  EXPECT_EQ(unknown_name("command", "shwo", names), "unknown command \"shwo\"; did you mean \"show\"?");
  EXPECT_EQ(unknown_name("column", "shwo", names, " in a.csv"),
            "unknown column \"shwo\" in a.csv; did you mean \"show\"?");
}

TEST(Text, QuotedEscapesWhatATerminalMustNotSee) {
  EXPECT_EQ(vigie::quoted("a\"b"), "\"a\\\"b\"");
  EXPECT_EQ(vigie::quoted(std::string_view("\x1b[31m", 5)), "\"\\x1b[31m\"");
  EXPECT_EQ(vigie::quoted("\xff"), "\"\\xff\"");
  EXPECT_EQ(vigie::quoted("été"), "\"été\"");
  EXPECT_TRUE(is_utf8("été €"));
  EXPECT_FALSE(is_utf8("\xc3"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80")) << "a surrogate";
}

TEST(Text, AStringOfJson) {
  std::string out = "x";
  append_json(out, "a \"b\" \\ \n\t\x7f größe");
  append_json(out, "");
  EXPECT_EQ(out, R"(x"a \"b\" \\ \n\u0009\u007f größe""")");
}

TEST(Text, NumbersForPeople) {
  EXPECT_EQ(human(0.03123), "0.0312");
  EXPECT_EQ(human(1234567), "1234567");
  EXPECT_EQ(human(1.24e-9), "1.2e-09");
  EXPECT_EQ(human(NAN), "–");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(-12), "-12");
}

TEST(Sort, AgreesWithTheStandardLibrary) {
  Rng rng(1);
  for (std::size_t n : {0UL, 1UL, 2047UL, 2048UL, 50'000UL}) {
    std::vector<double> v(n);
    for (auto& x : v) x = (rng.uniform() - 0.5) * std::pow(10.0, static_cast<double>(rng.below(600)) - 300);
    if (n > 4) v[0] = INFINITY, v[1] = -INFINITY, v[2] = 0, v[3] = std::numeric_limits<double>::denorm_min();
    auto expected = v;
    std::sort(expected.begin(), expected.end());
    sort_doubles(v);
    EXPECT_EQ(v, expected) << n;
  }
}

TEST(Extremes, OfAnyLengthWithNaNAndInfinity) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
  Rng rng(7);
  for (std::size_t n = 0; n < 40; ++n) {
    std::vector<double> values(n);
    for (double& v : values) v = rng.uniform() - 0.5;
    Extremes got;
    EXPECT_TRUE(widen(values, got)) << n;
    EXPECT_EQ(got.low, n ? *std::min_element(values.begin(), values.end()) : kInf);
    EXPECT_EQ(got.high, n ? *std::max_element(values.begin(), values.end()) : -kInf);
    for (std::size_t at = 0; at < n; ++at) {
      auto odd = values;
      odd[at] = kNaN;
      Extremes rest, without;
      EXPECT_FALSE(widen(odd, rest)) << n << " " << at;
      odd.erase(odd.begin() + static_cast<std::ptrdiff_t>(at));
      widen(odd, without);
      EXPECT_TRUE(rest.low == without.low && rest.high == without.high) << n << " " << at;
      if (odd.empty()) continue;
      odd[0] = at % 2 ? kInf : -kInf;
      EXPECT_FALSE(widen(odd, without)) << n << " " << at;
    }
  }
}

TEST(Parallel, EachIndexOnceAlsoNested) {
  for (unsigned threads : {0U, 1U, 2U, 8U}) {
    std::vector<std::atomic<int>> seen(500);
    parallel_for(seen.size(), threads, [&](std::size_t i) {
      ++seen[i];
      parallel_for(3, threads, [&](std::size_t) { ++seen[i]; });
    });
    for (auto& s : seen) EXPECT_EQ(s, 4);
  }
  parallel_for(0, 0, [](std::size_t) { FAIL(); });
}

TEST(Hash, IsFixedForEver) {
  EXPECT_EQ(hash64(std::string_view("")), 0x2d06800538d394c2ULL);  // XXH3 of nothing, from its specification
  EXPECT_EQ(hash64(0.0), hash64(-0.0));
  EXPECT_NE(hash64(1.0), hash64(2.0));
}

TEST(File, WriteThenRead) {
  Folder folder;
  auto path = folder.file("a");
  ASSERT_TRUE(write_file(path, "one"));
  ASSERT_TRUE(write_file(path, "two"));
  EXPECT_EQ(*read_file(path), "two");
  auto refused = write_file(path, "three", false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("exists already"), std::string::npos);
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_FALSE(read_file(path, 2));
  EXPECT_FALSE(read_file(folder.file("none")));
  EXPECT_EQ(folder.files(), 1U) << "a temporary file was left";
}

TEST(File, LinksAndDevicesStayWhatTheyAre) {
  Folder folder;
  auto path = folder.file("a"), link = folder.file("link");
  ASSERT_TRUE(write_file(path, "old"));
  std::filesystem::create_symlink("a", link);
  ASSERT_TRUE(write_file(link, "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(*read_file(path), "new");

  auto pipe_path = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe_path.c_str(), 0600), 0);
  int reader = open(pipe_path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  ASSERT_TRUE(write_file(pipe_path, "told"));
  EXPECT_TRUE(std::filesystem::is_fifo(pipe_path));
  char out[8];
  EXPECT_EQ(read(reader, out, sizeof out), 4);
  close(reader);
}

TEST(File, EveryIoCallMayFailAndTheOldFileStays) {
  Folder folder;
  auto path = folder.file("a");
  ASSERT_TRUE(write_file(path, "old"));
  for (bool replace : {true, false}) {
    auto target = replace ? path : folder.file("b");
    for (int n = 1;; ++n) {
      int left = n;
      bool hit = false;
      set_io_fault([&](std::string_view) { return --left == 0 ? (hit = true, ENOSPC) : 0; });
      auto status = write_file(target, "new", replace);
      set_io_fault({});
      EXPECT_EQ(*read_file(path), status && replace ? "new" : "old");
      if (!hit) {
        EXPECT_TRUE(status);
        break;
      }
      // The last call only makes the rename durable: its failure leaves the new file in place.
      if (status) {
        if (!replace) std::filesystem::remove(target);
        ASSERT_TRUE(write_file(path, "old"));
      }
    }
    ASSERT_TRUE(write_file(path, "old"));
  }
  EXPECT_EQ(folder.files(), 2U) << "a temporary file was left";
}

TEST(File, SpoolKeepsAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "abc", 3), 3);
  close(ends[1]);
  auto file = InputFile::spool(ends[0], "standard input");
  close(ends[0]);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 3U);
  char out[8];
  EXPECT_EQ(*file->read(1, out, sizeof out), 2U);
  EXPECT_EQ(out[0], 'b');
}

TEST(IsoTime, ToTheMicrosecondWithinFourDigits) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso_time(1706689800250000), "2024-01-31T08:30:00.25Z");
  EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(iso_time(253402300799e6), "9999-12-31T23:59:59Z");
  EXPECT_EQ(iso_time(253402300800e6), "");
  EXPECT_EQ(iso_time(-62135596800e6), "0001-01-01T00:00:00Z");
  EXPECT_EQ(iso_time(std::numeric_limits<double>::quiet_NaN()), "");
}

// Ids of documents that were shipped: never others.
TEST(StableId, IsTheSameForEver) {
  const auto id = [](std::vector<std::string_view> parts) { return stable_id(parts); };
  EXPECT_EQ(id({"credit", "a1"}).size(), 22U);
  EXPECT_EQ(id({"credit", "a1"}), "psY_Z2XqdDCNsBFrJNry3A");
  EXPECT_EQ(id({}), "maoG0wFHmNhgAcMkRo1Jfw");
  EXPECT_NE(id({"credit", "a1"}), id({"credita", "1"}));
  EXPECT_NE(id({"credit", "a1"}), id({"credit", "a1", ""}));
}

TEST(Json, ReadsWhatPythonWritesAndNothingThatIsTooDeep) {
  const auto said = [](std::string_view text) {
    const auto json = parse_json(text);
    return json.is_discarded() ? "none" : json.dump();
  };
  EXPECT_EQ(said(R"({"a":NaN,"b":[Infinity,-Infinity,-1],"NaN":"\"NaN Infinity"})"),
            R"({"a":"NaN","b":["Infinity","-Infinity",-1],"NaN":"\"NaN Infinity"})");
  for (const auto* bad : {"", "{", "NaN1", "nan", "--Infinity", R"({"a":NaNNaN})", "\"\\"})
    EXPECT_EQ(said(bad), "none") << bad;
  EXPECT_TRUE(parse_json(R"({"a":NaN})", NumberNames::kRefused).is_discarded());
  EXPECT_EQ(parse_json(R"({"a":-1})", NumberNames::kRefused).dump(), R"({"a":-1})");
  const auto deep = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_EQ(said(deep(100)), deep(100));
  for (std::size_t n : {101UZ, 1'000'000UZ}) EXPECT_EQ(said(deep(n)), "none");
  EXPECT_EQ(said("\"" + deep(200) + "\""), "\"" + deep(200) + "\"");
}

}  // namespace
}  // namespace vigie

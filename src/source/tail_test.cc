// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "source/feed.h"
#include "source/lines.h"

namespace vigie::source {
namespace {

namespace files = std::filesystem;
constexpr std::int64_t kSecond = 1'000'000;

/// A folder with files that a writer appends to, and who follows them.
struct Follow {
  std::string folder;
  std::unique_ptr<Tail> tail;
  std::string pattern;
  std::int64_t now = system_now();

  explicit Follow(const std::string& names) {
    const char* tmp = std::getenv("TMPDIR");
    folder = fmt::format("{}/vigie-tail-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder.data())) std::abort();
    pattern = folder + "/" + names;
    start({});
  }
  ~Follow() {
    std::error_code ignored;
    files::remove_all(folder, ignored);
  }
  void start(std::vector<Position> positions) {
    tail = std::make_unique<Tail>(pattern, std::move(positions),
                                  [](std::string_view line) { return line.ends_with('}'); });
  }
  /// As after a kill: what was kept is known, and nothing else.
  void restart() {
    std::vector<Position> positions;
    for (const auto& file : tail->files())
      if (!file.held) positions.push_back(file.at);
    start(std::move(positions));
  }
  std::string at(const std::string& name) const { return folder + "/" + name; }
  void append(const std::string& name, const std::string& text) const {
    std::ofstream(at(name), std::ios::app | std::ios::binary) << text;
  }
  void rename(const std::string& from, const std::string& to) const { files::rename(at(from), at(to)); }
  void copy_and_truncate(const std::string& from, const std::string& to) const {
    files::copy_file(at(from), at(to));
    files::resize_file(at(from), 0);
  }
  /// What is given, with the file and the number of its first line: "app:1 a b; app.1:7 c".
  std::string read() {
    now += kSecond;
    tail->look(now);
    std::string out;
    while (const auto piece = tail->next(now)) {
      if (piece->too_long) out += fmt::format("{}:{} too long; ", name_of(piece->path), piece->first_line);
      if (!piece->text.empty()) {
        std::string text(piece->text.substr(0, piece->text.size() - piece->text.ends_with('\n')));
        std::replace(text.begin(), text.end(), '\n', ' ');
        out += fmt::format("{}:{} {}; ", name_of(piece->path), piece->first_line, text);
      }
      tail->keep();
    }
    return out.substr(0, out.size() - std::min<std::size_t>(out.size(), 2));
  }
  static std::string name_of(const std::string& path) { return files::path(path).filename(); }
  std::string said() {
    std::string out;
    for (const auto& line : tail->take_said()) out += line + "\n";
    for (auto at = out.find(folder); at != out.npos; at = out.find(folder)) out.erase(at, folder.size() + 1);
    return out;
  }
};

// Longer than what files are told apart by at least.
std::string line(const std::string& text) {
  return text + std::string(80, '.') + "\n";
}
std::string given(const std::string& text) {
  return text + std::string(80, '.');
}

TEST(Tail, GivesLinesOnceTheyHaveTheirEnd) {
  Follow f("app");
  EXPECT_EQ(f.read(), "");
  EXPECT_EQ(f.tail->trouble(), f.at("app") + ": is not there yet");
  f.append("app", "a\nb\nc");
  EXPECT_EQ(f.read(), "app:1 a b");
  EXPECT_EQ(f.tail->trouble(), "");
  f.append("app", "c\n");
  EXPECT_EQ(f.read(), "app:3 cc");
  EXPECT_EQ(f.read(), "");
  f.append("app", "\n\nd\n");
  EXPECT_EQ(f.read(), "app:4   d");
}

TEST(Tail, GivesAgainWhatWasNotKept) {
  Follow f("app");
  f.append("app", "a\n");
  f.tail->look(f.now);
  for (int i = 0; i < 2; ++i) {
    const auto piece = f.tail->next(f.now);
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->text, "a\n");
  }
  f.restart();
  EXPECT_EQ(f.read(), "app:1 a");
  f.restart();
  f.append("app", "b\n");
  EXPECT_EQ(f.read(), "app:2 b");
}

TEST(Tail, TakesALastLineWithoutItsEndWhereItIsWholeAndNobodyWrites) {
  Follow f("app");
  f.append("app", "{a}\n{b");
  EXPECT_EQ(f.read(), "app:1 {a}");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(f.read(), "");
  f.append("app", "}");
  EXPECT_EQ(f.read(), "");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(f.read(), "");
  EXPECT_EQ(f.read(), "app:2 {b}");
  f.append("app", "\n{c}\n");
  EXPECT_EQ(f.read(), "app:2  {c}");
}

TEST(Tail, ReadsARenamedFileToItsEndAndThenTheNext) {
  Follow f("app");  // whose old name the path does not have
  f.append("app", line("a"));
  EXPECT_EQ(f.read(), "app:1 " + given("a"));
  f.append("app", line("b"));
  f.rename("app", "app.1");
  f.append("app", line("c"));
  EXPECT_EQ(f.read(), "app.1:2 " + given("b") + "; app:1 " + given("c"));
  f.append("app.1", "d");  // by a writer that has it open
  EXPECT_EQ(f.read(), "");
  f.rename("app.1", "app.2");
  f.append("app.2", "e\nhalf");
  f.rename("app", "app.1");
  EXPECT_EQ(f.read(), "app.2:3 de");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(f.read(), "");
  EXPECT_EQ(f.read(), "app.2:4 half");  // which nobody will end
}

TEST(Tail, ReadsOnAfterARestartWhateverWasRotatedMeanwhile) {
  for (const bool all : {false, true}) {
    Follow f(all ? "app*" : "app");
    f.append("app", line("a"));
    EXPECT_EQ(f.read(), "app:1 " + given("a"));
    f.append("app", line("b"));
    f.rename("app", "app.1");
    f.append("app", line("c"));
    f.restart();
    EXPECT_EQ(f.read(), "app.1:2 " + given("b") + "; app:1 " + given("c"));
    f.append("app", line("d"));
    f.copy_and_truncate("app", "app.0");
    f.append("app", line("e"));
    f.restart();
    EXPECT_EQ(f.read(), "app.0:2 " + given("d") + "; app:1 " + given("e"));
    f.restart();
    EXPECT_EQ(f.read(), "");
  }
}

TEST(Tail, ReadsARemovedFileWhileItIsOpen) {
  Follow f("app");
  f.append("app", line("a"));
  EXPECT_EQ(f.read(), "app:1 " + given("a"));
  const int writer = ::open(f.at("app").c_str(), O_WRONLY | O_APPEND);
  files::remove(f.at("app"));
  ASSERT_EQ(::write(writer, "b\n", 2), 2);
  EXPECT_EQ(f.read(), "app:2 b");
  ::close(writer);
  for (int i = 0; i < 70; ++i) EXPECT_EQ(f.read(), "");
  EXPECT_TRUE(f.tail->files().empty());
  EXPECT_EQ(f.said(), "");
}

TEST(Tail, BeginsAnewWhereAFileWasCutOff) {
  Follow f("app");
  f.append("app", line("a") + line("b"));
  f.read();
  f.copy_and_truncate("app", "app.1");
  f.append("app", line("c"));
  EXPECT_EQ(f.read(), "app:1 " + given("c"));
  EXPECT_EQ(f.said(), "app: was cut off or replaced, and is read anew\n");
  files::resize_file(f.at("app"), 0);
  f.append("app", line("d") + line("e") + line("f"));  // as long as it was, and longer, before anybody looked
  EXPECT_EQ(f.read(), "app:1 " + given("d") + " " + given("e") + " " + given("f"));
  EXPECT_EQ(f.said(), "");
  f.append("app", line("g"));
  f.read();
  f.append("app", line("unread"));
  f.tail->look(f.now += kSecond);
  files::resize_file(f.at("app"), 0);
  f.append("app", "h\n");
  EXPECT_EQ(f.read(), "app:1 h");
  EXPECT_EQ(f.said(), "app: is gone, and its last 87 bytes were not read\n");
}

TEST(Tail, ReadsNoCopyAgainAndItsRestOnce) {
  Follow f("app*");
  f.append("app", line("a"));
  EXPECT_EQ(f.read(), "app:1 " + given("a"));
  files::copy_file(f.at("app"), f.at("app.1"));
  EXPECT_EQ(f.read(), "");
  EXPECT_EQ(f.said(), "app.1: begins as app does: it is taken for its copy, and not read again\n");
  EXPECT_TRUE(f.tail->files()[1].held);
  files::remove(f.at("app.1"));
  f.append("app", line("b"));  // read by nobody before it is cut off
  f.copy_and_truncate("app", "app.1");
  EXPECT_EQ(f.read(), "app.1:2 " + given("b"));
  f.append("app", line("c"));
  EXPECT_EQ(f.read(), "app:1 " + given("c"));
}

TEST(Tail, ReadsAFileThatBeginsAsAnotherOnceItIsLonger) {
  Follow f("app*");
  f.append("app1", line("head"));
  EXPECT_EQ(f.read(), "app1:1 " + given("head"));
  f.append("app2", line("head"));
  EXPECT_EQ(f.read(), "");
  f.append("app2", line("a"));
  EXPECT_EQ(f.read(), "app2:1 " + given("head") + " " + given("a"));
}

TEST(Tail, TakesAnotherFileInThePlaceOfOneForAnother) {
  Follow f("app");
  f.append("app", line("a"));
  f.read();
  auto positions = std::vector{f.tail->files()[0].at};
  files::remove(f.at("app"));
  f.append("app", line("b") + line("c"));
  struct stat info{};
  ASSERT_EQ(::stat(f.at("app").c_str(), &info), 0);
  positions[0].inode = info.st_ino;  // the system gives it again sooner or later
  f.start(positions);
  EXPECT_EQ(f.read(), "app:1 " + given("b") + " " + given("c"));
}

TEST(Tail, TakesAnUnknownFileInThePlaceOfARotatedOneForNoneOfIts) {
  Follow f("app");
  f.append("app", line("a"));
  f.read();
  auto positions = std::vector{f.tail->files()[0].at};
  files::remove(f.at("app"));
  f.append("secrets", line("b") + line("c"));
  struct stat info{};
  ASSERT_EQ(::stat(f.at("secrets").c_str(), &info), 0);
  positions[0].inode = info.st_ino;
  f.start(positions);
  EXPECT_EQ(f.read(), "");
}

TEST(Tail, PassesOverPackedFilesAndFolders) {
  Follow f("app*");
  f.append("app.2.gz", "\x1f\x8b");
  f.append("app.3", "\x28\xb5\x2f\xfd....");
  files::create_directory(f.at("app.d"));
  f.append("app", "a\n");
  EXPECT_EQ(f.read(), "app:1 a");
  EXPECT_EQ(
      f.said(),
      "app.2.gz: is packed, and not read, nor are others; what it holds was read before it was packed, or goes by "
      "vigie send\n");
}

TEST(Tail, PassesOverALineThatIsTooLong) {
  Follow f("app");
  f.append("app", "a\n" + std::string(Lines::kLongest + 10, 'x'));
  EXPECT_EQ(f.read(), "app:1 a; app:2 too long");
  f.restart();
  f.append("app", "xx");
  EXPECT_EQ(f.read(), "");
  f.append("app", "x\nb\n");
  EXPECT_EQ(f.read(), "app:3 b");
  f.append("app", std::string(Lines::kPiece + 10, 'y') + "\n");
  EXPECT_EQ(f.read().size(), std::string("app:4 ").size() + Lines::kPiece + 10);
}

TEST(Tail, PassesOverTheHoleOfAWriterThatGoesOnWhereItWas) {
  Follow f("app");
  const int writer = ::open(f.at("app").c_str(), O_WRONLY | O_CREAT, 0600);  // not O_APPEND
  const auto write = [&](const std::string& text) {
    EXPECT_EQ(::write(writer, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  write(line("a"));
  EXPECT_EQ(f.read(), "app:1 " + given("a"));
  files::resize_file(f.at("app"), 0);
  write(line("b"));
  EXPECT_EQ(f.read(), "app:1 " + given("b"));
  files::resize_file(f.at("app"), 0);
  write(line("c"));
  EXPECT_EQ(f.read(), "app:1 " + given("c"));
  ::close(writer);
}

TEST(Tail, ReadsFilesToWhichNobodyWritesFirstAndTheOldestBefore) {
  Follow f("app*");
  f.append("app", "new\n");
  for (const auto& [name, age] : {std::pair{"app.1", 100}, {"app.2", 200}}) {
    f.append(name, fmt::format("{}\n", age));
    files::last_write_time(f.at(name), files::file_time_type::clock::now() - std::chrono::seconds(age));
  }
  EXPECT_EQ(f.read(), "app.2:1 200; app.1:1 100; app:1 new");
}

TEST(Tail, ReadsAFileOfTwoNamesOnce) {
  Follow f("app*");
  f.append("app.2026", line("a"));
  files::create_symlink("app.2026", f.at("app"));
  files::create_hard_link(f.at("app.2026"), f.at("app.hard"));
  EXPECT_EQ(f.read(), "app:1 " + given("a"));
}

TEST(Tail, WaitsForNoPipeThatTookThePlaceOfAFile) {
  for (const bool read : {false, true}) {
    Follow f("app");
    f.append("app", line("a"));
    if (read) f.read();
    f.append("app", line("b"));
    f.tail->look(f.now);
    f.restart();
    f.tail->look(f.now);
    files::remove(f.at("app"));
    ASSERT_EQ(::mkfifo(f.at("app").c_str(), 0600), 0);
    EXPECT_FALSE(f.tail->next(f.now));
    EXPECT_EQ(f.read(), "");
    EXPECT_EQ(f.tail->trouble(), fmt::format("{0}: is no file; a folder's files are '{0}/*'", f.at("app")));
  }
}

TEST(Tail, FollowsNoLinkThatTookThePlaceOfARotatedFile) {
  Follow f("app");
  f.append("app", line("a"));
  f.read();
  const auto positions = std::vector{f.tail->files()[0].at};
  f.append("app", line("b"));
  f.rename("app", "elsewhere");
  files::create_directory(f.at("in"));
  f.rename("elsewhere", "in/elsewhere");
  files::create_symlink("in/elsewhere", f.at("app.1"));
  f.start(positions);
  EXPECT_EQ(f.read(), "");
}

TEST(Tail, KeepsFewFilesOpen) {
  Follow f("app*");
  for (int i = 0; i < 300; ++i) f.append(fmt::format("app{}", i), "a\n");
  EXPECT_GT(f.read().size(), 300U);
  int open = 0;
  for ([[maybe_unused]] const auto& one : files::directory_iterator("/proc/self/fd")) ++open;
  EXPECT_LT(open, 150);
  for (int i = 0; i < 300; ++i) f.append(fmt::format("app{}", i), "b\n");
  EXPECT_GT(f.read().size(), 300U);
}

TEST(Pipe, GivesWhatComesUntilItsWriterEnds) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Pipe pipe(ends[0], "standard input");
  const auto told = [&] {
    std::string out;
    while (const auto piece = pipe.next(0)) {
      out += fmt::format("{} {}", piece->first_line, piece->text);
      pipe.keep();
    }
    return out;
  };
  EXPECT_EQ(told(), "");
  ASSERT_EQ(::write(ends[1], "a\nb\nc", 5), 5);
  EXPECT_EQ(told(), "1 a\nb\n");
  ASSERT_EQ(::write(ends[1], "c\nd", 3), 3);
  EXPECT_EQ(told(), "3 cc\n");
  ::close(ends[1]);
  EXPECT_EQ(told(), "4 d");
  EXPECT_EQ(pipe.take_said(), std::vector<std::string>{"standard input: has ended"});
  ::close(ends[0]);
}

std::string made(const std::string& spec) {
  const auto feed = make_feed(spec, [](const std::string&) { return std::nullopt; });
  return feed ? fmt::format("{} {}", feed->name, feed->kind == event::Kind::kLabels) : feed.error().message;
}

TEST(Feed, IsReadFromText) {
  EXPECT_EQ(made("file(path=/var/log/credit/*.ndjson, model=credit)"), "credit/predictions false");
  EXPECT_EQ(made("file(path=-, model=credit, kind=labels, as=in)"), "in true");
  EXPECT_EQ(make_feed("file(path=x, model=m, kind=explanations)", {})->kind_name(), "explanations");
  EXPECT_EQ(made("flie(path=-)"), "unknown source \"flie\"; did you mean \"file\"?");
  EXPECT_EQ(made("host"), "host gives samples and no records: sample takes it");
  EXPECT_EQ(made("file(path=x)"), "file: model is missing: whose records they are");
  EXPECT_EQ(made("file(path=x, model=m, kind=label)"), "file.kind: unknown kind \"label\"; did you mean \"labels\"?");
  EXPECT_EQ(made("file(path=x, model=m, id=*)"), "file.id: expected the key of lines; * is for features");
  const Feed in{.name = "a", .path = "-", .model = "m", .kind = event::Kind::kLabels, .fields = {}};
  auto other = in;
  EXPECT_EQ(check(std::vector{in, other}).error().message, "two sources are called \"a\": as=… tells them apart");
  other.name = "b";
  EXPECT_EQ(check(std::vector{in, other}).error().message, "path=-: standard input can be only one of them");
  other.path = "x";
  EXPECT_TRUE(check(std::vector{in, other}));
}

TEST(Fields, AreGivenTheNamesOfRecords) {
  const Fields fields{{{"id", "request.id"}, {"timestamp", "ts"}, {"prediction", "answer"}, {"features", "*"}}};
  EXPECT_EQ(fields.records(
                "{\"request\":{\"id\":7,\"host\":\"h\"},\"ts\":1.5,\"answer\":\"yes\",\"age\":41,\"score\":0.25}\n"),
            "{\"id\":7,\"timestamp\":1.5,\"prediction\":\"yes\",\"score\":0.25,"
            "\"features\":{\"request\":{\"host\":\"h\"},\"age\":41}}\n");
  EXPECT_EQ(fields.records("no\n\n[1]\n{\"ts\""), "no\n\n[1]\n{\"ts\"\n");
  EXPECT_EQ((Fields{{{"features", "in"}}}.records("{\"id\":\"a\",\"in\":{\"x\":1},\"label\":1}\n")),
            "{\"features\":{\"x\":1},\"id\":\"a\",\"label\":1}\n");
  const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(fields.records("{\"a\":" + deep + "}\n"), "{\"a\":" + deep + "}\n");
}

}  // namespace
}  // namespace vigie::source

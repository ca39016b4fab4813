// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/rng.h"
#include "journal/segment_internal.h"

namespace vigie::journal {
namespace {

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "vigie-journal-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Records records(const std::vector<std::string>& texts) {
  Records out;
  for (const auto& text : texts) out.add(text);
  return out;
}

std::unique_ptr<Journal> opened(const std::string& folder, Options options = {}) {
  auto journal = Journal::open(folder, std::move(options));
  EXPECT_TRUE(journal.has_value()) << journal.error().message;
  return journal ? std::move(*journal) : nullptr;
}

// Every record with its number.
std::map<Sequence, std::string> all_of(const Journal& journal, Sequence from = 0) {
  std::map<Sequence, std::string> out;
  auto reader = journal.read(from);
  while (true) {
    auto block = reader.next();
    EXPECT_TRUE(block.has_value()) << block.error().message;
    if (!block || !*block) return out;
    for (std::size_t i = 0; i < (*block)->records.size(); ++i)
      EXPECT_TRUE(out.emplace((*block)->first + i, (*block)->records[i]).second) << "a number twice";
  }
}

std::vector<std::filesystem::path> segments(const std::string& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".vgj") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Journal, KeepsOrderAndNumbersOverReopening) {
  const Folder folder;
  for (int round = 0; round < 3; ++round) {
    auto journal = opened(folder.path(), {.compression = round});
    EXPECT_EQ(journal->end(), 3U * round);
    EXPECT_EQ(*journal->append(records({fmt::format("a{}", round), ""})), 3U * round);
    EXPECT_EQ(*journal->append(records({std::string(5000, 'x')})), 3U * round + 2);
    EXPECT_EQ(*journal->append(Records()), 3U * round + 3) << "none is answered too";
  }
  auto journal = opened(folder.path());
  const auto all = all_of(*journal);
  EXPECT_EQ(all.size(), 9U);
  EXPECT_EQ(all.at(3), "a1");
  EXPECT_EQ(all.at(4), "");
  EXPECT_EQ(all.at(8), std::string(5000, 'x'));
  EXPECT_EQ(all_of(*journal, 7).size(), 2U) << "from the middle of a block";
  EXPECT_TRUE(journal->torn().empty());
  EXPECT_FALSE(Journal::open(folder.path())) << "two at once";
}

TEST(Journal, ManyWritersShareBlocksAndAReaderFollows) {
  const Folder folder;
  auto journal = opened(folder.path(), {.segment_bytes = 5'000});
  constexpr int kThreads = 4, kEach = 100;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) ASSERT_TRUE(journal->append(records({fmt::format("{}:{}", t, i)})).has_value());
    });
  std::map<int, int> next;  // of each writer, in its own order
  auto reader = journal->read(0);
  for (int seen = 0; seen < kThreads * kEach;) {
    auto block = reader.next();
    ASSERT_TRUE(block.has_value()) << block.error().message;
    if (!*block) {
      journal->wait(reader.position(), std::chrono::milliseconds(1000));
      continue;
    }
    for (auto record : (*block)->records) {
      const auto colon = record.find(':');
      EXPECT_EQ(std::stoi(std::string(record.substr(colon + 1))),
                next[std::stoi(std::string(record.substr(0, colon)))]++);
      ++seen;
    }
  }
  for (auto& writer : writers) writer.join();
  EXPECT_GT(segments(folder.path()).size(), 1U);
  EXPECT_EQ(reader.position(), journal->end());
}

TEST(SlowJournal, WhereverItIsCutWhatIsBeforeStays) {
  const Folder folder;
  {
    auto journal = opened(folder.path(), {.sync = Sync::kNever});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(journal->append(records({fmt::format("record {}", i)})).has_value());
  }
  const auto path = segments(folder.path()).at(0);
  const auto whole = *read_file(path.string());
  std::size_t before = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    {
      auto journal = opened(folder.path(), {.sync = Sync::kNever});
      const auto all = all_of(*journal);
      EXPECT_GE(all.size(), before) << size;
      before = all.size();
      for (const auto& [number, text] : all) EXPECT_EQ(text, fmt::format("record {}", number));
      EXPECT_EQ(*journal->append(records({"after"})), all.size()) << size;
      EXPECT_EQ(all_of(*journal).rbegin()->second, "after") << size;
    }
    std::filesystem::remove_all(folder.path());
    std::filesystem::create_directory(folder.path());
  }
  EXPECT_EQ(before, 5U);
}

TEST(SlowJournal, AFlippedByteIsNeverAnotherRecord) {
  const Folder folder;
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back(fmt::format("record {}", i));
  {
    auto journal = opened(folder.path(), {.sync = Sync::kNever, .segment_bytes = 400});
    for (const auto& text : texts) ASSERT_TRUE(journal->append(records({text})).has_value());
  }
  const auto files = segments(folder.path());
  ASSERT_GT(files.size(), 3U);
  const auto whole = *read_file(files[1].string());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    std::ofstream(files[1], std::ios::binary | std::ios::trunc) << bad;
    auto journal = Journal::open(folder.path(), {.sync = Sync::kNever});
    if (!journal) {
      EXPECT_EQ(journal.error().code, Code::kCorrupt) << at;
      EXPECT_NE(journal.error().message.find(files[1].string()), std::string::npos);
      continue;
    }
    auto reader = (*journal)->read(0);
    int seen = 0, errors = 0;
    while (true) {
      auto block = reader.next();
      if (!block) {
        EXPECT_EQ(block.error().code, Code::kCorrupt) << at;
        ++errors;
        EXPECT_TRUE(reader.skip().has_value());
        continue;
      }
      if (!*block) break;
      for (std::size_t i = 0; i < (*block)->records.size(); ++i, ++seen)
        EXPECT_EQ((*block)->records[i], texts[(*block)->first + i]) << at;
    }
    EXPECT_EQ(errors, 1) << at;
    EXPECT_GE(seen, 39) << "all but the block";
  }
}

TEST(Journal, AByteAlteredInTheLastFileCostsOneBlock) {
  const Folder folder;
  {
    auto journal = opened(folder.path(), {.sync = Sync::kNever});
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(journal->append(records({fmt::format("record {}", i)})).has_value());
  }
  const auto path = segments(folder.path()).at(0);
  auto bytes = *read_file(path.string());
  bytes[bytes.find("record 1") + 3] = 'X';
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  auto journal = opened(folder.path());
  EXPECT_TRUE(journal->torn().empty());
  EXPECT_EQ(*journal->append(records({"after"})), 5U) << "no number twice";
  auto reader = journal->read(0);
  std::vector<std::string> seen;
  int errors = 0;
  for (int i = 0; i < 10; ++i) {
    auto block = reader.next();
    if (!block) {
      ++errors;
      ASSERT_TRUE(reader.skip().has_value());
    } else if (*block) {
      for (auto record : (*block)->records) seen.emplace_back(record);
    }
  }
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(seen, (std::vector<std::string>{"record 0", "record 2", "record 3", "record 4", "after"}));
}

TEST(Journal, WithAnIntervalAFailedSyncTakesNothingBack) {
  const Folder folder;
  auto journal = opened(folder.path(), {.sync = Sync::kInterval, .interval = std::chrono::milliseconds(1)});
  for (Sequence i = 0; i < 3; ++i) {
    std::atomic<int> failing = i == 1;  // of the second one, whose file is there
    set_io_fault([&](std::string_view name) { return name == "fsync" && failing-- > 0 ? EIO : 0; });
    EXPECT_TRUE(journal->append(records({fmt::format("record {}", i)})).has_value()) << i;
    EXPECT_TRUE(journal->wait(i, std::chrono::milliseconds(5000))) << i;
    set_io_fault({});
  }
  std::vector<std::string> live;
  for (const auto& [number, text] : all_of(*journal)) live.push_back(text);
  EXPECT_EQ(live, (std::vector<std::string>{"record 0", "record 1", "record 2"}));
}

// As on a file system that may only be read from now on, and then may be written again.
TEST(Journal, WithAnIntervalWhatCannotBeCutOffIsLeftBehind) {
  const Folder folder;
  std::vector<std::string> wanted, live;
  {
    auto journal = opened(folder.path(), {.sync = Sync::kInterval, .interval = std::chrono::milliseconds(20)});
    for (int i = 0; i < 10; ++i) {
      const bool fails = i % 3 == 1;
      set_io_fault([&](std::string_view name) { return fails && (name == "write" || name == "truncate") ? EROFS : 0; });
      EXPECT_EQ(journal->append(records({fmt::format("record {}", i)})).has_value(), !fails) << i;
      set_io_fault({});
      if (!fails) wanted.push_back(fmt::format("record {}", i));
      if (i % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));  // an interval is over
    }
  }
  const auto journal = opened(folder.path(), {});
  for (const auto& [number, text] : all_of(*journal)) live.push_back(text);
  EXPECT_EQ(live, wanted);
}

// What is closed gets smaller while a reader is in the middle of it, and everybody reads the same as before.
TEST(Journal, ClosedFilesArePackedBehindTheirReaders) {
  const Folder folder;
  const auto row = [](int i) { return fmt::format("{{\"id\": {}, \"colour\": \"{}\"}}", i, std::string(1'000, 'r')); };
  constexpr int kRows = 200;
  const auto bytes_of = [&] {
    std::uintmax_t total = 0;
    for (const auto& path : segments(folder.path())) total += std::filesystem::file_size(path);
    return total;
  };
  std::map<Sequence, std::string> want;
  {
    auto journal = opened(folder.path(), {.segment_bytes = 20'000, .compression = 0});
    for (int i = 0; i < kRows; ++i) want[*journal->append(records({row(i)}))] = row(i);
  }
  ASSERT_EQ(segments(folder.path()).size(), 11U);
  const auto raw = bytes_of();
  EXPECT_GT(raw, kRows * 1'000U);
  const auto leftover = segments(folder.path())[0].string() + ".packing";
  ASSERT_TRUE(write_file(leftover, "of a run that was killed"));
  auto journal = opened(folder.path(), {.segment_bytes = 20'000});
  EXPECT_FALSE(std::filesystem::exists(leftover));
  auto reader = journal->read(0);
  std::map<Sequence, std::string> found;
  const auto step = [&] {
    const auto block = reader.next();
    if (!block) ADD_FAILURE() << block.error().message;
    if (!block || !*block) return false;
    for (std::size_t i = 0; i < (*block)->records.size(); ++i)
      EXPECT_TRUE(found.emplace((*block)->first + i, (*block)->records[i]).second);
    return true;
  };
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(step());
  for (int i = 0; i < 2'000 && journal->bytes() > raw / 3; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_LT(journal->bytes(), raw / 3);
  EXPECT_GT(journal->bytes(), 2'000U) << "the last two files stay";
  EXPECT_EQ(journal->bytes(), bytes_of());
  while (step()) {
  }
  EXPECT_EQ(found, want);
  EXPECT_EQ(all_of(*journal), want);
  want[*journal->append(records({"one more"}))] = "one more";
  journal.reset();
  EXPECT_EQ(all_of(*opened(folder.path())), want);
}

// A file that was packed is left as it is the next time, also where its first record did not get smaller.
TEST(Journal, WhatWasPackedIsNotPackedAgain) {
  const Folder folder;
  Rng rng(1);
  std::string noise(2'000, ' ');
  for (auto& c : noise) c = static_cast<char>(rng.below(256));
  std::map<Sequence, std::string> want;
  {
    auto journal = opened(folder.path(), {.segment_bytes = 200'000, .compression = 0});
    for (int i = 0; i < 12; ++i) {
      const auto text = i % 4 == 0 ? noise : std::string(100'000, static_cast<char>('a' + i));
      want[*journal->append(records({text}))] = text;
    }
  }
  std::uint64_t once = 0;
  for (int turn = 0; turn < 3; ++turn) {
    auto journal = opened(folder.path(), {.segment_bytes = 200'000});
    for (int i = 0; i < (turn == 0 ? 2'000 : 20) && (turn > 0 || journal->bytes() > 500'000); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(all_of(*journal), want) << turn;
    if (turn == 0) once = journal->bytes();
    EXPECT_EQ(journal->bytes(), once) << turn;
  }
  EXPECT_LT(once, 500'000U);
}

TEST(Journal, WhatAConsumerToComeNeedsIsNotDropped) {
  const Folder folder;
  const Options small{.segment_bytes = 500, .keep_bytes = 1500, .compression = 0};
  Sequence begin;
  {
    auto with = small;
    with.keep_bytes = 1 << 20;
    auto journal = opened(folder.path(), with);
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(journal->append(records({std::string(100, 'x')})).has_value());
    begin = journal->begin();
  }
  auto with = small;
  with.consumers = {{"slow", begin}, {"quick", 40}};
  auto journal = opened(folder.path(), with);
  journal->keep("quick", 40);
  EXPECT_EQ(journal->begin(), begin);
  journal->keep("slow", 40);
  EXPECT_GT(journal->begin(), begin);
}

TEST(Journal, ATornEndIsKeptBesideAndToldOf) {
  const Folder folder;
  {
    auto journal = opened(folder.path());
    ASSERT_TRUE(journal->append(records({"whole"})).has_value());
  }
  const auto path = segments(folder.path()).at(0);
  std::ofstream(path, std::ios::binary | std::ios::app) << "half a bl";
  auto journal = opened(folder.path());
  EXPECT_EQ(journal->torn(), path.string() + ".torn");
  EXPECT_EQ(*read_file(journal->torn()), "half a bl");
  EXPECT_EQ(all_of(*journal).size(), 1U);
}

TEST(Journal, RoomThatWasMadeIsNoTornEnd) {
  const Folder folder;
  const auto path = folder.path() + "/" + "00000000000000000000.vgj";
  const auto size = [&] { return std::filesystem::file_size(path); };
  std::string killed;
  {
    auto journal = opened(folder.path(), {.segment_bytes = 10'000, .compression = 0});
    ASSERT_TRUE(journal->append(records({"a"})).has_value());
    EXPECT_GT(size(), 1'000'000U) << "room for more";
    killed = *read_file(path);
    EXPECT_EQ(all_of(*journal).size(), 1U);
    ASSERT_TRUE(journal->append(records({std::string(20'000, 'b')})).has_value());
    ASSERT_TRUE(journal->append(records({"c"})).has_value());
    EXPECT_LT(size(), 21'000U) << "none behind a closed one";
  }
  for (const auto& file : segments(folder.path())) EXPECT_LT(std::filesystem::file_size(file), 21'000U);
  EXPECT_EQ(all_of(*opened(folder.path())).size(), 3U);

  std::filesystem::remove_all(folder.path());
  std::filesystem::create_directory(folder.path());
  std::ofstream(path, std::ios::binary) << killed;
  {
    auto journal = opened(folder.path());
    EXPECT_EQ(journal->torn(), "");
    EXPECT_EQ(*journal->append(records({"after"})), 1U);
    EXPECT_EQ(all_of(*journal).at(1), "after");
    killed = *read_file(path);
  }
  killed[killed.find("after")] = '?';  // as if not all of it had reached the disk
  std::ofstream(path, std::ios::binary) << killed;
  auto journal = opened(folder.path());
  EXPECT_EQ(all_of(*journal).size(), 1U);
  EXPECT_TRUE(read_file(journal->torn())->ends_with("?fter"));
}

TEST(Journal, ZerosThatCouldNotBeCutOffAreRoomToo) {
  const Folder folder;
  {
    auto journal = opened(folder.path(), {.segment_bytes = 10'000, .compression = 0});
    set_io_fault([&](std::string_view name) { return name == "truncate" ? EIO : 0; });
    for (const auto* text : {"a", "b", "c"})
      ASSERT_TRUE(journal->append(records({text, std::string(10'000, 'x')})).has_value());
    journal.reset();
    set_io_fault({});
  }
  for (const auto& file : segments(folder.path())) EXPECT_GT(std::filesystem::file_size(file), 1'000'000U);
  {
    auto journal = opened(folder.path(), {.segment_bytes = 10'000});
    EXPECT_EQ(journal->torn(), "");
    EXPECT_EQ(all_of(*journal).size(), 6U);
    EXPECT_EQ(*journal->append(records({"d"})), 6U);
  }
  for (const auto& file : segments(folder.path())) EXPECT_LT(std::filesystem::file_size(file), 11'000U);

  // The size of a new file was on the disk, and nothing else of it.
  std::ofstream(folder.path() + "/00000000000000000007.vgj", std::ios::binary) << std::string(1 << 20, '\0');
  EXPECT_EQ(*opened(folder.path())->append(records({"e"})), 7U);
  EXPECT_EQ(all_of(*opened(folder.path())).size(), 8U);
  // A header that was altered is no such file while a whole block stands behind it.
  const auto last = segments(folder.path()).back();
  auto altered = *read_file(last.string());
  altered.replace(0, kSegmentHeader, std::string(kSegmentHeader, '\0'));
  std::ofstream(last, std::ios::binary) << altered;
  EXPECT_FALSE(Journal::open(folder.path()));
}

TEST(Journal, WithoutRoomItGoesOn) {
  const Folder folder;
  auto journal = opened(folder.path());
  std::atomic<int> writes = 0;
  set_io_fault([&](std::string_view name) { return name == "write" && writes++ == 1 ? ENOSPC : 0; });
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(journal->append(records({"a"})).has_value());
  set_io_fault({});
  EXPECT_EQ(writes, 5) << "there is none to be had for a while";
  EXPECT_LT(std::filesystem::file_size(segments(folder.path()).at(0)), 1'000U);
  EXPECT_EQ(all_of(*journal).size(), 3U);
}

// A file that may not be longer takes a part of the zeros, as a full disk does.
TEST(Journal, RoomThatDoesNotFitIsGivenBack) {
  const Folder folder;
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const struct rlimit little{300'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  auto journal = opened(folder.path());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(journal->append(records({std::string(25'000, 'a')})).has_value()) << i;
  EXPECT_LT(std::filesystem::file_size(segments(folder.path()).at(0)), 252'000U);
  EXPECT_FALSE(journal->append(records({std::string(60'000, 'b')})).has_value());
  EXPECT_TRUE(journal->append(records({std::string(25'000, 'c')})).has_value());
  EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(all_of(*journal).size(), 11U);
}

TEST(Journal, OldFilesGoWhenNobodyNeedsThem) {
  const Folder folder;
  std::int64_t now = 1'000'000'000;
  auto journal =
      opened(folder.path(), {.segment_bytes = 1000, .keep_bytes = 5000, .compression = 0, .now = [&] { return now; }});
  const auto write = [&](int count) {
    Result<Sequence> said = Sequence{0};
    for (int i = 0; i < count && said; ++i) said = journal->append(records({std::string(200, 'x')}));
    return said;
  };
  ASSERT_TRUE(write(100).has_value());
  EXPECT_LE(journal->bytes(), 7000U);
  EXPECT_GT(journal->begin(), 50U);
  EXPECT_EQ(journal->end(), 100U);
  auto reader = journal->read(0);
  ASSERT_TRUE(*reader.next());
  EXPECT_EQ(reader.position() - 1, journal->begin()) << "what was dropped is passed over";
  // A slow consumer holds them, and then nothing more is taken in: what it was promised is not thrown away.
  const Sequence held = journal->end();
  journal->keep("slow", held);
  const auto said = write(1000);
  ASSERT_FALSE(said.has_value());
  EXPECT_EQ(said.error().code, Code::kUnavailable);
  EXPECT_NE(said.error().message.find("slow"), std::string::npos) << said.error().message;
  EXPECT_LE(journal->begin(), held);
  EXPECT_GT(journal->end(), held + 10);
  journal->keep("slow", journal->end());
  EXPECT_TRUE(write(10).has_value()) << "and goes on by itself";
  // By age: all but the file that is written to.
  journal->forget("slow");
  now += std::int64_t{8} * 24 * 3600 * 1'000'000;
  journal->forget("nobody");
  EXPECT_EQ(segments(folder.path()).size(), 1U);
}

TEST(Journal, ANumberThatAConsumerSawIsNotGivenAgain) {
  const Folder folder;
  auto journal = opened(folder.path(), {.consumers = {{"late", 7}, {"early", 70}}});
  EXPECT_EQ(*journal->append(records({"a"})), 70U);
  EXPECT_EQ(all_of(*journal).at(70), "a");
}

TEST(Journal, TooMuchWaitingIsRefused) {
  const Folder folder;
  std::atomic<bool> hold = true;
  set_io_fault([&](std::string_view name) {
    while (name == "fsync" && hold) std::this_thread::yield();
    return 0;
  });
  std::atomic<int> accepted = 0, refused = 0;
  {
    auto journal = opened(folder.path(), {.waiting_bytes = 1000});
    for (int i = 0; i < 50; ++i)
      journal->append(records({std::string(100, 'x')}),
                      [&](const Result<Sequence>& said) { ++(said ? accepted : refused); });
    EXPECT_GT(refused, 20);
    hold = false;
  }
  set_io_fault({});
  EXPECT_EQ(accepted + refused, 50) << "each is answered once";
  EXPECT_EQ(all_of(*opened(folder.path())).size(), static_cast<std::size_t>(accepted));
}

TEST(SlowJournal, AfterAnyFailedCallWhatWasAnsweredIsThere) {
  for (int failing = 0; failing < 60; ++failing) {
    for (int code : {ENOSPC, EIO}) {
      const Folder folder;
      std::set<std::string> answered;
      auto journal = opened(folder.path(), {.segment_bytes = 300});
      std::atomic<int> calls = 0;
      set_io_fault([&](std::string_view) { return calls++ == failing ? code : 0; });
      for (int i = 0; i < 20; ++i) {
        const auto text = fmt::format("record {}", i);
        if (journal->append(records({text}))) answered.insert(text);
      }
      set_io_fault({});
      EXPECT_GE(answered.size(), 18U) << failing << ": it goes on by itself";
      std::set<std::string> live;
      for (const auto& [number, text] : all_of(*journal)) live.insert(text);
      EXPECT_EQ(live, answered) << failing;
      journal.reset();
      journal = opened(folder.path());
      std::set<std::string> found;
      for (const auto& [number, text] : all_of(*journal)) found.insert(text);
      EXPECT_EQ(found, answered) << failing;
    }
  }
}

// A process that writes and says what was answered, killed at any instant, again and again in one folder.
TEST(SlowJournal, KilledAtAnyInstantNothingAnsweredIsLost) {
  const Folder folder;
  Rng rng(3);
  std::set<std::string> answered;
  for (int round = 0; round < 60; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const auto child = ::fork();
    if (child == 0) {
      auto journal =
          Journal::open(folder.path(), {.sync = round % 2 ? Sync::kAlways : Sync::kNever, .segment_bytes = 20'000});
      if (!journal) ::_exit(1);
      for (int i = 0;; ++i) {
        const auto text = fmt::format("{} {}", round, i);
        Records one;
        one.add(text);
        if ((*journal)->append(std::move(one)) && ::write(ends[1], (text + "\n").c_str(), text.size() + 1) < 0)
          ::_exit(2);
      }
    }
    ::close(ends[1]);
    ::usleep(static_cast<useconds_t>(2'000 + rng.below(20'000)));
    ::kill(child, SIGKILL);
    std::string said(1 << 20, '\0');
    std::size_t size = 0;
    for (ssize_t n; (n = ::read(ends[0], said.data() + size, said.size() - size)) > 0;)
      size += static_cast<std::size_t>(n);
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    for (std::size_t at = 0, end; (end = said.find('\n', at)) < size; at = end + 1)
      answered.insert(said.substr(at, end - at));
    auto journal = opened(folder.path());
    std::set<std::string> found;
    for (const auto& [number, text] : all_of(*journal)) EXPECT_TRUE(found.insert(text).second) << text << " twice";
    for (const auto& text : answered) ASSERT_TRUE(found.contains(text)) << text << " is lost in round " << round;
  }
  EXPECT_GT(answered.size(), 100U);
}

}  // namespace
}  // namespace vigie::journal

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/append_file.h"
#include "base/result.h"
#include "journal/reader.h"

namespace vigie::journal {

/// Records that are accepted or refused together.
class Records {
 public:
  void add(std::string_view record) { add(record, {}); }
  /// One record of two pieces.
  void add(std::string_view head, std::string_view rest);
  std::uint32_t count() const { return count_; }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;  // room for what goes before them, then a length and its bytes for each
  std::uint32_t count_ = 0;
};

/// When a record counts as kept.
enum class Sync : std::uint8_t {
  kAlways,    ///< once a loss of power leaves it: all that waits shares one fdatasync
  kInterval,  ///< once written; lasting within Options::interval
  kNever,     ///< once written; lasting when the system gets to it
};

struct Options {
  Sync sync = Sync::kAlways;
  std::chrono::milliseconds interval{200};
  std::uint64_t segment_bytes = 64ULL << 20;          ///< a file that reached them is closed, and the next one begun
  std::uint64_t keep_bytes = 10ULL << 30;             ///< of closed files; the oldest go first, …
  std::chrono::seconds keep_age{7 * 24 * 3600};       ///< … and those of which the last record is older
  std::size_t waiting_bytes = std::size_t{64} << 20;  ///< accepted and not yet written
  int compression = 1;                                ///< of closed files: level of zstd; 0: none
  /// What each consumer that is to come asks for first, as it stored it: nothing of theirs is dropped before they say
  /// keep(), and no number that one of them has seen is given again, should the journal have lost the record.
  std::map<std::string, Sequence> consumers{};
  std::function<std::int64_t()> now{};  ///< microseconds since 1970; default: the system's clock
  /// Hears, from the journal's thread, why nothing can be written, and an empty text once it can again.
  std::function<void(const std::string& trouble)> trouble{};
};

/// The spine: every record that was accepted, in the order of acceptance, in files of one folder. A record is whatever
/// bytes the caller gives; its number is never given to another one, and numbers may have gaps.
///
/// kill -9 or a loss of power at any instant leaves every record whose append() was answered (with Sync::kAlways;
/// kill -9 alone with the others too). A torn end is cut off when the journal is opened and put beside the file as
/// FILE.torn, FILE.torn-2, …, but for zeros: with Sync::kAlways the file that is written may be up to a MiB longer than
/// its records, so that a sync has less to do. A byte altered elsewhere is Code::kCorrupt at the reader, with file and
/// place, and what stands behind it stays.
///
/// A full disk, or consumers that are keep_bytes behind: append() is refused, nothing else changes, and the next one
/// may succeed; whether the disk takes anything again is tried each second. All functions may be called from any
/// thread. Cost: about 1 µs an append(), and 0.1 ns a byte; 3 ns a byte later, when a file that two others followed is
/// packed by a thread that yields to all others.
class Journal {
 public:
  /// Code::kIo, Code::kCorrupt (a file that is no segment), Code::kUsage (another process has the folder).
  static Result<std::unique_ptr<Journal>> open(const std::string& folder, Options options = {});
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  /// Answers what waits, and makes it last.
  ~Journal();

  using Done = std::move_only_function<void(Result<Sequence>)>;
  /// Adds records; `done` is told the number of the first one, or why not, from the journal's own thread, which waits
  /// for it. Code::kUnavailable: it could not be written, or too much waits. No records: done at once with end().
  void append(Records records, Done done);
  /// The same, waiting.
  Result<Sequence> append(Records records);

  Sequence begin() const;  ///< the oldest record that is kept
  Sequence end() const;    ///< behind the last one that readers see: it lasts, with Sync::kNever it is written
  /// Waits until end() is above `seen` or so much time passed; whether it is.
  bool wait(Sequence seen, std::chrono::milliseconds timeout) const;

  /// Reads from a record on, or from begin() if that is later. The journal must outlive it.
  Reader read(Sequence from) const;

  /// A consumer will not ask for anything before `from` again: files that all consumers are beyond may go. A consumer
  /// that was never named holds nothing.
  void keep(const std::string& consumer, Sequence from);
  void forget(const std::string& consumer);

  /// From now on Options::keep_bytes and keep_age.
  void limit(std::uint64_t keep_bytes, std::chrono::seconds keep_age);

  std::string trouble() const;                       ///< why append() is refused, as far as is known; empty: it is not
  std::uint64_t bytes() const;                       ///< of all files
  const std::string& torn() const { return torn_; }  ///< the file that holds what was cut off at open(); empty: none

 private:
  struct Waiting {
    Records records;
    Done done;
  };
  Journal(std::string folder, Options options);
  Status recover();
  void run();
  Status write(std::vector<Waiting>& group, std::vector<Sequence>& firsts);
  void leave(std::uint64_t bytes, Sequence end);
  Status start_segment();
  Status sync();
  Status probe();
  void note(const Status& done);
  std::string why_full() const;
  void drop_old();
  void pack();
  std::optional<Sequence> to_pack() const;
  std::int64_t now() const;

  std::string folder_;
  Options options_;
  std::string torn_;
  int lock_ = -1;
  std::shared_ptr<SegmentList> segments_;

  // Of the journal's thread alone, once it runs.
  std::optional<AppendFile> file_;
  Sequence next_ = 0;  // that the next record gets
  bool unsynced_ = false;
  std::chrono::steady_clock::time_point synced_at_{};
  std::chrono::steady_clock::time_point room_from_{};  // no room is made in the file before

  mutable std::mutex mutex_;
  mutable std::condition_variable grown_;
  std::condition_variable wake_;
  std::vector<Waiting> queue_;
  std::size_t waiting_ = 0;
  std::string trouble_;
  std::map<std::string, Sequence> consumers_;
  std::set<Sequence> left_as_it_is_;  // segments that were packed, or need not or cannot be
  bool full_ = false;                 // keep_bytes are used, and a consumer needs them
  std::atomic<bool> stop_ = false;
  std::thread thread_, packer_;
  std::condition_variable closed_;
};

}  // namespace vigie::journal

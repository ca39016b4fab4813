// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <future>
#include <limits>

#include "base/bytes.h"
#include "base/clock.h"
#include "journal/segment_internal.h"

namespace vigie::journal {
namespace {

constexpr std::size_t kProbe = 64 << 10;  // bytes that show that there is room again, where nobody sends any, …
constexpr auto kProbeEvery = std::chrono::seconds(1);  // … and how often that is tried
constexpr std::size_t kBlock = 1 << 20;                // bytes of records from which a block is full
constexpr std::size_t kSmall = 64 << 10;               // … and up to which a sync costs more than they do
constexpr auto kRoomAgain = std::chrono::minutes(1);   // after none was to be had

bool zeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Whether the file ends as one that has room, or had when it was closed and the room could not be cut off.
Result<bool> ends_in_zeros(const InputFile& file, std::uint64_t size) {
  std::string end(std::min<std::uint64_t>(size, kBlockHeader), '\0');
  VIGIE_TRY(file.read(size - end.size(), end.data(), end.size()));
  return zeros(end);
}

// A segment that was being made when the lights went out holds nothing: not even its header, or zeros in its place.
Result<bool> was_made(const std::string& path, std::uint64_t size) {
  if (size < kSegmentHeader) return false;
  VIGIE_ASSIGN(const auto file, InputFile::open(path));
  std::string header(kSegmentHeader, '\0');
  VIGIE_TRY(file.read(0, header.data(), header.size()));
  if (!zeros(header)) return true;
  VIGIE_ASSIGN(const auto block, find_block(file, 0, size, 0, std::numeric_limits<Sequence>::max()));
  return block.has_value();
}

}  // namespace

void Records::add(std::string_view head, std::string_view rest) {
  ByteWriter length;
  length.varint(head.size() + rest.size());
  const auto room = bytes_.empty() ? kBlockHeader : 0;  // so that nothing is copied where they are a block of their own
  bytes_.reserve(bytes_.size() + room + length.bytes().size() + head.size() + rest.size());
  bytes_.append(room, '\0');
  bytes_.append(length.bytes()).append(head).append(rest);
  ++count_;
}

Journal::Journal(std::string folder, Options options)
    : folder_(std::move(folder)), options_(std::move(options)), segments_(std::make_shared<SegmentList>(folder_)) {}

Result<std::unique_ptr<Journal>> Journal::open(const std::string& folder, Options options) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail(Code::kIo, fmt::format("{}: cannot make the folder: {}", folder, failed.message()));
  std::unique_ptr<Journal> journal(new Journal(folder, std::move(options)));
  VIGIE_TRY(journal->recover());
  journal->thread_ = std::thread([&j = *journal] { j.run(); });
  pthread_setname_np(journal->thread_.native_handle(), "vigie-journal");
  if (journal->options_.compression != 0) journal->packer_ = std::thread([&j = *journal] { j.pack(); });
  return journal;
}

Journal::~Journal() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    closed_.notify_one();
    thread_.join();
    if (packer_.joinable()) packer_.join();
  }
  file_.reset();  // which may cut zeros off it, while nobody else has it
  if (lock_ >= 0) ::close(lock_);
}

Status Journal::recover() {
  const std::string lock = folder_ + "/lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return fail(Code::kIo, fmt::format("{}: cannot open: {}", lock, std::strerror(errno)));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return fail(Code::kUsage, fmt::format("{}: another vigie has this folder", folder_));
  auto& all = segments_->segments;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, failed))
    if (const auto first = segment_of(entry.path().filename().string()))
      all[*first].bytes = entry.file_size(failed);
    else if (entry.path().string().ends_with(kPacking))
      std::filesystem::remove(entry.path(), failed);
  if (failed) return fail(Code::kIo, fmt::format("{}: cannot list: {}", folder_, failed.message()));
  std::string stored;
  while (!all.empty()) {
    const auto& [first, segment] = *all.rbegin();
    VIGIE_ASSIGN(const bool made, was_made(segments_->path(first), segment.bytes));
    if (made) break;
    std::filesystem::remove(segments_->path(first), failed);
    next_ = std::max(next_, first);
    all.erase(std::prev(all.end()));
  }
  for (auto& [first, segment] : all) {
    const std::string path = segments_->path(first);
    VIGIE_ASSIGN(const auto file, InputFile::open(path));
    stored.resize(kSegmentHeader);
    VIGIE_ASSIGN(const auto got, file.read(0, stored.data(), kSegmentHeader));
    VIGIE_TRY(check_segment_header(std::string_view(stored).substr(0, got), first, path));
    segment.last = static_cast<std::int64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::file_clock::to_sys(std::filesystem::last_write_time(path)).time_since_epoch())
            .count());
    next_ = std::max(next_, first);
    const bool last = first == all.rbegin()->first;
    VIGIE_ASSIGN(const bool room, ends_in_zeros(file, segment.bytes));
    if (!last && !room) continue;
    std::uint64_t offset = kSegmentHeader;
    while (true) {
      const auto header = read_block(file, offset, stored);
      if (!header && header.error().code != Code::kCorrupt) return header.error();
      if (!header) {
        // Torn is what nothing whole stands behind.
        VIGIE_ASSIGN(const auto behind,
                     find_block(file, offset, segment.bytes, next_, std::numeric_limits<Sequence>::max()));
        if (!behind) break;
        offset = *behind;
        continue;
      }
      if (!*header) break;
      next_ = (*header)->first + (*header)->count;
      segment.last = (*header)->arrived;
      offset += kBlockHeader + (*header)->stored;
    }
    if (offset < segment.bytes) {
      std::string tail(segment.bytes - offset, '\0');
      VIGIE_ASSIGN(const auto size, file.read(offset, tail.data(), tail.size()));
      tail.resize(size);
      tail.erase(tail.find_last_not_of('\0') + 1);  // room that was made for what would have come
      if (!tail.empty() && !last) continue;         // the reader tells of it
      if (!tail.empty()) {
        torn_ = path + ".torn";
        for (int i = 2; std::filesystem::exists(torn_); ++i) torn_ = fmt::format("{}.torn-{}", path, i);
        VIGIE_TRY(write_file(torn_, tail));
      }
    }
    // Readers are shown what lasts, also of what was only written before.
    VIGIE_ASSIGN(auto whole, AppendFile::open(path));
    if (offset < segment.bytes) VIGIE_TRY(whole.truncate(offset));
    VIGIE_TRY(whole.sync());
    segment.bytes = offset;
  }
  consumers_ = options_.consumers;
  for (const auto& [name, from] : consumers_) next_ = std::max(next_, from);
  segments_->end = next_;
  return {};
}

void Journal::append(Records records, Done done) {
  Error refused;
  {
    std::unique_lock lock(mutex_);
    if (full_) {
      refused = fail(Code::kUnavailable, why_full());
    } else if (waiting_ + records.bytes().size() > options_.waiting_bytes && waiting_ > 0) {
      refused = fail(Code::kUnavailable, fmt::format("{}: {} bytes wait to be written", folder_, waiting_));
    } else if (records.bytes().size() > kMostRaw) {
      refused = fail(Code::kInput,
                     fmt::format("{} bytes of records at once, more than {}", records.bytes().size(), kMostRaw));
    } else if (records.count() > 0) {
      waiting_ += records.bytes().size();
      queue_.push_back({std::move(records), std::move(done)});
      const bool first = queue_.size() == 1;  // who comes later is seen with it
      lock.unlock();
      if (first) wake_.notify_one();
      return;
    }
  }
  refused.message.empty() ? done(end()) : done(std::move(refused));
}

std::string Journal::why_full() const {
  const auto slowest = std::min_element(consumers_.begin(), consumers_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  return fmt::format("{}: the journal is full, and {} has yet to read it", folder_,
                     slowest == consumers_.end() ? std::string("a consumer") : slowest->first);
}

Result<Sequence> Journal::append(Records records) {
  std::promise<Result<Sequence>> answer;
  append(std::move(records), [&](Result<Sequence> said) { answer.set_value(std::move(said)); });
  return answer.get_future().get();
}

void Journal::run() {
  std::vector<Waiting> group;
  std::vector<Sequence> firsts;
  std::unique_lock lock(mutex_);
  while (true) {
    const auto waits = [&] { return stop_ || !queue_.empty(); };
    const bool troubled = !trouble_.empty();
    if (troubled)
      wake_.wait_for(lock, kProbeEvery, waits);
    else if (unsynced_ && options_.sync == Sync::kInterval)
      wake_.wait_until(lock, synced_at_ + options_.interval, waits);
    else
      wake_.wait(lock, waits);
    const bool last = stop_ && queue_.empty();
    group.swap(queue_);
    waiting_ = 0;
    lock.unlock();

    Status written = !group.empty() ? write(group, firsts) : troubled && !last ? probe() : Status();
    const bool due =
        options_.sync == Sync::kAlways || last ||
        (options_.sync == Sync::kInterval && std::chrono::steady_clock::now() >= synced_at_ + options_.interval);
    Status lasts = written;
    if (written && unsynced_ && due) {
      lasts = sync();
      if (options_.sync == Sync::kAlways) written = lasts;
    }
    if (!last && (troubled || !lasts)) note(lasts);
    if (!written && written.error().code == Code::kIo) written.error().code = Code::kUnavailable;
    for (std::size_t i = 0; i < group.size(); ++i)
      group[i].done(written ? Result<Sequence>(firsts[i]) : Result<Sequence>(written.error()));
    if (last) return;
    group.clear(), firsts.clear();
    lock.lock();
  }
}

// Whether there is room again, where nobody sends what would show it.
Status Journal::probe() {
  const auto path = folder_ + "/room";
  VIGIE_ASSIGN(auto file, AppendFile::open(path));
  auto done = file.append(std::string(kProbe, '\0'));
  if (done) done = file.sync();
  ::unlink(path.c_str());
  return done;
}

void Journal::note(const Status& done) {
  const auto trouble = done ? std::string() : done.error().message;
  {
    const std::lock_guard lock(mutex_);
    if (trouble.empty() == trouble_.empty()) return;
    trouble_ = trouble;
  }
  if (options_.trouble) options_.trouble(trouble);
}

std::string Journal::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_.empty() && full_ ? why_full() : trouble_;
}

Status Journal::start_segment() {
  if (file_) {
    (void)file_->drop_room();  // recover() knows what is left of it
    VIGIE_TRY(sync());
  }
  file_.reset();
  VIGIE_ASSIGN(auto fresh, AppendFile::open(segments_->path(next_)));
  if (fresh.size() == 0) VIGIE_TRY(fresh.append(segment_header(next_, now())));
  {
    const std::lock_guard lock(segments_->mutex);
    segments_->segments[next_] = {fresh.size(), now()};
  }
  file_ = std::move(fresh);
  drop_old();
  return {};
}

// The oldest file that is not known to be packed, but for the last two, which are written and likely to be read.
std::optional<Sequence> Journal::to_pack() const {
  const std::lock_guard lock(segments_->mutex);
  const auto& all = segments_->segments;
  if (all.size() <= 2) return {};
  for (auto it = all.begin(); it != std::prev(all.end(), 2); ++it)
    if (!it->second.packed && !left_as_it_is_.contains(it->first)) return it->first;
  return {};
}

void Journal::pack() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  std::unique_lock lock(mutex_);
  while (true) {
    closed_.wait(lock, [&] { return stop_ || to_pack(); });
    if (stop_) return;
    const auto first = *to_pack();
    lock.unlock();
    const auto path = segments_->path(first);
    std::uint64_t bytes = 0;
    {
      const std::lock_guard mine(segments_->mutex);
      if (const auto at = segments_->segments.find(first); at != segments_->segments.end()) bytes = at->second.bytes;
    }
    const auto packed = pack_segment(path, bytes, options_.compression, [&] { return stop_.load(); });
    std::error_code failed;
    const auto size = packed && *packed ? std::filesystem::file_size(**packed, failed) : 0;
    if (!packed) std::filesystem::remove(path + std::string(kPacking), failed);
    {
      // Readers find the file and what is known of it together; what was dropped meanwhile stays so.
      const std::lock_guard mine(segments_->mutex);
      const auto at = segments_->segments.find(first);
      if (size > 0 && !failed && at != segments_->segments.end()) {
        // By when it was written it is dropped.
        std::filesystem::last_write_time(**packed, std::filesystem::last_write_time(path, failed), failed);
        std::filesystem::rename(**packed, path, failed);
        if (!failed) at->second.bytes = size, at->second.packed = true;
      } else if (size > 0) {
        std::filesystem::remove(**packed, failed);
      }
    }
    lock.lock();
    left_as_it_is_.insert(first);
  }
}

Status Journal::write(std::vector<Waiting>& group, std::vector<Sequence>& firsts) {
  if (!file_) {
    // The last segment is gone on with.
    std::optional<Sequence> last;
    {
      const std::lock_guard lock(segments_->mutex);
      if (!segments_->segments.empty()) last = segments_->segments.rbegin()->first;
    }
    if (last && next_ == segments_->end) {
      VIGIE_ASSIGN(file_, AppendFile::open(segments_->path(*last)));
    }
  }
  if (!file_ || file_->size() >= options_.segment_bytes) VIGIE_TRY(start_segment());
  const std::int64_t arrived = now();
  const Sequence before = next_;
  const auto size = file_->size();
  std::size_t bytes = 0;
  for (auto& one : group) bytes += one.records.bytes().size();
  std::string together;
  if (group.size() > 1) together.reserve(std::min(bytes, 2 * kBlock));
  if (options_.sync == Sync::kAlways && bytes <= kSmall && std::chrono::steady_clock::now() >= room_from_ &&
      !file_->make_room(bytes))
    room_from_ = std::chrono::steady_clock::now() + kRoomAgain;
  std::uint32_t count = 0;
  Status appended;
  for (std::size_t i = 0; i < group.size() && appended; ++i) {
    firsts.push_back(next_);
    next_ += group[i].records.count();
    count += group[i].records.count();
    auto& records = group[i].records.bytes();
    const auto with = together.size() + records.size();
    const bool more = with < kBlock && i + 1 < group.size() && with + group[i + 1].records.bytes().size() <= kMostRaw;
    const bool alone = together.empty() && !more;
    if (!alone) together += together.empty() ? records : std::string_view(records).substr(kBlockHeader);
    if (more) continue;
    auto& block = alone ? records : together;
    seal_block(block, count, next_ - count, arrived);
    appended = file_->append(block);
    together.clear();
    count = 0;
  }
  if (!appended) {
    if (file_->usable() && file_->truncate(size))
      next_ = before;
    else
      leave(size, before);  // a part may be left at its end
    return appended;
  }
  unsynced_ = true;
  const std::lock_guard lock(segments_->mutex);
  segments_->segments.rbegin()->second.last = arrived;
  if (options_.sync == Sync::kNever) {
    segments_->segments.rbegin()->second.bytes = file_->size();
    segments_->end = next_;
    grown_.notify_all();
  }
  return {};
}

// Goes on in another file: of this one that much, with the records below `end`, is to be read. No number that it may
// have behind that is given again.
void Journal::leave(std::uint64_t bytes, Sequence end) {
  if (unsynced_) static_cast<void>(file_->sync());  // what was accepted of it is to last all the same
  const std::lock_guard lock(segments_->mutex);
  segments_->segments.rbegin()->second.bytes = bytes;
  segments_->end = end;
  if (next_ == end) ++next_;  // a gap, by which the next write knows that this file is done with
  file_.reset(), unsynced_ = false;
  grown_.notify_all();
}

// After a failure nobody knows what of the file lasts, and a new one is begun. What was not answered is cut off; what
// was, with Sync::kInterval, stays as it is.
Status Journal::sync() {
  synced_at_ = std::chrono::steady_clock::now();
  Status synced = file_->sync();
  unsynced_ = false;
  if (!synced) room_from_ = synced_at_ + kRoomAgain;
  if (!synced && options_.sync != Sync::kAlways) return leave(file_->size(), next_), synced;
  const std::lock_guard lock(segments_->mutex);
  auto& segment = segments_->segments.rbegin()->second;
  if (!synced) {
    (void)file_->truncate(segment.bytes);
    if (segment.bytes <= kSegmentHeader) {  // or a full disk would fill up with empty files
      ::unlink(file_->path().c_str());
      segments_->segments.erase(std::prev(segments_->segments.end()));
    }
    file_.reset();
    return synced;
  }
  segment.bytes = file_->size();
  segments_->end = next_;
  grown_.notify_all();
  return {};
}

void Journal::drop_old() {
  const std::lock_guard mine(mutex_);
  const std::lock_guard lock(segments_->mutex);
  auto& all = segments_->segments;
  Sequence needed = segments_->end;
  for (const auto& [name, from] : consumers_) needed = std::min(needed, from);
  std::uint64_t total = 0;
  for (const auto& [first, segment] : all) total += segment.bytes;
  const std::int64_t oldest = now() - std::chrono::duration_cast<std::chrono::microseconds>(options_.keep_age).count();
  closed_.notify_one();
  while (all.size() > 1 && (total > options_.keep_bytes || all.begin()->second.last < oldest)) {
    if (std::next(all.begin())->first > needed) break;
    total -= all.begin()->second.bytes;
    std::error_code ignored;  // what is left over is found again when the journal is opened next
    std::filesystem::remove(segments_->path(all.begin()->first), ignored);
    all.erase(all.begin());
  }
  full_ = total > options_.keep_bytes && all.size() > 1;
}

Sequence Journal::begin() const {
  const std::lock_guard lock(segments_->mutex);
  return segments_->segments.empty() ? segments_->end : segments_->segments.begin()->first;
}

Sequence Journal::end() const {
  const std::lock_guard lock(segments_->mutex);
  return segments_->end;
}

bool Journal::wait(Sequence seen, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(segments_->mutex);
  return grown_.wait_for(lock, timeout, [&] { return segments_->end > seen; });
}

Reader Journal::read(Sequence from) const {
  return Reader(segments_, from);
}

void Journal::keep(const std::string& consumer, Sequence from) {
  {
    const std::lock_guard lock(mutex_);
    consumers_[consumer] = from;
  }
  drop_old();
}

void Journal::forget(const std::string& consumer) {
  {
    const std::lock_guard lock(mutex_);
    consumers_.erase(consumer);
  }
  drop_old();
}

void Journal::limit(std::uint64_t keep_bytes, std::chrono::seconds keep_age) {
  {
    const std::lock_guard lock(mutex_);
    options_.keep_bytes = keep_bytes, options_.keep_age = keep_age;
  }
  drop_old();
}

std::uint64_t Journal::bytes() const {
  const std::lock_guard lock(segments_->mutex);
  std::uint64_t total = 0;
  for (const auto& [first, segment] : segments_->segments) total += segment.bytes;
  return total;
}

std::int64_t Journal::now() const {
  if (options_.now) return options_.now();
  return system_now();
}

}  // namespace vigie::journal

// SPDX-License-Identifier: Apache-2.0
#include "server/intake.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <future>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "http/client.h"
#include "server/intake_internal.h"

namespace vigie::server {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr milliseconds kLook{500}, kFirstPause{100}, kLongestPause{2'000};
constexpr int kTold = 3;  // lines that are rejected, of each source

// No name is too long for a file system.
std::string file_name(const std::string& name) {
  const auto encoded = http::encoded(name);
  return encoded.size() <= 200 ? encoded : fmt::format("{}-{:016x}", encoded.substr(0, 180), hash64(name));
}

// Of the record of that index the line, from 0: those without anything in them are none.
class LinesOfRecords {
 public:
  explicit LinesOfRecords(std::string_view text) : text_(text) {}
  std::uint64_t of(std::size_t record) {
    while (!text_.empty()) {
      const auto end = text_.find('\n');
      const bool blank = text_.substr(0, end).find_first_not_of(" \t\r\f\v") == text_.npos;
      if (!blank && record_ == record) break;
      record_ += !blank;
      ++line_;
      text_.remove_prefix(end == text_.npos ? text_.size() : end + 1);
    }
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t record_ = 0;
  std::uint64_t line_ = 0;
};

}  // namespace

class Intake::Following {
 public:
  Following(source::Feed feed, Ingest& ingest, std::string file, std::function<void(const std::string&)> log)
      : ingest_(ingest), file_(std::move(file)), log_(std::move(log)) {
    state_.feed = std::move(feed);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "vigie-source");
  }
  ~Following() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  const source::Feed& feed() const { return state_.feed; }
  FeedState state() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  void run() {
    auto saved = read_positions(file_);
    if (!saved) say(fmt::format("{}: all is read anew; what is there is known by its ids", saved.error().message));
    if (saved) positions_ = std::move(*saved);
    lines_ = state_.feed.lines(positions_);
    while (!stop_) {
      lines_->look(system_now());
      const bool all = take_some();
      for (const auto& line : lines_->take_said()) say(line);
      publish(lines_->trouble());
      if (all && !pause(kLook)) break;
    }
    save();
  }

  // Whether all that is there was taken.
  bool take_some() {
    const auto begun = Clock::now();
    while (!stop_ && Clock::now() - begun < kLook) {
      const auto piece = lines_->next(system_now());
      if (!piece) return true;
      if (!deliver(*piece)) return false;
      lines_->keep();
    }
    return false;
  }

  // Until it lasts; false: an end was asked for.
  bool deliver(const source::Piece& piece) {
    const auto& feed = state_.feed;
    if (piece.too_long) {
      reject_all(piece, 1, fmt::format("longer than {} MiB", source::Lines::kLongest >> 20));
      return true;
    }
    if (piece.text.empty()) return true;
    std::string mapped;
    if (!feed.fields.names.empty()) mapped = feed.fields.records(piece.text);
    const std::string_view body = mapped.empty() ? piece.text : mapped;
    for (auto wait = kFirstPause;; wait = std::min(2 * wait, kLongestPause)) {
      std::promise<Result<Ingest::Reply>> taken;
      ingest_.add(
          feed.kind, feed.model, body, [&](auto reply) { taken.set_value(std::move(reply)); }, table::JsonForm::kLines);
      if (const auto reply = taken.get_future().get()) {
        count({reply->accepted, reply->duplicates, reply->rejected.size()});
        LinesOfRecords lines(body);
        for (const auto& one : reply->rejected) reject({piece.path, piece.first_line + lines.of(one.index), one.error});
        return true;
      } else if (reply.error().code == Code::kInput || reply.error().code == Code::kUsage) {
        reject_all(piece, static_cast<std::uint64_t>(std::count(body.begin(), body.end(), '\n')),
                   reply.error().message);
        return true;
      } else if (wait >= kLongestPause) {
        publish("waits: " + reply.error().message);
      }
      if (!pause(wait)) return false;
    }
  }

  void count(const Ingest::Count& more) {
    std::lock_guard lock(mutex_);
    auto& all = state_.records;
    all.accepted += more.accepted, all.duplicates += more.duplicates, all.rejected += more.rejected;
  }

  void reject_all(const source::Piece& piece, std::uint64_t lines, std::string why) {
    ingest_.count_rejected(state_.feed.kind, lines);
    count({.rejected = lines});
    reject({piece.path, piece.first_line, std::move(why)});
  }

  void reject(RejectedLine line) {
    if (++told_ <= kTold)
      say(fmt::format("{}:{}: {}{}", line.file, line.line, line.error,
                      told_ == kTold ? "; more are counted, and the latest are in /v1/sources" : ""));
    std::lock_guard lock(mutex_);
    state_.rejected.push_back(std::move(line));
    if (state_.rejected.size() > kRejected) state_.rejected.pop_front();
  }

  void publish(std::string trouble) {
    if (const auto now = Clock::now(); now - saved_at_ >= 2 * kLook || saved_at_ == Clock::time_point()) {
      saved_at_ = now;
      save();
    }
    if (trouble.empty()) trouble = unsaved_;
    auto files = lines_->files();
    std::uint64_t lag = 0;
    for (const auto& file : files)
      if (!file.held) lag += file.size - std::min(file.size, file.at.offset);
    std::string before;
    {
      std::lock_guard lock(mutex_);
      state_.files = std::move(files), state_.lag = lag;
      before = std::exchange(state_.trouble, trouble);
    }
    if (before == trouble) return;
    say(trouble.empty() ? "goes on" : trouble);
  }

  // Of what lasts; the last pieces that were read may not be among it.
  void save() {
    std::vector<source::Position> positions;
    for (auto& file : lines_->files())
      if (!file.held) positions.push_back(std::move(file.at));
    if (positions == positions_ || state_.feed.path == "-") return;
    const auto written = write_file(file_, positions_to_json(positions));
    unsaved_ = written ? "" : "how far it is read cannot be written: " + written.error().message;
    if (written) positions_ = std::move(positions);
  }

  void say(const std::string& line) {
    if (log_) log_(fmt::format("{}: {}", state_.feed.name, line));
  }

  // False: an end was asked for.
  bool pause(milliseconds time) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, time, [this] { return stop_.load(); });
  }

  Ingest& ingest_;
  std::string file_;
  std::function<void(const std::string&)> log_;
  std::unique_ptr<source::Lines> lines_;
  std::vector<source::Position> positions_;  // as they are written
  std::string unsaved_;
  Clock::time_point saved_at_{};
  int told_ = 0;
  mutable std::mutex mutex_;
  FeedState state_;  // its feed never changes
  std::condition_variable wake_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

Intake::Intake(Ingest& ingest, std::string folder, std::function<void(const std::string&)> log)
    : ingest_(ingest), folder_(std::move(folder)), log_(std::move(log)) {}
Intake::~Intake() = default;

Status Intake::set(std::vector<source::Feed> feeds) {
  if (!feeds.empty() && ::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Code::kIo, fmt::format("{}: cannot make the folder: {}", folder_, std::strerror(errno)));
  std::vector<std::unique_ptr<Following>> over, going;
  std::lock_guard lock(mutex_);
  for (auto& one : following_) {
    const bool stays = std::find(feeds.begin(), feeds.end(), one->feed()) != feeds.end();
    (stays ? going : over).push_back(std::move(one));
  }
  over.clear();  // one of the same name reads on where it stopped
  following_.clear();
  for (auto& feed : feeds) {
    const auto same =
        std::find_if(going.begin(), going.end(), [&](const auto& one) { return one && one->feed() == feed; });
    if (same != going.end()) {
      following_.push_back(std::move(*same));
      continue;
    }
    auto file = fmt::format("{}/{}.json", folder_, file_name(feed.name));
    following_.push_back(std::make_unique<Following>(std::move(feed), ingest_, std::move(file), log_));
  }
  return {};
}

std::vector<FeedState> Intake::states() const {
  std::lock_guard lock(mutex_);
  std::vector<FeedState> out;
  for (const auto& one : following_) out.push_back(one->state());
  return out;
}

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <set>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"
#include "source/followed_internal.h"
#include "source/found_internal.h"
#include "source/lines.h"

namespace vigie::source {
namespace {

constexpr std::size_t kMost = 10'000;   // files
constexpr std::size_t kMostOpen = 100;  // of them
constexpr std::int64_t kSettled = 10 * kSecond;

}  // namespace

class Tail::Impl {
 public:
  Impl(std::string pattern, std::vector<Position> positions, std::function<bool(std::string_view)> whole,
       std::vector<std::string>& said)
      : pattern_(std::move(pattern)), whole_(std::move(whole)), said_(said) {
    for (auto& at : positions) files_.emplace_back().at = std::move(at);
  }

  void look(std::int64_t now) {
    give_again();
    auto entries = find_files(pattern_, trouble_);
    std::map<Place, const Entry*> here;
    for (const auto& entry : entries) here.emplace(entry.place, &entry);
    std::set<Place> known;
    std::vector<Lost> lost;
    for (auto file = files_.begin(); file != files_.end();) {
      const auto there = here.find(file->place());
      const auto entry = there != here.end() ? std::optional(*there->second) : elsewhere(*file, now);
      if (!entry) {
        lost.push_back({file->at, file->size});
        file = files_.erase(file);
        continue;
      }
      if (!file->still_as_read(*entry)) {
        say("cut off", fmt::format("{}: was cut off or replaced, and is read anew", entry->path));
        lost.push_back({file->at, file->size});
        *file = Followed::begun(*entry);
      }
      file->see(*entry, now);
      known.insert(entry->place);
      ++file;
    }
    std::erase_if(entries, [&](const Entry& entry) { return known.contains(entry.place); });
    for (const auto& one : lost) find_again(one, entries, now);
    take_new(entries, now);
  }

  std::optional<Piece> next(std::int64_t now) {
    give_again();
    while (auto* file = pick(now)) {
      file->served = ++turn_;
      if (!open(*file)) {
        file->drained = true;
      } else if (auto read = file->read(buffer_, whole_, now)) {
        pending_ = {file, std::move(read->end)};
        return std::move(read->piece);
      }
    }
    return {};
  }

  // What was not kept is there still.
  void give_again() {
    if (auto* const again = std::exchange(pending_, {}).file) again->drained = false;
  }

  void keep() {
    if (!pending_.file) return;
    pending_.file->at = std::move(pending_.at);
    pending_ = {};
  }

  std::vector<File> files() const {
    std::vector<File> out;
    for (const auto& file : files_) out.push_back({file.at, file.size, false});
    for (const auto& [path, entry] : held_) {
      Position at;
      at.path = path, at.device = entry.place.first, at.inode = entry.place.second;
      out.push_back({std::move(at), entry.size, true});
    }
    return out;
  }

  std::string trouble() const {
    if (!trouble_.empty()) return trouble_;
    std::string out;
    std::int64_t more = -1;
    for (const auto& file : files_)
      if (!file.trouble.empty() && ++more == 0) out = file.trouble;
    return more > 0 ? fmt::format("{}, and {} more", out, more) : out;
  }

 private:
  struct Lost {
    Position at;
    std::uint64_t size = 0;
  };
  struct Seen {
    Place place;
    std::int64_t changed = 0;
    std::string head;
  };

  void say(const std::string& once, std::string line) {
    if (said_once_.size() < kMost && said_once_.insert(once).second) said_.push_back(std::move(line));
  }

  // A followed file that the path does not name any more.
  std::optional<Entry> elsewhere(Followed& file, std::int64_t now) {
    std::optional<Entry> out;
    bool removed = false;
    if (file.open) {
      out = file.open->entry();
      if (!out) return {};
      out->path = file.at.path;
      removed = out->removed;
      file.rotated(now);
    }
    if (removed) {
      // Who has it open may still write to it.
      const bool done = file.drained && now - file.grown > 60 * kSecond;
      return done ? std::nullopt : out;
    }
    const auto is_it = [&](const Entry& entry) {
      return entry.place == file.place() &&
             (file.open || (file.at.head >= kSure ? file.still_as_read(entry) : named_after(entry.path, file.at.path)));
    };
    if (auto same = entry_at(file.at.path); same && is_it(*same)) return same;
    beside(file.at.path, [&](Entry&& entry) {
      if (!is_it(entry)) return false;
      out = std::move(entry);
      return true;
    });
    return out;
  }

  // Where a file was read to that is cut off or gone is where its copy is to be read from.
  void find_again(const Lost& lost, std::vector<Entry>& entries, std::int64_t now) {
    const auto& at = lost.at;
    const auto is_copy = [&](const Entry& entry) {
      return at.head > 0 && entry.size >= at.offset && (at.head >= kSure || named_after(entry.path, at.path)) &&
             begins_as(head_of(entry.path), at);
    };
    std::optional<Entry> copy;
    if (const auto found = std::find_if(entries.begin(), entries.end(), is_copy); found != entries.end()) {
      copy = *found;
      entries.erase(found);
    } else {
      beside(at.path, [&](Entry&& entry) {
        if (!named_after(entry.path, at.path) || follows(entry.place) || !is_copy(entry)) return false;
        copy = std::move(entry);
        return true;
      });
    }
    if (copy) {
      auto& file = files_.emplace_back();
      file.at = at;
      file.at.path = copy->path, file.at.device = copy->place.first, file.at.inode = copy->place.second;
      file.at.rotated = true;
      file.see(*copy, now);
    } else if (lost.size > at.offset) {
      said_.push_back(fmt::format("{}: is gone, and its last {} bytes were not read", at.path,
                                  with_commas(static_cast<long long>(lost.size - at.offset))));
    }
  }

  bool follows(const Place& place) const {
    return std::any_of(files_.begin(), files_.end(), [&](const auto& file) { return file.place() == place; });
  }

  void take_new(const std::vector<Entry>& entries, std::int64_t now) {
    std::map<std::string, Entry> held;
    std::map<std::string, Seen> seen;
    std::map<std::uint64_t, std::map<std::uint64_t, const Followed*>> heads;  // by how many bytes, and their hash
    if (!entries.empty())
      for (const auto& file : files_)
        if (file.at.head >= kSure) heads[file.at.head].emplace(file.at.hash, &file);
    const auto original_of = [&](const Entry& entry, std::string_view head) -> const Followed* {
      for (const auto& [size, files] : heads)
        if (head.size() >= size)
          if (const auto found = files.find(hash64(head.substr(0, size))); found != files.end())
            if (entry.size <= found->second->size) return found->second;
      return nullptr;
    };
    for (const auto& entry : entries) {
      auto& known = seen[entry.path];
      if (const auto before = seen_.find(entry.path);
          before != seen_.end() && before->second.place == entry.place && before->second.changed == entry.changed)
        known = before->second;
      else
        known = {entry.place, entry.changed, head_of(entry.path)};
      if (is_packed(entry.path, known.head)) {
        say("packed", fmt::format("{}: is packed, and not read, nor are others; what it holds was read before it was "
                                  "packed, or goes by vigie send",
                                  entry.path));
        continue;
      }
      if (const auto* original = original_of(entry, known.head)) {
        held.emplace(entry.path, entry);
        say("held " + entry.path, fmt::format("{}: begins as {} does: it is taken for its copy, and not read again",
                                              entry.path, original->at.path));
        continue;
      }
      if (files_.size() >= kMost) {
        trouble_ = fmt::format("{}: names more than {} files; no more are followed", pattern_, with_commas(kMost));
        break;
      }
      files_.emplace_back(Followed::begun(entry)).see(entry, now);
    }
    held_ = std::move(held), seen_ = std::move(seen);
  }

  Followed* pick(std::int64_t now) {
    Followed* best = nullptr;
    std::tuple<bool, std::int64_t> first;
    for (auto& file : files_) {
      if (file.drained) continue;
      const bool live = !file.at.rotated && now - file.written <= kSettled;
      const std::tuple order{live, live ? static_cast<std::int64_t>(file.served) : file.written};
      if (!best || order < first) best = &file, first = order;
    }
    return best;
  }

  bool open(Followed& file) {
    if (file.open) return true;
    auto opened = OpenFile::open(file.at.path);
    if (!opened) return file.trouble = opened.error().message, false;
    file.trouble.clear();
    // Not the one that was looked at: the next look sees which it is.
    if (const auto entry = opened->entry(); !entry || entry->place != file.place()) return false;
    file.open = std::move(*opened);
    auto many = std::count_if(files_.begin(), files_.end(), [](const auto& other) { return other.open.has_value(); });
    for (auto& other : files_)
      if (many > static_cast<std::ptrdiff_t>(kMostOpen) && &other != &file && other.open && other.drained)
        other.open.reset(), --many;
    return true;
  }

  std::string pattern_;
  std::function<bool(std::string_view)> whole_;
  std::vector<std::string>& said_;
  std::set<std::string> said_once_;
  std::list<Followed> files_;
  std::map<std::string, Entry> held_;
  std::map<std::string, Seen> seen_;  // files that are not followed
  struct {
    Followed* file = nullptr;
    Position at{};
  } pending_;
  std::string buffer_, trouble_;
  std::uint64_t turn_ = 0;
};

Tail::Tail(std::string pattern, std::vector<Position> positions, std::function<bool(std::string_view)> whole)
    : impl_(std::make_unique<Impl>(std::move(pattern), std::move(positions), std::move(whole), said_)) {}
Tail::~Tail() = default;

void Tail::look(std::int64_t now) {
  impl_->look(now);
}
std::optional<Piece> Tail::next(std::int64_t now) {
  return impl_->next(now);
}
void Tail::keep() {
  impl_->keep();
}
std::vector<Lines::File> Tail::files() const {
  return impl_->files();
}
std::string Tail::trouble() const {
  return impl_->trouble();
}

}  // namespace vigie::source

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "source/followed_internal.h"

namespace vigie::source {
namespace {

constexpr std::int64_t kIdle = 300 * kSecond;

// Bytes that are of no line: the rest of one that is too long, and NUL bytes.
std::size_t pass_over(Position& at, std::string_view text) {
  if (!at.inside) return text.front() == '\0' ? std::min(text.find_first_not_of('\0'), text.size()) : 0;
  const auto end = text.find('\n');
  at.inside = end == text.npos;
  at.newlines += !at.inside;
  return at.inside ? text.size() : end + 1;
}

// After it was read at its offset: whether that was of the file that is known. `at` knows more of its head then.
bool grow_head(const OpenFile& file, Position& at, std::string_view text) {
  std::string head(kHead, '\0');
  if (at.offset == 0) {
    head = text.substr(0, kHead);
  } else {
    const auto got = file.read(0, head.data(), head.size());
    head.resize(got ? *got : 0);
    if (!begins_as(head, at)) return false;
  }
  at.head = head.size(), at.hash = hash64(head);
  return true;
}

}  // namespace

Followed Followed::begun(const Entry& entry) {
  Followed file;
  file.at.path = entry.path, file.at.device = entry.place.first, file.at.inode = entry.place.second;
  return file;
}

bool Followed::still_as_read(const Entry& entry) const {
  return entry.size >= at.offset && (entry.changed == changed || entry.removed || begins_as(head_of(entry.path), at));
}

void Followed::rotated(std::int64_t now) {
  if (!std::exchange(at.rotated, true)) grown = now;
}

void Followed::see(const Entry& entry, std::int64_t now) {
  if (changed == 0) grown = std::min(entry.written, now), size = entry.size;
  if (entry.size != size) grown = now;
  if (entry.size != size || entry.changed != changed || !trouble.empty()) {
    drained = tried = false;
  } else if (entry.size > at.offset && !tried && now - grown >= Tail::kQuiet) {
    drained = false, tried = true;
  }
  size = entry.size, changed = entry.changed, written = entry.written;
  if (std::exchange(at.path, entry.path) != entry.path) rotated(now);
  if (open && drained && !entry.removed && now - grown > kIdle) open.reset();
}

std::optional<Followed::Read> Followed::read(std::string& buffer, const std::function<bool(std::string_view)>& whole,
                                             std::int64_t now) {
  const auto nothing = [&] { return drained = true, std::nullopt; };
  buffer.resize(Lines::kPiece);
  while (true) {
    auto end = at;
    const auto got = open->read(end.offset, buffer.data(), buffer.size());
    if (!got) return trouble = got.error().message, nothing();
    trouble.clear();
    if (*got == 0) return nothing();
    const std::string_view text(buffer.data(), *got);
    if (!grow_head(*open, end, text)) return changed = -1, nothing();

    if (const auto passed = pass_over(end, text); passed > 0) {
      end.offset += passed;
      return Read{{end.path, end.newlines + 1, {}, false}, end};
    }
    Piece piece{end.path, end.newlines + 1, {}, false};
    if (const auto last = text.rfind('\n'); last != text.npos) {
      piece.text = text.substr(0, last + 1);
    } else if (text.size() == buffer.size()) {
      if (buffer.size() < Lines::kLongest) {
        buffer.resize(4 * buffer.size());
        continue;
      }
      piece.too_long = end.inside = true;
    } else {
      const bool quiet = now - grown >= Tail::kQuiet;
      if (!quiet || !(end.rotated || whole(text))) return nothing();
      piece.text = text;
    }
    const auto done = piece.too_long ? text.size() : piece.text.size();
    end.offset += done;
    drained = done == *got && *got < buffer.size();
    end.newlines += static_cast<std::uint64_t>(std::count(piece.text.begin(), piece.text.end(), '\n'));
    return Read{std::move(piece), std::move(end)};
  }
}

}  // namespace vigie::source

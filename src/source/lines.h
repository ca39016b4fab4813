// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigie::source {

/// How far a file is read. It is known by its place on the disk and by how it begins, since a place is given again once
/// a file is removed, and since a file may be cut off and written anew.
struct Position {
  std::string path;                        ///< where it was last
  std::uint64_t device = 0, inode = 0;     ///< its place
  std::uint64_t head = 0, hash = 0;        ///< how many of its first bytes are hashed, and hash64() of them
  std::uint64_t offset = 0, newlines = 0;  ///< bytes that are done, and ends of lines among them
  bool inside = false;                     ///< of a line that is too long
  bool rotated = false;                    ///< it has another name than it had, or none: another file goes on for it
  bool operator==(const Position&) const = default;
};

/// Lines to be handed on.
struct Piece {
  std::string path;
  std::uint64_t first_line = 1;
  std::string_view text;  ///< whole ones; nothing of a line that is too long, and where none began
  bool too_long = false;
};

/// Gives lines as they are written, each once they have been kept. One thread at a time.
class Lines {
 public:
  static constexpr std::size_t kPiece = std::size_t{1} << 20;     ///< bytes that are read at a time
  static constexpr std::size_t kLongest = std::size_t{16} << 20;  ///< a longer line is passed over

  struct File {
    Position at;
    std::uint64_t size = 0;
    bool held = false;  ///< taken for a copy of another one, and not read
  };

  virtual ~Lines() = default;
  /// Sees what there is; `now`: µs since 1970, as times of files are. Not between next() and keep().
  virtual void look(std::int64_t now) = 0;
  /// Lines that were not kept yet; nothing where all is read. Valid until the next call of anything.
  virtual std::optional<Piece> next(std::int64_t now) = 0;
  /// What next() gave is done.
  virtual void keep() = 0;
  virtual std::vector<File> files() const = 0;
  /// What keeps it from reading, in one line; empty: nothing.
  virtual std::string trouble() const = 0;
  /// What people should know, each once.
  std::vector<std::string> take_said() { return std::exchange(said_, {}); }

 protected:
  std::vector<std::string> said_;
};

/// Follows the files that a path names, which may have wildcards: those that are there, and those that come. Each is
/// read from its first byte to its end, and on.
///
/// A file that is renamed is read to its end under its new name, one that is removed likewise while it is open; one
/// that is cut off begins anew, and a copy that was made of it before is read on from where it was. A file that begins
/// as another one that is followed, and is not longer, is taken for its copy and waits. Packed files are passed over.
///
/// A line counts once its end is written. The last one of a file to which nobody writes any more for kQuiet counts
/// without, where it is `whole` or the file was rotated. NUL bytes where a line should begin, as a writer leaves them
/// that goes on where a file ended before it was cut off, are passed over.
///
/// Files to which nobody wrote for ten seconds come first, each to its end, the oldest first; the others take turns.
/// At most 10,000 are followed, and 100 kept open. Cost: a look is one stat() a file.
class Tail final : public Lines {
 public:
  static constexpr std::int64_t kQuiet = 5'000'000;
  Tail(std::string pattern, std::vector<Position> positions, std::function<bool(std::string_view)> whole);
  ~Tail() override;
  void look(std::int64_t now) override;
  std::optional<Piece> next(std::int64_t now) override;
  void keep() override;
  std::vector<File> files() const override;
  std::string trouble() const override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// What comes through a pipe, until its writer ends. What was read and not kept is lost with the process. While lines
/// come, next() waits up to 0.2 s for more.
class Pipe final : public Lines {
 public:
  Pipe(int fd, std::string name);
  void look(std::int64_t) override {}
  std::optional<Piece> next(std::int64_t now) override;
  void keep() override;
  std::vector<File> files() const override { return {}; }
  std::string trouble() const override { return trouble_; }

 private:
  bool fill();
  int fd_;
  std::string name_, buffer_, trouble_;
  std::size_t pending_ = 0;
  std::uint64_t newlines_ = 0;
  bool inside_ = false, cut_ = false, ended_ = false, flows_ = false;
};

}  // namespace vigie::source

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "source/found_internal.h"
#include "source/lines.h"

namespace vigie::source {

/// A file that is followed: how far it is read, and its lines from there on.
struct Followed {
  Position at;
  std::optional<OpenFile> open{};
  std::uint64_t size = 0;
  std::int64_t changed = 0, written = 0, grown = 0;  ///< as of the last look; when its size was seen to change
  bool drained = false, tried = false;               ///< nothing more is there; nor a last line without an end
  std::uint64_t served = 0;
  std::string trouble{};

  /// From its first byte on.
  static Followed begun(const Entry& entry);
  Place place() const { return {at.device, at.inode}; }
  /// Whether what is there now begins as what was read, and is not shorter.
  bool still_as_read(const Entry& entry) const;
  void see(const Entry& entry, std::int64_t now);
  void rotated(std::int64_t now);

  struct Read {
    Piece piece;   ///< in the buffer
    Position end;  ///< behind it
  };
  /// The lines behind `at`, which stays where it is; nothing: the file is drained. A last line without its end counts
  /// as Tail says. It must be open; `buffer` is kept from one call to the next.
  std::optional<Read> read(std::string& buffer, const std::function<bool(std::string_view)>& whole, std::int64_t now);
};

}  // namespace vigie::source

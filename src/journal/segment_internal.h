// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "journal/reader.h"

namespace vigie::journal {

/// A segment is a header and blocks:
///     header: "VGJ" version:u8 first:u64 created:i64 check:u64
///     block:  check:u64 stored:u32 raw:u32 count:u32 codec:u8 first:u64 arrived:i64, and `stored` bytes
/// and, behind the last block of the file that is written, room: zeros.
/// check: XXH3-64 of all that follows it in the block, of all before it in the header. raw: bytes once unpacked, where
/// each record is a varint length and its bytes. codec: 0 as they are, 1 zstd.
inline constexpr std::size_t kSegmentHeader = 28;
inline constexpr std::size_t kBlockHeader = 37;
inline constexpr std::uint32_t kMostRaw = 256U << 20;

std::string segment_header(Sequence first, std::int64_t created);
/// Code::kCorrupt where the bytes are none of a segment that begins with `first`.
Status check_segment_header(std::string_view bytes, Sequence first, const std::string& path);

struct BlockHeader {
  std::uint64_t check = 0;
  std::uint32_t stored = 0, raw = 0, count = 0;
  std::uint8_t codec = 0;
  Sequence first = 0;
  std::int64_t arrived = 0;
};

/// Makes a block of kBlockHeader bytes of room and what it is to hold, as it is.
void seal_block(std::string& block, std::uint32_t count, Sequence first, std::int64_t arrived);
/// Appends a block to `out`, packed where that makes it smaller. `scratch` is kept by the caller.
void pack_block(std::string_view raw, std::uint32_t count, Sequence first, std::int64_t arrived, int compression,
                std::string& scratch, std::string& out);
/// The header of the block at `offset`, and its bytes in `stored`. nullopt: the file ends there. Code::kCorrupt: it is
/// torn or altered.
Result<std::optional<BlockHeader>> read_block(const InputFile& file, std::uint64_t offset, std::string& stored);
/// Writes the blocks of a closed segment to a new file beside it, packed, until `stop`; its path. nullopt: stopped, or
/// nothing gets smaller. Code::kCorrupt: a block was altered, and the segment is to stay as it is.
Result<std::optional<std::string>> pack_segment(const std::string& path, std::uint64_t bytes, int compression,
                                                const std::function<bool()>& stop);
/// How such a file's name ends.
inline constexpr std::string_view kPacking = ".packing";
/// Where the next whole block begins in (offset, size) of which the first record is in [from, to); nullopt: there is
/// none. For bytes that were altered; reads the rest of the file.
Result<std::optional<std::uint64_t>> find_block(const InputFile& file, std::uint64_t offset, std::uint64_t size,
                                                Sequence from, Sequence to);
/// The records of a block; they point into `stored` or `raw`.
Status unpack(const BlockHeader& header, std::string_view stored, const std::string& path, std::uint64_t offset,
              std::string& raw, std::vector<std::string_view>& records);

std::string segment_name(Sequence first);  ///< 20 digits and ".vgj"
/// The first record of a segment by its file's name.
std::optional<Sequence> segment_of(std::string_view name);

/// The files of a journal and how far they last: what writer and readers share.
class SegmentList {
 public:
  explicit SegmentList(std::string folder) : folder_(std::move(folder)) {}
  struct Segment {
    std::uint64_t bytes = 0;  ///< that readers may see
    std::int64_t last = 0;    ///< when its last record arrived
    bool packed = false;      ///< the file was put in the place of the one that was written
  };
  std::string path(Sequence first) const { return folder_ + "/" + segment_name(first); }

  mutable std::mutex mutex;
  std::map<Sequence, Segment> segments;  ///< by their first record
  Sequence end = 0;                      ///< behind the last record that readers may see

 private:
  std::string folder_;
};

}  // namespace vigie::journal

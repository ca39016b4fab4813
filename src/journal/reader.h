// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace vigie::journal {

/// Numbers records in the order in which they were accepted, from 0 on.
using Sequence = std::uint64_t;

/// Records that were written together.
struct Block {
  Sequence first = 0;                       ///< of records[0]; the others follow without a gap
  std::int64_t arrived = 0;                 ///< microseconds since 1970
  std::vector<std::string_view> records{};  ///< valid until the reader's next()
};

class SegmentList;

/// Reads a journal from one record on, behind its writer. One thread at a time; any number of readers.
class Reader {
 public:
  Reader(std::shared_ptr<const SegmentList> segments, Sequence from);

  /// The next records; nullptr when all were read that last. Records that were dropped meanwhile are passed over:
  /// position() jumps. Code::kCorrupt, with file and place, where bytes were altered: skip() goes on with the next
  /// whole block.
  Result<const Block*> next();
  Status skip();
  /// The first record that next() has not given yet.
  Sequence position() const { return position_; }

 private:
  std::shared_ptr<const SegmentList> segments_;
  Sequence position_;
  std::optional<InputFile> file_;
  Sequence segment_ = 0;  // the first record of file_
  bool packed_ = false;   // which of a segment's two files it is
  std::uint64_t offset_ = 0;
  std::string stored_, raw_;
  Block block_;
};

}  // namespace vigie::journal

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/file.h"
#include "base/result.h"

namespace vigie::table {

/// The bytes of one text file from its start, uncompressed on the way, as far as it reached when it was opened: what is
/// appended later is not read, so that every pass gives the same. One thread at a time; memory is a fixed buffer
/// whatever the file.
class BytesSource {
 public:
  virtual ~BytesSource() = default;
  /// Up to `size` bytes, fewer only at the end. Errors: the system's, a file that became shorter, and a torn or altered
  /// gzip or zstd stream (Code::kInput, naming the file and the compressed offset).
  virtual Result<std::size_t> read(char* out, std::size_t size) = 0;
  /// Bytes of the file as it lies on disk that have been used.
  virtual std::uint64_t consumed() const = 0;
};

/// Tells plain, gzip (of any number of members) and zstd (of any number of frames, skippable ones too) by the first
/// bytes.
Result<std::unique_ptr<BytesSource>> open_bytes(std::shared_ptr<InputFile> file);

}  // namespace vigie::table

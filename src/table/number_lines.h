// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "table/table.h"

namespace vigie::table {

class BytesSource;

struct NumberLineOptions {
  char decimal = '.';
  bool strict = false;  ///< the first line that is no number is an error
  int stop = -1;        ///< a file descriptor: once it can be read, the numbers end
};

/// Numbers of a text, one a line: from a file, `.gz` and `.zst` too, or as they come from "-" and from pipes, without
/// waiting for their end. Blanks around a number are ignored; the marks of a missing value that CSV has (NA, nan, null
/// …) give NaN. A line that is no number, a blank one included, is left out and counted in problems(). Not safe for use
/// by two threads at once; memory is a fixed buffer.
class NumberLines {
 public:
  static Result<std::unique_ptr<NumberLines>> open(const std::string& data, const NumberLineOptions& options);
  ~NumberLines();
  NumberLines(const NumberLines&) = delete;
  NumberLines& operator=(const NumberLines&) = delete;

  /// Waits for what comes next, and gives the numbers of the lines that it made whole, perhaps none; valid until the
  /// next call. Errors (Code::kInput): nothing at all, NUL bytes, a line longer than a megabyte, a torn compressed
  /// file, no line that is a number.
  Result<std::span<const double>> next();
  bool ended() const { return ended_; }

  const Problems& problems() const { return problems_; }
  bool stopped() const { return stopped_; }  ///< whether `stop` ended it
  std::uint64_t bytes() const;               ///< size of the file; 0 where that is not known
  std::uint64_t consumed() const;

 private:
  NumberLines(std::string name, const NumberLineOptions& options);
  Result<std::size_t> read(char* out, std::size_t size);
  Status fill();
  Status finish();
  Status take(std::size_t end);
  Status slow(const char* begin, const char* end);

  std::string name_;
  NumberLineOptions options_;
  std::shared_ptr<InputFile> file_;
  std::unique_ptr<BytesSource> source_;  ///< of a file; else fd_ is read
  int fd_ = -1;
  bool owned_ = false, ended_ = false, stopped_ = false;
  std::optional<Error> error_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, size_ = 0;
  std::uint64_t offset_ = 0, line_ = 0;
  std::int64_t count_ = 0;
  std::vector<double> numbers_;
  Problems problems_;
};

}  // namespace vigie::table

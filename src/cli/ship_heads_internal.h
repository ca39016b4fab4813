// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_internal.h"
#include "table/record_texts.h"

namespace vigie::cli {

/// Looks at the beginning of all that is to be shipped, so that a column which is asked for and not there is told
/// before anything is sent. A table has columns, and each must have that one. Of NDJSON the first file decides; of
/// others it is said on standard error, as a record may lack what others have.
class ShipHeads {
 public:
  /// `stream`: whether records go into a data stream, which takes none without a time.
  ShipHeads(table::RecordKeys keys, bool stream) : keys_(std::move(keys)), stream_(stream) {}

  /// Code::kUsage: a column that is not there, and a time that is none or lacks; what else is wrong with the data is
  /// for those to tell who read all of it.
  Status look(const std::string& file, const table::RecordData& data);
  /// After the last one: says how much more there was to say, and which columns of --schema no table has.
  Status end(const DataOptions& reading) const;
  /// Whether it was said of it that what was looked at has no time.
  bool told_untimed(const std::string& file) const { return untimed_.contains(file); }

 private:
  Status check(const table::RecordsHead& head, bool first);
  void tell_untimed(const table::RecordsHead& head);
  void tell(const std::string& note);

  table::RecordKeys keys_;
  bool stream_, lines_ = false;
  std::set<std::string> untimed_;
  std::vector<std::string> tables_, columns_;  // columns of all tables
  long long notes_ = 0;
};

}  // namespace vigie::cli

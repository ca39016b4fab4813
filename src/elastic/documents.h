// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/append_file.h"
#include "elastic/cluster.h"
#include "elastic/shipper.h"

namespace vigie::elastic {

/// Records of a model as documents: their own members, and `@timestamp` and `vigie.model.id` besides, where they lack
/// those at their top. NaN and Infinity, which no server takes, go as null. One thread at a time.
class Documents {
 public:
  /// `model` may be empty: then none is said.
  Documents(Place place, std::string model);

  /// The id of the document of a record that has one.
  std::string id_of(std::string_view id) const;
  /// Of one that has none: what it is, and where it stands.
  std::string id_at(std::string_view place, std::uint64_t number, std::string_view json) const;

  /// `json`: one object on one line; `time`: µs since 1970, NaN where there is none. An "@timestamp" of its own gives
  /// way to that where it is null, and with `stamped`, where the time is that of it, where it is a number: the server
  /// would read any as milliseconds. What it points to holds until the next call.
  Document of(std::string id, std::string_view json, double time, bool stamped);

 private:
  Place place_;
  std::string model_, said_, id_, index_, first_, mended_;
};

/// A file of what was rejected, made with the first: a line of JSON each, with where it came from and why.
class Rejects {
 public:
  /// Beyond so many bytes the file grows no more.
  Rejects(std::string path, std::uint64_t most) : path_(std::move(path)), most_(most) {}
  /// `files`: of Rejected::file; what has none there has no name.
  Status add(const std::vector<Shipper::Rejected>& rejected, const std::vector<std::string>& files);
  /// The first three, for people.
  const std::vector<std::string>& first() const { return first_; }
  const std::string& path() const { return path_; }
  bool any() const { return file_.has_value(); }
  /// Some were left out, as the file would have grown beyond what it may.
  bool full() const { return full_; }

 private:
  std::string path_;
  std::uint64_t most_;
  std::optional<AppendFile> file_;
  bool full_ = false;
  std::vector<std::string> first_;
};

}  // namespace vigie::elastic

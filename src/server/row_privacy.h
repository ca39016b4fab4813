// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "engine/profile.h"

namespace vigie::server {

/// What may be kept and shown of the values of a feature, tag or other key of a record.
enum class Privacy : std::uint8_t {
  kShow,
  kMask,  ///< letters become x, digits 9: its form, not what it says; of long texts the length
  kHash,  ///< a keyed hash, the same for the same value: what belongs together is seen, and by whoever has the key
          ///< alone
  kDrop,  ///< not even that it is there
};
std::string_view to_string(Privacy privacy);  ///< "show", "mask", "hash", "drop"
std::span<const std::string_view> all_privacy();
std::optional<Privacy> privacy_of(std::string_view name);

/// Says for one model what of its records may leave them, for what is stored and shown for people to look at. What
/// nobody said anything of: numbers, truths and times are shown, but for numbers that count rows; texts where they are
/// categories that at least kShared rows of the reference have, else masked; lists and objects are dropped.
class RowPrivacy {
 public:
  static constexpr std::int64_t kShared = 5;
  static constexpr std::string_view kHidden = "its values are hidden";  ///< instead of a sentence that has them
  static constexpr std::string_view kDropped = "***";                   ///< instead of a category
  /// Of columns the categories that at least kShared rows of a window have.
  using Shared = std::map<std::string, std::set<std::string, std::less<>>, std::less<>>;
  /// `key`: of hashes.
  RowPrivacy(const engine::Profile& reference, std::map<std::string, Privacy> said, std::string key);

  /// A record as it came, JSON, as far as it may be shown: id, timestamp, version, prediction, scores, features, tags,
  /// latency and status; an empty object of what is none.
  std::string shown(std::string_view record) const;
  /// A sentence on a column: each value that it quotes as category() has it, and those of free texts masked. Of a
  /// column of which hides_amounts() holds what says how far it moved is left. `of_columns`: it may quote names of
  /// columns, which are no values.
  std::string sentence(std::string_view column, std::string reason, const Shared& shared = {},
                       bool of_columns = false) const;
  /// Whether a segment of the reference is called by what somebody said to hide.
  bool names_hidden(std::string_view segment) const { return segments_.contains(segment); }
  /// A category of a column, masked or hashed where it may not be shown.
  std::string category(const std::string& column, const std::string& name, const Shared& shared = {}) const;
  /// Whether values of the column are not to be shown, not even how many rows have which.
  bool hides(std::string_view column) const;
  /// What somebody said of it; nothing: kShow.
  Privacy said(std::string_view column) const;
  bool said_to_hide(std::string_view column) const;
  /// Of all that somebody said, whatever the reference; never 0.
  std::uint64_t said_hash() const;
  /// Nor any number that tells of them: where numbers or times are hidden, and where texts are hashed or dropped.
  bool hides_amounts(std::string_view column) const;

 private:
  struct Known {
    std::string path;  // where records have it
    // truth: true or false; counts: as numbers of rows do
    bool text = false, categorical = false, truth = false, time = false, counts = false, label = false;
    std::map<std::string, std::int64_t> categories;
  };
  // By each of these names people may say something of the same values.
  struct Names {
    std::string path, column, key;  // in a record, in the reference; and the last of the path
  };
  Names of_record(std::string_view group, const std::string& key) const;
  std::optional<Privacy> said_of(const Names& names) const;
  std::optional<Privacy> said_of_column(std::string_view column) const;
  Privacy unsaid(std::string_view column, std::string_view text, bool is_text) const;
  std::string inner_of(std::string_view column, const std::string& quoted, const Shared& shared) const;
  std::map<std::string, Privacy> said_;
  std::map<std::string, Known, std::less<>> known_;            // by column
  std::map<std::string, std::string, std::less<>> column_at_;  // by path
  std::set<std::string, std::less<>> segments_;                // that are called by what is hidden
  std::string key_;
};

/// The key of hashes in a file, made at random where there is none.
Result<std::string> read_or_make_key(const std::string& path);

/// "Ana-41" as "Xxx-99"; of more than 40 characters their number.
std::string masked(std::string_view text);

}  // namespace vigie::server

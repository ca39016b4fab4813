// SPDX-License-Identifier: Apache-2.0
#include "server/row_privacy.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "server/box_columns.h"
#include "server/record_path.h"
#include "table/json_rows.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kNames{"show", "mask", "hash", "drop"};
constexpr std::size_t kLongest = 40;
constexpr std::string_view kOther = "(other)", kCut = "…";              // as sentences have them
constexpr std::string_view kGroups[] = {"scores", "features", "tags"};  // of a record

// That in which a name says that it is, as "features" of "features.age"; empty: none.
std::string_view group_in(std::string_view name) {
  for (const auto group : kGroups)
    if (name.starts_with(group) && name.substr(group.size()).starts_with('.')) return group;
  return {};
}

std::string keyed_hash(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  std::string out = "#";
  for (std::size_t i = 0; i < 8; ++i) out += fmt::format("{:02x}", digest.at(i));
  return out;
}

// "median 44 → 57, moved 0.86 sd (p < 1e-15 corrected); a guess" as "moved 0.86 sd (p < 1e-15 corrected)".
std::string without_numbers(const std::string& reason) {
  for (const std::string_view begin : {"moved ", "detectable, ", "within what healthy", "no change seen"})
    if (const auto at = reason.find(begin); at != std::string_view::npos)
      return reason.substr(at, reason.find("; ", at) - at);
  return std::string(RowPrivacy::kHidden);
}

// What quoted() wrote between its marks, as it was.
std::string unquoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      const auto digits = text.substr(i + 1, 2);
      unsigned byte = 0;
      if (text[i] == 'x' && std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16).ec == std::errc()) {
        out += static_cast<char>(byte), i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(Privacy privacy) {
  return kNames.at(static_cast<std::size_t>(privacy));
}
std::span<const std::string_view> all_privacy() {
  return kNames;
}
std::optional<Privacy> privacy_of(std::string_view name) {
  const auto* at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return {};
  return static_cast<Privacy>(at - kNames.begin());
}

std::string masked(std::string_view text) {
  std::string out;
  std::size_t characters = 0;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;  // goes on with a character of several bytes
    ++characters;
    if (c >= '0' && c <= '9')
      out += '9';
    else if (c >= 'A' && c <= 'Z')
      out += 'X';
    else if ((c >= 'a' && c <= 'z') || byte >= 0x80)
      out += 'x';
    else
      out += c;
  }
  return characters > kLongest ? fmt::format("({} characters)", characters) : out;
}

Result<std::string> read_or_make_key(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return read_file(path);
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return fail(Code::kIo, fmt::format("{}: no random bytes for a key", path));
  std::string key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  VIGIE_TRY(write_file(path, key, false));
  ::chmod(path.c_str(), 0600);
  return key;
}

RowPrivacy::RowPrivacy(const engine::Profile& reference, std::map<std::string, Privacy> said, std::string key)
    : said_(std::move(said)), key_(std::move(key)) {
  for (const auto& column : reference.columns) {
    auto& known = known_[column.name];
    known.path = fmt::format("{}", fmt::join(record_path(reference, column.name), "."));
    column_at_.emplace(known.path, column.name);
    known.text = column.type == engine::ColumnType::kText;
    known.categorical = column.type == engine::ColumnType::kCategorical;
    known.truth = column.type == engine::ColumnType::kBoolean;
    known.label = column.role == engine::Role::kLabel;
    known.time = column.type == engine::ColumnType::kTimestamp;
    known.counts = column.type == engine::ColumnType::kNumeric && column.counts_up();
    if (column.categorical())
      for (const auto& category : column.categories) known.categories[category.name] = category.count;
  }
  for (std::size_t k = 0; k < std::min(reference.segmentations.size(), reference.segments.size()); ++k)
    if (std::ranges::any_of(reference.segmentations[k], [&](const auto& name) { return said_to_hide(name); }))
      segments_.insert(reference.segments[k].begin(), reference.segments[k].end());
}

RowPrivacy::Names RowPrivacy::of_record(std::string_view group, const std::string& key) const {
  Names out{group.empty() ? key : fmt::format("{}.{}", group, key), {}, key};
  const auto column = column_at_.find(out.path);
  out.column = column != column_at_.end() ? column->second : known_.contains(key) ? key : out.path;
  return out;
}

std::optional<Privacy> RowPrivacy::said_of(const Names& names) const {
  for (const auto& name : {names.path, names.column, names.key})
    if (const auto said = said_.find(name); said != said_.end()) return said->second;
  // What is made of the boxes of a record.
  if (made_of_boxes(names.path))
    if (const auto said = said_.find("boxes"); said != said_.end()) return said->second;
  // Of all scores, features or tags.
  const auto group = names.path == "score" ? kGroups[0] : group_in(names.path);
  if (group.empty()) return {};
  for (const auto name : {group, group == kGroups[0] ? std::string_view("score") : group})
    if (const auto said = said_.find(std::string(name)); said != said_.end()) return said->second;
  return {};
}

// Where nobody said anything of its own path, what hides one of the same name in another group counts: rows in an
// index, and scores, may have it there.
std::optional<Privacy> RowPrivacy::said_of_column(std::string_view column) const {
  const auto known = known_.find(column);
  Names names{known != known_.end() ? known->second.path : "", std::string(column), std::string(column)};
  if (const auto group = group_in(column); !group.empty()) names.key = column.substr(group.size() + 1);
  if (auto said = said_of(names)) return said;
  if (const auto said = said_.find("label"); said != said_.end() && known != known_.end() && known->second.label)
    return said->second;
  for (const auto group : kGroups)
    if (const auto said = said_.find(fmt::format("{}.{}", group, names.key));
        said != said_.end() && said->second != Privacy::kShow)
      return said->second;
  return {};
}

Privacy RowPrivacy::unsaid(std::string_view column, std::string_view text, bool is_text) const {
  const auto known = known_.find(column);
  if (!is_text) return known != known_.end() && known->second.counts ? Privacy::kMask : Privacy::kShow;
  if (known == known_.end()) return Privacy::kMask;
  const bool truth = known->second.truth && (text == "true" || text == "false");
  if (truth || (known->second.time && table::parse_time(text))) return Privacy::kShow;
  const auto category = known->second.categories.find(std::string(text));
  return category != known->second.categories.end() && category->second >= kShared ? Privacy::kShow : Privacy::kMask;
}

std::string RowPrivacy::shown(std::string_view record) const {
  const auto in = parse_json(record);
  if (!in.is_object()) return "{}";
  const auto take = [&](Json& out, std::string_view group, const std::string& key, const Json& value) {
    if (value.is_null()) return void(out[key] = nullptr);
    const auto names = of_record(group, key);
    auto privacy = said_of(names);
    if (!privacy && column_at_.contains(names.path)) privacy = said_of_column(names.column);
    // A list may be an embedding, of which a text can be guessed.
    if (!privacy && value.is_structured()) privacy = Privacy::kDrop;
    if (!privacy)
      privacy = value.is_string() && !is_number_name(value.get_ref<const std::string&>())
                    ? unsaid(names.column, value.get_ref<const std::string&>(), true)
                    : unsaid(names.column, "", false);
    switch (*privacy) {
      case Privacy::kShow:
        return void(out[key] = value);
      case Privacy::kMask:
        return void(out[key] = masked(text_of(value)));
      case Privacy::kHash:
        return void(out[key] = keyed_hash(key_, text_of(value)));
      case Privacy::kDrop:
        return;
    }
  };
  Json out = Json::object();
  // By these people find a record in what they have themselves.
  for (const auto* key : {"id", "timestamp", "version", "latency_ms", "status", "trace_id"})
    if (const auto at = in.find(key); at != in.end())
      said_of(of_record("", key)) || at->is_structured() ? take(out, "", key, *at) : void(out[key] = *at);
  for (const auto* key : {"prediction", "score"})
    if (const auto at = in.find(key); at != in.end()) take(out, "", key, *at);
  for (const auto group : kGroups) {
    const auto at = in.find(group);
    if (at == in.end() || !at->is_object()) continue;
    auto& part = out[std::string(group)] = Json::object();
    for (const auto& [key, value] : at->items()) take(part, group, key, value);
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Privacy RowPrivacy::said(std::string_view column) const {
  return said_of_column(column).value_or(Privacy::kShow);
}

std::uint64_t RowPrivacy::said_hash() const {
  std::string all;
  for (const auto& [name, policy] : said_) all.append(name).append(1, '\0').append(to_string(policy)).append(1, '\0');
  return std::max<std::uint64_t>(1, hash64(all));
}

bool RowPrivacy::said_to_hide(std::string_view column) const {
  return said(column) != Privacy::kShow;
}

bool RowPrivacy::hides(std::string_view column) const {
  if (const auto said = said_of_column(column)) return *said != Privacy::kShow;
  const auto known = known_.find(column);
  return known != known_.end() && known->second.counts;
}

bool RowPrivacy::hides_amounts(std::string_view column) const {
  const auto known = known_.find(column);
  if (known == known_.end() || known->second.categorical || !hides(column)) return false;
  return !known->second.text || said_of_column(column) != Privacy::kMask;
}

std::string RowPrivacy::category(const std::string& column, const std::string& name, const Shared& shared) const {
  const auto said = said_of_column(column);
  const auto fresh = shared.find(column);
  const auto known = known_.find(column);
  if (!said && known != known_.end() && known->second.categorical && fresh != shared.end() &&
      fresh->second.contains(name))
    return name;
  switch (said ? *said : unsaid(column, name, true)) {
    case Privacy::kShow:
      return name;
    case Privacy::kMask:
      return masked(name);
    case Privacy::kHash:
      return keyed_hash(key_, name);
    case Privacy::kDrop:
      break;
  }
  return std::string(kDropped);
}

// What quoted() made of a value, as it may be shown.
std::string RowPrivacy::inner_of(std::string_view column, const std::string& quoted, const Shared& shared) const {
  const auto inner = quoted.substr(1, quoted.size() - 2);
  if (inner == kOther) return quoted;
  const auto plain = unquoted(inner);
  const auto known = known_.find(column);
  const auto said = said_of_column(column);
  // Of one that was cut off the beginning is known.
  if (!said && known != known_.end() && known->second.categorical && plain.ends_with(kCut)) {
    const auto begins = [begin = plain.substr(0, plain.size() - kCut.size())](const std::string& name) {
      return name.starts_with(begin);
    };
    const auto often = [&](const auto& category) { return category.second >= kShared && begins(category.first); };
    const auto fresh = shared.find(column);
    if (std::ranges::any_of(known->second.categories, often) ||
        (fresh != shared.end() && std::ranges::any_of(fresh->second, begins)))
      return quoted;
  }
  const auto shown = category(std::string(column), plain, shared);
  if (shown == plain) return quoted;
  return said == Privacy::kHash || shown == kDropped ? shown : vigie::quoted(shown);
}

std::string RowPrivacy::sentence(std::string_view column, std::string reason, const Shared& shared,
                                 bool of_columns) const {
  const auto known = known_.find(column);
  const auto said = said_of_column(column);
  const bool quotes = known != known_.end() && (known->second.text || known->second.categorical);
  if (said ? *said == Privacy::kShow : !quotes && !hides(column)) return reason;
  if (hides_amounts(column)) return without_numbers(reason);
  std::string out;
  for (std::size_t i = 0; i < reason.size();) {
    if (reason[i] != '"') {
      out += reason[i++];
      continue;
    }
    auto end = i + 1;
    while (end < reason.size() && reason[end] != '"') end += 1 + (reason[end] == '\\');
    end = std::min(end, reason.size() - 1);
    const auto quoted = reason.substr(i, end + 1 - i);
    const bool name = of_columns && known_.contains(unquoted(quoted.substr(1, quoted.size() - 2)));
    out += name ? quoted : inner_of(column, quoted, shared);
    i = end + 1;
  }
  return out;
}

}  // namespace vigie::server

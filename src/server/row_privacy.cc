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
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace vigie::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kNames{"show", "mask", "hash", "drop"};
constexpr std::size_t kLongest = 40;

std::string keyed_hash(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), digest.data(), &size);
  std::string out = "#";
  for (std::size_t i = 0; i < 8; ++i) out += fmt::format("{:02x}", digest.at(i));
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
    known.text = column.type == engine::ColumnType::kText;
    known.counts = column.type == engine::ColumnType::kNumeric && column.counts_up();
    if (column.categorical())
      for (const auto& category : column.categories) known.categories[category.name] = category.count;
  }
}

Privacy RowPrivacy::rule(const std::string& name, std::string_view text, bool is_text) const {
  if (const auto said = said_.find(name); said != said_.end()) return said->second;
  const auto known = known_.find(name);
  if (!is_text) return known != known_.end() && known->second.counts ? Privacy::kMask : Privacy::kShow;
  if (known == known_.end()) return Privacy::kMask;
  const auto category = known->second.categories.find(std::string(text));
  return category != known->second.categories.end() && category->second >= kShared ? Privacy::kShow : Privacy::kMask;
}

std::string RowPrivacy::shown(std::string_view record) const {
  const auto in = Json::parse(record, nullptr, false);
  if (!in.is_object()) return "{}";
  const auto take = [&](Json& out, const std::string& key, const std::string& name, const Json& value) {
    if (value.is_null()) return void(out[key] = nullptr);
    const bool nested = value.is_structured();
    auto privacy =
        rule(name, value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : "", value.is_string());
    // A list may be an embedding, of which a text can be guessed.
    if (nested && !said_.contains(name)) privacy = Privacy::kDrop;
    switch (privacy) {
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
      said_.contains(key) || at->is_structured() ? take(out, key, key, *at) : void(out[key] = *at);
  for (const auto* key : {"prediction", "score"})
    if (const auto at = in.find(key); at != in.end()) take(out, key, key, *at);
  for (const auto* group : {"scores", "features", "tags"}) {
    const auto at = in.find(group);
    if (at == in.end() || !at->is_object()) continue;
    auto& part = out[group] = Json::object();
    for (const auto& [key, value] : at->items()) {
      const auto full = fmt::format("{}.{}", group, key);
      take(part, key, said_.contains(full) || (known_.contains(full) && !known_.contains(key)) ? full : key, value);
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool RowPrivacy::hides(std::string_view column) const {
  const auto said = said_.find(std::string(column));
  return said != said_.end() && said->second != Privacy::kShow;
}

std::string RowPrivacy::category(const std::string& column, const std::string& name) const {
  switch (rule(column, name, true)) {
    case Privacy::kShow:
      return name;
    case Privacy::kMask:
      return masked(name);
    case Privacy::kHash:
      return keyed_hash(key_, name);
    case Privacy::kDrop:
      break;
  }
  return "***";
}

std::string RowPrivacy::sentence(std::string_view column, std::string reason) const {
  const auto said = said_.find(std::string(column));
  const auto known = known_.find(column);
  const bool text = known != known_.end() && known->second.text;
  const auto privacy = said != said_.end() ? said->second : text ? Privacy::kMask : Privacy::kShow;
  if (privacy == Privacy::kShow) return reason;
  std::string out;
  for (std::size_t i = 0; i < reason.size();) {
    if (reason[i] != '"') {
      out += reason[i++];
      continue;
    }
    auto end = i + 1;
    while (end < reason.size() && reason[end] != '"') end += 1 + (reason[end] == '\\');
    end = std::min(end, reason.size());
    const auto inner = reason.substr(i + 1, end - i - 1);
    // Names of columns are no values.
    if (known_.contains(inner))
      out += "\"" + inner + "\"";
    else
      out += privacy == Privacy::kHash ? keyed_hash(key_, inner) : privacy == Privacy::kMask ? masked(inner) : "***";
    i = end + 1;
  }
  return out;
}

}  // namespace vigie::server

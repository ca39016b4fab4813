// SPDX-License-Identifier: Apache-2.0
#include "elastic/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/text.h"

namespace vigie::elastic {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
constexpr std::string_view kBlanks = " \t\r\n", kStamp = "\"@timestamp\"", kVigie = "\"vigie\"";

// Which members of these names a record has at its top.
struct Own {
  bool stamp = false, vigie = false;
};

bool may_have(std::string_view json) {
  // Without the quote in front, which is everywhere.
  for (const std::string_view what : {"NaN", "Infinity", "@timestamp\"", "vigie\""})
    if (json.find(what) != json.npos) return true;
  return false;
}

// Looks a record through, and writes it into `mended`, which is empty, where a server would not take it as it is: the
// names of numbers become null, and its own time `when`, unless that is empty, where it is null, or a number and
// `stamped`.
Own look_through(std::string_view json, std::string_view when, bool stamped, std::string& mended) {
  Own own;
  std::size_t copied = 0;
  const auto put = [&](std::size_t begin, std::size_t end, std::string_view text) {
    mended.append(json.substr(copied, begin - copied)).append(text);
    copied = end;
  };
  int depth = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == '"') {
      const auto begin = i;
      while (++i < json.size() && json[i] != '"') i += json[i] == '\\';
      const auto text = json.substr(begin, i + 1 - begin);
      const bool stamp = text == kStamp;
      if (depth != 1 || (!stamp && text != kVigie)) continue;
      const auto colon = json.find_first_not_of(kBlanks, i + 1);
      if (colon == json.npos || json[colon] != ':') continue;  // a value
      (stamp ? own.stamp : own.vigie) = true;
      const auto value = std::min(json.find_first_not_of(kBlanks, colon + 1), json.size() - 1);
      const bool number = json[value] == '-' || (json[value] >= '0' && json[value] <= '9');
      if (!stamp || when.empty() || !(number ? stamped : json[value] == 'n' || json[value] == 'N')) continue;
      put(value, std::min(json.find_first_of(",} \t\r\n", value), json.size()), when);
      i = copied - 1;
    } else if (c == 'N' || c == 'I' || c == '-') {
      const auto name = number_name_at(json, i);
      if (name.empty()) continue;
      put(i, i + name.size(), "null");
      i = copied - 1;
    }
  }
  if (copied > 0) mended += json.substr(copied);
  return own;
}

}  // namespace

Documents::Documents(Place place, std::string model) : place_(std::move(place)), model_(std::move(model)) {
  if (model_.empty()) return;
  said_ = R"("vigie":{"model":{"id":)";
  append_json(said_, model_);
  said_ += "}}";
}

std::string Documents::id_of(std::string_view id) const {
  const std::string_view parts[] = {"ship", model_, "id", id};
  return stable_id(parts);
}

std::string Documents::id_at(std::string_view place, std::uint64_t number, std::string_view json) const {
  const auto line = std::to_string(number);
  const std::string_view parts[] = {"ship", model_, "at", place, line, json};
  return stable_id(parts);
}

Document Documents::of(std::string id, std::string_view json, double time, bool stamped) {
  id_ = std::move(id);
  first_.clear(), mended_.clear();
  const auto when = std::isnan(time) ? "" : '"' + iso_time(time) + '"';
  // Of a key that stands there twice no server takes the document.
  const auto own = may_have(json) ? look_through(json, when, stamped, mended_) : Own{};
  if (!own.stamp && !when.empty()) (first_ += "\"@timestamp\":") += when;
  if (!said_.empty() && !own.vigie) (first_ += first_.empty() ? "" : ",") += said_;
  index_ = place_.index(time);
  return {id_, index_, mended_.empty() ? json : mended_, first_};
}

Status Rejects::add(const std::vector<Shipper::Rejected>& rejected, const std::vector<std::string>& files) {
  for (const auto& r : rejected) {
    if (!file_) {
      VIGIE_ASSIGN(file_, AppendFile::open(path_));
    }
    const auto file = r.file < files.size() ? files[r.file] : std::string();
    auto line = Json{{"file", file},   {"record", r.number}, {"status", r.status},
                     {"type", r.type}, {"reason", r.reason}, {"action", Json::parse(r.action, nullptr, false)}}
                    .dump(-1, ' ', false, kReplace);
    line.back() = ',';
    line += "\"document\":";
    if (nlohmann::json::accept(r.source))
      line += r.source;
    else
      append_json(line, is_utf8(r.source) ? r.source : vigie::quoted(r.source, 1 << 20));
    line += "}\n";
    if (file_->size() + line.size() <= most_)
      VIGIE_TRY(file_->append(line));
    else
      full_ = true;
    if (first_.size() < 3)
      first_.push_back(fmt::format("{}:{}: rejected: {}{}{}", file, r.number, r.type,
                                   r.type.empty() || r.reason.empty() ? "" : ": ", vigie::quoted(r.reason, 200)));
  }
  return {};
}

}  // namespace vigie::elastic

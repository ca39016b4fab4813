// SPDX-License-Identifier: Apache-2.0
#include "elastic/bulk.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace vigie::elastic {
namespace {

constexpr std::string_view kBlock = "cluster_block_exception";

std::string_view text_of(simdjson::dom::element element) {
  std::string_view out;
  return element.get(out) == simdjson::SUCCESS ? out : std::string_view();
}

// The type and reason of {"type": …, "reason": …}, or of a text.
std::pair<std::string, std::string> error_of(simdjson::dom::element error) {
  simdjson::dom::element type, reason;
  std::string_view text;
  if (error.get(text) == simdjson::SUCCESS) return {std::string(), std::string(text)};
  std::pair<std::string, std::string> out;
  if (error["type"].get(type) == simdjson::SUCCESS) out.first = text_of(type);
  if (error["reason"].get(reason) == simdjson::SUCCESS) out.second = text_of(reason);
  return out;
}

std::string joined(const std::pair<std::string, std::string>& error) {
  return error.first + (error.first.empty() || error.second.empty() ? "" : ": ") + error.second;
}

// What is behind an error that says only where it was met, as of a search whose shards all failed, or whose answers
// could not be put together: the first cause, and what that was caused by.
std::string cause_of(simdjson::dom::element error) {
  std::string out;
  for (const char* path : {"/failed_shards/0/reason", "/root_cause/0", "/caused_by"}) {
    simdjson::dom::element cause;
    if (error.at_pointer(path).get(cause) != simdjson::SUCCESS) continue;
    for (int depth = 0; depth < 5; ++depth) {
      auto [type, reason] = error_of(cause);
      reason.resize(std::min(reason.find('\n'), reason.size()));  // what was expected instead may take twenty lines
      if (out.empty())
        out = joined({type, reason});
      else if (out.find(reason) == out.npos)
        out += ": " + reason;
      if (cause["caused_by"].get(cause) != simdjson::SUCCESS) break;
    }
    return out;
  }
  return out;
}

// Whether it is the cluster that takes nothing now, whatever a document is: it is closed, has no room for more shards,
// or is an alias that does not say where.
bool is_closed(std::string_view type, std::string_view reason) {
  return type == "index_closed_exception" || reason.starts_with("no write index is defined for alias") ||
         (type == "validation_exception" && reason.find("shards") != reason.npos);
}

Fate fate_of(std::uint32_t status, std::string_view type, std::string_view reason) {
  if (status == 200 || status == 201) return Fate::kStored;
  if (status == 409) return Fate::kThere;
  if (type == kBlock || is_closed(type, reason) || status == 401 || status == 403) return Fate::kBlocked;
  if (status == 429 || status >= 500) return Fate::kAgain;
  return Fate::kRejected;
}

// A count of items without reading them: each has its id.
std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

Told told_of(simdjson::dom::object item) {
  Told out;
  std::uint64_t status = 0;
  if (item["status"].get(status) == simdjson::SUCCESS) out.status = static_cast<std::uint32_t>(status);
  simdjson::dom::element error, diverted;
  if (item["error"].get(error) == simdjson::SUCCESS) std::tie(out.type, out.reason) = error_of(error);
  out.fate = fate_of(out.status, out.type, out.reason);
  if (item["failure_store"].get(diverted) == simdjson::SUCCESS && text_of(diverted) == "used")
    out.fate = Fate::kDiverted;
  return out;
}

Outcome again(std::string why) {
  return {Whole::kAgain, {}, std::move(why), 0};
}

Outcome items_of(const std::vector<Bulk::Item>& documents, const std::string& body) {
  // The usual answer: all is well, in as many items.
  const auto head = std::string_view(body).substr(0, 64);
  if (head.find("\"errors\":false") != head.npos && body.find("\"used\"") == body.npos) {
    if (const auto count = count_of(body, "\"_id\":"); count != documents.size())
      return again(fmt::format("{} of {} items answered", count, documents.size()));
    return {Whole::kItems, std::vector<Told>(documents.size(), Told{Fate::kStored, 201}), {}, 0};
  }
  simdjson::dom::parser parser;
  simdjson::dom::array items;
  if (parser.parse(body)["items"].get(items) != simdjson::SUCCESS) return again("an answer that is none");
  if (items.size() != documents.size())
    return again(fmt::format("{} of {} items answered", items.size(), documents.size()));
  std::unordered_multimap<std::string_view, std::size_t> places;
  places.reserve(documents.size());
  for (std::size_t i = documents.size(); i-- > 0;) places.emplace(documents[i].id, i);
  Outcome out{Whole::kItems, std::vector<Told>(documents.size()), {}, 0};
  std::size_t position = 0;
  for (simdjson::dom::element one : items) {
    simdjson::dom::object action;
    if (one.get(action) != simdjson::SUCCESS || action.begin() == action.end()) return again("an item that is none");
    simdjson::dom::object item;
    if ((*action.begin()).value.get(item) != simdjson::SUCCESS) return again("an item that is none");
    simdjson::dom::element id;
    const auto name = item["_id"].get(id) == simdjson::SUCCESS ? text_of(id) : std::string_view();
    auto at = position++;
    if (!documents[at].id.empty()) {
      // Of two of one id, the first in the answer is the first that was sent.
      const auto [first, last] = places.equal_range(name);
      if (first == last) return again(fmt::format("an item of an id that was not sent: {}", quoted(name)));
      const auto known =
          std::min_element(first, last, [](const auto& a, const auto& b) { return a.second < b.second; });
      at = known->second;
      places.erase(known);
    }
    out.items[at] = told_of(item);
  }
  return out;
}

}  // namespace

void Bulk::add(const Document& document) {
  auto& item = items_.emplace_back(Item{std::string(document.id), text_.size(), 0, 0, document.file, document.number});
  text_ += R"({"create":{"_index":)";
  append_json(text_, document.index);
  if (!document.id.empty()) {
    text_ += R"(,"_id":)";
    append_json(text_, document.id);
  }
  text_ += "}}\n";
  item.source = text_.size();
  if (!document.first.empty()) {
    (text_ += '{') += document.first;
    const auto rest = document.source.find_first_not_of(" \t\r", 1);
    if (rest != document.source.npos && document.source[rest] != '}') text_ += ',';
    text_ += document.source.substr(1);
  } else {
    text_ += document.source;
  }
  text_ += '\n';
  item.end = text_.size();
}

void Bulk::add(const Bulk& other, std::size_t item) {
  auto& copy = items_.emplace_back(other.items_[item]);
  const auto begin = text_.size();
  text_.append(other.text_, copy.begin, copy.end - copy.begin);
  copy.source += begin - copy.begin, copy.end += begin - copy.begin, copy.begin = begin;
}

std::string_view Bulk::source(std::size_t item) const {
  const auto& at = items_[item];
  return std::string_view(text_).substr(at.source, at.end - at.source - 1);
}

std::string_view Bulk::action(std::size_t item) const {
  const auto& at = items_[item];
  return std::string_view(text_).substr(at.begin, at.source - at.begin - 1);
}

std::string why_of(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element error;
  if (parser.parse(body.data(), body.size())["error"].get(error) == simdjson::SUCCESS) {
    const auto said = error_of(error);
    if (said.first == "search_phase_execution_exception")
      if (auto cause = cause_of(error); !cause.empty()) return cause;
    return joined(said);
  }
  return body.empty() ? "" : quoted(body, 200);
}

Outcome settle(const Bulk& bulk, const Result<http::Answer>& answer) {
  if (!answer) return again(answer.error().message);
  const auto status = answer->status;
  if (status == 200) return items_of(bulk.items(), answer->body);
  const auto said = why_of(answer->body);
  Outcome out{Whole::kRefused,
              {},
              fmt::format("{}{}{}", status, said.empty() ? "" : ": ", said),
              answer->retry_after(),
              status};
  if (status == 401 || (status == 403 && said.find(kBlock) == said.npos))
    out.whole = Whole::kForbidden;
  else if (status == 403 || status == 429 || status == 408 || status >= 500 ||
           said.find("unrecognized parameter") !=
               said.npos)  // of a node that is older than the one that was asked first
    out.whole = Whole::kAgain;
  else if (status == 413 || status == 400)
    out.whole = Whole::kHalve;
  return out;
}

}  // namespace vigie::elastic

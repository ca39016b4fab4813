// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>

#include "table/cell_internal.h"
#include "table/ndjson_block_internal.h"
#include "table/ndjson_record_internal.h"

namespace vigie::table {
namespace {

namespace od = simdjson::ondemand;
using simdjson::error_code;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kDeepest = 100;

// Room behind the letters: the dictionary reads words of eight bytes.
constexpr char kTrue[16] = "true", kFalse[16] = "false";

// From an opening bracket to the one that closes it, of JSON known to be well formed.
std::string_view bracketed(const char* begin) {
  int depth = 0;
  for (const char* p = begin;; ++p) {
    if (*p == '"') {
      p += raw_key(p + 1).size() + 1;
    } else if (*p == '[' || *p == '{') {
      ++depth;
    } else if ((*p == ']' || *p == '}') && --depth == 0) {
      return {begin, static_cast<std::size_t>(p + 1 - begin)};
    }
  }
}

// A copy in which the numbers that JSON lacks, NaN and Infinity as Python writes them, are null and strings; empty when
// there are none.
std::string without_nan(std::string_view record) {
  std::string out;
  bool any = false;
  for (std::size_t i = 0; i < record.size();) {
    auto rest = record.substr(i);
    if (rest[0] == '"') {
      std::size_t n = 1;
      while (n < rest.size() && rest[n] != '"') n += rest[n] == '\\' ? 2 : 1;
      n = std::min(n + 1, rest.size());
      out += rest.substr(0, n);
      i += n;
      continue;
    }
    std::string_view word = rest.starts_with("NaN")         ? "NaN"
                            : rest.starts_with("Infinity")  ? "Infinity"
                            : rest.starts_with("-Infinity") ? "-Infinity"
                                                            : "";
    if (word.empty()) {
      out += rest[0];
      ++i;
    } else {
      any = true;
      (out += '"').append(word) += '"';
      i += word.size();
    }
  }
  if (!any) out.clear();
  return out;
}

const char* reason_of(error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "not UTF-8";
    case simdjson::UNESCAPED_CHARS:
      return "not JSON: a control character in a string";
    case simdjson::UNCLOSED_STRING:
      return "not JSON: a string is never closed";
    case simdjson::STRING_ERROR:
      return "not JSON: a wrong escape in a string";
    case simdjson::NUMBER_ERROR:
      return "not JSON: a wrong number, or one out of range";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return "not JSON: cut off";
    case simdjson::INCORRECT_TYPE:
      return "not an object";
    case simdjson::TRAILING_CONTENT:
      return "not JSON: text after the object";
    case simdjson::DEPTH_ERROR:
      return "nested too deep";
    case simdjson::MEMALLOC:
      return "no memory";
    default:
      return "not JSON";
  }
}

}  // namespace

class JsonRecord::Reader {
 public:
  void start(const JsonPlan& plan) {
    plan_ = &plan;
    rewritten_.clear();
  }

  error_code read(const char* from, std::size_t length, std::size_t capacity) {
    auto error = read_text(from, length, capacity);
    if (!error) return error;
    auto repaired = without_nan({from, length});
    if (repaired.empty()) return error;
    auto size = repaired.size();
    repaired.resize(size + JsonBlock::kPadding, ' ');
    rewritten_.push_back(std::move(repaired));
    return read_text(rewritten_.back().data(), size, size + JsonBlock::kPadding);
  }

  std::vector<JsonCell> cells;
  std::vector<double> numbers;
  std::vector<Found> finds;

 private:
  struct Step {
    std::string_view raw, name;
  };

  error_code read_text(const char* from, std::size_t length, std::size_t capacity) {
    cells.clear();
    numbers.clear();
    finds.clear();
    copies_.clear();
    path_.clear();
    od::document document;
    if (auto error = parser_.iterate(from, length, capacity).get(document)) return error;
    od::object object;
    if (auto error = document.get_object().get(object)) return error;
    // Of a value, as `tru`, the wrong type means that it is none.
    if (auto error = read_object(object, &plan_->tree, 0))
      return error == simdjson::INCORRECT_TYPE ? simdjson::TAPE_ERROR : error;
    // Past the last token there is no location.
    return document.current_location().error() ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
  }

  error_code read_object(od::object& object, const JsonTree* tree, int depth) {
    if (depth > kDeepest) return simdjson::DEPTH_ERROR;
    std::size_t cursor = 0;
    for (auto item : object) {
      od::field field;
      if (auto error = std::move(item).get(field)) return error;
      const char* raw = field.key().raw();
      const auto* child = tree ? tree->find(raw, cursor) : nullptr;
      if (!child && plan_->skip && (!tree || raw_key(raw).find('\\') == std::string_view::npos)) continue;
      od::json_type type;
      if (auto error = field.value().type().get(type)) return error;
      // A key may be written with escapes that nothing asks for, as Python writes every letter beyond ASCII.
      if (!child && tree && plan_->closed && raw_key(raw).find('\\') != std::string_view::npos) {
        std::string_view name;
        if (auto error = field.unescaped_key().get(name)) return error;
        child = tree->find(name);
      }
      if (child && type != od::json_type::object && child->column >= 0) {
        if (auto error = read_value(field.value(), type, child->column, depth)) return error;
        continue;
      }
      if (!child && plan_->closed) {
        if (auto error = skim(field.value(), type, depth)) return error;
        continue;
      }
      path_.push_back({child ? std::string_view(child->key) : raw_key(raw), {}});
      if (std::memchr(path_.back().raw.data(), '\\', path_.back().raw.size())) {
        if (auto error = field.unescaped_key().get(path_.back().name)) return error;
        if (!is_utf8_fast(path_.back().name)) return simdjson::STRING_ERROR;
      } else {
        path_.back().name = path_.back().raw;
      }
      if (type == od::json_type::object) {
        od::object inner;
        if (auto error = field.value().get_object().get(inner)) return error;
        if (auto error = read_object(inner, child ? child->inner.get() : nullptr, depth + 1)) return error;
      } else if (auto error = read_unknown(field.value(), type, depth)) {
        return error;
      }
      path_.pop_back();
    }
    return simdjson::SUCCESS;
  }

  // A key that is not in the tree: perhaps a column all the same, under another spelling or not in the first block.
  error_code read_unknown(od::value value, od::json_type type, int depth) {
    std::string name;
    for (const auto& step : path_) name.append(name.empty() ? "" : ".").append(step.name);
    if (auto it = plan_->by_name.find(name); it != plan_->by_name.end())
      return read_value(value, type, it->second, depth);
    if (auto error = read_value(value, type, -1, depth)) return error;
    if (plan_->discover) {
      Found found;
      found.find.name = std::move(name);
      for (const auto& step : path_) {
        found.find.path.emplace_back(step.raw);
        found.key.append(step.raw) += '"';
      }
      found.find.seen = seen_of(cells.back());
      finds.push_back(std::move(found));
    }
    cells.pop_back();
    return simdjson::SUCCESS;
  }

  error_code read_value(od::value value, od::json_type type, std::int32_t column, int depth) {
    JsonCell& cell = cells.emplace_back(JsonCell{column, JsonCell::Kind::kNull, false, false, kNaN, {}, 0, 0});
    std::string_view token = value.raw_json_token();
    switch (type) {
      case od::json_type::number: {
        cell.kind = JsonCell::Kind::kNumber;
        while (is_blank(token.back())) token.remove_suffix(1);
        cell.text = token;
        // Most numbers are of forms that are read faster than simdjson does; what is left unread it skips.
        std::size_t i = token[0] == '-';
        bool zero_ahead = i + 1 < token.size() && token[i] == '0' && token[i + 1] != '.';
        auto quick = zero_ahead ? cell::Quick::kNo
                                : cell::quick_number(token.data(), token.data() + token.size(), '.', cell.number);
        cell.integer = quick == cell::Quick::kInteger;
        if (quick != cell::Quick::kNo) break;
        if (auto error = value.get_double().get(cell.number)) return error;
        while (i < token.size() && token[i] >= '0' && token[i] <= '9') ++i;
        cell.integer = i == token.size();
        break;
      }
      case od::json_type::string: {
        cell.kind = JsonCell::Kind::kString;
        token = token.substr(1, token.rfind('"') - 1);
        if (std::memchr(token.data(), '\\', token.size())) {
          std::string_view content;
          if (auto error = value.get_string().get(content)) return error;
          // A lone surrogate comes out as bytes that are not UTF-8.
          if (!is_utf8_fast(content)) return simdjson::STRING_ERROR;
          cell.copy = true;
          cell.text = copies_.emplace_back(content);
        } else {
          od::raw_json_string content;
          if (auto error = value.get_raw_json_string().get(content)) return error;
          cell.text = token;
        }
        break;
      }
      case od::json_type::boolean: {
        bool b;
        if (auto error = value.get_bool().get(b)) return error;
        cell.kind = JsonCell::Kind::kBoolean;
        cell.number = b;
        cell.text = b ? std::string_view(kTrue, 4) : std::string_view(kFalse, 5);
        break;
      }
      case od::json_type::null: {
        bool null;
        if (auto error = value.is_null().get(null)) return error;
        if (!null) return simdjson::N_ATOM_ERROR;
        break;
      }
      default: {
        auto at = cells.size() - 1;
        auto first = numbers.size();
        bool list = true;
        if (auto error = read_array(value, list, depth + 1)) return error;
        JsonCell& same = cells[at];
        same.kind = list ? JsonCell::Kind::kList : JsonCell::Kind::kOther;
        const char* begin = token.data();  // the array goes on behind its first token
        same.text = bracketed(begin);
        same.first = first;
        same.count = numbers.size() - first;
      }
    }
    return simdjson::SUCCESS;
  }

  // All of an array is read even when it is only kept as text: what is not JSON must be told.
  error_code read_array(od::value value, bool& list, int depth) {
    if (depth > kDeepest) return simdjson::DEPTH_ERROR;
    od::array array;
    if (auto error = value.get_array().get(array)) return error;
    for (auto item : array) {
      od::value element;
      if (auto error = std::move(item).get(element)) return error;
      od::json_type type;
      if (auto error = element.type().get(type)) return error;
      double number = kNaN;
      switch (type) {
        case od::json_type::number:
          if (auto error = element.get_double().get(number)) return error;
          numbers.push_back(number);
          break;
        case od::json_type::array: {
          bool inner = true;
          list = false;
          if (auto error = read_array(element, inner, depth + 1)) return error;
          break;
        }
        case od::json_type::object: {
          list = false;
          if (auto error = skim(element, type, depth)) return error;
          break;
        }
        default: {
          auto before = cells.size();
          if (auto error = read_value(element, type, -1, depth)) return error;
          auto kind = cells.back().kind;
          bool special = kind == JsonCell::Kind::kString && is_special(cells.back().text, number);
          if (kind == JsonCell::Kind::kNull || special) {
            numbers.push_back(number);
          } else {
            list = false;
          }
          cells.resize(before);
        }
      }
    }
    return simdjson::SUCCESS;
  }

  error_code skim(od::value value, od::json_type type, int depth) {
    if (type != od::json_type::object) {
      // Most are such numbers and strings.
      const auto token = value.raw_json_token();
      if (type == od::json_type::number && plain_number(token)) return simdjson::SUCCESS;
      auto before = cells.size();
      auto error = read_value(value, type, -1, depth);
      cells.resize(before);
      return error;
    }
    if (depth > kDeepest) return simdjson::DEPTH_ERROR;
    od::object object;
    if (auto error = value.get_object().get(object)) return error;
    for (auto item : object) {
      od::field field;
      if (auto error = std::move(item).get(field)) return error;
      od::json_type inner;
      if (auto error = field.value().type().get(inner)) return error;
      if (auto error = skim(field.value(), inner, depth + 1)) return error;
    }
    return simdjson::SUCCESS;
  }

  // Digits, and perhaps a sign before them and a dot in them: few enough to be in range.
  static bool plain_number(std::string_view token) {
    std::size_t i = token[0] == '-';
    const auto digits = [&] {
      const auto from = i;
      while (i < token.size() && token[i] >= '0' && token[i] <= '9') ++i;
      return i - from;
    };
    const bool zero = i < token.size() && token[i] == '0';
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (i < token.size() && token[i] == '.') {
      ++i;
      if (digits() == 0) return false;
    }
    while (i < token.size() && is_blank(token[i])) ++i;
    return i == token.size() && i < 100;
  }

  const JsonPlan* plan_ = nullptr;
  od::parser parser_;
  std::deque<std::string> copies_, rewritten_;
  std::vector<Step> path_;
};

JsonRecord::JsonRecord() : reader_(std::make_unique<Reader>()) {}
JsonRecord::~JsonRecord() = default;

void JsonRecord::start(const JsonPlan& plan) {
  reader_->start(plan);
}

const char* JsonRecord::read(const char* from, std::size_t length, std::size_t capacity) {
  auto error = reader_->read(from, length, capacity);
  return error ? reason_of(error) : nullptr;
}

const std::vector<JsonCell>& JsonRecord::cells() const {
  return reader_->cells;
}

const std::vector<double>& JsonRecord::numbers() const {
  return reader_->numbers;
}

std::vector<JsonRecord::Found>& JsonRecord::finds() {
  return reader_->finds;
}

}  // namespace vigie::table

// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>

#include "table/cell_internal.h"
#include "table/ndjson_block_internal.h"

namespace vigie::table {
namespace {

namespace od = simdjson::ondemand;
using simdjson::error_code;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kDeepest = 100;

// Room behind the letters: the dictionary reads words of eight bytes.
constexpr char kTrue[16] = "true", kFalse[16] = "false";

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The raw key that begins at `raw`: up to the quote that no backslash hides.
std::string_view raw_key(const char* raw) {
  const char* p = raw;
  while (*p != '"') p += *p == '\\' ? 2 : 1;
  return {raw, static_cast<std::size_t>(p - raw)};
}

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

std::string reason_of(error_code error) {
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

void JsonTree::insert(const std::vector<std::string>& path, std::int32_t column) {
  JsonTree* at = this;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto it = at->index_.find(path[i]);
    if (it == at->index_.end()) {
      at->children_.push_back(std::make_unique<Child>());
      at->children_.back()->key = path[i];
      it = at->index_.emplace(at->children_.back()->key, at->children_.size() - 1).first;
    }
    Child& child = *at->children_[it->second];
    if (i + 1 == path.size()) {
      child.column = column;
    } else {
      if (!child.inner) child.inner = std::make_unique<JsonTree>();
      at = child.inner.get();
    }
  }
}

const JsonTree::Child* JsonTree::find(const char* raw, std::size_t& cursor) const {
  // Optional keys are left out by some rows: a few are looked over.
  for (auto i = cursor, stop = std::min(cursor + 3, children_.size()); i < stop; ++i) {
    const auto& key = children_[i]->key;
    if (raw[key.size()] == '"' && std::memcmp(raw, key.data(), key.size()) == 0) {
      cursor = i + 1;
      return children_[i].get();
    }
  }
  auto it = index_.find(raw_key(raw));
  if (it == index_.end()) return nullptr;
  cursor = it->second + 1;
  return children_[it->second].get();
}

class JsonBlock::Decoder {
 public:
  explicit Decoder(JsonBlock& block) : block_(block) {}

  void start(const JsonPlan& plan) {
    plan_ = &plan;
    rewritten_.clear();
    found_.clear();
    lists_.clear();
    for (std::size_t j = 0; j < plan.columns.size(); ++j)
      if (plan.columns[j].type == Type::kList) lists_.push_back({j, nullptr});
  }

  // Decodes one record as row `row`; an error leaves no trace of it.
  error_code record(std::size_t begin, std::size_t end, std::size_t row) {
    const char* from = block_.text.data() + begin;
    auto error = read(from, end - begin, block_.text.size() - begin);
    if (error) {
      auto repaired = without_nan({from, end - begin});
      if (repaired.empty()) return error;
      auto length = repaired.size();
      repaired.resize(length + kPadding, ' ');
      rewritten_.push_back(std::move(repaired));
      if ((error = read(rewritten_.back().data(), length, length + kPadding))) return error;
    }
    commit(row);
    return simdjson::SUCCESS;
  }

 private:
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kList, kOther };
  struct Cell {
    std::int32_t column;
    Kind kind;
    bool copy;     // the text does not outlive the record
    bool integer;  // of a number
    double number;
    std::string_view text;     // content of a string, else as it stands
    std::size_t first, count;  // of a list, in numbers_
  };
  struct Found {
    JsonFind find;
    std::string key;
  };

  error_code read(const char* from, std::size_t length, std::size_t capacity) {
    cells_.clear();
    numbers_.clear();
    finds_.clear();
    copies_.clear();
    path_.clear();
    od::document document;
    if (auto error = parser_.iterate(from, length, capacity).get(document)) return error;
    od::object object;
    if (auto error = document.get_object().get(object)) return error;
    if (auto error = read_object(object, &plan_->tree, 0)) return error;
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
      od::json_type type;
      if (auto error = field.value().type().get(type)) return error;
      if (child && type != od::json_type::object && child->column >= 0) {
        if (auto error = read_value(field.value(), type, child->column, depth)) return error;
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
      found.find.seen = seen_of(cells_.back());
      finds_.push_back(std::move(found));
    }
    cells_.pop_back();
    return simdjson::SUCCESS;
  }

  error_code read_value(od::value value, od::json_type type, std::int32_t column, int depth) {
    Cell& cell = cells_.emplace_back(Cell{column, Kind::kNull, false, false, kNaN, {}, 0, 0});
    std::string_view token = value.raw_json_token();
    switch (type) {
      case od::json_type::number: {
        cell.kind = Kind::kNumber;
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
        cell.kind = Kind::kString;
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
        cell.kind = Kind::kBoolean;
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
        auto at = cells_.size() - 1;
        auto first = numbers_.size();
        bool list = true;
        if (auto error = read_array(value, list, depth + 1)) return error;
        Cell& same = cells_[at];
        same.kind = list ? Kind::kList : Kind::kOther;
        const char* begin = token.data();  // the array goes on behind its first token
        same.text = bracketed(begin);
        same.first = first;
        same.count = numbers_.size() - first;
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
          numbers_.push_back(number);
          break;
        case od::json_type::array: {
          bool inner = true;
          list = false;
          if (auto error = read_array(element, inner, depth + 1)) return error;
          break;
        }
        case od::json_type::object: {
          list = false;
          od::object object;
          if (auto error = element.get_object().get(object)) return error;
          for (auto field : object) {
            od::field f;
            if (auto error = std::move(field).get(f)) return error;
            od::json_type inner;
            if (auto error = f.value().type().get(inner)) return error;
            if (auto error = skim(f.value(), inner, depth + 1)) return error;
          }
          break;
        }
        default: {
          auto before = cells_.size();
          if (auto error = read_value(element, type, -1, depth)) return error;
          auto kind = cells_.back().kind;
          bool special = kind == Kind::kString && is_special(cells_.back().text, number);
          if (kind == Kind::kNull || special) {
            numbers_.push_back(number);
          } else {
            list = false;
          }
          cells_.resize(before);
        }
      }
    }
    return simdjson::SUCCESS;
  }

  error_code skim(od::value value, od::json_type type, int depth) {
    if (type != od::json_type::object) {
      auto before = cells_.size();
      auto error = read_value(value, type, -1, depth);
      cells_.resize(before);
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

  // The numbers that JSON writes as strings.
  static bool is_special(std::string_view text, double& number) {
    number = text == "Infinity" ? kInfinity : text == "-Infinity" ? -kInfinity : kNaN;
    return number == number || text == "NaN";
  }

  static Seen seen_of(const Cell& cell) {
    double number;
    switch (cell.kind) {
      case Kind::kNull:
        return 0;
      case Kind::kBoolean:
        return kSawBoolean;
      case Kind::kNumber:
        return cell.integer ? kSawInteger : kSawFloat;
      case Kind::kList:
        return kSawList;
      case Kind::kOther:
        return kSawString;
      case Kind::kString:
        break;
    }
    if (cell.text.empty() || cell.text == "NaN") return 0;
    if (is_special(cell.text, number)) return kSawFloat;
    return parse_timestamp(cell.text) ? kSawTimestamp : kSawString;
  }

  void commit(std::size_t row) {
    for (auto& list : lists_) list.second = nullptr;
    for (const auto& cell : cells_) put(cell, row);
    for (auto [j, cell] : lists_) {
      auto& out = block_.columns_[j];
      if (cell) {
        auto from = numbers_.begin() + static_cast<std::ptrdiff_t>(cell->first);
        out.values.insert(out.values.end(), from, from + static_cast<std::ptrdiff_t>(cell->count));
      }
      out.offsets.push_back(static_cast<std::int64_t>(out.values.size()));
      out.missing.push_back(cell == nullptr);
    }
    for (auto& found : finds_) {
      auto [it, fresh] = found_.emplace(std::move(found.key), block_.finds.size());
      if (fresh) {
        block_.finds.push_back(std::move(found.find));
      } else {
        block_.finds[it->second].seen |= found.find.seen;
      }
    }
  }

  void put(const Cell& cell, std::size_t row) {
    auto j = static_cast<std::size_t>(cell.column);
    auto& out = block_.columns_[j];
    const auto [type, fixed] = plan_->columns[j];
    if (cell.kind == Kind::kNull || type == Type::kSkip) return;
    switch (type) {
      case Type::kString:
        if (cell.text.empty()) return;
        out.codes[row] = cell.copy ? out.strings.code_of_copy(std::string(cell.text)) : out.strings.code(cell.text);
        return;
      case Type::kList:
        if (cell.kind == Kind::kList) {
          out.seen |= kSawList;
          for (auto& list : lists_)
            if (list.first == j) list.second = &cell;
          return;
        }
        break;
      case Type::kBoolean:
        if (cell.kind == Kind::kBoolean ||
            (fixed && cell.kind == Kind::kNumber && (cell.number == 0 || cell.number == 1))) {
          out.numbers[row] = cell.number;
          out.seen |= kSawBoolean;
          return;
        }
        break;
      case Type::kTimestamp:
        if (cell.kind == Kind::kString) {
          if (auto moment = parse_timestamp(cell.text)) {
            out.numbers[row] = *moment;
            out.seen |= kSawTimestamp;
            return;
          }
        } else if (fixed && cell.kind == Kind::kNumber) {
          if (auto moment = parse_epoch(cell.number)) {
            out.numbers[row] = *moment;
            return;
          }
        }
        break;
      default: {
        double number;
        bool integer;
        if (cell.kind == Kind::kNumber) {
          out.numbers[row] = cell.number;
          out.seen |= cell.integer ? kSawInteger : kSawFloat;
          return;
        }
        if (cell.kind == Kind::kString &&
            (is_special(cell.text, number) || (fixed && parse_number(cell.text, '.', number, integer)))) {
          out.numbers[row] = number;
          if (number == number) out.seen |= kSawFloat;
          return;
        }
      }
    }
    if (cell.kind == Kind::kString && (cell.text.empty() || cell.text == "NaN")) return;
    if (out.first.size() < 3) block_.misfit_texts_[{row, j}] = cell.text.substr(0, 200);
    out.misfit(row, seen_of(cell));
  }

  struct Step {
    std::string_view raw, name;
  };

  JsonBlock& block_;
  const JsonPlan* plan_ = nullptr;
  od::parser parser_;
  std::vector<Cell> cells_;
  std::vector<double> numbers_;
  std::vector<Found> finds_;
  std::deque<std::string> copies_, rewritten_;
  std::vector<Step> path_;
  std::unordered_map<std::string, std::size_t> found_;
  std::vector<std::pair<std::size_t, const Cell*>> lists_;
};

JsonBlock::JsonBlock() : decoder_(std::make_unique<Decoder>(*this)) {}
JsonBlock::~JsonBlock() = default;

std::uint64_t JsonBlock::split_lines() {
  spans.clear();
  const char* base = text.data();
  const char* end = base + size;
  auto line = first_line;
  for (const char* p = base; p < end; ++line) {
    auto newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (!newline) newline = end;
    const char* start = p;
    const char* stop = newline;
    while (start < stop && is_blank(*start)) ++start;
    while (start < stop && is_blank(stop[-1])) --stop;
    if (start < stop)
      spans.push_back({static_cast<std::uint32_t>(start - base), static_cast<std::uint32_t>(stop - base), line});
    p = newline + 1;
  }
  return line - first_line;
}

void JsonBlock::reject(const Record& record, std::string reason) {
  ++rejected;
  if (first_rejected.size() < 3) first_rejected.push_back({record.line, record.begin, std::move(reason)});
}

void JsonBlock::decode(const JsonPlan& plan) {
  rejected = 0;
  first_rejected.clear();
  finds.clear();
  misfit_texts_.clear();
  rows_ = 0;
  records_.resize(spans.size());
  columns_.resize(plan.columns.size());
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    auto& column = columns_[j];
    column.reset(plan.columns[j].type, spans.size());
    std::fill(column.numbers.begin(), column.numbers.end(), kNaN);
    std::fill(column.codes.begin(), column.codes.end(), -1);
  }
  decoder_->start(plan);
  for (const auto& record : spans) {
    if (auto error = decoder_->record(record.begin, record.end, rows_)) {
      reject(record, reason_of(error));
    } else {
      records_[rows_++] = record;
    }
  }
  if (!strays.empty()) {
    rejected += stray_count;
    first_rejected.insert(first_rejected.end(), strays.begin(), strays.end());
    std::sort(first_rejected.begin(), first_rejected.end(),
              [](const Reject& a, const Reject& b) { return a.at < b.at; });
    if (first_rejected.size() > 3) first_rejected.resize(3);
  }
}

std::string JsonBlock::cell_text(std::size_t row, std::size_t column) const {
  auto it = misfit_texts_.find({row, column});
  return it == misfit_texts_.end() ? "" : it->second;
}

}  // namespace vigie::table

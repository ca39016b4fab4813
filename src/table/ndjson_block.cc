// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>

#include "table/cell_internal.h"
#include "table/ndjson_block_internal.h"
#include "table/ndjson_record_internal.h"

namespace vigie::table {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

bool is_special(std::string_view text, double& number) {
  number = text == "Infinity" ? kInfinity : text == "-Infinity" ? -kInfinity : kNaN;
  return number == number || text == "NaN";
}

Seen seen_of(const JsonCell& cell) {
  double number;
  switch (cell.kind) {
    case JsonCell::Kind::kNull:
      return 0;
    case JsonCell::Kind::kBoolean:
      return kSawBoolean;
    case JsonCell::Kind::kNumber:
      return cell.integer ? kSawInteger : kSawFloat;
    case JsonCell::Kind::kList:
      return kSawList;
    case JsonCell::Kind::kOther:
      return kSawString;
    case JsonCell::Kind::kString:
      break;
  }
  if (cell.text.empty() || cell.text == "NaN") return 0;
  if (is_special(cell.text, number)) return kSawFloat;
  return parse_timestamp(cell.text) ? kSawTimestamp : kSawString;
}

class JsonBlock::Decoder {
 public:
  explicit Decoder(JsonBlock& block) : block_(block) {}

  void start(const JsonPlan& plan) {
    plan_ = &plan;
    record_.start(plan);
    found_.clear();
    lists_.clear();
    for (std::size_t j = 0; j < plan.columns.size(); ++j)
      if (plan.columns[j].type == Type::kList) lists_.push_back({j, nullptr});
  }

  // Decodes one record as row `row`; gives what is wrong with it, which then leaves no trace.
  const char* record(std::size_t begin, std::size_t end, std::size_t row) {
    const char* wrong = record_.read(block_.text.data() + begin, end - begin, block_.text.size() - begin);
    if (!wrong) commit(row);
    return wrong;
  }

 private:
  using Kind = JsonCell::Kind;

  void commit(std::size_t row) {
    for (auto& list : lists_) list.second = nullptr;
    for (const auto& cell : record_.cells()) put(cell, row);
    for (auto [j, cell] : lists_) {
      auto& out = block_.columns_[j];
      if (cell) {
        auto from = record_.numbers().begin() + static_cast<std::ptrdiff_t>(cell->first);
        out.values.insert(out.values.end(), from, from + static_cast<std::ptrdiff_t>(cell->count));
      }
      out.offsets.push_back(static_cast<std::int64_t>(out.values.size()));
      out.missing.push_back(cell == nullptr);
    }
    for (auto& found : record_.finds()) {
      auto [it, fresh] = found_.emplace(std::move(found.key), block_.finds.size());
      if (fresh) {
        block_.finds.push_back(std::move(found.find));
      } else {
        block_.finds[it->second].seen |= found.find.seen;
      }
    }
  }

  void put(const JsonCell& cell, std::size_t row) {
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

  JsonBlock& block_;
  const JsonPlan* plan_ = nullptr;
  JsonRecord record_;
  std::unordered_map<std::string, std::size_t> found_;
  std::vector<std::pair<std::size_t, const JsonCell*>> lists_;
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

std::size_t JsonBlock::split_array(std::size_t bytes, bool last, bool& closed) {
  spans.clear();
  strays.clear();
  stray_count = 0;
  const char* base = text.data();
  const char* end = base + bytes;
  const char* counted = base;
  auto line = first_line;
  auto line_at = [&](const char* p) {
    line += static_cast<std::uint64_t>(std::count(counted, p, '\n'));
    counted = p;
    return line;
  };
  const char* p = base;
  const char* done = nullptr;
  while (true) {
    while (p < end && (is_blank(*p) || (*p == ',' && !closed))) ++p;
    done = p;
    if (p == end) break;
    if (*p == ']' && !closed) {
      closed = true;
      ++p;
      continue;
    }
    const char* begin = p;
    int depth = 0;
    bool object = *p == '{' && !closed;
    // An object up to its brace; anything else up to the next comma or bracket outside.
    for (; p < end; ++p) {
      if (*p == '"') {
        do {
          p = static_cast<const char*>(std::memchr(p + 1, '"', static_cast<std::size_t>(end - p - 1)));
          if (!p) break;
          auto back = p;
          while (back[-1] == '\\') --back;
          if ((p - back) % 2 == 0) break;
        } while (true);
        if (!p) p = end - 1;
        continue;
      }
      if (*p == '{' || *p == '[') ++depth;
      if (*p == '}' || *p == ']') {
        if (depth == 0) break;
        if (--depth == 0 && object) {
          ++p;
          break;
        }
      }
      if (depth == 0 && !object && (*p == ',' || *p == '\n') && !closed) break;
    }
    if (p == begin) ++p;
    if (p >= end && !(last && closed) && !(object && depth == 0)) break;
    if (object) {
      spans.push_back({static_cast<std::uint32_t>(begin - base), static_cast<std::uint32_t>(p - base), line_at(begin)});
    } else {
      ++stray_count;
      if (strays.size() < most_told)
        strays.push_back({line_at(begin), static_cast<std::size_t>(begin - base),
                          closed ? "text after the end of the array" : "not an object"});
    }
  }
  return static_cast<std::size_t>(done - base);
}

void JsonBlock::reject(const Record& record, std::string reason) {
  ++rejected;
  if (first_rejected.size() < most_told) first_rejected.push_back({record.line, record.begin, std::move(reason)});
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
    if (const char* wrong = decoder_->record(record.begin, record.end, rows_)) {
      reject(record, wrong);
    } else {
      records_[rows_++] = record;
    }
  }
  if (!strays.empty()) {
    rejected += stray_count;
    first_rejected.insert(first_rejected.end(), strays.begin(), strays.end());
    std::sort(first_rejected.begin(), first_rejected.end(),
              [](const Reject& a, const Reject& b) { return a.at < b.at; });
    if (first_rejected.size() > most_told) first_rejected.resize(most_told);
  }
}

std::string JsonBlock::cell_text(std::size_t row, std::size_t column) const {
  auto it = misfit_texts_.find({row, column});
  return it == misfit_texts_.end() ? "" : it->second;
}

}  // namespace vigie::table

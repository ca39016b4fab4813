// SPDX-License-Identifier: Apache-2.0
#include "quality/rules.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "quality/judge_internal.h"

namespace vigie::quality {
namespace {

using Want = Expectation::Kind;
using Order = Expectation::Order;

constexpr std::size_t kNowhere = ~std::size_t{0};

std::string_view sign(Order order) {
  constexpr std::string_view kSigns[] = {"<", "<=", "==", "!=", ">=", ">"};
  return kSigns[static_cast<std::size_t>(order)];
}

bool is_number(Kind kind) {
  return kind == Kind::kNumber || kind == Kind::kTime;
}

std::string_view check_name(Want kind) {
  constexpr std::string_view kNames[] = {"not_null", "range", "set", "regex", "unique", "monotone", "relation"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

struct RuleStates::Rule {
  Expectation want;
  std::size_t at = kNowhere, other = kNowhere;
  Kind kind = Kind::kUnknown;
  std::string listed;      // `want.texts` as they were given; there they are in order
  std::string impossible;  // why the data cannot be judged; empty: they can
  std::unique_ptr<RE2> regex;
  std::int64_t rows = 0, broken = 0, first = std::numeric_limits<std::int64_t>::max();
  std::string example;
  Repeats repeats;
  RowOrder row_order;
  std::int64_t base = 0;  // of the rows at hand
  std::span<const std::int64_t> numbers_of_rows;

  void breaks(std::int64_t row, auto&& text) {
    ++broken;
    if (!numbers_of_rows.empty()) row = numbers_of_rows[static_cast<std::size_t>(row - base)];
    if (row >= first) return;
    first = row;
    example = text();
  }

  bool keeps(std::string_view text) const {
    if (want.kind == Want::kSet) return std::binary_search(want.texts.begin(), want.texts.end(), text);
    return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex);
  }

  void numbers(std::int64_t row, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double v = values[i];
      if (std::isnan(v)) continue;
      ++rows;
      const bool good = want.kind == Want::kRange ? v >= want.low && v <= want.high
                                                  : std::binary_search(want.numbers.begin(), want.numbers.end(), v);
      if (!good) breaks(row + static_cast<std::int64_t>(i), [v] { return human(v, 6); });
    }
  }

  void texts(std::int64_t row, const Values& values) {
    std::vector<std::int8_t> good(values.dictionary.size(), -1);  // −1: not looked at
    for (std::size_t i = 0; i < values.codes.size(); ++i) {
      if (values.codes[i] < 0) continue;
      const auto code = static_cast<std::size_t>(values.codes[i]);
      ++rows;
      if (good[code] < 0) good[code] = keeps(values.dictionary[code]);
      if (!good[code]) breaks(row + static_cast<std::int64_t>(i), [&] { return quoted(values.dictionary[code]); });
    }
  }

  void not_null(std::int64_t row, std::size_t n, const Values& values) {
    rows += static_cast<std::int64_t>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const bool none = is_number(kind)         ? std::isnan(values.numbers[i])
                        : kind == Kind::kString ? values.codes[i] < 0
                                                : !values.missing.empty() && values.missing[i];
      if (none) breaks(row + static_cast<std::int64_t>(i), [] { return std::string("no value"); });
    }
  }

  void unique(const Values& values) {
    std::vector<std::uint64_t> hashes;
    if (is_number(kind)) {
      for (const double v : values.numbers)
        if (!std::isnan(v)) hashes.push_back(hash64(v));
    } else {
      for (const std::int32_t code : values.codes)
        if (code >= 0) hashes.push_back(hash64(values.dictionary[static_cast<std::size_t>(code)]));
    }
    repeats.update(hashes);
  }

  void relation(std::int64_t row, std::size_t n, const Values& a, const Values& b) {
    for (std::size_t i = 0; i < n; ++i) {
      if (is_number(kind)) {
        const double x = a.numbers[i], y = b.numbers[i];
        if (std::isnan(x) || std::isnan(y)) continue;
        ++rows;
        if (!holds(x, want.order, y))
          breaks(row + static_cast<std::int64_t>(i), [&] { return human(x, 6) + " and " + human(y, 6); });
      } else {
        if (a.codes[i] < 0 || b.codes[i] < 0) continue;
        const std::string_view x = a.dictionary[static_cast<std::size_t>(a.codes[i])],
                               y = b.dictionary[static_cast<std::size_t>(b.codes[i])];
        ++rows;
        if (!holds(x, want.order, y))
          breaks(row + static_cast<std::int64_t>(i), [&] { return quoted(x) + " and " + quoted(y); });
      }
    }
  }

  std::string expected() const {
    switch (want.kind) {
      case Want::kNotNull:
        return "a value";
      case Want::kRange:
        return std::isinf(want.low)    ? "at most " + human(want.high, 6)
               : std::isinf(want.high) ? "at least " + human(want.low, 6)
                                       : human(want.low, 6) + " to " + human(want.high, 6);
      case Want::kSet:
        return "one of " + listed;
      case Want::kRegex:
        return "matching " + quoted(want.texts.at(0));
      case Want::kUnique:
        return "no value twice";
      case Want::kMonotone:
        return fmt::format("each value {} the next", sign(want.order));
      case Want::kRelation:
        return fmt::format("{} {} {}", want.column, sign(want.order), want.other);
    }
    return {};
  }
};

RuleStates::RuleStates() = default;
RuleStates::RuleStates(RuleStates&&) noexcept = default;
RuleStates& RuleStates::operator=(RuleStates&&) noexcept = default;
RuleStates::~RuleStates() = default;

Result<RuleStates> RuleStates::make(std::vector<Expectation> rules, std::span<const ColumnSpec> columns,
                                    const std::string& path) {
  RuleStates states;
  std::vector<std::string> names;
  for (const ColumnSpec& spec : columns) names.push_back(spec.name);
  const auto find = [&](const std::string& name, Rule& rule) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) rule.impossible = unknown_name("column", name, names);
    return at == names.end() ? kNowhere : static_cast<std::size_t>(at - names.begin());
  };
  for (Expectation& want : rules) {
    auto rule = std::make_unique<Rule>();
    rule->listed = quality::listed(want.texts);
    rule->want = std::move(want);
    std::sort(rule->want.texts.begin(), rule->want.texts.end());
    std::sort(rule->want.numbers.begin(), rule->want.numbers.end());
    const Expectation& e = rule->want;
    rule->row_order = RowOrder(e.order);
    if (e.kind == Want::kRegex) {
      RE2::Options options(RE2::Quiet);
      options.set_dot_nl(true);
      rule->regex = std::make_unique<RE2>(e.texts.at(0), options);
      if (!rule->regex->ok())
        return fail(Code::kUsage, fmt::format("{}:{}: columns.{}.regex: {} is not a regular expression: {}", path,
                                              e.line, e.column, quoted(e.texts[0]), rule->regex->error()));
    }
    rule->at = find(e.column, *rule);
    if (rule->at != kNowhere) {
      rule->kind = columns[rule->at].kind;
      const Kind kind = rule->kind;
      const bool number = is_number(kind), text = kind == Kind::kString;
      const bool fits = kind == Kind::kUnknown || e.kind == Want::kNotNull ||
                        (e.kind == Want::kSet && (text || kind == Kind::kNumber)) || (e.kind == Want::kRegex && text) ||
                        (e.kind == Want::kUnique && (number || text)) ||
                        ((e.kind == Want::kRange || e.kind == Want::kMonotone) && number) ||
                        (e.kind == Want::kRelation && (number || text));
      if (!fits)
        rule->impossible = fmt::format("cannot be judged: the column holds {}s{}", to_string(kind),
                                       e.kind == Want::kRegex ? "; a schema file can make it text" : "");
    }
    if (e.kind == Want::kRelation && rule->impossible.empty()) {
      rule->other = find(e.other, *rule);
      if (rule->other != kNowhere && columns[rule->other].kind != rule->kind &&
          !(is_number(columns[rule->other].kind) && is_number(rule->kind)))
        rule->impossible = fmt::format("cannot be judged: one column holds {}s, the other {}s", to_string(rule->kind),
                                       to_string(columns[rule->other].kind));
    }
    states.rules_.push_back(std::move(rule));
  }
  return states;
}

void RuleStates::update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns,
                        std::span<const std::int64_t> numbers) {
  for (const auto& rule : rules_) {
    rule->base = first_row;
    rule->numbers_of_rows = numbers;
    if (!rule->impossible.empty() || rule->kind == Kind::kUnknown) continue;
    const Values& values = columns[rule->at];
    switch (rule->want.kind) {
      case Want::kNotNull:
        rule->not_null(first_row, rows, values);
        break;
      case Want::kRange:
      case Want::kSet:
      case Want::kRegex:
        rule->kind == Kind::kString ? rule->texts(first_row, values) : rule->numbers(first_row, values.numbers);
        break;
      case Want::kUnique:
        rule->unique(values);
        break;
      case Want::kMonotone:
        rule->row_order.update(first_row, values.numbers);
        break;
      case Want::kRelation:
        rule->relation(first_row, rows, values, columns[rule->other]);
    }
  }
}

void RuleStates::merge(const RuleStates& other) {
  for (std::size_t i = 0; i < rules_.size() && i < other.rules_.size(); ++i) {
    Rule& rule = *rules_[i];
    const Rule& more = *other.rules_[i];
    rule.rows += more.rows;
    rule.broken += more.broken;
    if (more.first < rule.first) rule.first = more.first, rule.example = more.example;
    rule.repeats.merge(more.repeats);
    rule.row_order.merge(more.row_order);
  }
}

std::vector<Finding> RuleStates::findings() const {
  std::vector<Finding> out;
  for (const auto& held : rules_) {
    const Rule& rule = *held;
    Finding& finding = out.emplace_back();
    const Expectation& want = rule.want;
    const Verdict bad = want.warn ? Verdict::kWarn : Verdict::kFail;
    finding.check = check_name(want.kind);
    finding.column = want.kind == Want::kRelation ? rule.expected() : want.column;
    finding.expected = rule.expected();
    if (want.at_most > 0) finding.expected += fmt::format(", but for {} of the rows", percent(want.at_most));
    if (!rule.impossible.empty()) {
      finding.verdict = bad;
      finding.reason = rule.impossible;
      continue;
    }
    const bool unique = want.kind == Want::kUnique, order = want.kind == Want::kMonotone;
    const std::int64_t rows = unique ? rule.repeats.followed() : order ? rule.row_order.pairs() : rule.rows;
    const std::int64_t broken = unique ? rule.repeats.repeated() : order ? rule.row_order.broken() : rule.broken;
    if (rows == 0) {
      finding.reason = "no rows with a value";
      continue;
    }
    finding.value = static_cast<double>(broken) / static_cast<double>(rows);
    finding.verdict = finding.value > want.at_most ? bad : Verdict::kPass;
    finding.reason = broken == 0 ? fmt::format("all of {}", plural(rows, "row"))
                                 : fmt::format("{} of {} break it", with_commas(broken), plural(rows, "row"));
    if (broken && !unique && !order) finding.reason += fmt::format(", row {} first: {}", rule.first + 1, rule.example);
  }
  return out;
}

}  // namespace vigie::quality

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

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNowhere = ~std::size_t{0};
constexpr std::int64_t kNoRow = std::numeric_limits<std::int64_t>::max(), kMost = std::int64_t{1} << 60;
constexpr std::string_view kNames[] = {"not_null", "range", "set", "regex", "unique", "monotone", "relation"};

std::string_view sign(Order order) {
  constexpr std::string_view kSigns[] = {"<", "<=", "==", "!=", ">=", ">"};
  return kSigns[static_cast<std::size_t>(order)];
}

bool is_number(Kind kind) {
  return kind == Kind::kNumber || kind == Kind::kTime;
}

std::string_view check_name(Want kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

struct RuleStates::Rule {
  Expectation want;
  std::size_t at = kNowhere, other = kNowhere;
  Kind kind = Kind::kUnknown;
  std::string listed;      // `want.texts` as they were given; there they are in order
  std::string impossible;  // why the data cannot be judged; empty: they can
  std::shared_ptr<const RE2> regex;
  std::int64_t rows = 0, broken = 0, first = kNoRow;
  std::string example;
  Repeats repeats;
  RowOrder row_order;
  std::int64_t base = 0;  // of the rows at hand
  std::span<const std::int64_t> numbers_of_rows;

  void find(std::span<const ColumnSpec> columns);
  bool compile();
  void merge(const Rule& more);
  void save(ByteWriter& out) const;
  bool load(ByteReader& in);

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

std::span<const std::string_view> rule_names() {
  return kNames;
}

RuleStates::RuleStates() = default;
RuleStates::RuleStates(RuleStates&&) noexcept = default;
RuleStates& RuleStates::operator=(RuleStates&&) noexcept = default;
RuleStates::~RuleStates() = default;

RuleStates RuleStates::copy() const {
  RuleStates out;
  for (const auto& rule : rules_) out.rules_.push_back(std::make_unique<Rule>(*rule));
  out.next_ = next_;
  return out;
}

// Where the columns of a rule are, and as what, or why it cannot be judged there.
void RuleStates::Rule::find(std::span<const ColumnSpec> columns) {
  std::vector<std::string> names;
  for (const ColumnSpec& spec : columns) names.push_back(spec.name);
  const auto place = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) impossible = unknown_name("column", name, names);
    return found == names.end() ? kNowhere : static_cast<std::size_t>(found - names.begin());
  };
  at = place(want.column);
  if (at != kNowhere) {
    kind = columns[at].kind;
    const bool number = is_number(kind), text = kind == Kind::kString;
    const bool fits = kind == Kind::kUnknown || want.kind == Want::kNotNull ||
                      (want.kind == Want::kSet && (text || kind == Kind::kNumber)) ||
                      (want.kind == Want::kRegex && text) || (want.kind == Want::kUnique && (number || text)) ||
                      ((want.kind == Want::kRange || want.kind == Want::kMonotone) && number) ||
                      (want.kind == Want::kRelation && (number || text));
    if (!fits)
      impossible = fmt::format("cannot be judged: the column holds {}s{}", to_string(kind),
                               want.kind == Want::kRegex ? "; a schema file can make it text" : "");
  }
  if (want.kind == Want::kRelation && impossible.empty()) {
    other = place(want.other);
    if (other != kNowhere && columns[other].kind != kind && !(is_number(columns[other].kind) && is_number(kind)))
      impossible = fmt::format("cannot be judged: one column holds {}s, the other {}s", to_string(kind),
                               to_string(columns[other].kind));
  }
}

bool RuleStates::Rule::compile() {
  if (want.kind != Want::kRegex) return true;
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);
  regex = std::make_shared<const RE2>(want.texts.at(0), options);
  return regex->ok();
}

Result<RuleStates> RuleStates::make(std::vector<Expectation> rules, std::span<const ColumnSpec> columns,
                                    const std::string& path) {
  RuleStates states;
  for (Expectation& want : rules) {
    auto rule = std::make_unique<Rule>();
    rule->listed = quality::listed(want.texts);
    rule->want = std::move(want);
    std::sort(rule->want.texts.begin(), rule->want.texts.end());
    std::sort(rule->want.numbers.begin(), rule->want.numbers.end());
    const Expectation& e = rule->want;
    rule->row_order = RowOrder(e.order);
    if (!rule->compile())
      return fail(Code::kUsage, fmt::format("{}columns.{}.regex: {} is not a regular expression: {}",
                                            e.line > 0 ? fmt::format("{}:{}: ", path, e.line) : path + ".", e.column,
                                            quoted(e.texts[0]), rule->regex->error()));
    rule->find(columns);
    states.rules_.push_back(std::move(rule));
  }
  return states;
}

bool RuleStates::reads(std::size_t column) const {
  return std::any_of(rules_.begin(), rules_.end(), [column](const auto& rule) {
    return rule->impossible.empty() && (rule->at == column || rule->other == column);
  });
}

std::vector<std::string> RuleStates::unfit() const {
  std::vector<std::string> out;
  for (const auto& rule : rules_) {
    const Expectation& e = rule->want;
    if (rule->impossible.empty()) continue;
    out.push_back(e.kind == Want::kRelation
                      ? fmt::format("relations: {}: {}", rule->expected(), rule->impossible)
                      : fmt::format("columns.{}.{}: {}", e.column, check_name(e.kind), rule->impossible));
  }
  return out;
}

void RuleStates::update(std::int64_t first_row, std::size_t rows, std::span<const Values> columns,
                        std::span<const std::int64_t> numbers) {
  next_ = std::max(next_, first_row + static_cast<std::int64_t>(rows));
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

void RuleStates::Rule::merge(const Rule& more) {
  rows += more.rows;
  broken += more.broken;
  if (more.first < first) first = more.first, example = more.example;
  repeats.merge(more.repeats);
  row_order.merge(more.row_order);
}

void RuleStates::merge(const RuleStates& other) {
  next_ = std::max(next_, other.next_);
  for (std::size_t i = 0; i < rules_.size() && i < other.rules_.size(); ++i) rules_[i]->merge(*other.rules_[i]);
}

void RuleStates::join(const RuleStates& other) {
  const auto own = rules_.size();
  std::vector<bool> taken(own);
  const auto behind = next_ + 1;  // rows whose numbers do not meet are in no order
  for (const auto& theirs : other.rules_) {
    auto more = std::make_unique<Rule>(*theirs);
    more->row_order.shift(behind);
    std::size_t i = 0;
    while (i < own && (taken[i] || rules_[i]->want != more->want)) ++i;
    if (i == own) {
      rules_.push_back(std::move(more));
    } else {
      rules_[i]->merge(*more);
      taken[i] = true;
    }
  }
  next_ = behind + other.next_;
}

std::size_t RuleStates::size_bytes() const {
  std::size_t bytes = sizeof *this;
  constexpr std::size_t kHash = 24;  // of one that is held
  for (const auto& rule : rules_)
    bytes += sizeof(Rule) + kHash * static_cast<std::size_t>(rule->repeats.followed() - rule->repeats.repeated());
  return bytes;
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

void RuleStates::Rule::save(ByteWriter& out) const {
  out.fixed(static_cast<std::uint8_t>(want.kind));
  out.fixed(static_cast<std::uint8_t>(want.order));
  out.fixed(std::uint8_t{want.warn});
  for (const double number : {want.low, want.high, want.at_most}) out.fixed(number);
  out.string(want.column);
  out.string(want.other);
  out.varint(want.texts.size());
  for (const auto& text : want.texts) out.string(text);
  out.array(std::span<const double>(want.numbers));
  out.string(listed);
  for (const auto count : {rows, broken, first}) out.fixed(count);
  out.string(example);
  if (want.kind == Want::kUnique) repeats.save(out);
  if (want.kind != Want::kMonotone) return;
  ByteWriter seen;
  row_order.save(seen);
  out.string(seen.bytes());
}

// False: not what save() gave.
bool RuleStates::Rule::load(ByteReader& in) {
  const auto named = in.fixed<std::uint8_t>(), sign_of = in.fixed<std::uint8_t>(), warns = in.fixed<std::uint8_t>();
  if (named > static_cast<std::uint8_t>(Want::kRelation) || sign_of > static_cast<std::uint8_t>(Order::kGreater) ||
      warns > 1)
    return false;
  want.kind = static_cast<Want>(named), want.order = static_cast<Order>(sign_of), want.warn = warns != 0;
  for (double* number : {&want.low, &want.high, &want.at_most}) *number = in.fixed<double>();
  want.column = in.string(), want.other = in.string();
  for (auto texts = in.count(1); texts > 0 && in.ok(); --texts) want.texts.emplace_back(in.string());
  in.array(want.numbers);
  listed = in.string();
  for (auto* count : {&rows, &broken, &first}) *count = in.fixed<std::int64_t>();
  example = in.string();
  row_order = RowOrder(want.order);
  if (!in.ok() || !(want.low <= want.high) || !(want.at_most >= 0 && want.at_most <= 1) || broken < 0 ||
      rows < broken || rows > kMost || (broken == 0) != (first == kNoRow) || first < 0)
    return false;
  if (!std::is_sorted(want.texts.begin(), want.texts.end()) ||
      !std::is_sorted(want.numbers.begin(), want.numbers.end()) ||
      !std::all_of(want.numbers.begin(), want.numbers.end(), [](double number) { return std::isfinite(number); }))
    return false;
  if (want.kind == Want::kRegex && (want.texts.size() != 1 || !compile())) return false;
  if (want.kind == Want::kUnique) {
    auto read = Repeats::load(in);
    if (!read) return false;
    repeats = std::move(*read);
  }
  if (want.kind == Want::kMonotone) {
    const auto bytes = in.string();
    ByteReader seen(bytes);
    auto read = RowOrder::load(seen);
    if (!read || seen.remaining() > 0 || static_cast<std::uint8_t>(bytes[0]) != sign_of) return false;
    row_order = std::move(*read);
  }
  return true;
}

void RuleStates::save(ByteWriter& out) const {
  out.fixed(kVersion);
  out.fixed(next_);
  out.varint(rules_.size());
  for (const auto& rule : rules_) rule->save(out);
}

Result<RuleStates> RuleStates::load(ByteReader& in, std::span<const ColumnSpec> columns) {
  constexpr std::size_t kLeast = 3 + 3 * sizeof(double) + 3 * sizeof(std::int64_t);  // bytes of a rule
  RuleStates states;
  bool good = in.fixed<std::uint8_t>() == kVersion;
  states.next_ = in.fixed<std::int64_t>();
  good = good && states.next_ >= 0 && states.next_ <= kMost;
  for (auto rules = in.count(kLeast); good && rules > 0; --rules) {
    auto& rule = states.rules_.emplace_back(std::make_unique<Rule>());
    good = rule->load(in);
    rule->find(columns);
  }
  if (good && in.ok()) return states;
  in.fail();
  return fail(Code::kCorrupt, "rules: not a saved state");
}

}  // namespace vigie::quality

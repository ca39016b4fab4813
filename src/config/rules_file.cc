// SPDX-License-Identifier: Apache-2.0
#include "config/rules_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "config/yaml_internal.h"

namespace vigie::config {
namespace {

using Kind = Expectation::Kind;
using Order = Expectation::Order;

constexpr std::size_t kRules = 7;  // of the keys: what is demanded, and not how
const std::vector<std::string> kColumnKeys = {"not_null", "missing_at_most", "range",   "set",     "regex",
                                              "unique",   "monotone",        "at_most", "severity"};
const std::vector<std::string> kRelationKeys = {"rule", "at_most", "severity"};
const std::vector<std::string> kMonotone = {"strictly_increasing", "increasing", "decreasing", "strictly_decreasing"};
constexpr Order kMonotoneOrders[] = {Order::kLess, Order::kLessEqual, Order::kGreaterEqual, Order::kGreater};
const std::vector<std::string> kSeverities = {"warn", "fail"};
// Longer signs first, as they are looked for in this order.
constexpr std::pair<std::string_view, Order> kOrders[] = {{"<=", Order::kLessEqual}, {">=", Order::kGreaterEqual},
                                                          {"==", Order::kEqual},     {"!=", Order::kNotEqual},
                                                          {"<", Order::kLess},       {">", Order::kGreater}};

// A whole text as a number; locale has no say.
std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

class Parser {
 public:
  /// `lines`: messages say which.
  Parser(const std::string& path, bool lines) : path_(path), lines_(lines) {}

  Result<std::vector<Expectation>> parse(const std::string& text) {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap())
      return fail(Code::kUsage, fmt::format("{}: expected {} with the keys \"columns\" and \"relations\"", path_,
                                            lines_ ? "a map" : "a JSON object"));
    VIGIE_TRY(once(root));
    for (const auto& item : root) {
      const std::string key = name(item.first);
      if (key == "columns") {
        VIGIE_TRY(columns(item.second));
      } else if (key == "relations") {
        VIGIE_TRY(relations(item.second));
      } else {
        return wrong(item.first, unknown_name("key", key, std::vector<std::string>{"columns", "relations"}));
      }
    }
    if (!lines_)
      for (Expectation& rule : rules_) rule.line = 0;
    return std::move(rules_);
  }

 private:
  Error wrong(const YAML::Node& node, std::string_view what) const {
    if (!lines_) {
      const bool named = what.starts_with("columns") || what.starts_with("relations");
      return fail(Code::kUsage, fmt::format("{}{}{}", path_, named ? "." : ": ", what));
    }
    return fail(Code::kUsage, fmt::format("{}:{}: {}", path_, line_of(node), what));
  }
  static std::string name(const YAML::Node& node) { return text_of(node); }

  Status once(const YAML::Node& map) const { return check_once(map, path_); }

  Status columns(const YAML::Node& node) {
    if (!node.IsMap()) return wrong(node, "columns: expected lines of the form NAME: {RULE: …}");
    VIGIE_TRY(once(node));
    for (const auto& item : node) {
      if (!item.first.IsScalar() || !item.second.IsMap())
        return wrong(item.first, fmt::format("columns: expected NAME: {{RULE: …}}, with a rule of {}",
                                             fmt::join(kColumnKeys, ", ")));
      VIGIE_TRY(column(item.first.Scalar(), item.second));
    }
    return {};
  }

  Status column(const std::string& column, const YAML::Node& node) {
    const std::size_t first = rules_.size();
    double at_most = 0;
    bool warn = false, any = false;
    std::vector<std::size_t> own;  // rules whose at_most is not the column's
    VIGIE_TRY(once(node));
    for (const auto& item : node) {
      const std::string key = name(item.first), place = fmt::format("columns.{}.{}", column, key);
      Expectation rule;
      rule.column = column;
      rule.line = line_of(item.first);
      if (key == "at_most") {
        VIGIE_ASSIGN(at_most, share(item.second, place));
        continue;
      }
      if (key == "severity") {
        VIGIE_ASSIGN(warn, severity(item.second, place));
        continue;
      }
      any = true;
      if (key == "not_null" || key == "unique") {
        rule.kind = key == "unique" ? Kind::kUnique : Kind::kNotNull;
        const std::string value = name(item.second);
        if (value == "false") continue;
        if (value != "true") return wrong(item.second, place + ": expected true or false");
      } else if (key == "missing_at_most") {
        VIGIE_ASSIGN(rule.at_most, share(item.second, place));
        own.push_back(rules_.size());
      } else if (key == "range") {
        VIGIE_TRY(range(item.second, place, rule));
      } else if (key == "set") {
        VIGIE_TRY(set(item.second, place, rule));
      } else if (key == "regex") {
        rule.kind = Kind::kRegex;
        if (!item.second.IsScalar() || item.second.Scalar().empty())
          return wrong(item.second, place + ": expected an expression in quotes");
        rule.texts = {item.second.Scalar()};
      } else if (key == "monotone") {
        rule.kind = Kind::kMonotone;
        const auto at = std::find(kMonotone.begin(), kMonotone.end(), name(item.second));
        if (at == kMonotone.end())
          return wrong(item.second,
                       fmt::format("{}: {} ({})", place, unknown_name("order", name(item.second), kMonotone),
                                   fmt::join(kMonotone, ", ")));
        rule.order = kMonotoneOrders[at - kMonotone.begin()];
      } else {
        return wrong(item.first, fmt::format("columns.{}: {} ({})", column, unknown_name("key", key, kColumnKeys),
                                             fmt::join(kColumnKeys, ", ")));
      }
      rules_.push_back(std::move(rule));
    }
    if (!any)
      return wrong(node, fmt::format("columns.{}: no rule in it, of {}", column,
                                     fmt::join(kColumnKeys.begin(), kColumnKeys.begin() + kRules, ", ")));
    if (!own.empty() && std::count_if(rules_.begin() + static_cast<std::ptrdiff_t>(first), rules_.end(),
                                      [](const Expectation& rule) { return rule.kind == Kind::kNotNull; }) > 1)
      return wrong(node, fmt::format("columns.{}: not_null and missing_at_most contradict each other", column));
    for (std::size_t i = first; i < rules_.size(); ++i) {
      rules_[i].warn = warn;
      if (std::find(own.begin(), own.end(), i) == own.end()) rules_[i].at_most = at_most;
    }
    return {};
  }

  Result<double> share(const YAML::Node& node, const std::string& place) const {
    const auto value = number(name(node));
    if (!value || *value < 0 || *value > 1) return wrong(node, place + ": expected 0..1, got " + quoted(name(node)));
    return *value;
  }

  Result<bool> severity(const YAML::Node& node, const std::string& place) const {
    const std::string value = name(node);
    if (value != "warn" && value != "fail")
      return wrong(node, fmt::format("{}: {} ({})", place, unknown_name("severity", value, kSeverities),
                                     fmt::join(kSeverities, ", ")));
    return value == "warn";
  }

  Status range(const YAML::Node& node, const std::string& place, Expectation& rule) const {
    rule.kind = Kind::kRange;
    if (!node.IsSequence() || node.size() != 2) return wrong(node, place + ": expected [LOW, HIGH], null for none");
    for (std::size_t i = 0; i < 2; ++i) {
      if (node[i].IsNull()) continue;
      const auto value = number(name(node[i]));
      if (!value) return wrong(node[i], place + ": expected a number or null, got " + quoted(name(node[i])));
      (i ? rule.high : rule.low) = *value;
    }
    if (rule.low > rule.high) return wrong(node, place + ": the low end is above the high one");
    return {};
  }

  Status set(const YAML::Node& node, const std::string& place, Expectation& rule) const {
    rule.kind = Kind::kSet;
    if (!node.IsSequence() || node.size() == 0) return wrong(node, place + ": expected a list of values");
    for (const auto& item : node) {
      if (!item.IsScalar()) return wrong(item, place + ": expected texts or numbers");
      const std::string& text = rule.texts.emplace_back(item.Scalar());
      if (const auto value = number(text)) rule.numbers.push_back(*value);
      if (text == "true" || text == "false") rule.numbers.push_back(text == "true");
    }
    return {};
  }

  Status relations(const YAML::Node& node) {
    if (!node.IsSequence()) return wrong(node, "relations: expected a list of lines like \"- a <= b\"");
    for (const auto& item : node) {
      Expectation rule;
      rule.kind = Kind::kRelation;
      rule.line = line_of(item);
      if (item.IsScalar()) {
        VIGIE_TRY(relation(item, rule));
      } else if (item.IsMap()) {
        VIGIE_TRY(once(item));
        for (const auto& part : item) {
          const std::string key = name(part.first);
          if (key == "rule") {
            VIGIE_TRY(relation(part.second, rule));
          } else if (key == "at_most") {
            VIGIE_ASSIGN(rule.at_most, share(part.second, "relations.at_most"));
          } else if (key == "severity") {
            VIGIE_ASSIGN(rule.warn, severity(part.second, "relations.severity"));
          } else {
            return wrong(part.first, fmt::format("relations: {} ({})", unknown_name("key", key, kRelationKeys),
                                                 fmt::join(kRelationKeys, ", ")));
          }
        }
        if (rule.column.empty()) return wrong(item, "relations: the key \"rule\" is missing");
      } else {
        return wrong(item, "relations: expected a line like \"- a <= b\"");
      }
      rules_.push_back(std::move(rule));
    }
    return {};
  }

  Status relation(const YAML::Node& node, Expectation& rule) const {
    const std::string text = name(node);
    std::string_view rest = text;
    const auto operand = [&rest](std::string& out) {
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      const bool ticked = rest.starts_with('`');
      if (ticked) rest.remove_prefix(1);
      const std::size_t end = std::min(ticked ? rest.find('`') : rest.find_first_of(" <>=!"), rest.size());
      out = rest.substr(0, end);
      rest.remove_prefix(std::min(end + ticked, rest.size()));
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    };
    operand(rule.column);
    const auto at =
        std::find_if(std::begin(kOrders), std::end(kOrders), [&](const auto& o) { return rest.starts_with(o.first); });
    if (at != std::end(kOrders)) {
      rule.order = at->second;
      rest.remove_prefix(at->first.size());
      operand(rule.other);
    }
    if (rule.column.empty() || rule.other.empty() || !rest.empty())
      return wrong(node,
                   fmt::format("relations: expected \"a <= b\", with one of < <= == != >= >, got {}", quoted(text)));
    return {};
  }

  const std::string& path_;
  bool lines_;
  std::vector<Expectation> rules_;
};

std::string ticked(const std::string& name) {
  return name.find_first_of(" <>=!`") == std::string::npos ? name : "`" + name + "`";
}

}  // namespace

Result<std::vector<Expectation>> parse_rules(std::string_view text, const std::string& path) {
  try {
    return Parser(path, true).parse(std::string(text));
  } catch (const YAML::Exception& e) {
    return fail(Code::kUsage, fmt::format("{}:{}: {}", path, std::max(e.mark.line, 0) + 1, e.msg));
  }
}

Result<std::vector<Expectation>> parse_rules_at(std::string_view json, const std::string& key) {
  // JSON is YAML, but for names of more than a thousand characters.
  try {
    return Parser(key, false).parse(std::string(json));
  } catch (const YAML::Exception& e) {
    return fail(Code::kUsage, fmt::format("{}: {}", key, e.msg));
  }
}

Result<std::vector<Expectation>> load_rules_file(const std::string& path) {
  VIGIE_ASSIGN(const auto text, read_file(path, 1 << 24));
  return parse_rules(text, path);
}

std::string write_rules(std::span<const Expectation> rules, std::string_view comment) {
  YAML::Emitter out;
  out << YAML::Comment(std::string(comment)) << YAML::BeginMap << YAML::Key << "columns" << YAML::Value
      << YAML::BeginMap;
  std::vector<std::string> done;
  bool relations = false;
  for (const Expectation& first : rules) {
    relations = relations || first.kind == Kind::kRelation;
    if (first.kind == Kind::kRelation || std::find(done.begin(), done.end(), first.column) != done.end()) continue;
    done.push_back(first.column);
    double at_most = 0;
    for (const Expectation& rule : rules)
      if (rule.column == first.column && rule.kind != Kind::kNotNull && rule.kind != Kind::kRelation)
        at_most = rule.at_most;
    out << YAML::Key << YAML::DoubleQuoted << first.column << YAML::Value << YAML::Flow << YAML::BeginMap;
    for (const Expectation& rule : rules) {
      if (rule.column != first.column) continue;
      const auto bound = [&out](double x) { std::isinf(x) ? out << YAML::Null : out << fmt::format("{}", x); };
      switch (rule.kind) {
        case Kind::kNotNull:
          if (rule.at_most != at_most)
            out << YAML::Key << "missing_at_most" << YAML::Value << fmt::format("{}", rule.at_most);
          else
            out << YAML::Key << "not_null" << YAML::Value << true;
          break;
        case Kind::kUnique:
          out << YAML::Key << "unique" << YAML::Value << true;
          break;
        case Kind::kRange:
          out << YAML::Key << "range" << YAML::Value << YAML::BeginSeq;
          bound(rule.low), bound(rule.high);
          out << YAML::EndSeq;
          break;
        case Kind::kSet:
          out << YAML::Key << "set" << YAML::Value << YAML::BeginSeq;
          for (const std::string& text : rule.texts) number(text) ? out << text : out << YAML::DoubleQuoted << text;
          out << YAML::EndSeq;
          break;
        case Kind::kRegex:
          out << YAML::Key << "regex" << YAML::Value << YAML::DoubleQuoted << rule.texts.at(0);
          break;
        case Kind::kMonotone:
          for (std::size_t i = 0; i < kMonotone.size(); ++i)
            if (kMonotoneOrders[i] == rule.order) out << YAML::Key << "monotone" << YAML::Value << kMonotone[i];
          break;
        case Kind::kRelation:
          break;
      }
    }
    if (at_most > 0) out << YAML::Key << "at_most" << YAML::Value << fmt::format("{}", at_most);
    if (first.warn) out << YAML::Key << "severity" << YAML::Value << "warn";
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
  if (relations) {
    out << YAML::Key << "relations" << YAML::Value << YAML::BeginSeq;
    for (const Expectation& rule : rules) {
      if (rule.kind != Kind::kRelation) continue;
      std::string_view sign;
      for (const auto& [text, order] : kOrders)
        if (order == rule.order) sign = text;
      out << YAML::Flow << YAML::BeginMap << YAML::Key << "rule" << YAML::Value << YAML::DoubleQuoted
          << fmt::format("{} {} {}", ticked(rule.column), sign, ticked(rule.other));
      if (rule.at_most > 0) out << YAML::Key << "at_most" << YAML::Value << fmt::format("{}", rule.at_most);
      if (rule.warn) out << YAML::Key << "severity" << YAML::Value << "warn";
      out << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace vigie::config

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "engine/class_key.h"
#include "engine/class_names_internal.h"
#include "engine/profile.h"
#include "engine/score_reference.h"
#include "engine/tally.h"

namespace vigie::engine {
namespace {

using table::Type;

constexpr double kInexact = 9007199254740992;  // 2⁵³: from here on, different whole numbers are equal as doubles

constexpr std::pair<std::string_view, std::string_view> kWords[] = {{"0", "1"}, {"false", "true"}, {"no", "yes"}};

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string name_of(Type type, double value) {
  if (type == Type::kBoolean) return value != 0 ? "true" : "false";
  return fmt::format("{}", value == 0 ? 0.0 : value);  // −0 is 0
}

std::optional<double> number(std::string_view name) {
  double value = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  return error == std::errc() && end == name.data() + name.size() ? std::optional(value) : std::nullopt;
}

/// Calls `see` with each distinct name of a column, more than once at times.
template <class F>
void each_name(const table::Column& column, F see) {
  if (column.type == Type::kString) {
    std::vector<bool> used(column.dictionary.size());
    for (const auto code : column.codes)
      if (code >= 0) used[static_cast<std::size_t>(code)] = true;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (used[i]) see(std::string(column.dictionary[i]));
    return;
  }
  std::set<double> seen;
  double last = std::nan("");
  const auto numbers = column.type == Type::kList ? column.values : column.numbers;
  for (const double value : numbers) {
    if (value == last || !std::isfinite(value)) continue;
    last = value;
    if (seen.size() <= kMostClasses && seen.insert(value).second) see(name_of(column.type, value));
  }
}

}  // namespace

void sort_classes(std::vector<std::string>& names) {
  const bool numbers = std::all_of(names.begin(), names.end(), [](const auto& n) { return number(n).has_value(); });
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return numbers && *number(a) != *number(b) ? *number(a) < *number(b) : a < b;
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::string_view opposite(std::string_view word) {
  for (const auto& [no, yes] : kWords) {
    if (lower(word) == no) return yes;
    if (lower(word) == yes) return no;
  }
  return {};
}

bool says_yes(std::string_view word) {
  const auto small = lower(word);
  return std::any_of(std::begin(kWords), std::end(kWords), [&](const auto& pair) { return pair.second == small; });
}

std::string class_key(std::string_view name) {
  if (const auto value = number(name); value && std::abs(*value) < kInexact) return name_of(Type::kFloat, *value);
  return opposite(name).empty() ? std::string(name) : says_yes(name) ? "1" : "0";
}

Result<std::vector<ClassColumn>> find_classes(table::Input& data, const std::vector<std::string>& columns,
                                              std::size_t enough, bool text) {
  std::vector<ClassColumn> out;
  table::Schema types;
  {
    VIGIE_ASSIGN(auto guess, data.open());
    for (const auto& name : columns) {
      const auto i = find_column(guess->schema(), name);
      const Type type = i == std::string::npos ? Type::kString : guess->schema()[i].type;
      const bool kept =
          type == Type::kList || (!text && (type == Type::kBoolean || type == Type::kInteger || type == Type::kFloat));
      out.push_back({name, kept ? type : Type::kString, {}});
      if (find_column(types, name) == std::string::npos) types.push_back({name, out.back().type});
    }
  }
  VIGIE_ASSIGN(auto reader, data.open(types));
  std::vector<std::set<std::string>> seen(columns.size());
  std::int64_t mismatches = 0;
  bool inexact = false;
  while (true) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    bool all = true;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      VIGIE_ASSIGN(auto column, batch->column(find_column(reader->schema(), columns[c])));
      if (column.type != Type::kList) {
        mismatches += column.mismatches();
        inexact = inexact || std::any_of(column.numbers.begin(), column.numbers.end(),
                                         [](double v) { return std::abs(v) >= kInexact && std::isfinite(v); });
      }
      each_name(column, [&](std::string name) {
        if (seen[c].size() <= kMostClasses) seen[c].insert(std::move(name));
      });
      all = all && seen[c].size() >= enough;
      if (seen[c].size() > kMostClasses)
        return fail(Code::kUsage,
                    fmt::format("{}: column {} has more than {} values, too many for classes (--task regression?)",
                                data.name(), vigie::quoted(columns[c]), kMostClasses));
    }
    if (all) break;
  }
  if ((mismatches > 0 || inexact) && !text) return find_classes(data, columns, enough, true);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    out[c].values.assign(seen[c].begin(), seen[c].end());
    sort_classes(out[c].values);
  }
  return out;
}

void add_classes(std::vector<std::string>& names, const std::vector<std::string>& more) {
  const ClassIndex known(names);
  for (const auto& name : more)
    if (known.find(name) == ClassIndex::kUnknown) names.push_back(name);
  sort_classes(names);
}

void positive_last(std::vector<std::string>& names) {
  if (names.size() == 2 && says_yes(names[0]) && !says_yes(names[1])) std::swap(names[0], names[1]);
}

Result<CommonClasses> common_classes(table::Input& data, const ScoreAgainst& reference, const ScoreOptions& options) {
  using metric::Task;
  CommonClasses out;
  out.positive = options.positive;
  const bool two = options.task == Task::kBinary,
             many = options.task == Task::kMulticlass || options.task == Task::kSegmentation;
  if (!(reference.rows || reference.profile) || !(two || many)) return out;
  VIGIE_ASSIGN(const bool objects, holds_objects(data, options));
  if (objects) return out;  // their scorer finds them
  std::vector<std::string> columns = {options.label};
  if (!options.prediction.empty()) columns.push_back(options.prediction);
  const auto found = [&](table::Input& input) -> Result<std::vector<std::string>> {
    VIGIE_ASSIGN(auto met, find_classes(input, columns, two ? 2 : kMostClasses + 1, false));
    std::vector<std::string> names;
    for (const auto& column : met) add_classes(names, column.values);
    return names;
  };
  VIGIE_ASSIGN(const auto mine, found(data));
  std::vector<std::string> theirs;
  if (reference.rows) {
    VIGIE_ASSIGN(theirs, found(*reference.rows));
    if (two) positive_last(theirs);
  } else {
    theirs = reference.profile->scores->options.classes;
    if (!out.positive) out.positive = reference.profile->scores->options.positive;
  }
  auto both = mine;
  add_classes(both, theirs);
  const auto is_word = [](const std::string& name) { return !opposite(name).empty(); };
  // Of a word for yes or no everybody knows the other.
  if (many || (mine.size() < 2 && both.size() <= 2 && !std::all_of(both.begin(), both.end(), is_word)))
    out.names = both;
  std::vector<std::string> strange;
  for (const ClassIndex known(theirs); const auto& name : mine)
    if (known.find(name) == ClassIndex::kUnknown) strange.push_back(name);
  // Who has no classes yet has no other ones; of more than two the scorer speaks.
  const bool apart =
      !theirs.empty() && !strange.empty() && (many || (both.size() > 2 && mine.size() <= 2 && theirs.size() <= 2));
  if (apart && two && !out.positive && theirs.size() == 2) out.positive = theirs[1];
  if (!apart) return out;
  const auto list = [](const std::vector<std::string>& names) {
    constexpr std::size_t kNamed = 5;
    std::vector<std::string> named;
    for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) named.push_back(vigie::quoted(names[i]));
    return fmt::format("{}{}", fmt::join(named, ", "),
                       names.size() > kNamed ? fmt::format(" and {} more", names.size() - kNamed) : "");
  };
  out.note = fmt::format("column {} of {} has the {} {}, which the reference {} has not: it has {}",
                         vigie::quoted(options.label), data.name(), strange.size() == 1 ? "class" : "classes",
                         list(strange), reference.rows ? reference.rows->name() : reference.name, list(theirs));
  if (!two) return out;
  if (!options.positive && (!out.positive || ClassIndex(mine).find(*out.positive) == ClassIndex::kUnknown))
    return fail(
        Code::kUsage,
        fmt::format("--reference: {}; its positive class{} is missing here: name one that both have by --positive",
                    out.note, out.positive ? " " + vigie::quoted(*out.positive) : ""));
  out.note += fmt::format("; compared is {} against any other", vigie::quoted(*out.positive));
  return out;
}

ClassIndex::ClassIndex(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    index_.emplace(names_[i], static_cast<std::uint32_t>(i));
    const auto [it, fresh] = by_key_.emplace(class_key(names_[i]), static_cast<std::uint32_t>(i));
    if (!fresh) it->second = kUnknown;
  }
}

std::uint32_t ClassIndex::find(std::string_view name) const {
  if (const auto it = index_.find(name); it != index_.end()) return it->second;
  const auto it = by_key_.find(class_key(name));
  return it != by_key_.end() ? it->second : kUnknown;
}

void ClassIndex::codes(const table::Column& column, std::vector<std::uint32_t>& out, std::string& unknown) const {
  const auto found = [&](std::string_view name) {
    const auto code = find(name);
    if (code == kUnknown && unknown.empty()) unknown = name.empty() ? "(empty)" : name;
    return code;
  };
  if (column.type == Type::kString) {
    std::vector<std::uint32_t> of_code(column.dictionary.size(), kMissing);
    std::vector<bool> known(column.dictionary.size());
    out.resize(column.codes.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (column.codes[i] < 0) {
        out[i] = kMissing;
        continue;
      }
      const auto code = static_cast<std::size_t>(column.codes[i]);
      if (!known[code]) known[code] = true, of_code[code] = found(column.dictionary[code]);
      out[i] = of_code[code];
    }
    return;
  }
  const auto numbers = column.type == Type::kList ? column.values : column.numbers;
  out.resize(numbers.size());
  std::unordered_map<double, std::uint32_t> met;
  // The last two values cost no search: two classes are the most frequent case.
  double last[2] = {std::nan(""), std::nan("")};
  std::uint32_t codes[2] = {};
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double value = numbers[i];
    if (value == last[0]) {
      out[i] = codes[0];
    } else if (value == last[1]) {
      out[i] = codes[1];
    } else if (!std::isfinite(value)) {
      out[i] = kMissing;
    } else {
      const auto [it, fresh] = met.try_emplace(value, kMissing);
      if (fresh) it->second = found(name_of(column.type, value));
      out[i] = codes[next] = it->second;
      last[next] = value;
      next ^= 1;
    }
  }
}

}  // namespace vigie::engine

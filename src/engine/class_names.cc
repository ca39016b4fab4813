// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

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

Result<std::vector<std::string>> classes_of_both(table::Input& data, const ScoreAgainst& reference,
                                                 const ScoreOptions& options) {
  using metric::Task;
  std::vector<std::string> columns = {options.label}, out;
  const bool two = options.task == Task::kBinary,
             many = options.task == Task::kMulticlass || options.task == Task::kSegmentation;
  if (!(reference.rows && (two || many)) && !(reference.profile && many)) return out;
  if (options.scores.empty()) columns.push_back(options.prediction);
  const auto add = [&](const std::vector<std::string>& names) {
    const ClassIndex known(out);
    for (const auto& name : names)
      if (known.find(name) == ClassIndex::kUnknown) out.push_back(name);
    sort_classes(out);
  };
  const auto add_from = [&](table::Input& input) -> Status {
    VIGIE_ASSIGN(auto found, find_classes(input, columns, two ? 2 : kMostClasses + 1, false));
    for (const auto& column : found) add(column.values);
    return {};
  };
  VIGIE_TRY(add_from(data));
  // Two words, or one that says what the other is: there is nothing to ask the reference.
  if (two && (out.size() > 1 || (out.size() == 1 && !opposite(out[0]).empty()))) return std::vector<std::string>();
  if (reference.rows) VIGIE_TRY(add_from(*reference.rows));
  if (reference.profile) add(reference.profile->scores->options.classes);
  return out;
}

ClassIndex::ClassIndex(std::vector<std::string> names, bool words) : names_(std::move(names)), words_(words) {
  for (std::size_t i = 0; i < names_.size(); ++i) index_.emplace(names_[i], static_cast<std::uint32_t>(i));
}

std::uint32_t ClassIndex::find(std::string_view name) const {
  if (const auto it = index_.find(name); it != index_.end()) return it->second;
  if (words_ && !opposite(name).empty()) return says_yes(name) ? 1 : 0;
  // As text, 1.0 is the class "1" where the other column has numbers.
  if (const auto value = number(name))
    if (const auto it = index_.find(name_of(Type::kFloat, *value)); it != index_.end()) return it->second;
  return kUnknown;
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

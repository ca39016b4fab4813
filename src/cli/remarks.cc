// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/remarks_internal.h"

namespace vigie::cli {
namespace {

using engine::ColumnProfile;
using engine::ColumnType;

constexpr std::int64_t kFewestIds = 100;  // rows from which it means something that every value differs

bool named_as_id(std::string name) {
  for (auto& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (std::string_view word : {"id", "uuid", "guid", "key"})
    if (name == word || name.ends_with("_" + std::string(word)) || name.starts_with(std::string(word) + "_"))
      return true;
  return false;
}

// Every value differs: exactly so of numbers that count up, else nearly so, as far as an estimate can tell; there
// amounts in small units cannot be told from ids but by the name. Ids that are texts have about one length.
bool looks_like_an_id(const ColumnProfile& c) {
  const auto rows = c.whole().rows();
  if (c.role != engine::Role::kFeature || rows < kFewestIds || c.whole().missing > 0) return false;
  if (c.counts_up()) return true;
  if (c.distinct < 0.98 * static_cast<double>(rows)) return false;
  const auto& cuts = c.bins.cuts;
  if (c.type == ColumnType::kText) return !cuts.empty() && cuts.back() < 65 && cuts.back() - cuts.front() < 6;
  return c.type == ColumnType::kNumeric && c.source == table::Type::kInteger && named_as_id(c.name);
}

// A word as a POSIX shell reads it back.
std::string for_shell(const std::string& word) {
  std::string out = "'";
  for (char letter : word) {
    if (letter == '\'')
      out += "'\\''";
    else
      out += letter;
  }
  return out + "'";
}

}  // namespace

void say_problems(const std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < problems.size() && i < 3; ++i) say(problems[i]);
}

std::string mostly_unread(const std::vector<RowsRead>& files) {
  std::string text;
  for (const auto& [source, rejected, rows] : files)
    if (rejected > rows)
      text += fmt::format("UNREADABLE  {} of {} records of {}: all that follows is of the other {}\n",
                          with_commas(rejected), with_commas(rejected + rows), source, with_commas(rows));
  return text;
}

Result<std::string> check_times(table::Input& input, const std::string& column) {
  VIGIE_ASSIGN(auto reader, input.open());
  const auto& schema = reader->schema();
  auto at = std::find_if(schema.begin(), schema.end(), [&](const auto& f) { return f.name == column; });
  if (at == schema.end()) return std::string();
  auto text = at->type == table::Type::kString;
  if (!text && at->type != table::Type::kInteger && at->type != table::Type::kFloat) return std::string();
  VIGIE_ASSIGN(auto batch, reader->next());
  if (!batch) return std::string();
  VIGIE_ASSIGN(auto values, batch->column(static_cast<std::size_t>(at - schema.begin())));
  if (text) {
    auto first = std::find_if(values.codes.begin(), values.codes.end(), [](auto code) { return code >= 0; });
    auto such = first == values.codes.end()
                    ? std::string()
                    : " such as " + vigie::quoted(values.dictionary[static_cast<std::size_t>(*first)]);
    return fail(Code::kUsage,
                fmt::format("--timestamp: column {} of {} is text{}, not a time; times are read as 2024-01-31, "
                            "2024-01-31 08:30:00, 2024-01-31T08:30:00Z (ISO 8601) or epoch numbers",
                            vigie::quoted(column), input.name(), such));
  }
  constexpr double kYear = 365 * 86'400.0;  // seconds, as which small numbers are read
  bool any = false;
  for (double v : values.numbers) {
    if (std::isnan(v)) continue;
    if (v < 0 || v >= kYear) return std::string();
    any = true;
  }
  if (!any) return std::string();
  return fmt::format(
      "--timestamp: the numbers of column {} of {} are times in 1970 when read as seconds; is it a time?",
      vigie::quoted(column), input.name());
}

std::vector<std::string> remarks_on(const engine::Profile& reference) {
  std::vector<std::string> remarks;
  for (const auto& c : reference.columns)
    if (looks_like_an_id(c))
      remarks.push_back(
          fmt::format("{}: column {} looks like an id, {} value differs: name it with --id or --ignore it",
                      reference.source, vigie::quoted(c.name), c.counts_up() ? "every" : "nearly every"));
  for (std::size_t k = 1; k < reference.segmentations.size(); ++k) {
    auto by = engine::to_string(reference.segmentations[k]);
    const auto& names = reference.segments[k];
    if (names.size() == 1 && names[0] == by + "=(other)")
      remarks.push_back(fmt::format("--segment {}: no value has {} rows in the reference, so all are one segment: {}",
                                    by, engine::kSegmentFloor, names[0]));
  }
  return remarks;
}

void add_note(std::vector<std::string>& notes, const std::string& note) {
  if (!note.empty() && std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
}

std::string windows_to_have(const engine::Profile& reference) {
  // Who named a time has windows, or has chosen to have none, or merged profiles whose windows could not be kept.
  if (reference.window.kind != engine::WindowSpec::Kind::kNone || reference.has_time) return {};
  constexpr double kHour = 3.6e9, kDay = 24 * kHour;  // microseconds
  // Of columns that are not compared, such as ignored ones, it is not known how long their times last.
  for (const auto& c : reference.columns) {
    if (c.type != ColumnType::kTimestamp || c.bins.cuts.empty()) continue;
    auto length = c.bins.cuts.back() - c.bins.cuts.front();
    // Windows that are fewer than the engine wants teach nothing.
    if (length < 5 * kHour) return {};
    auto unit = length < 5 * kDay ? "hour" : "day";
    return fmt::format(
        "{} has times: a profile made with `--timestamp {} --window {}` would tell how much healthy {}s differ",
        reference.source, for_shell(c.name), unit, unit);
  }
  return {};
}

std::vector<std::string> renamed(const table::Schema& before, const std::vector<std::string>& besides,
                                 const table::Schema& current, const std::string& name) {
  auto in = [](const table::Schema& list, const std::string& column) {
    return std::any_of(list.begin(), list.end(), [&](const auto& x) { return x.name == column; });
  };
  std::vector<std::string> unknown;
  for (const auto& f : current)
    if (!in(before, f.name) && std::find(besides.begin(), besides.end(), f.name) == besides.end())
      unknown.push_back(f.name);
  std::vector<const table::Field*> gone;
  for (const auto& f : before)
    if (!in(current, f.name)) gone.push_back(&f);
  std::vector<std::string> questions;
  for (const auto* c : gone) {
    auto near = nearest(c->name, unknown);
    if (near.empty() && gone.size() == 1 && unknown.size() == 1)
      for (const auto& f : current)
        if (f.name == unknown[0] && f.type == c->type) near = f.name;
    if (near.empty()) continue;
    std::erase(unknown, near);  // a column is the new name of one
    questions.push_back(fmt::format("{}: has no column {}; is {} the same under another name?", name,
                                    vigie::quoted(c->name), vigie::quoted(near)));
  }
  return questions;
}

}  // namespace vigie::cli

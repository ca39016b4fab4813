// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "cli/detect_input_internal.h"
#include "cli/remarks_internal.h"
#include "engine/class_key.h"
#include "engine/tally.h"
#include "table/number_lines.h"

namespace vigie::cli {
namespace {

using table::Type;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Not where alarms are printed on the same terminal.
engine::Progress progress(ProgressBar& bar) {
  return isatty(STDOUT_FILENO) ? engine::Progress() : bar.callback();
}

void say_from(const std::vector<std::string>& messages, std::size_t& said) {
  for (; said < messages.size(); ++said) say(messages[said]);
}

// One value a row of the columns that were asked for.
class Values {
 public:
  // The types in which a pass has to read them.
  static Result<Values> make(const ValueColumns& columns, const table::Schema& head, const std::string& source) {
    Values out;
    out.columns_ = columns;
    const auto find = [&](const std::string& name, std::string_view option) -> Result<const table::Field*> {
      const auto at = engine::find_column(head, name);
      if (at != std::string::npos) return &head[at];
      std::vector<std::string> names;
      for (const auto& field : head) names.push_back(field.name);
      return fail(Code::kUsage, fmt::format("{}: {}", option, unknown_name("column", name, names, " in " + source)));
    };
    if (!columns.value.empty()) {
      VIGIE_ASSIGN(const auto* field, find(columns.value, "--column"));
      if (field->type == Type::kTimestamp || field->type == Type::kList)
        return fail(Code::kUsage,
                    fmt::format("--column: column {} of {} holds {}, not numbers", vigie::quoted(field->name), source,
                                field->type == Type::kList ? "lists" : "times"));
      out.types_ = {{field->name, field->type == Type::kBoolean ? Type::kBoolean : Type::kFloat}};
      return out;
    }
    VIGIE_ASSIGN(const auto* label, find(columns.label, "--label"));
    VIGIE_ASSIGN(const auto* prediction, find(columns.prediction, "--prediction"));
    const auto number = [](Type type) { return type == Type::kInteger || type == Type::kFloat ? Type::kFloat : type; };
    Type type = number(label->type);
    if (type != number(prediction->type) || type == Type::kTimestamp || type == Type::kList) type = Type::kString;
    if (columns.outcomes && type == Type::kString)
      return fail(Code::kUsage, fmt::format("--label {} --prediction {}: outcomes are made of columns that are both 0 "
                                            "and 1, or both true and false",
                                            label->name, prediction->name));
    out.types_ = {{label->name, type}, {prediction->name, type}};
    return out;
  }

  const table::Schema& types() const { return types_; }
  std::int64_t mismatches() const { return mismatches_; }
  bool any() const { return any_; }  ///< whether a row had a value

  Result<std::span<const double>> of(table::Batch& batch, const table::Schema& schema) {
    table::Column columns[2];
    for (std::size_t i = 0; i < types_.size(); ++i) {
      VIGIE_ASSIGN(columns[i], batch.column(engine::find_column(schema, types_[i].name)));
      mismatches_ += columns[i].mismatches();
    }
    // As doubles, whole numbers beyond 2⁵³ would be equal to others.
    for (std::size_t i = 0; types_.size() > 1 && i < types_.size(); ++i)
      if (std::any_of(columns[i].numbers.begin(), columns[i].numbers.end(),
                      [](double v) { return std::abs(v) >= 0x1p53; }))
        return fail(Code::kUsage,
                    fmt::format("{}: column {} holds numbers beyond 9007199254740992, which can be told "
                                "apart as text only (--schema FILE with {}: category)",
                                i == 0 ? "--label" : "--prediction", vigie::quoted(types_[i].name), types_[i].name));
    auto values = types_.size() == 1 ? columns[0].numbers : joined(columns[0], columns[1]);
    any_ = any_ || std::any_of(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
    return values;
  }

 private:
  std::span<const double> joined(const table::Column& label, const table::Column& prediction) {
    buffer_.clear();
    if (label.type == Type::kString) {
      std::vector<std::string> keys[2];
      for (std::size_t side = 0; side < 2; ++side)
        for (const auto name : (side ? prediction : label).dictionary) keys[side].push_back(engine::class_key(name));
      for (std::size_t i = 0; i < label.codes.size(); ++i) {
        const auto a = label.codes[i], b = prediction.codes[i];
        buffer_.push_back(
            a < 0 || b < 0 ? kNaN : keys[0][static_cast<std::size_t>(a)] != keys[1][static_cast<std::size_t>(b)]);
      }
      return buffer_;
    }
    for (std::size_t i = 0; i < label.numbers.size(); ++i) {
      const double a = label.numbers[i], b = prediction.numbers[i];
      if (std::isnan(a) || std::isnan(b))
        buffer_.push_back(kNaN);
      else if (columns_.outcomes)
        buffer_.push_back((a == 0 || a == 1) && (b == 0 || b == 1) ? 2 * a + b : kNaN);
      else
        buffer_.push_back(a != b);
    }
    return buffer_;
  }

  ValueColumns columns_;
  table::Schema types_;
  std::vector<double> buffer_;
  std::int64_t mismatches_ = 0;
  bool any_ = false;
};

}  // namespace

Result<ValuesRead> read_lines(const std::string& data, const DataOptions& options, const CatchSignals& signals,
                              const TakeValues& take) {
  VIGIE_ASSIGN(const auto reading, options.reading());
  VIGIE_ASSIGN(auto lines, table::NumberLines::open(
                               data, {.decimal = reading.decimal, .strict = reading.strict, .stop = signals.fd()}));
  if (data == "-" && isatty(STDIN_FILENO)) say("numbers, one a line; Ctrl-D ends them");
  ProgressBar bar("reading");
  const auto show = progress(bar);
  std::size_t said = 0;
  bool any = false;
  while (!lines->ended() && !signals.asked()) {
    auto values = lines->next();
    if (!values && !any && values.error().code == Code::kInput && lines->problems().rejected > 0)
      values.error().message += "; a column of a table needs --column";
    if (!values) return std::move(values.error());
    any = any || !values->empty();
    if (!take(*values, {})) break;
    if (any) say_from(lines->problems().messages, said);
    if (show && lines->bytes()) show(static_cast<double>(lines->consumed()) / static_cast<double>(lines->bytes()));
  }
  return ValuesRead{lines->problems().rejected, signals.asked()};
}

Result<ValuesRead> read_columns(const std::string& data, const DataOptions& options, const ValueColumns& columns,
                                const CatchSignals& signals, const TakeValues& take) {
  VIGIE_ASSIGN(auto input, options.open(data));
  // An end asked for while a pipe was copied is the end of the table, and that is looked at.
  const bool copied = signals.asked();
  VIGIE_ASSIGN(const auto head, input->open());
  VIGIE_ASSIGN(auto values, Values::make(columns, head->schema(), data));
  auto types = values.types();
  const auto& timestamp = options.timestamp;
  if (!timestamp.empty()) {
    const auto at = engine::find_column(head->schema(), timestamp);
    std::vector<std::string> names;
    for (const auto& field : head->schema()) names.push_back(field.name);
    if (at == std::string::npos)
      return fail(Code::kUsage,
                  fmt::format("--timestamp: {}", unknown_name("column", timestamp, names, " in " + data)));
    if (engine::find_column(types, timestamp) != std::string::npos)
      return fail(Code::kUsage, fmt::format("--timestamp {}: is the column of the values", timestamp));
    VIGIE_ASSIGN(const auto remark, check_times(*input, timestamp));
    if (!remark.empty()) say(remark);
    VIGIE_TRY(engine::check_time(head->schema()[at], data));
    types.push_back({timestamp, head->schema()[at].type == Type::kTimestamp ? Type::kTimestamp : Type::kFloat});
  }
  VIGIE_ASSIGN(auto reader, input->open(types));
  ProgressBar bar("reading");
  const auto show = progress(bar);
  std::vector<double> buffer;
  std::int64_t rows = 0, backwards = -1;
  double latest = kNaN;
  while (copied || !signals.asked()) {
    VIGIE_ASSIGN(auto batch, reader->next());
    if (!batch) break;
    VIGIE_ASSIGN(const auto of_rows, values.of(*batch, reader->schema()));
    std::span<const double> times;
    if (!timestamp.empty()) {
      VIGIE_ASSIGN(times, engine::read_times(*batch, engine::find_column(reader->schema(), timestamp), buffer));
      for (std::size_t i = 0; i < times.size() && backwards < 0; ++i) {
        if (times[i] < latest) backwards = rows + static_cast<std::int64_t>(i);
        if (!std::isnan(times[i])) latest = times[i];
      }
    }
    if (options.strict && values.mismatches() > 0) break;
    rows += batch->rows();
    if (!take(of_rows, times)) break;
    if (show)
      show(static_cast<double>(reader->consumed()) / static_cast<double>(std::max<std::uint64_t>(input->bytes(), 1)));
  }
  const auto& problems = reader->problems();
  if (values.mismatches() > 0 && (options.strict || !values.any())) {
    const auto what = problems.notes.empty() ? fmt::format("{}: {} has values that are no numbers", data,
                                                           vigie::quoted(values.types()[0].name))
                                             : problems.notes[0];
    return fail(Code::kInput, options.strict ? what : what + "; no value of the column could be read");
  }
  if (rows == 0 && (copied || !signals.asked())) return engine::no_rows(data, problems);
  std::size_t said = 0;
  say_from(problems.messages, said);
  said = 0;
  say_from(problems.notes, said);
  if (backwards >= 0)
    say(fmt::format("{}: column {} goes back in time at row {}; rows are taken in the order of the file", data,
                    vigie::quoted(timestamp), with_commas(backwards)));
  return ValuesRead{problems.rejected, signals.asked()};
}

Result<std::vector<detect::Change>> read_changes(const std::string& path) {
  std::vector<double> starts, ends, widths;
  const auto append = [](std::vector<double>& to, std::span<const double> more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  Status plain;
  {
    VIGIE_ASSIGN(auto lines, table::NumberLines::open(path, {.strict = true}));
    while (plain && !lines->ended()) {
      auto some = lines->next();
      if (some)
        append(starts, *some);
      else
        plain = std::move(some.error());
    }
  }
  if (!plain) {
    starts.clear();
    VIGIE_ASSIGN(auto input, table::open_input(path, {.strict = true}));
    VIGIE_ASSIGN(auto head, input->open());
    const auto& schema = head->schema();
    const auto has = [&](std::string_view name) { return engine::find_column(schema, name) != std::string::npos; };
    if (schema.empty()) return engine::no_rows(path, head->problems());
    const std::string start = has("index") ? "index" : has("start") ? "start" : schema[0].name;
    table::Schema types{{start, Type::kFloat}};
    for (const char* name : {"end", "width"})
      if (has(name) && start != name) types.push_back({name, Type::kFloat});
    VIGIE_ASSIGN(auto reader, input->open(types));
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      for (const auto& field : types) {
        VIGIE_ASSIGN(auto column, batch->column(engine::find_column(reader->schema(), field.name)));
        append(field.name == start ? starts : field.name == "end" ? ends : widths, column.numbers);
      }
    }
    if (!reader->problems().notes.empty()) return fail(Code::kInput, reader->problems().notes[0]);
  }
  std::vector<detect::Change> changes;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const double start = starts[i];
    double end = start;
    if (i < ends.size() && !std::isnan(ends[i])) end = ends[i];
    if (i < widths.size() && !std::isnan(widths[i])) end = std::max(end, start + widths[i] - 1);
    const auto index = [](double value) { return value >= 0 && value <= 0x1p53 && value == std::floor(value); };
    if (std::isnan(start)) return fail(Code::kInput, fmt::format("{}: change {}: has no index", path, i + 1));
    if (!index(start) || !index(end) || end < start)
      return fail(Code::kInput, fmt::format("{}: change {}: expected whole numbers from 0 up, the end not before the "
                                            "start; got {} to {}",
                                            path, i + 1, start, end));
    changes.push_back({static_cast<std::int64_t>(start), static_cast<std::int64_t>(end)});
  }
  if (changes.empty()) return fail(Code::kInput, path + ": no change in it");
  std::sort(changes.begin(), changes.end(),
            [](const auto& a, const auto& b) { return std::pair(a.start, a.end) < std::pair(b.start, b.end); });
  return changes;
}

}  // namespace vigie::cli

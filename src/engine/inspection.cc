// SPDX-License-Identifier: Apache-2.0
#include "engine/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/quality_counter_internal.h"
#include "engine/quality_results_internal.h"
#include "engine/roles.h"
#include "engine/summaries_internal.h"
#include "engine/tally.h"
#include "quality/rules.h"

namespace vigie::engine {
namespace {

using quality::TableState;
using quality::Values;

constexpr std::size_t kNowhere = std::string::npos;
constexpr std::int64_t kMostBytes = 3LL << 30, kColumnBytes = 100'000, kResultBytes = 400;
constexpr int kAttempts = 8;

struct Scanned {
  table::Schema schema;
  table::Problems problems;
  std::int64_t rows = 0;
};

// One pass over the data; over text as many as it takes until the types of its columns are known. `begin` is told the
// schema of each, `each` its batches.
template <class Begin, class Each>
Result<Scanned> scan(table::Input& input, std::optional<table::Schema> types, const Progress& progress,
                     const Begin& begin, const Each& each) {
  for (int attempt = 0; attempt <= kAttempts; ++attempt) {
    Scanned out;
    VIGIE_ASSIGN(auto reader, input.open(types));
    VIGIE_TRY(begin(reader->schema()));
    while (true) {
      VIGIE_ASSIGN(auto batch, reader->next());
      if (!batch) break;
      VIGIE_TRY(each(*batch, out.rows));
      out.rows += batch->rows();
      if (progress)
        progress(static_cast<double>(reader->consumed()) / std::max(1.0, static_cast<double>(input.bytes())));
    }
    out.schema = reader->schema();
    types = out.schema;
    out.problems = reader->problems();
    if (!reader->settled()) continue;
    if (out.rows == 0) return no_rows(input.name(), out.problems);
    return out;
  }
  return fail(Code::kInternal, fmt::format("{}: column types do not settle", input.name()));
}

// What is looked at of the data: where each column is, and as what.
struct Watched {
  std::vector<std::size_t> where;
  std::vector<quality::ColumnSpec> specs;
  std::size_t time = kNowhere;
};

// Columns that options name may be those of either side.
Status check_names(const table::Schema& schema, const std::string& source, const QualityReference* reference,
                   const Roles& roles) {
  std::vector<std::string> known;
  for (const auto& f : schema) known.push_back(f.name);
  if (reference) {
    for (const auto& column : reference->state->columns()) known.push_back(column.spec().name);
    known.insert(known.end(), reference->left_out.begin(), reference->left_out.end());
  }
  return check_roles(known, roles, source);
}

Result<Watched> watch(const table::Schema& schema, const std::string& source, const QualityReference* reference,
                      const InspectOptions& options) {
  const Roles& roles = options.roles;
  Watched out;
  bool common = false;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const auto& name = schema[i].name;
    const auto as = compared_as(name, roles);
    const bool role = name == roles.timestamp || name == roles.id || name == roles.weight;
    if (!as && !role) continue;
    if (as == Role::kFeature && reference &&
        std::find(reference->left_out.begin(), reference->left_out.end(), name) != reference->left_out.end())
      continue;
    out.where.push_back(i);
    out.specs.push_back(quality_column(schema[i], roles, reference));
    common = common || (reference && reference->state->find(name));
    if (name == roles.timestamp) {
      VIGIE_TRY(check_time(schema[i], source));
      out.time = i;
    }
  }
  if (out.where.empty()) return fail(Code::kUsage, fmt::format("{}: no column is left to check", source));
  if (options.window.calendar() && out.time == kNowhere)
    return fail(Code::kUsage, fmt::format("{}: no column \"{}\", which --timestamp needs", source, roles.timestamp));
  if (reference && !common)
    return fail(Code::kInput, fmt::format("{}: no column in common with the reference {}", source, reference->source));
  return out;
}

// Turns the columns of a batch into what the checks take, as many at once as there are threads, and calls `use` with
// each as soon as it is there.
template <class Use>
Status decode(table::Batch& batch, const Watched& watched, const Pieces& pieces, unsigned threads,
              std::vector<QualityBuffer>& buffers, std::vector<Status>& failures, const Use& use) {
  buffers.resize(watched.where.size());
  failures.assign(watched.where.size(), {});
  parallel_for(watched.where.size(), threads, [&](std::size_t i) {
    auto column = batch.column(watched.where[i]);
    if (!column)
      failures[i] = std::move(column.error());
    else
      use(i, pieces.arrange(quality_values(*column, watched.specs[i], buffers[i]), buffers[i]));
  });
  for (auto& failure : failures) VIGIE_TRY(std::move(failure));
  return {};
}

void summarise(Inspection& out) {
  constexpr std::string_view kInOrder[] = {"no_data", "pass", "warn", "fail"};
  std::map<std::pair<std::string_view, std::string_view>, std::ptrdiff_t> worst;
  for (const auto& window : out.windows)
    for (const auto& q : window.quality) {
      auto& known = worst[{q.check, q.column ? std::string_view(*q.column) : ""}];
      known = std::max(known, std::find(std::begin(kInOrder), std::end(kInOrder), q.verdict) - std::begin(kInOrder));
    }
  auto& s = out.summary;
  std::int64_t* const places[] = {&s.no_data, &s.pass, &s.warn, &s.fail};
  std::ptrdiff_t gravest = 0;
  for (const auto& [check, at] : worst) ++*places[at], gravest = std::max(gravest, at);
  s.checks = static_cast<std::int64_t>(worst.size());
  s.verdict = kInOrder[gravest];
}

class Inspector {
 public:
  Inspector(table::Input& input, const QualityReference* reference, const InspectOptions& options)
      : input_(input), reference_(reference), options_(options) {}

  Result<Inspection> run() {
    VIGIE_ASSIGN(windower_, Windower::make(options_.window));
    std::optional<table::Schema> types;
    std::vector<std::string> notes;
    if (options_.window.calendar()) {
      VIGIE_ASSIGN(auto times, read_times_alone());
      types = times.schema;
      notes = times.problems.notes;
    }
    const auto first_of_pass = [&](const table::Schema& schema) { return begin(schema); };
    const auto each = [&](table::Batch& batch, std::int64_t first) { return add(batch, first); };
    VIGIE_ASSIGN(auto scanned, scan(input_, types, passed(types ? .5 : 0, 1), first_of_pass, each));
    while (!open_.empty()) VIGIE_TRY(close(open_.begin()->first, true));
    if (results_.empty())
      return fail(Code::kInput,
                  fmt::format("{}: no row has a time in column \"{}\"", input_.name(), options_.roles.timestamp));

    Inspection out;
    out.version = options_.version;
    out.alpha = options_.checks.alpha;
    out.data = {input_.name(), scanned.rows, 0};
    out.rejected = scanned.problems.rejected;
    out.problems = scanned.problems.messages;
    const auto add_notes = [&](const std::vector<std::string>& more) {
      for (const auto& note : more)
        if (std::find(out.notes.begin(), out.notes.end(), note) == out.notes.end()) out.notes.push_back(note);
    };
    if (reference_) {
      out.reference = Side{reference_->source, reference_->rows, static_cast<std::int64_t>(reference_->windows.size())};
      add_notes(reference_->notes);
      add_other_windows(out);
    }
    add_notes(notes);
    add_notes(scanned.problems.notes);
    if (without_time_)
      out.notes.push_back(
          fmt::format("{}: {} without a time are in no window", input_.name(), plural(without_time_, "row")));
    for (const auto& remark : windower_->remarks()) out.notes.push_back(fmt::format("{}: {}", input_.name(), remark));
    const auto bad = unreadable(out.rejected, scanned.rows);
    for (const auto w : windower_->order()) {
      auto& result = results_.at(static_cast<std::int32_t>(w));
      result.index = static_cast<std::int64_t>(out.windows.size());
      if (bad) result.quality.insert(result.quality.begin(), *bad);
      out.windows.push_back(std::move(result));
    }
    for (const auto& spec : watched_.specs)
      if (spec.role == quality::Role::kLabel)
        if (auto note = judge_labels(out.windows, spec.name); !note.empty()) out.notes.push_back(std::move(note));
    summarise(out);
    return out;
  }

 private:
  struct Open {
    TableState state;
    std::optional<quality::RuleStates> rules;
  };

  Progress passed(double from, double to) const {
    if (!options_.progress) return {};
    return [this, from, to](double share) { options_.progress(from + (to - from) * std::min(share, 1.0)); };
  }

  // How many rows each calendar window has, so that it is known when the last one has come.
  Result<Scanned> read_times_alone() {
    Watched watched;
    std::vector<std::int32_t> groups;
    std::vector<double> buffer;
    const auto begin = [&](const table::Schema& schema) -> Status {
      VIGIE_TRY(check_names(schema, input_.name(), reference_, options_.roles));
      VIGIE_ASSIGN(watched, watch(schema, input_.name(), reference_, options_));
      VIGIE_ASSIGN(windower_, Windower::make(options_.window));
      expected_.clear();
      return {};
    };
    const auto count = [&](table::Batch& batch, std::int64_t first) -> Status {
      VIGIE_ASSIGN(auto times, read_times(batch, watched.time, buffer));
      windower_->assign(first, batch.rows(), times, groups);
      expected_.resize(windower_->size());
      for (const auto g : groups)
        if (g >= 0) ++expected_[static_cast<std::size_t>(g)];
      return {};
    };
    VIGIE_ASSIGN(auto scanned, scan(input_, std::nullopt, passed(0, .5), begin, count));
    const auto order = windower_->order();
    const auto cut = windower_->cut_off();
    some_whole_ = windower_->some_whole();
    cut_off_.assign(order.size(), false);
    for (std::size_t i = 0; i < order.size(); ++i) cut_off_[order[i]] = cut[i];
    if (!order.empty()) last_ = static_cast<std::int32_t>(order.back());
    return scanned;
  }

  Status begin(const table::Schema& schema) {
    VIGIE_TRY(check_names(schema, input_.name(), reference_, options_.roles));
    VIGIE_ASSIGN(watched_, watch(schema, input_.name(), reference_, options_));
    fresh_.emplace(watched_.specs, reference_ ? reference_->state.get() : nullptr);
    if (!options_.window.calendar()) {
      VIGIE_ASSIGN(windower_, Windower::make(options_.window));
    }
    VIGIE_TRY(quality::RuleStates::make(options_.rules, watched_.specs, options_.rules_path));
    open_.clear();
    results_.clear();
    without_time_ = 0;
    unread_.clear();
    if (!reference_) return {};
    for (const auto& column : reference_->state->columns()) {
      const auto& name = column.spec().name;
      if (fresh_->find(name)) continue;
      const auto& ignore = options_.roles.ignore;
      const bool feature = column.spec().role == quality::Role::kFeature;
      const bool left_out =
          feature ? !compared_as(name, options_.roles) : std::find(ignore.begin(), ignore.end(), name) != ignore.end();
      if (left_out || find_column(schema, name) != kNowhere) unread_.push_back(name);
    }
    VIGIE_ASSIGN(const auto declared, input_.declared());
    declared_.clear();
    for (const auto& field : declared) declared_.push_back(quality_column(field, options_.roles, reference_));
    return {};
  }

  Open& open(std::int32_t window) {
    const auto at = open_.find(window);
    if (at != open_.end()) return at->second;
    Open fresh{fresh_->copy(), std::nullopt};
    if (!options_.rules.empty())
      fresh.rules = std::move(*quality::RuleStates::make(options_.rules, watched_.specs, options_.rules_path));
    return open_.emplace(window, std::move(fresh)).first->second;
  }

  Status add(table::Batch& batch, std::int64_t first) {
    std::span<const double> times;
    if (options_.window.calendar()) {
      VIGIE_ASSIGN(times, read_times(batch, watched_.time, time_buffer_));
    }
    windower_->assign(first, batch.rows(), times, groups_);
    without_time_ += std::count(groups_.begin(), groups_.end(), -1);
    pieces_.cut(groups_);
    const auto& pieces = pieces_.pieces();
    values_.resize(watched_.where.size());
    if (pieces.size() == 1) {
      // Most data: each column is counted while it is in the cache, and then forgotten.
      Open& to = open(pieces[0].group);
      const auto row = to.state.rows();
      to.state.begin(row, pieces[0].size);
      const auto use = [&](std::size_t i, const Values& all) {
        values_[i] = Pieces::part(all, buffers_[i], pieces[0]);
        to.state.column(i, values_[i]);
        if (!to.rules) batch.release(watched_.where[i]);
      };
      VIGIE_TRY(decode(batch, watched_, pieces_, options_.threads, buffers_, failures_, use));
      to.state.end();
      judge_rules(to, row, pieces[0], first);
    } else {
      std::vector<Values> whole(values_.size());
      const auto keep = [&](std::size_t i, const Values& all) { whole[i] = all; };
      VIGIE_TRY(decode(batch, watched_, pieces_, options_.threads, buffers_, failures_, keep));
      for (const auto& piece : pieces) {
        Open& to = open(piece.group);
        const auto row = to.state.rows();
        to.state.begin(row, piece.size);
        parallel_for(whole.size(), options_.threads, [&](std::size_t i) {
          values_[i] = Pieces::part(whole[i], buffers_[i], piece);
          to.state.column(i, values_[i]);
        });
        to.state.end();
        judge_rules(to, row, piece, first);
        if (done(piece.group)) VIGIE_TRY(close(piece.group, false));
      }
    }
    return close_done();
  }

  void judge_rules(Open& to, std::int64_t row, const Pieces::Piece& piece, std::int64_t first) {
    if (!to.rules) return;
    pieces_.number(piece, first, numbers_);
    to.rules->update(row, piece.size, values_, numbers_);
  }

  // Whether a window has all its rows. Of windows by rows the newest stays: it may be the last.
  bool done(std::int32_t window) const {
    if (options_.window.calendar()) return open_.at(window).state.rows() == expected_[static_cast<std::size_t>(window)];
    return options_.window.kind == WindowSpec::Kind::kRows && window + 1 < static_cast<std::int32_t>(windower_->size());
  }

  Status close_done() {
    std::vector<std::int32_t> finished;
    for (const auto& [window, held] : open_)
      if (done(window)) finished.push_back(window);
    for (const auto window : finished) VIGIE_TRY(close(window, false));
    const auto columns = static_cast<std::int64_t>(watched_.where.size());
    if (static_cast<std::int64_t>(open_.size()) * columns * kColumnBytes +
            static_cast<std::int64_t>(results_.size()) * 10 * columns * kResultBytes >
        kMostBytes)
      return fail(Code::kUsage,
                  fmt::format("{}: {} of {} are more than fit in {} MB; choose larger windows", input_.name(),
                              plural(static_cast<std::int64_t>(windower_->size()), "window"), plural(columns, "column"),
                              kMostBytes >> 20));
    return {};
  }

  Status close(std::int32_t window, bool at_end) {
    const Open held = std::move(open_.at(window));
    open_.erase(window);
    WindowResult result;
    result.rows = held.state.rows();
    const auto w = static_cast<std::size_t>(window);
    bool last = at_end && open_.empty();
    if (options_.window.calendar()) {
      const auto key = (*windower_)[w].key;
      result.start = windower_->start_text(key);
      result.end = windower_->start_text(key + 1);
      result.partial = cut_off_[w];
      last = window == last_;
    } else if (options_.window.kind == WindowSpec::Kind::kRows) {
      result.partial = result.rows < options_.window.rows;
    }
    quality::Context context{.current = held.state,
                             .reference = reference_ ? reference_->state.get() : nullptr,
                             .windows = {},
                             .extent = extent_of(options_.window, result.partial, some_whole_),
                             .unread = unread_,
                             .added = {},
                             .declared = declared_,
                             .label = options_.roles.label,
                             .habits = {}};
    if (last) context.now = options_.now;
    if (reference_ && options_.window.kind != WindowSpec::Kind::kNone && options_.window == reference_->window)
      context.windows = reference_->windows, context.habits = reference_->habits;
    auto checks = options_.checks;
    checks.threads = options_.threads;
    VIGIE_ASSIGN(auto findings, quality::run_checks(context, checks));
    if (held.rules)
      for (auto& finding : held.rules->findings()) findings.push_back(std::move(finding));
    for (auto& finding : findings) result.quality.push_back(as_result(std::move(finding)));
    results_.emplace(window, std::move(result));
    return {};
  }

  void add_other_windows(Inspection& out) const {
    if (reference_->windows.empty() || options_.window == reference_->window) return;
    if (options_.window.kind == WindowSpec::Kind::kNone)
      out.notes.push_back(
          fmt::format("the reference has windows by {}; without such a --window here, volume is not judged",
                      to_string(reference_->window)));
    else
      out.notes.push_back(fmt::format("the reference's windows are by {}, these by {}: volume is not judged",
                                      to_string(reference_->window), to_string(options_.window)));
  }

  table::Input& input_;
  const QualityReference* reference_;
  const InspectOptions& options_;
  std::optional<Windower> windower_;
  std::vector<std::int64_t> expected_;  // rows by window, of calendar windows
  std::vector<bool> cut_off_;           // by window
  bool some_whole_ = true;
  std::int32_t last_ = -1;
  Watched watched_;
  std::optional<TableState> fresh_;  // knows the reference's fences
  std::map<std::int32_t, Open> open_;
  std::map<std::int32_t, WindowResult> results_;
  std::vector<std::string> unread_;
  std::vector<quality::ColumnSpec> declared_;
  std::int64_t without_time_ = 0;
  // Of the batch at hand.
  std::vector<std::int32_t> groups_;
  Pieces pieces_;
  std::vector<Values> values_;
  std::vector<QualityBuffer> buffers_;
  std::vector<Status> failures_;
  std::vector<double> time_buffer_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

Result<QualityReference> learn_quality(table::Input& input, const InspectOptions& options) {
  QualityReference out;
  Watched watched;
  std::optional<TableState> state;
  std::optional<Windower> windower;
  std::vector<quality::Window> windows;
  std::vector<std::int32_t> groups;
  std::vector<double> times_buffer;
  std::vector<QualityBuffer> buffers;
  std::vector<Status> failures;
  const bool cut = options.window.kind != WindowSpec::Kind::kNone;
  const auto begin = [&](const table::Schema& schema) -> Status {
    VIGIE_ASSIGN(watched, watch(schema, input.name(), nullptr, options));
    VIGIE_ASSIGN(windower, Windower::make(options.window));
    state.emplace(watched.specs);
    windows.clear();
    return {};
  };
  const auto each = [&](table::Batch& batch, std::int64_t first) -> Status {
    std::span<const double> times;
    if (options.window.calendar()) {
      VIGIE_ASSIGN(times, read_times(batch, watched.time, times_buffer));
    }
    windower->assign(first, batch.rows(), times, groups);
    windows.resize(windower->size(), {0, std::vector<std::int64_t>(watched.where.size())});
    for (const auto g : groups)
      if (g >= 0) ++windows[static_cast<std::size_t>(g)].rows;
    state->begin(first, static_cast<std::size_t>(batch.rows()));
    const auto use = [&](std::size_t i, const Values& all) {
      state->column(i, all);
      for (std::size_t r = 0; cut && r < groups.size(); ++r)
        if (groups[r] >= 0 && is_missing(all, r)) ++windows[static_cast<std::size_t>(groups[r])].missing[i];
      batch.release(watched.where[i]);
    };
    VIGIE_TRY(decode(batch, watched, {}, options.threads, buffers, failures, use));
    state->end();
    return {};
  };
  VIGIE_ASSIGN(auto scanned, scan(input, std::nullopt, options.progress, begin, each));
  out.source = input.name();
  out.rows = scanned.rows;
  out.rejected = scanned.problems.rejected;
  out.problems = scanned.problems.messages;
  out.notes = scanned.problems.notes;
  out.window = options.window;
  std::vector<std::int64_t> rows;
  for (const auto& window : windows) rows.push_back(window.rows);
  for (const auto w : healthy_windows(*windower, options.window, rows)) out.windows.push_back(windows[w]);
  for (const auto& field : scanned.schema) {
    const auto* column = state->find(field.name);
    if (column && column->present() > 0) out.types.push_back(field);
    if (!column) out.left_out.push_back(field.name);
  }
  out.state = std::make_shared<const TableState>(std::move(*state));
  return out;
}

Result<Inspection> inspect(table::Input& current, const QualityReference* reference, const InspectOptions& options) {
  // What is wrong with the options is said before data are read.
  VIGIE_TRY(quality::run_checks({TableState(std::vector<quality::ColumnSpec>{})}, options.checks));
  return Inspector(current, reference, options).run();
}

}  // namespace vigie::engine

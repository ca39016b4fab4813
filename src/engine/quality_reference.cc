// SPDX-License-Identifier: Apache-2.0
#include "engine/quality_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/quality_counter_internal.h"

namespace vigie::engine {
namespace {

using quality::Budget;
using quality::TableState;

// From what a column of few windows leaves free of its 50 kB down to next to nothing.
constexpr Budget kBudgets[] = {
    {1024, 256, 12'000, 512}, {512, 256, 8'000, 256}, {256, 128, 4'000, 128}, {128, 64, 1'000, 64}, {32, 16, 0, 16}};

std::string encoded(const Profile& profile, const Budget& budget) {
  ByteWriter out;
  profile.quality->save(out, budget);
  out.varint(profile.quality_windows.size());
  for (const quality::Window& window : profile.quality_windows) {
    out.varint(static_cast<std::uint64_t>(window.rows));
    out.varint(window.missing.size());
    for (const auto missing : window.missing) out.varint(static_cast<std::uint64_t>(missing));
  }
  return out.take();
}

}  // namespace

std::shared_ptr<const TableState> as_stored(const TableState& state) {
  ByteWriter out;
  state.save(out, kBudgets[0]);
  ByteReader in(out.bytes());
  auto stored = TableState::load(in);
  return stored ? std::make_shared<const TableState>(std::move(*stored)) : nullptr;
}

void save_quality(ByteWriter& out, const Profile& profile, std::size_t bytes) {
  if (profile.quality) {
    for (const Budget& budget : kBudgets) {
      const std::string text = encoded(profile, budget);
      if (text.size() <= bytes) return out.string(text);
    }
  }
  out.string({});
}

Status load_quality(ByteReader& in, Profile& profile) {
  const std::string_view bytes = in.string();
  if (!in.ok() || bytes.empty()) return {};
  ByteReader text(bytes);
  VIGIE_ASSIGN(auto state, TableState::load(text));
  profile.quality_windows.resize(text.count(2));
  for (quality::Window& window : profile.quality_windows) {
    window.rows = static_cast<std::int64_t>(text.varint());
    window.missing.resize(text.count(1));
    for (auto& missing : window.missing) {
      missing = static_cast<std::int64_t>(text.varint());
      if (missing < 0 || missing > window.rows) text.fail();
    }
    if (window.rows < 0 || window.rows > profile.rows ||
        (!window.missing.empty() && window.missing.size() != state.columns().size()))
      text.fail();
  }
  if (!text.ok() || text.remaining() != 0) in.fail();
  profile.quality = std::make_shared<const TableState>(std::move(state));
  return {};
}

void merge_quality(const Profile& a, const Profile& b, Profile& merged) {
  merged.quality = nullptr;
  merged.quality_windows.clear();
  const auto& last = merged.notes;
  if (a.quality && b.quality) {
    TableState both = a.quality->copy();
    if (both.append(*b.quality)) {
      merged.quality = std::make_shared<const TableState>(std::move(both));
      if (merged.window_count > 0)
        for (const auto* side : {&a, &b})
          merged.quality_windows.insert(merged.quality_windows.end(), side->quality_windows.begin(),
                                        side->quality_windows.end());
      auto& windows = merged.quality_windows;
      if (windows.size() > kWindows)
        windows.erase(windows.begin(), windows.end() - static_cast<std::ptrdiff_t>(kWindows));
      return;
    }
  }
  const std::string note =
      "the merged profile holds nothing for most checks of data quality: one of the two does not, "
      "or their columns differ";
  if (std::find(last.begin(), last.end(), note) == last.end()) merged.notes.push_back(note);
}

namespace {

constexpr double kNowAndThen = .05;  // of the windows

/// Rows of category i in a window, by its trace.
double rows_of(const drift::WindowSummary& w, std::size_t i) {
  const double root = std::sin(w.arcsine[i]);
  return root * root * (w.rows + .75) - .375;
}

bool has_one_value(const ColumnProfile& c, const drift::WindowSummary& w) {
  if (!c.categorical()) return w.log_scale < std::log(.5 / w.rows) / 2 + 1e-3;
  for (std::size_t i = 0; i < w.arcsine.size(); ++i)
    if (rows_of(w, i) > w.rows - .5) return true;
  return false;
}

/// As far as the traces of healthy windows tell: of the most frequent categories.
std::vector<quality::Habit> habits_of(const Profile& profile) {
  std::vector<quality::Habit> out;
  for (const auto& c : profile.columns) {
    const auto& windows = c.parts[0][0].windows;
    if (windows.size() < drift::kFewestWindows) continue;
    const auto often = [&](std::size_t count, std::size_t of) {
      return static_cast<double>(count) > kNowAndThen * static_cast<double>(of);
    };
    quality::Habit habit{c.name, {}};
    std::size_t constant = 0;
    for (const auto& w : windows) constant += has_one_value(c, w);
    habit.constant = often(constant, windows.size());
    for (std::size_t i = 0; c.categorical() && i < c.categories.size(); ++i) {
      std::size_t known = 0, without = 0;
      for (const auto& w : windows) {
        if (i >= w.arcsine.size()) continue;
        ++known, without += rows_of(w, i) < .5;
      }
      if (often(without, known)) habit.texts.push_back(c.categories[i].name);
    }
    if (habit.constant || !habit.texts.empty()) out.push_back(std::move(habit));
  }
  return out;
}

}  // namespace

QualityReference quality_of(const Profile& profile) {
  QualityReference out{.source = profile.source,
                       .rows = profile.rows,
                       .rejected = profile.rejected,
                       .state = profile.quality,
                       .types = {},
                       .window = profile.window,
                       .windows = profile.quality_windows,
                       .habits = habits_of(profile),
                       .left_out = {},
                       .problems = profile.problems,
                       .notes = {}};
  if (!out.state) {
    std::vector<quality::ColumnSpec> columns;
    for (const auto& c : profile.columns) columns.push_back(quality_column({c.name, c.source}, {}, nullptr));
    out.state = std::make_shared<const TableState>(std::move(columns));
    out.notes.push_back(
        fmt::format("{}: holds nothing for most checks of data quality, as what was counted in a cluster, or by an "
                    "older vigie",
                    profile.source));
  }
  for (const auto& c : profile.columns)
    if (c.whole().total_rows() > 0) out.types.push_back({c.name, c.source});
  out.types.insert(out.types.end(), profile.others.begin(), profile.others.end());
  for (const auto& f : profile.others)
    if (!out.state->find(f.name)) out.left_out.push_back(f.name);
  return out;
}

}  // namespace vigie::engine

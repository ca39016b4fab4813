// SPDX-License-Identifier: Apache-2.0
#include "view/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "view/findings_internal.h"
#include "view/grid_internal.h"
#include "view/method_table_internal.h"
#include "view/quality_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

using engine::ColumnType;
using engine::Comparison;
using engine::Verdict;

constexpr std::size_t kMostListed = 20;
constexpr std::size_t kLabel = 10;  // width of the words that start a line of the lower part

class Page {
 public:
  Page(const Comparison& comparison, const TerminalOptions& options)
      : c_(comparison),
        options_(options),
        width_(layout_width(options)),
        findings_(find(comparison)),
        quality_(alike(comparison.windows)) {
    if (!findings_.empty()) overall_ = overall(c_, findings_);
  }

  std::string draw() {
    auto said = clean(sentence(c_, findings_));
    bool caution = cautious(said);
    auto lead = std::string(headline(c_.summary.verdict)) + (caution ? ", " : "  ");
    out_ += wrapped({lead, caution ? Style::kWarning : style_of(c_.summary.verdict)}, {said, Style::kBold}, lead.size(),
                    options_);
    auto order = ranked(findings_);
    changed("model outputs that changed", order, true);
    changed("columns that changed", order, false);
    out_ += method_table(c_, order, options_);
    out_ += '\n';
    unchanged();
    quality();
    strip();
    looked_at();
    return std::move(out_);
  }

 private:
  std::string clean(std::string_view text) const { return printable(text, options_.unicode); }

  void line(std::string_view label, const std::string& text, Style style = Style::kDim) {
    auto lead = std::string(label);
    lead.resize(kLabel, ' ');
    out_ += wrapped({lead, style}, {text, Style::kPlain}, kLabel, options_);
  }

  // Of texts and embeddings it is said, where `kinds` are given, what of them was compared.
  std::string names(const std::vector<std::string_view>& columns, std::size_t room,
                    const std::vector<ColumnType>* kinds = nullptr) const {
    std::string text;
    std::size_t used = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      auto name = shortened(clean(columns[i]), 32, ellipsis(options_), true);
      if (kinds && i < kinds->size() && ((*kinds)[i] == ColumnType::kText || (*kinds)[i] == ColumnType::kEmbedding))
        name += fmt::format(" ({})", type_text((*kinds)[i]));
      auto more = fmt::format(" and {} more", columns.size() - i);
      if (i && used + display_width(name) + 2 + more.size() > room) return text + more;
      text += (i ? ", " : "") + name;
      used += display_width(name) + 2;
    }
    return text;
  }

  // Effect relative to its major level, window by window.
  std::string sparkline(const Finding& f, std::size_t room) const {
    auto windows = c_.windows.size(), count = std::min(windows, room);
    std::vector<double> levels(count, -1);
    for (std::size_t w = 0; w < windows; ++w) {
      auto& level = levels[w * count / windows];
      for (const auto* r : {f.values[w], f.missing[w]})
        if (r) level = std::max(level, gravity(*r));
    }
    double top = std::max(1.0, *std::max_element(levels.begin(), levels.end()));
    return bars(levels, top, options_);
  }

  std::string bar(double gravity, std::size_t room) const {
    if (gravity < 0) return {};
    double full = std::min(gravity / 2, 1.0) * static_cast<double>(room);
    auto whole = static_cast<std::size_t>(full);
    std::string text;
    for (std::size_t i = 0; i < whole; ++i) text += options_.unicode ? "█" : "#";
    constexpr std::string_view kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    auto part = static_cast<int>((full - static_cast<double>(whole)) * 8);
    if (options_.unicode) text += kParts[part];
    auto blanks = room - std::min(room, display_width(text));
    return text + std::string(blanks, ' ') + fmt::format(" {}{}", human(gravity, 2), options_.unicode ? "×" : "x");
  }

  static std::string percent(double share) { return share < 1e-4 && share > 0 ? "< 0.01" : human(100 * share, 2); }

  // A number and its unit stay on one line.
  static std::string together(std::string text) {
    for (std::string_view unit : {" sd", " % of rows", " %", "(p < ", "(p ", " corrected)"})
      for (auto at = text.find(unit); at != std::string::npos; at = text.find(unit, at + 1))
        std::replace(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(at + unit.size()), ' ', kTied);
    return text;
  }

  std::string details(const Finding& f) const {
    const auto& r = *f.gravest;
    std::string text;
    std::string lead;
    auto say = [&](const std::string& what) {
      if (!what.empty()) lead += (lead.empty() ? "" : ", ") + what;
    };
    if (is_missing_share(r))
      say("missing values");
    else if (f.type == ColumnType::kText || f.type == ColumnType::kEmbedding)
      say(type_text(f.type));
    if (r.segment) say("where " + *r.segment);
    if (auto time = when(c_, f, f.verdict); time != overall_) say(time);
    say(worst_in(c_, f));
    if (!lead.empty()) lead += ": ";
    auto put = [&](const std::string& what) {
      if (!what.empty()) text += wrapped({"    ", Style::kPlain}, {together(clean(what)), Style::kDim}, 4, options_);
    };
    put(lead + reason_text(f));

    auto missing = missing_shares(f, r, f.window);
    std::string more;
    if (!is_missing_share(r) && missing.differ())
      more = fmt::format("missing {} → {} %", percent(missing.reference), percent(missing.current));
    auto parts = segments(c_, f.column);
    std::erase(parts, f.gravest);
    for (std::size_t i = 0; i < std::min<std::size_t>(3, parts.size()); ++i)
      more += fmt::format("{}{} {}",
                          i              ? "; "
                          : more.empty() ? "in segments: "
                                         : "; in segments: ",
                          *parts[i]->segment, effect_text(parts[i]->effect, parts[i]->effect_scale));
    if (parts.size() > 3) more += fmt::format("; and {} more", parts.size() - 3);
    put(more);
    return text;
  }

  void changed(std::string_view title, const std::vector<const Finding*>& order, bool outputs) {
    std::vector<const Finding*> shown;
    std::size_t hidden = 0;
    for (const auto* f : order)
      if (f->changed() && f->output() == outputs) shown.size() < kMostListed ? shown.push_back(f) : void(++hidden);
    if (shown.empty()) return;

    bool several = c_.windows.size() > 1, roomy = width_ >= 72;
    auto picture = static_cast<std::size_t>(width_ >= 110 ? 24 : roomy ? 12 : 8);

    std::vector<std::string> header = {"column", roomy ? "verdict" : "", "effect", "adj. p",
                                       several ? "by window"
                                       : roomy ? "of major level"
                                               : "of major"};
    std::vector<Align> alignments = {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight, Align::kLeft};
    std::vector<std::vector<Cell>> rows;
    std::vector<std::string> between(1);
    for (const auto* f : shown) {
      const auto& r = *f->gravest;
      auto style = style_of(r.verdict);
      auto name = std::string(f->column);
      auto word = std::string(mark(r.verdict, options_.unicode));
      if (roomy)
        word = options_.unicode ? fmt::format("{} {}", word, to_string(r.verdict)) : std::string(to_string(r.verdict));
      auto effect = effect_text(r.effect, r.effect_scale, direction(*f, r, f->window));
      auto& row = rows.emplace_back();
      row = {{clean(name), Style::kBold},
             {word, style},
             {clean(effect), style},
             {clean(p_text(r.p_adjusted)), Style::kPlain},
             {several ? sparkline(*f, picture) : bar(f->gravity, picture - 4), style}};
      between.push_back(details(*f));
    }
    // A name that would be cut stands above its numbers.
    std::size_t others = 2 * (header.size() - 1);
    for (std::size_t i = 1; i < header.size(); ++i) {
      auto widest = display_width(header[i]);
      for (const auto& row : rows) widest = std::max(widest, display_width(row[i].text));
      others += widest;
    }
    auto room = std::clamp<std::size_t>(width_ - std::min(width_, others), 6, 40);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (display_width(rows[i][0].text) > room)
        between[i] += wrapped({"", Style::kPlain}, {std::exchange(rows[i][0].text, {}), Style::kBold}, 2, options_);
    out_ +=
        '\n' + styled(title, Style::kBold, options_) + '\n' + grid(header, rows, alignments, between, false, options_);
    if (hidden)
      out_ +=
          wrapped({"", Style::kPlain},
                  {fmt::format("{} and {} more: --json or -o report.html", ellipsis(options_), hidden), Style::kBold},
                  0, options_);
  }

  void unchanged() {
    std::vector<std::string_view> features, outputs, unseen;
    std::vector<ColumnType> kinds, kinds_of_outputs;
    for (const auto& f : findings_) {
      if (f.verdict != Verdict::kOk) continue;
      (f.output() ? outputs : features).push_back(f.column);
      (f.output() ? kinds_of_outputs : kinds).push_back(f.type);
      if (blind(f)) unseen.push_back(f.column);
    }
    auto room = 2 * (width_ - kLabel) - 24;
    auto ok = [&](const auto& columns, const auto& types, std::string_view noun) {
      if (!columns.empty())
        line("ok",
             fmt::format("{}: {}", plural(static_cast<std::int64_t>(columns.size()), noun),
                         names(columns, room, &types)),
             Style::kOk);
    };
    ok(outputs, kinds_of_outputs, "model output");
    ok(features, kinds, "column");
    // The headline says it of all together.
    bool all = c_.summary.verdict == Verdict::kOk && unseen.size() == features.size() + outputs.size();
    if (!unseen.empty() && !all)
      line("", fmt::format("{} of these could not have shown even a major change: {}", unseen.size(),
                           names(unseen, room / 2)));
    for (const auto& f : findings_) {
      if (f.verdict != Verdict::kOk) continue;
      const engine::ColumnResult* largest = nullptr;
      std::size_t count = 0;
      for (std::size_t w = 0; w < f.values.size(); ++w)
        for (const auto* r : {f.values[w], w < f.missing.size() ? f.missing[w] : nullptr})
          if (r && undecided(*r, c_.windows[w])) {
            if (!largest || r->effect > largest->effect) largest = r;
            ++count;
          }
      if (largest)
        line("", clean(fmt::format("{} is undecided in {} of {}: {}", f.column, count,
                                   plural(static_cast<std::int64_t>(c_.windows.size()), "window"), largest->reason)));
    }
    auto groups = without_data(findings_);
    for (auto& g : groups)
      std::erase_if(g.columns, [&](std::string_view column) {
        return std::any_of(quality_.begin(), quality_.end(), [&](const Alike& a) {
          return a.first->reason.starts_with(g.reason) &&
                 std::find(a.columns.begin(), a.columns.end(), column) != a.columns.end();
        });
      });
    std::erase_if(groups, [](const Group& g) { return g.columns.empty(); });
    for (std::size_t i = 0; i < std::min<std::size_t>(4, groups.size()); ++i)
      line("no data", fmt::format("{}: {}: {}", plural(static_cast<std::int64_t>(groups[i].columns.size()), "column"),
                                  names(groups[i].columns, room / 2),
                                  shortened(clean(groups[i].reason), 160, ellipsis(options_))));
    if (groups.size() > 4) {
      std::size_t rest = 0;
      for (std::size_t i = 4; i < groups.size(); ++i) rest += groups[i].columns.size();
      line("no data", fmt::format("{} for {} other reasons: --json names them",
                                  plural(static_cast<std::int64_t>(rest), "column"), groups.size() - 4));
    }
  }

  void quality() {
    constexpr std::size_t kShown = 5;
    const auto groups = by_columns(quality_);
    for (std::size_t i = 0; i < std::min(kShown, groups.size()); ++i) {
      const auto& f = groups[i].front();
      const auto when = in_windows(f, c_.windows);
      auto text = fmt::format("{}: {}{}{}: {}", f.first->verdict, f.first->check,
                              f.columns.empty() ? "" : " of " + names(f.columns, width_ - kLabel - 20),
                              when.empty() ? "" : " " + when, f.first->reason);
      for (std::size_t k = 1; k < groups[i].size(); ++k)
        text += fmt::format(
            "{} {}{}", k == 1 ? "; also" : ",", groups[i][k].first->check,
            groups[i][k].first->verdict == f.first->verdict ? "" : fmt::format(" ({})", groups[i][k].first->verdict));
      line(i == 0 ? "quality" : "", clean(text), Style::kWarning);
    }
    if (groups.size() > kShown)
      line("", fmt::format("{} and {} more: --json or -o report.html", ellipsis(options_), groups.size() - kShown));
    if (const auto passed = quality_counts(c_.windows).pass; passed > 0 && !quality_.empty())
      line("", fmt::format("{} of data quality passed", plural(passed, "check")));
  }

  void strip() {
    auto count = c_.windows.size();
    if (count < 2) return;
    std::size_t label = 0;
    for (std::size_t w = 0; w < count; ++w) label = std::max(label, window_label(c_, w).size());
    auto room = width_ - kLabel - label - 1;
    auto each = (count + 4 * room - 1) / (4 * room);
    auto marks = (count + each - 1) / each;
    for (std::size_t at = 0; at < marks; at += room) {
      auto lead = std::string(at ? "" : "windows");
      lead.resize(kLabel, ' ');
      out_ += styled(lead, Style::kDim, options_);
      auto text = window_label(c_, at * each);
      text.resize(label + 1, ' ');
      out_ += styled(text, Style::kDim, options_);
      for (auto m = at; m < std::min(marks, at + room); ++m) {
        auto worst = Verdict::kNoData;
        for (auto w = m * each; w < std::min(count, (m + 1) * each); ++w)
          worst = std::max(worst, c_.windows[w].verdict);
        out_ += styled(mark(worst, options_.unicode), style_of(worst), options_);
      }
      out_ += '\n';
    }
    auto u = options_.unicode;
    auto legend = fmt::format("{} ok  {} warning  {} drift  {} no data", mark(Verdict::kOk, u),
                              mark(Verdict::kWarning, u), mark(Verdict::kDrift, u), mark(Verdict::kNoData, u));
    if (each > 1) legend += fmt::format("; a mark is the worst of {} windows", each);
    if (auto cut = cut_off(c_.windows); !cut.empty()) legend += fmt::format("; {}, and not judged", cut);
    out_ += wrapped({std::string(kLabel, ' '), Style::kPlain}, {legend, Style::kDim}, kLabel, options_);
  }

  void segments_judged() {
    std::map<std::string_view, bool> known;
    for (const auto& w : c_.windows)
      for (const auto& r : w.columns)
        if (r.segment) known[*r.segment] |= r.verdict != Verdict::kNoData;
    if (known.empty()) return;
    std::vector<std::string_view> judged;
    for (const auto& [name, any] : known)
      if (any) judged.push_back(name);
    line("segments", fmt::format("{} of {} judged{}", judged.size(), known.size(),
                                 judged.empty() ? "" : ": " + names(judged, 2 * (width_ - kLabel) - 24)));
  }

  void looked_at() {
    auto side = [&](const engine::Side& s) {
      return fmt::format("{} ({})", shortened(clean(s.source), 48, ellipsis(options_), true), plural(s.rows, "row"));
    };
    auto text = fmt::format("{} against {}", side(c_.current), side(c_.reference));
    auto count = static_cast<std::int64_t>(c_.windows.size());
    if (count > 1) text += fmt::format(" in {}", plural(count, "window"));
    if (c_.reference.windows) text += fmt::format("; reference of {}", plural(c_.reference.windows, "window"));
    line("looked at", text);
    segments_judged();
    auto s = c_.summary;
    if (!c_.compat.empty())
      line("", clean(fmt::format("by the rules of {}: how many false alarms to expect is not known", c_.compat)));
    else if (s.expected_false_windows > 0)
      line("",
           clean(count > 1 ? fmt::format("alpha {} per window: {} of {} would be expected to alarm by chance alone",
                                         human(c_.alpha), human(s.expected_false_windows, 2), plural(count, "window"))
                           : fmt::format("alpha {}: of 100 such comparisons at most {} would alarm by chance alone",
                                         human(c_.alpha), human(100 * s.expected_false_windows, 2))));
    if (c_.rejected)
      line("rejected", fmt::format("{} left out, as unreadable", plural(c_.rejected, "record")), Style::kWarning);
    for (std::size_t i = 0; i < c_.notes.size(); ++i) line(i ? "" : "note", clean(c_.notes[i]));
  }

  const Comparison& c_;
  TerminalOptions options_;
  std::size_t width_;
  std::vector<Finding> findings_;
  std::vector<Alike> quality_;
  std::string overall_;  // when, of all columns together
  std::string out_;
};

}  // namespace

std::string to_terminal(const Comparison& comparison, const TerminalOptions& options) {
  return Page(comparison, options).draw();
}

}  // namespace vigie::view

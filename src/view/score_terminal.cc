// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "view/grid_internal.h"
#include "view/score_findings_internal.h"
#include "view/terminal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

using engine::MetricResult;
using engine::Verdict;

constexpr std::size_t kLabel = 12, kMostParts = 20, kMostClasses = 8, kMostSegments = 12;

class ScorePage {
 public:
  ScorePage(const engine::Scorecard& card, const TerminalOptions& options)
      : card_(card), options_(options), width_(layout_width(options)), courses_(courses(card)) {}

  std::string draw() {
    const auto verdict = card_.summary.verdict;
    const auto lead = judged(card_) ? std::string(headline(verdict)) + "  " : "NOT JUDGED  ";
    out_ += wrapped({lead, judged(card_) ? style_of(verdict) : Style::kDim}, {clean(sentence(card_)), Style::kBold},
                    lead.size(), options_);
    metrics();
    const auto tables = part_tables(card_.all());
    for (const auto& table : tables) parts(table);
    dummies(!tables.empty());
    confusion();
    windows();
    segments();
    out_ += '\n';
    looked_at();
    return std::move(out_);
  }

 private:
  std::string clean(std::string_view text) const { return printable(text, options_.unicode); }

  void title(std::string_view text) {
    out_ += '\n' + wrapped({"", Style::kPlain}, {clean(text), Style::kBold}, 0, options_);
  }

  void line(std::string_view label, const std::string& text, Style style = Style::kDim) {
    auto lead = std::string(label);
    lead.resize(kLabel, ' ');
    out_ += wrapped({lead, style}, {clean(text), Style::kPlain}, kLabel, options_);
  }

  std::string marked(Verdict verdict) const {
    return std::string(mark(verdict, options_.unicode)) + " " + std::string(to_string(verdict));
  }

  Verdict gravest_of(const MetricResult& r) const {
    const auto* course = card_.reference ? course_of(courses_, r) : nullptr;
    return course ? course->worst->verdict : r.verdict;
  }

  // Against a reference the gravest of the windows, without one how the metric stands to a dummy.
  Cell verdict(const MetricResult& r) const {
    const auto v = gravest_of(r);
    if (card_.reference) return {marked(v), style_of(v)};
    const auto beside = std::string(beside_dummy(r));
    if (v >= Verdict::kWarning) return {marked(v) + ", " + beside, style_of(v)};
    return {beside.empty() ? clean("–") : beside, Style::kPlain};
  }

  Cell verdict_of(const std::string& segment) const {
    const auto& worst = *gravest(courses_, segment)->worst;
    const auto beside = beside_dummy(card_.all(), segment);
    if (card_.reference) return {marked(worst.verdict), style_of(worst.verdict)};
    if (worst.verdict >= Verdict::kWarning)
      return {fmt::format("{}: {}", marked(worst.verdict), worst.metric->name), style_of(worst.verdict)};
    return {beside.known == 0 ? clean("–") : fmt::format("better in {} of {}", beside.better, beside.known),
            Style::kPlain};
  }

  void metrics() {
    std::vector<std::string> header = {"metric", "value", "95 % interval", "n"};
    const bool dummy = !baselines(card_.all()).empty();
    if (dummy) header.push_back("dummy");
    if (card_.reference) header.push_back("reference");
    if (dummy || card_.reference) header.push_back(card_.reference ? "verdict" : "to dummy");
    std::vector<Align> alignments(header.size(), Align::kRight);
    alignments.front() = Align::kLeft;
    if (dummy || card_.reference) alignments.back() = Align::kLeft;
    std::vector<std::vector<Cell>> rows;
    std::vector<std::string> between(1);
    for (const auto& r : card_.all().metrics) {
      if (r.segment || !r.metric->key().empty() || !std::isfinite(r.value.value)) continue;
      auto& row = rows.emplace_back();
      const auto number = [&](double v) { return Cell{clean(number_text(v)), Style::kPlain}; };
      row = {{std::string(r.metric->name), Style::kBold},
             number(r.value.value),
             {clean(interval_text(r.value)), Style::kPlain},
             {with_commas(r.value.n), Style::kPlain}};
      if (dummy) row.push_back(number(r.value.baseline));
      if (card_.reference) row.push_back(number(r.reference));
      if (dummy || card_.reference) row.push_back(verdict(r));
      const auto text = card_.reference ? why(card_, r, course_of(courses_, r)) : std::string();
      between.push_back(text.empty() ? text
                                     : wrapped({"    ", Style::kPlain}, {clean(text), Style::kDim}, 4, options_));
    }
    if (!rows.empty()) out_ += '\n' + grid(header, rows, alignments, between, false, options_);
    for (const auto& a : absent(card_.all()))
      line("no value", fmt::format("{}: {}", fmt::join(a.metrics, ", "), a.what));
    bool first = true;
    for (const auto& a : without_interval(card_.all()))
      line(std::exchange(first, false) ? "no interval" : "", fmt::format("{}: {}", fmt::join(a.metrics, ", "), a.what));
  }

  void dummies(bool apart) {
    const auto all = baselines(card_.all());
    if (apart && !all.empty()) out_ += '\n';
    bool first = true;
    for (const auto& b : all)
      line(std::exchange(first, false) ? "dummy" : "",
           all.size() == 1 ? b.what : fmt::format("{}: {}", b.what, fmt::join(b.metrics, ", ")));
  }

  void parts(const PartTable& table) {
    title(fmt::format("by {}", table.key));
    std::vector<std::string> header = {std::string(table.key)};
    for (const auto* m : table.metrics) {
      auto name = std::string(m->name);
      if (name.ends_with("_at_k")) name.resize(name.size() - 5);
      header.push_back(std::move(name));
    }
    std::vector<Align> alignments(header.size(), Align::kRight);
    alignments[0] = Align::kLeft;
    std::vector<std::vector<Cell>> rows;
    for (std::size_t p = 0; p < std::min(kMostParts, table.parts.size()); ++p) {
      auto& row = rows.emplace_back();
      row.push_back({clean(table.parts[p]), Style::kBold});
      for (const auto* r : table.cells[p]) {
        const auto v = r ? gravest_of(*r) : Verdict::kNoData;
        row.push_back(r ? Cell{clean(number_text(r->value.value)), v >= Verdict::kWarning ? style_of(v) : Style::kPlain}
                        : Cell{});
      }
      const auto dim = [&](const char* label, auto text) {
        auto& more = rows.emplace_back();
        more.push_back({label, Style::kDim});
        for (const auto* r : table.cells[p]) more.push_back({r ? clean(text(*r)) : "", Style::kDim});
      };
      dim("  95 %", [](const MetricResult& r) { return short_interval_text(r.value); });
      if (card_.reference) dim("  reference", [](const MetricResult& r) { return number_text(r.reference); });
      if (table.key == "k") dim("  dummy", [](const MetricResult& r) { return number_text(r.value.baseline); });
    }
    out_ += grid(header, rows, alignments, {}, false, options_);
    if (table.parts.size() > kMostParts)
      out_ += wrapped(
          {"", Style::kPlain},
          {fmt::format("{} and {} more: --json or -o report.html", ellipsis(options_), table.parts.size() - kMostParts),
           Style::kDim},
          0, options_);
  }

  void confusion() {
    const auto& c = card_.all().confusion;
    if (!c || c->labels.size() > kMostClasses) return;
    title("rows by truth (down) and prediction (across)");
    const auto k = c->labels.size();
    std::vector<std::string> header = {""};
    for (const auto& name : c->labels) header.push_back(clean(name));
    std::vector<Align> alignments(k + 1, Align::kRight);
    alignments[0] = Align::kLeft;
    std::vector<std::vector<Cell>> rows;
    for (std::size_t i = 0; i < k; ++i) {
      auto& row = rows.emplace_back();
      row.push_back({clean(c->labels[i]), Style::kDim});
      for (std::size_t j = 0; j < k; ++j)
        row.push_back({with_commas(c->matrix[i * k + j]), i == j ? Style::kBold : Style::kPlain});
    }
    out_ += grid(header, rows, alignments, {}, false, options_);
  }

  /// One line a metric: its course, and between what it moves.
  void windows() {
    const auto count = card_.windows.size();
    if (count < 2) return;
    const std::size_t room = std::max<std::size_t>(10, width_ - 46), each = (count + room - 1) / room;
    title(fmt::format("over {}{}", plural(static_cast<long long>(count), "window"),
                      each > 1 ? fmt::format(" (a bar is the mean of {})", each) : ""));
    std::vector<std::vector<Cell>> rows;
    for (const auto name : main_metrics(card_.task)) {
      std::vector<double> values((count + each - 1) / each, std::nan(""));
      double least = INFINITY, most = -INFINITY;
      for (std::size_t i = 0; i < values.size(); ++i) {
        double sum = 0, n = 0;
        for (auto w = i * each; w < std::min(count, (i + 1) * each); ++w) {
          const auto* r = find(card_.windows[w], name);
          if (!r || !std::isfinite(r->value.value)) continue;
          sum += r->value.value, n += 1;
          least = std::min(least, r->value.value), most = std::max(most, r->value.value);
        }
        if (n > 0) values[i] = sum / n;
      }
      if (!(least <= most)) continue;
      const double from = std::min(0., least);
      for (double& v : values) v -= from;
      rows.push_back({{std::string(name), Style::kBold},
                      {bars(values, std::max(most - from, 1e-300), options_), Style::kPlain},
                      {clean(number_text(least)), Style::kPlain},
                      {clean(number_text(most)), Style::kPlain}});
    }
    std::string strip;
    for (std::size_t i = 0; judged(card_) && i < (count + each - 1) / each; ++i) {
      auto worst = Verdict::kNoData;
      for (auto w = i * each; w < std::min(count, (i + 1) * each); ++w)
        worst = std::max(worst, card_.windows[w].verdict);
      strip += mark(worst, options_.unicode);
    }
    if (!strip.empty()) rows.push_back({{"verdict", Style::kDim}, {strip, style_of(card_.summary.verdict)}});
    out_ += grid({"metric", "course", "least", "most"}, rows,
                 {Align::kLeft, Align::kLeft, Align::kRight, Align::kRight}, {}, false, options_);
  }

  void segments() {
    const auto names = segments_of(card_.all());
    if (names.empty()) return;
    title("by segment");
    const auto chosen = main_metrics(card_.task);
    std::vector<std::string> header = {"segment", "n"};
    for (const auto m : chosen) header.emplace_back(m);
    header.push_back(card_.reference ? "verdict" : "to dummy");
    std::vector<Align> alignments(header.size(), Align::kRight);
    alignments.front() = alignments.back() = Align::kLeft;
    std::vector<std::vector<Cell>> rows;
    std::vector<std::string> between(1);
    for (std::size_t i = 0; i < std::min(kMostSegments, names.size()); ++i) {
      std::int64_t n = 0;
      for (const auto& r : card_.all().metrics)
        if (r.segment == names[i]) n = std::max(n, r.value.n);
      auto& row = rows.emplace_back();
      row = {{clean(names[i]), Style::kBold}, {with_commas(n), Style::kPlain}};
      for (const auto m : chosen) {
        const auto* r = find(card_.all(), m, names[i]);
        row.push_back({clean(number_text(r ? r->value.value : std::nan(""))), Style::kPlain});
      }
      row.push_back(verdict_of(names[i]));
      if (!card_.reference) {
        between.emplace_back();
        continue;
      }
      auto& before = rows.emplace_back();
      before = {{"  reference", Style::kDim}, {}};
      for (const auto m : chosen) {
        const auto* r = find(card_.all(), m, names[i]);
        before.push_back({clean(number_text(r ? r->reference : std::nan(""))), Style::kDim});
      }
      const auto text = why_segment(card_, courses_, names[i]);
      between.emplace_back();
      between.push_back(text.empty() ? text
                                     : wrapped({"    ", Style::kPlain}, {clean(text), Style::kDim}, 4, options_));
    }
    out_ += grid(header, rows, alignments, between, false, options_);
    if (names.size() > kMostSegments)
      out_ += wrapped(
          {"", Style::kPlain},
          {fmt::format("{} and {} more: --json or -o report.html", ellipsis(options_), names.size() - kMostSegments),
           Style::kDim},
          0, options_);
  }

  void looked_at() {
    const auto& s = card_.summary;
    auto text = fmt::format("{}, {}", card_.source, plural(s.rows.rows, card_.unit));
    if (card_.reference) text += ", against " + *card_.reference;
    line("looked at", text);
    if (s.rows.unlabelled || s.rows.unscored)
      line("not scored", fmt::format("{} without a label, {} without a prediction that can be used",
                                     with_commas(s.rows.unlabelled), with_commas(s.rows.unscored)));
    std::string options;
    for (const auto& [key, value] : card_.options) {
      if (!options.empty()) options += "; ";
      options += key + " ";
      if (const auto* number = std::get_if<double>(&value))
        options += human(*number);
      else if (const auto* word = std::get_if<std::string>(&value))
        options += *word;
      else
        options += fmt::format("{}", fmt::join(std::get<std::vector<std::string>>(value), ", "));
    }
    if (!options.empty()) line("options", shortened(options, 400, ellipsis(options_)));
    if (card_.reference)
      line("", fmt::format("alpha {} per window: {} of {} would be expected to alarm by chance alone",
                           human(card_.alpha), human(s.expected_false_windows, 2), plural(s.windows, "window")));
    if (card_.rejected)
      line("rejected", fmt::format("{} left out, as unreadable", plural(card_.rejected, "record")), Style::kWarning);
    for (std::size_t i = 0; i < card_.notes.size(); ++i) line(i ? "" : "note", card_.notes[i]);
  }

  const engine::Scorecard& card_;
  TerminalOptions options_;
  std::size_t width_;
  std::vector<MetricCourse> courses_;
  std::string out_;
};

}  // namespace

std::string to_terminal(const engine::Scorecard& card, const TerminalOptions& options) {
  return ScorePage(card, options).draw();
}

}  // namespace vigie::view

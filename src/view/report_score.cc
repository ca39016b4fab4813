// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/compare.h"
#include "view/html_internal.h"
#include "view/report.h"
#include "view/score_charts_internal.h"
#include "view/score_findings_internal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

using engine::MetricResult;
using engine::Verdict;

constexpr std::size_t kMostParts = 200, kMostClasses = 30, kMostSegments = 100, kName = 120;

class ScoreReport {
 public:
  explicit ScoreReport(const engine::Scorecard& card) : card_(card), all_(card.all()), courses_(courses(card)) {}

  std::string draw() {
    // The sections first: the bar names those that there are.
    metrics();
    windows();
    pictures();
    confusion();
    for (const auto& table : part_tables(all_)) parts(table);
    segments();
    how();
    auto body = std::move(out_);
    out_.clear();
    head();
    figures();
    out_ += body;
    close_page(out_, card_.version);
    return std::move(out_);
  }

 private:
  void open(std::string_view id, std::string_view title) {
    links_.push_back({id, title});
    put(out_, "<section id=\"{0}\" aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{1}</h2>", id, title);
  }
  void close() { out_ += "</section>"; }
  // Without a reference "ok" would be more than is known.
  std::string badge_of(Verdict v) const {
    return card_.reference || v >= Verdict::kWarning ? badge(v) : std::string("–");
  }
  // What is said of the row above, over the width of the table.
  void more(std::string_view name, int columns, std::string_view text, std::string_view summary) {
    put(out_, "<tr class=\"more\" data-name=\"{}\"><td colspan=\"{}\"><bdi>{}</bdi> <small>{}</small></td></tr>",
        escaped(name, kName), columns, capital(glued(escaped(text, 400))), escaped(summary));
  }
  void cell(const std::string& text) { put(out_, "<td class=\"n\">{}</td>", escaped(text)); }

  void head() {
    const auto v = card_.summary.verdict;
    constexpr std::string_view kWords[] = {"No data", "OK", "Warning", "Drift"};
    const auto word = judged(card_) ? kWords[static_cast<std::size_t>(v)] : std::string_view("Not judged");
    open_page(out_, fmt::format("{}: {}", word, escaped(card_.source, 60)), "metrics", links_);
    put(out_, "<section class=\"verdict {}\" aria-label=\"verdict\"><p class=\"word\">{}</p><h1>{}.</h1>",
        judged(card_) ? to_string(v) : to_string(Verdict::kNoData), word, capital(escaped(sentence(card_), 500)));
    put(out_, "<p class=\"dim\">{} of <bdi>{}</bdi>{}</p></section>", to_string(card_.task), escaped(card_.source, 200),
        card_.reference ? fmt::format(" against <bdi>{}</bdi>", escaped(*card_.reference, 200)) : "");
  }

  void figures() {
    const auto& s = card_.summary;
    out_ += "<dl class=\"figures\">";
    const auto figure = [&](std::string_view term, const std::string& value, const std::string& more) {
      put(out_, "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", term, value, more);
    };
    figure("Scored", with_commas(s.rows.labelled), fmt::format("of {}", plural(s.rows.rows, card_.unit)));
    figure("Not scored", with_commas(s.rows.unlabelled + s.rows.unscored),
           fmt::format("{} without a label, {} without a prediction that can be used", with_commas(s.rows.unlabelled),
                       with_commas(s.rows.unscored)));
    if (card_.windows.size() > 1)
      figure(card_.reference ? "Windows with drift" : "Windows",
             with_commas(card_.reference ? s.windows_with_drift : s.windows),
             card_.reference
                 ? fmt::format("of {}; {} expected by chance", s.windows, human(s.expected_false_windows, 2))
                 : "");
    if (card_.reference)
      figure("Metrics that moved", with_commas(s.drift + s.warning), fmt::format("of {}", s.metrics));
    std::size_t shown = 0;
    for (const auto name : main_metrics(card_.task))
      if (const auto* r = find(all_, name); r && std::isfinite(r->value.value) && shown < 4) {
        ++shown;
        figure(fmt::format("{}{}", name,
                           r->part.empty() ? "" : fmt::format(", {} {}", r->metric->key(), escaped(r->part, 40))),
               number_text(r->value.value), escaped(interval_text(r->value)));
      }
    out_ += "</dl>";
  }

  void metrics() {
    // Of ranking there are none but those by k.
    if (std::none_of(all_.metrics.begin(), all_.metrics.end(),
                     [](const auto& r) { return !r.segment && r.metric->key().empty(); }))
      return;
    open("metrics", "Metrics");
    out_ +=
        "<div class=\"scroll\"><table><thead><tr><th>metric</th><th class=\"n\">value</th><th class=\"n\">95 % "
        "interval</th>"
        "<th class=\"n\">n</th>";
    if (dummy_) out_ += "<th class=\"n\">dummy</th>";
    if (card_.reference) out_ += "<th class=\"n\">reference</th>";
    out_ += "<th>verdict</th></tr></thead><tbody>";
    const int columns = 5 + dummy_ + card_.reference.has_value();
    for (const auto& r : all_.metrics) {
      if (r.segment || !r.metric->key().empty()) continue;
      put(out_, "<tr data-name=\"{0}\"><th scope=\"row\" class=\"nw\">{0}</th>", escaped(r.metric->name));
      const auto labelled = [&](std::string_view label, const std::string& text) {
        put(out_, "<td class=\"n\" data-label=\"{}\">{}</td>", label, escaped(text));
      };
      cell(number_text(r.value.value));
      labelled("95 %", interval_text(r.value));
      labelled("n", with_commas(r.value.n));
      if (dummy_) labelled("dummy", number_text(r.value.baseline));
      if (card_.reference) labelled("reference", number_text(r.reference));
      const auto* course = course_of(courses_, r);
      const auto said = why(card_, r, course);
      put(out_, "<td>{}</td></tr>", badge_of(card_.reference && course ? course->worst->verdict : r.verdict));
      more(r.metric->name, columns, said.empty() ? r.reason : said, r.metric->summary);
    }
    out_ += "</tbody></table></div>";
    close();
  }

  void figure(std::string_view title, std::string_view text, const std::string& chart) {
    if (!chart.empty()) put(out_, "<figure><figcaption><b>{}</b>{}</figcaption>{}</figure>", title, text, chart);
  }

  void windows() {
    if (card_.windows.size() < 2) return;
    open("windows", "Over the windows");
    put(out_, "<p class=\"dim\">A line a metric, with its 95 % interval{}{}.</p><div class=\"charts\">",
        dummy_ ? "; dotted what a dummy gets" : "",
        card_.reference ? fmt::format("{} dashed the reference", dummy_ ? "," : ";") : "");
    for (const auto& r : all_.metrics)
      if (!r.segment && r.part.empty()) figure(r.metric->name, "", course_chart(card_, r));
    out_ += "</div>";
    close();
  }

  void pictures() {
    const auto& p = card_.pictures;
    if (p.roc.empty() && p.gain.empty() && p.reliability.empty() && p.residuals.empty()) return;
    open("pictures", "Pictures");
    out_ += "<div class=\"charts\">";
    figure("ROC", "positives found (up) against negatives taken for positive", roc_chart(p));
    figure("Precision and recall", "precision (up) against recall; dashed a dummy", precision_recall_chart(p));
    figure("Reliability", "share of positives (up) against mean score; dashed perfect", reliability_chart(p));
    figure("Gain", "share of positives (up) among the rows with the highest scores", gain_chart(p));
    figure("Lift", "times as many positives (up) among these rows as in random order", lift_chart(p));
    figure("Residuals", "prediction − label (up) against a normal distribution's; dashed normal", residual_chart(p));
    out_ += "</div>";
    close();
  }

  void confusion() {
    const auto& c = all_.confusion;
    if (!c || c->labels.size() > kMostClasses) return;
    open("confusion", "Confusion matrix");
    const auto k = c->labels.size();
    out_ +=
        "<p class=\"dim\">Rows by truth (down) and prediction (across); the shade is the share of the truth.</p>"
        "<div class=\"scroll\"><table><thead><tr><th></th>";
    for (const auto& name : c->labels) put(out_, "<th class=\"n\"><bdi>{}</bdi></th>", escaped(name, 40));
    out_ += "</tr></thead><tbody>";
    for (std::size_t i = 0; i < k; ++i) {
      double rows = 0;
      for (std::size_t j = 0; j < k; ++j) rows += static_cast<double>(c->matrix[i * k + j]);
      put(out_, "<tr><th scope=\"row\"><bdi>{}</bdi></th>", escaped(c->labels[i], 60));
      for (std::size_t j = 0; j < k; ++j) {
        const double share = rows > 0 ? static_cast<double>(c->matrix[i * k + j]) / rows : 0;
        put(out_,
            "<td class=\"n\" style=\"background:color-mix(in srgb,var(--{}) "
            "{}%,transparent)\">{}<br><small>{}</small></td>",
            i == j ? "cur" : "w", at(45 * share), with_commas(c->matrix[i * k + j]),
            rows > 0 ? share_html(share) : "–");
      }
      out_ += "</tr>";
    }
    out_ += "</tbody></table></div>";
    close();
  }

  void parts(const PartTable& table) {
    open(table.key == "k"       ? "by-k"
         : table.key == "group" ? "by-group"
                                : "by-class",
         table.key == "k"       ? "By k"
         : table.key == "group" ? "By group"
                                : "By class");
    put(out_, "<div class=\"scroll\"><table><thead><tr><th>{}</th>", table.key);
    for (const auto* m : table.metrics) put(out_, "<th class=\"n\">{}</th>", escaped(m->name));
    out_ += "</tr></thead><tbody>";
    for (std::size_t p = 0; p < std::min(kMostParts, table.parts.size()); ++p) {
      put(out_, "<tr data-name=\"{0}\"><th scope=\"row\"><bdi>{0}</bdi></th>", escaped(table.parts[p], kName));
      for (const auto* r : table.cells[p]) value_cell(r);
      out_ += "</tr>";
    }
    out_ += "</tbody></table></div>";
    if (table.parts.size() > kMostParts)
      put(out_, "<p class=\"dim\">… and {} more in the JSON.</p>", table.parts.size() - kMostParts);
    close();
  }

  void value_cell(const MetricResult* r) {
    if (!r) {
      out_ += "<td></td>";
      return;
    }
    // Of the windows where there are several, as the badge of the row.
    const auto* course = card_.reference ? course_of(courses_, *r) : nullptr;
    const auto verdict = course ? course->worst->verdict : r->verdict;
    put(out_, "<td class=\"n\">{}{}<br><small>{}{}{}</small></td>",
        verdict >= Verdict::kWarning ? badge(verdict) + " " : "", escaped(number_text(r->value.value)),
        escaped(interval_text(r->value)), card_.reference ? "<br>reference " + escaped(number_text(r->reference)) : "",
        r->metric->key() == "k" ? "<br>dummy " + escaped(number_text(r->value.baseline)) : "");
  }

  void segments() {
    const auto names = segments_of(all_);
    if (names.empty()) return;
    open("segments", "By segment");
    const auto chosen = main_metrics(card_.task);
    out_ += "<div class=\"scroll\"><table><thead><tr><th>segment</th><th class=\"n\">n</th>";
    for (const auto m : chosen) put(out_, "<th class=\"n\">{}</th>", m);
    out_ += "<th>verdict</th></tr></thead><tbody>";
    for (std::size_t i = 0; i < std::min(kMostSegments, names.size()); ++i) {
      std::int64_t n = 0;
      for (const auto& r : all_.metrics)
        if (r.segment == names[i]) n = std::max(n, r.value.n);
      put(out_, "<tr data-name=\"{0}\"><th scope=\"row\"><bdi>{0}</bdi></th>", escaped(names[i], kName));
      cell(with_commas(n));
      for (const auto m : chosen) value_cell(find(all_, m, names[i]));
      const auto text = why_segment(card_, courses_, names[i]);
      put(out_, "<td>{}</td></tr>", badge_of(gravest(courses_, names[i])->worst->verdict));
      if (!text.empty()) more(names[i], static_cast<int>(chosen.size()) + 3, text, "");
    }
    out_ += "</tbody></table></div>";
    if (names.size() > kMostSegments)
      put(out_, "<p class=\"dim\">… and {} more in the JSON.</p>", names.size() - kMostSegments);
    close();
  }

  void how() {
    open("how", "How");
    out_ += "<dl class=\"facts\">";
    const auto fact = [&](std::string_view term, const std::string& text) {
      put(out_, "<dt>{}</dt><dd>{}</dd>", term, text);
    };
    for (const auto& [key, value] : card_.options) {
      std::string text;
      if (const auto* number = std::get_if<double>(&value)) text = human(*number);
      if (const auto* word = std::get_if<std::string>(&value)) text = escaped(*word, 300);
      if (const auto* list = std::get_if<std::vector<std::string>>(&value))
        for (std::size_t i = 0; i < std::min<std::size_t>(30, list->size()); ++i)
          text += (i ? ", " : "") + escaped((*list)[i], 60);
      fact(escaped(key), text);
    }
    if (card_.rejected) {
      auto text = fmt::format("{} that could not be read", plural(card_.rejected, "record"));
      for (const auto& p : card_.problems) text += "<br>" + escaped(p, 600);
      fact("Left out", text);
    }
    fact("Intervals", fmt::format("95 %, for {}s drawn independently", card_.unit));
    if (dummy_)
      fact("Dummy",
           "what one gets who knows the shares of the classes, or the distribution of the labels, and nothing of the "
           "row");
    if (card_.reference)
      fact(
          "Verdicts",
          fmt::format(
              "a difference to the reference beyond chance (Benjamini–Hochberg over the metrics of a window, alpha {}) "
              "and of some size: {}",
              human(card_.alpha),
              dummy_ ? "a warning from a tenth, drift from a quarter of what the reference has above the dummy"
                     : fmt::format("a warning from {}, drift from {} of the range", percent(engine::kShareLevels.watch),
                                   percent(engine::kShareLevels.major))));
    for (const auto& note : card_.notes) fact("Note", escaped(note, 600));
    out_ += "</dl>";
    close();
  }

  const engine::Scorecard& card_;
  const engine::ScoreWindow& all_;
  const bool dummy_ = !baselines(all_).empty();  ///< whether any metric has one
  std::vector<MetricCourse> courses_;
  std::vector<Link> links_;
  std::string out_;
};

}  // namespace

std::string to_report(const engine::Scorecard& card) {
  return ScoreReport(card).draw();
}

}  // namespace vigie::view

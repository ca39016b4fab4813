// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "view/chart_parts_internal.h"
#include "view/governance_internal.h"
#include "view/html_internal.h"
#include "view/score_findings_internal.h"

namespace vigie::view {
namespace {

using engine::Verdict;
using event::Happened;
using Json = nlohmann::ordered_json;

constexpr std::size_t kName = 120, kReason = 400, kMostColumns = 300, kMostEntries = 1000, kMostIncidents = 200,
                      kMostCauses = 8, kMostMetrics = 24;

std::string many(std::int64_t count) {
  return with_commas(count);
}
std::string duration_text(const std::optional<std::int64_t>& micros) {
  return micros ? duration(static_cast<double>(*micros)) : std::string("–");
}

std::string entries_text(std::int64_t count) {
  return count == 1 ? "1 entry" : many(count) + " entries";
}

// What an entry of the audit log says, for people.
std::string told(const event::AuditEntry& e) {
  const auto d = Json::parse(e.details, nullptr, false);
  const auto said = [&](const char* key) {
    const auto at = d.is_object() ? d.find(key) : d.end();
    return at == d.end() || at->is_null() ? std::string() : at->is_string() ? at->get<std::string>() : at->dump();
  };
  switch (e.happened) {
    case Happened::kServiceStarted:
      return fmt::format("vigie {} started{}", said("version"),
                         said("last_run") == "cut off" ? "; the run before it was cut off" : "");
    case Happened::kServiceStopped:
      return fmt::format("vigie {} stopped", said("version"));
    case Happened::kSettingsChanged:
      return "other settings were taken over: " + said("settings");
    case Happened::kModelCreated:
      return "the model was created by " + said("by");
    case Happened::kModelChanged: {
      std::string out;
      const auto changed = d.is_object() ? d.find("changed") : d.end();
      if (changed != d.end() && changed->is_object())
        for (const auto& [key, both] : changed->items())
          out += fmt::format("{}{}: {} → {}", out.empty() ? "" : "; ", key, both.value("from", Json()).dump(),
                             both.value("to", Json()).dump());
      return out.empty() ? "configured, and nothing changed" : "configured: " + out;
    }
    case Happened::kReferenceSet:
      return fmt::format("a new reference of {} rows, SHA-256 {}…", said("rows"), said("sha256").substr(0, 12));
    case Happened::kAnswered:
      return fmt::format("{}{}{}{}", said("action"), said("until").empty() ? "" : " until " + said("until"),
                         said("note").empty() ? "" : ": " + said("note"),
                         said("applied") == "false" ? " (the incident was over)" : "");
    case Happened::kMaintenance:
      return said("of_all").empty() ? said("ended").empty()
                                          ? fmt::format("maintenance from {} to {}{}", said("from"), said("to"),
                                                        said("note").empty() ? "" : ": " + said("note"))
                                          : "maintenance ended"
                                    : "maintenance of all models: " + said("of_all");
    case Happened::kNoticeSent:
      return fmt::format("{} was told of it ({})", said("target"), said("notice"));
    case Happened::kNoticeGivenUp:
      return fmt::format("{} could not be told ({}): {}", said("target"), said("notice"), said("why"));
    case Happened::kNoticeResent:
      return fmt::format("{} is to be told again ({}){}", said("target"), said("notice"),
                         said("note").empty() ? "" : ": " + said("note"));
    default:
      return said("summary");
  }
}

class Page {
 public:
  explicit Page(const Governance& g) : g_(g), c_(counts_of(g)) {}

  std::string draw() {
    ran();
    watched();
    fired();
    performance();
    quality();
    audit();
    limits();
    auto body = std::move(out_);
    out_.clear();
    head();
    figures();
    out_ += body;
    close_page(out_, g_.version);
    return std::move(out_);
  }

 private:
  void open(std::string_view id, std::string_view title) {
    links_.push_back({id, title});
    put(out_, "<section id=\"{0}\" aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{1}</h2>", id, title);
  }
  void close() { out_ += "</section>"; }
  void fact(std::string_view term, const std::string& html) {
    if (!html.empty()) put(out_, "<dt>{}</dt><dd>{}</dd>", term, html);
  }

  void head() {
    const bool bad = c_.open > 0 || g_.audit_broken > 0;
    const bool some = c_.incidents > 0 || c_.score_drift + c_.score_warning > 0;
    const auto verdict = bad              ? Verdict::kDrift
                         : some           ? Verdict::kWarning
                         : c_.windows > 0 ? Verdict::kOk
                                          : Verdict::kNoData;
    const auto word = g_.audit_broken > 0 ? "Audit log altered"
                      : c_.open > 0       ? "Incidents open"
                      : some              ? "With incidents"
                      : c_.windows > 0    ? "Nothing to report"
                                          : "Nothing watched";
    open_page(out_, fmt::format("{}, {} to {}", escaped(g_.model, 60), minute_text(g_.from), minute_text(g_.to)),
              "report", links_);
    put(out_,
        "<section class=\"verdict {}\" aria-label=\"verdict\"><p class=\"word\">{}</p><h1><bdi>{}</bdi>: "
        "{}.</h1>",
        to_string(verdict), word, escaped(g_.model, kName), escaped(sentence(g_)));
    put(out_, "<p class=\"dim\">Governance report, {} to {} (UTC); made {} from <bdi>{}</bdi>.</p></section>",
        minute_text(g_.from), minute_text(g_.to), minute_text(g_.made), escaped(g_.service, 200));
  }

  void figures() {
    out_ += "<dl class=\"figures\">";
    const auto figure = [&](std::string_view term, const std::string& value, const std::string& more) {
      put(out_, "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", term, value, more);
    };
    figure("Predictions", many(c_.rows), fmt::format("in {}", plural(c_.windows, "window")));
    figure("Incidents", many(c_.incidents),
           fmt::format("{} critical; {} open; {} false; {} false alarms were to be expected at most", c_.critical,
                       c_.open, c_.false_alarms, human(c_.expected_false, 2)));
    figure("Until somebody answered", duration_text(c_.to_answer),
           fmt::format("median of {}", plural(c_.answered, "answered incident")));
    figure("Until it was over", duration_text(c_.to_resolve), "median, from when it was noticed");
    figure("Labelled", c_.rows > 0 ? share_html(c_.coverage()) : "–",
           fmt::format("of the predictions; {} scored{}", plural(c_.scored, "window"),
                       c_.preliminary > 0 ? fmt::format(", {} preliminary", c_.preliminary) : ""));
    figure("Audit log", g_.audit_broken > 0 ? "broken" : "holds",
           g_.audit_broken > 0 ? fmt::format("at entry {}", g_.audit_broken)
                               : fmt::format("{} in one chain", entries_text(g_.audit_entries)));
    out_ += "</dl>";
  }

  void ran() {
    open("ran", "What ran");
    out_ += "<dl class=\"facts\">";
    fact("Model", fmt::format("<bdi>{}</bdi>", escaped(g_.model, kName)));
    fact("What it is", escaped(g_.description, kReason));
    fact("Owner", g_.owner.empty() ? "<strong>nobody is named</strong>" : escaped(g_.owner, kName));
    if (g_.runbook.starts_with("https://") || g_.runbook.starts_with("http://"))
      fact("Runbook", fmt::format("<a href=\"{0}\" rel=\"noreferrer\">{0}</a>", escaped(g_.runbook)));
    else
      fact("Runbook", escaped(g_.runbook, kReason));
    fact("Task", escaped(g_.task, kName));
    for (const auto& [key, value] : g_.said) fact(escaped(capital(key), 40), escaped(value, kReason));
    fact("Ever", fmt::format("{} predictions, {} labels; now {}", many(static_cast<std::int64_t>(g_.predictions)),
                             many(static_cast<std::int64_t>(g_.labels)), escaped(g_.state)));
    for (const auto& v : g_.versions)
      fact("Version " + escaped(v.version, kName),
           fmt::format("{}, from {} to {}", plural(v.rows, "row"), minute_text(v.from), minute_text(v.to)));
    out_ += "</dl>";
    if (g_.references.empty())
      out_ += g_.windows.empty()
                  ? "<p><strong>No reference was set:</strong> nothing could be compared.</p>"
                  : "<p>The reference was set after this time: the audit log tells of none until then.</p>";
    else
      out_ +=
          "<h3>What it was compared with</h3><div class=\"scroll\"><table><thead><tr><th>Since</th><th>Reference</th>"
          "<th class=\"n\">Rows</th><th class=\"n\">Columns</th><th>Windows</th><th>SHA-256</th></tr></thead><tbody>";
    for (const auto& r : g_.references)
      put(out_,
          "<tr><td>{}</td><td><bdi>{}</bdi></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{} of a {}</td>"
          "<td><code>{}</code></td></tr>",
          minute_text(r.since), escaped(r.source.empty() ? "rows that were sent" : r.source, kName), many(r.rows),
          many(r.columns), many(r.windows), escaped(r.window, 40), escaped(r.sha256, 64));
    if (!g_.references.empty()) out_ += "</tbody></table></div>";
    out_ += "<h3>When the watch ran</h3><ul>";
    for (const auto& r : g_.runs)
      put(out_, "<li>{} to {}, vigie {}{}</li>", minute_text(r.from),
          r.to == 0 ? std::string("now") : minute_text(r.to), escaped(r.version, 40),
          r.cut_off ? "; cut off, and gone on with where it was" : "");
    if (g_.runs.empty()) out_ += "<li>the audit log does not tell</li>";
    out_ += "</ul>";
    close();
  }

  void watched() {
    open("watched", "What was watched");
    if (g_.windows.empty()) {
      out_ += "<p>No window was over in this time.</p>";
      return close();
    }
    put(out_,
        "<p>{} with {} predictions: {} without enough data to judge, {} in planned maintenance, {} with a warning, {} "
        "with drift. An alarm had to "
        "be so unlikely that chance alone gives {} in 30 days at most.</p>",
        plural(c_.windows, "window"), many(c_.rows), many(c_.windows - c_.judged - c_.maintenance),
        many(c_.maintenance), many(c_.warning), many(c_.drift), human(g_.false_alarms, 2));
    strip();
    if (c_.condensed > 0)
      put(out_,
          "<p class=\"dim\">Of {} the details are past their keep: they are in the counts of windows, and not in the "
          "table below.</p>",
          plural(c_.condensed, "window"));
    if (!g_.columns.empty()) {
      out_ +=
          "<div class=\"scroll\"><table><thead><tr><th>Column</th><th>Role</th><th>Method</th><th class=\"n\">Windows"
          "</th><th class=\"n\">Warning</th><th class=\"n\">Drift</th></tr></thead><tbody>";
      for (std::size_t i = 0; i < std::min(g_.columns.size(), kMostColumns); ++i) column(g_.columns[i]);
      out_ += "</tbody></table></div>";
      if (g_.columns.size() > kMostColumns)
        put(out_, "<p class=\"dim\">and {} more, which moved less</p>", g_.columns.size() - kMostColumns);
    }
    close();
  }

  void column(const Governance::Column& one) {
    put(out_,
        "<tr data-name=\"{}\"><td><bdi>{}</bdi></td><td>{}, {}{}</td><td>{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        escaped(one.column, kName), escaped(one.column, kName), escaped(one.role), escaped(one.type),
        one.segments > 0 ? fmt::format(", {} apart", plural(one.segments, "segment")) : "", escaped(one.method, kName),
        many(one.judged), many(one.warning), many(one.drift));
    if (!one.reason.empty())
      put(out_, "<tr class=\"more\" data-name=\"{}\"><td colspan=\"6\">{}</td></tr>", escaped(one.column, kName),
          capital(glued(escaped(one.reason, kReason))));
  }

  // Verdicts over the windows, those of the data above those of the score.
  void strip() {
    const auto s = steps_of(g_.windows.size());
    constexpr std::string_view kOrder[] = {"no_data", "maintenance", "ok", "warning", "drift"};
    const auto grave = [&](std::string_view verdict) {
      return std::max<std::ptrdiff_t>(0, std::find(std::begin(kOrder), std::end(kOrder), verdict) - std::begin(kOrder));
    };
    out_ += "<p class=\"legend\">";
    for (auto verdict : {Verdict::kOk, Verdict::kWarning, Verdict::kDrift, Verdict::kNoData})
      put(out_, "<span>{}</span>", badge(verdict));
    put(out_, "<span>from {} to {}; above: data and answers, below: the score{}</span></p>",
        minute_text(g_.windows.front().start), minute_text(g_.windows.back().end),
        s.each > 1 ? fmt::format("; a step is the worst of {} windows", s.each) : "");
    put(out_,
        "<svg class=\"live strip\" style=\"height:34px\" viewBox=\"0 0 {} 26\" preserveAspectRatio=\"none\" "
        "role=\"img\" "
        "aria-label=\"{} windows: {} with a warning, {} with drift\">",
        s.count * 8, c_.windows, c_.warning, c_.drift);
    for (std::size_t k = 0; k < s.count; ++k) {
      std::ptrdiff_t data = 0, score = -1;
      for (auto w = k * s.each; w < std::min(g_.windows.size(), (k + 1) * s.each); ++w) {
        data = std::max(data, grave(g_.windows[w].verdict));
        if (g_.windows[w].verdict != "maintenance" && !g_.windows[w].score_verdict.empty())
          score = std::max(score, grave(g_.windows[w].score_verdict));
      }
      const auto& first = g_.windows[k * s.each];
      put(out_, "<g><title>{}: {}{}</title><rect class=\"v-{}\" x=\"{}\" y=\"0\" width=\"7\" height=\"12\"/>",
          minute_text(first.start), kOrder[data], score < 0 ? "" : fmt::format(", score {}", kOrder[score]),
          kOrder[data], k * 8);
      if (score >= 0)
        put(out_, "<rect class=\"v-{}\" x=\"{}\" y=\"14\" width=\"7\" height=\"12\"/>", kOrder[score], k * 8);
      out_ += "</g>";
    }
    out_ += "</svg>";
  }

  void fired() {
    open("incidents", "What fired, and who answered");
    if (g_.incidents.empty()) out_ += "<p>No incident was open in this time.</p>";
    for (std::size_t i = 0; i < std::min(g_.incidents.size(), kMostIncidents); ++i) incident(g_.incidents[i]);
    if (g_.incidents.size() > kMostIncidents)
      put(out_, "<p class=\"dim\">and {} more</p>", g_.incidents.size() - kMostIncidents);
    close();
  }

  void incident(const Governance::Incident& one) {
    const auto& i = one.incident;
    const bool over = i.state == event::Incident::State::kResolved;
    const bool critical = i.severity == event::Severity::kCritical;
    put(out_,
        "<article class=\"incident\" data-name=\"{}\"><p><span class=\"badge {}\">{} {}</span> <strong>{}</strong></p>"
        "<p class=\"dim\">{} to {} · {} · {}{} · owner: {}</p><ul>",
        escaped(i.summary, kName), critical ? "drift" : "warning", critical ? "■" : "▲",
        critical ? "critical" : "warning", capital(escaped(i.summary, kReason)), minute_text(i.since),
        over ? minute_text(i.until) : "now", plural(i.windows, "window"), over ? "over" : to_string(i.state),
        i.false_alarm ? ", a false alarm" : "", i.owner.empty() ? "nobody" : escaped(i.owner, kName));
    for (std::size_t k = 0; k < std::min(i.causes.size(), kMostCauses); ++k) {
      const auto& c = i.causes[k];
      put(out_, "<li><bdi><strong>{}</strong>{}</bdi> {}</li>", escaped(c.column.empty() ? c.what : c.column, kName),
          c.segment.empty() ? "" : " where " + escaped(c.segment, kName), escaped(c.reason, kReason));
    }
    if (i.causes.size() > kMostCauses) put(out_, "<li class=\"dim\">and {} more</li>", i.causes.size() - kMostCauses);
    out_ += "</ul><dl class=\"facts\">";
    fact("Noticed", minute_text(i.opened));
    for (const auto& s : one.steps)
      fact(minute_text(s.time),
           fmt::format("{}{}{}", escaped(s.what, kReason),
                       s.by.empty() ? "" : fmt::format(", by <strong>{}</strong>", escaped(s.by, kName)),
                       s.note.empty() ? "" : fmt::format(": “{}”", escaped(s.note, kReason))));
    fact("First answer", one.answered > 0 ? "after " + duration_text(one.answered - i.opened)
                                          : std::string("<strong>nobody answered</strong>"));
    if (i.resolved > 0) fact("Over", "after " + duration_text(i.resolved - i.opened));
    put(out_, "</dl><p class=\"dim\"><code>{}</code></p></article>", escaped(i.id, 300));
  }

  void performance() {
    open("performance", "How good the model was");
    if (g_.metrics.empty()) {
      out_ += "<p>No window of this time was scored: labels did not come, or the reference has none.</p>";
      return close();
    }
    put(out_,
        "<p>Labels came for {} of the predictions; {} of {} scored windows {} preliminary, with labels still likely to "
        "come. Bands are 95 % intervals; the dashed line is the reference.</p><div class=\"charts\">",
        share_html(c_.coverage()), many(c_.preliminary), many(c_.scored), c_.preliminary == 1 ? "is" : "are");
    for (std::size_t k = 0; k < std::min(g_.metrics.size(), kMostMetrics); ++k) {
      const auto& m = g_.metrics[k];
      const auto chart = governance_chart(g_, m);
      if (chart.empty()) continue;
      put(out_, "<figure data-name=\"{0}\"><figcaption><b>{0}</b>{1}</figcaption>{2}{3}</figure>",
          escaped(m.metric, kName),
          m.drift > 0     ? fmt::format("{} drift in {}", badge(Verdict::kDrift), plural(m.drift, "window"))
          : m.warning > 0 ? fmt::format("{} in {}", badge(Verdict::kWarning), plural(m.warning, "window"))
                          : "",
          chart, m.reason.empty() ? "" : fmt::format("<small>{}</small>", capital(glued(escaped(m.reason, kReason)))));
    }
    out_ += "</div>";
    close();
  }

  void quality() {
    open("quality", "Data quality");
    const auto bad = [](const Governance::Check& c) { return c.failed > 0 || c.warned > 0; };
    const auto count = std::count_if(g_.checks.begin(), g_.checks.end(), bad);
    if (g_.checks.empty()) out_ += "<p>No checks of this time are kept.</p>";
    if (!g_.checks.empty() && count == 0)
      put(out_, "<p>All of {} passed in every window.</p>", plural(std::ssize(g_.checks), "check"));
    if (count > 0) {
      out_ +=
          "<div class=\"scroll\"><table><thead><tr><th>Check</th><th>Column</th><th>Windows</th><th>The last of "
          "them</th></tr></thead><tbody>";
      for (const auto& c : g_.checks)
        if (bad(c))
          put(out_,
              "<tr data-name=\"{0}\"><th scope=\"row\">{0}</th><td><bdi>{1}</bdi></td><td>{2} failed, {3} warned, {4} "
              "passed</td><td>{5}</td></tr>",
              escaped(c.check, kName), escaped(c.column.empty() ? "all" : c.column, kName), many(c.failed),
              many(c.warned), many(c.passed), capital(glued(escaped(c.reason, kReason))));
      out_ += "</tbody></table></div>";
    }
    close();
  }

  void audit() {
    open("audit", "Audit log");
    if (g_.audit_broken > 0)
      put(out_,
          "<p><strong>The chain breaks at entry {}:</strong> {}. What stands before it is as it was written; nothing "
          "after it can be relied on.</p>",
          g_.audit_broken, escaped(g_.audit_why, kReason));
    else
      put(out_,
          "<p>Every entry holds the SHA-256 of the one before it. All {} in the log were checked when this report was "
          "made, and hold; the last one's is <code>{}</code>. <code>vigie audit verify --entry {}:…</code> with that "
          "hash tells "
          "later whether it still stands.</p>",
          entries_text(g_.audit_entries), escaped(g_.audit_hash, 64), g_.audit_entries);
    if (!g_.audit.empty())
      out_ +=
          "<div class=\"scroll\"><table><thead><tr><th class=\"n\">Entry</th><th>Time</th><th>Event</th><th>Who</th>"
          "<th>What</th></tr></thead><tbody>";
    for (std::size_t k = 0; k < std::min(g_.audit.size(), kMostEntries); ++k) {
      const auto& e = g_.audit[k];
      auto event = std::string(to_string(e.happened));
      std::replace(event.begin(), event.end(), '_', ' ');
      put(out_,
          "<tr data-name=\"{}\"><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td><bdi>{}</bdi></td></tr>",
          event, e.number, minute_text(e.time), event, escaped(e.by, kName), capital(escaped(told(e), kReason)));
    }
    if (!g_.audit.empty()) out_ += "</tbody></table></div>";
    if (g_.audit.size() > kMostEntries)
      put(out_, "<p class=\"dim\">and {} more: report.json has all of them</p>", g_.audit.size() - kMostEntries);
    close();
  }

  void limits() {
    open("limits", "What this report does not say");
    out_ +=
        "<ul><li>A window is in it by its own time, an incident and an entry of the audit log by when they came "
        "about.</li><li>“Ok” means that no change was found that is larger than the levels and that chance does not "
        "explain; it does not say that there was none.</li><li>Performance is that of the predictions whose labels "
        "came; those that lack one may differ.</li><li>The audit log shows what was altered in it. It does not show "
        "that all of it from some entry on was made anew by who can write the service's files: for that, compare "
        "with a hash that was noted elsewhere, as in an earlier report.</li><li>Who answered is who the caller said "
        "they are.</li></ul>";
    close();
  }

  const Governance& g_;
  GovernanceCounts c_;
  std::vector<Link> links_;
  std::string out_;
};

}  // namespace

std::string governance_chart(const Governance& g, const Governance::Metric& m) {
  const auto s = steps_of(g.windows.size());
  const auto course = [&](const std::vector<double>& values) {
    return chart::stepped(s, false, [&](std::size_t w) { return w < values.size() ? values[w] : chart::kNaN; });
  };
  const auto value = course(m.value), low = course(m.low), high = course(m.high);
  chart::Scale y{INFINITY, -INFINITY};
  for (const auto* list : {&value, &low, &high})
    for (const double v : *list)
      if (std::isfinite(v)) y.low = std::min(y.low, v), y.high = std::max(y.high, v);
  if (!(y.low <= y.high)) return {};
  if (std::isfinite(m.reference)) y.low = std::min(y.low, m.reference), y.high = std::max(y.high, m.reference);
  auto out = chart::open_svg(fmt::format("{} over the windows", m.metric));
  chart::ValueAxis axis(y, false, [](double v) { return number_text(v); });
  axis.draw(out, y);
  put(out, "<path class=\"curband\" d=\"{}\"/>", chart::band(low, high, y, axis.left));
  if (std::isfinite(m.reference)) chart::line(out, "refline", axis.left, y(m.reference), chart::kRight, y(m.reference));
  put(out, "<path class=\"curline\" d=\"{}\"/>", chart::polyline(value, y, axis.left));
  chart::time_axis(
      out, g.windows.size(),
      [&](std::size_t w) {
        const auto text = minute_text(g.windows[w].start);
        return text.ends_with(" 00:00") ? text.substr(0, 10) : text;
      },
      axis.left);
  return out + "</svg>";
}

std::string to_page(const Governance& report) {
  return Page(report).draw();
}

}  // namespace vigie::view

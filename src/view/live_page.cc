// SPDX-License-Identifier: Apache-2.0
#include "view/live_page.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/iso_time.h"
#include "base/text.h"
#include "view/html_internal.h"
#include "view/live_lines_internal.h"

namespace vigie::view {
namespace {

using engine::Verdict;
using event::Incident;

constexpr std::size_t kName = 120, kMostCauses = 5;
constexpr std::array<Verdict, 4> kVerdicts{Verdict::kNoData, Verdict::kOk, Verdict::kWarning, Verdict::kDrift};

Verdict verdict_of(std::string_view name) {
  for (auto verdict : kVerdicts)
    if (to_string(verdict) == name) return verdict;
  return Verdict::kNoData;
}

// "2026-11-27 02:00"
std::string time_text(double micros) {
  const auto text = iso_time(micros);
  return text.size() < 16 ? std::string("–") : text.substr(0, 10) + " " + text.substr(11, 5);
}
std::string time_text(std::int64_t micros) {
  return time_text(static_cast<double>(micros));
}

// "3 min ago"
std::string ago(double now, double then) {
  if (!std::isfinite(then)) return "never";
  const double seconds = std::max(0., (now - then) / 1e6);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return fmt::format("{:.0f} min ago", seconds / 60);
  if (seconds < 2 * 86400) return fmt::format("{:.0f} h ago", seconds / 3600);
  return fmt::format("{:.0f} days ago", seconds / 86400);
}

constexpr std::string_view kSilent = "silent";

// Silence is as grave as drift.
Verdict grade_of(const LiveModel& m) {
  return m.state == kSilent ? Verdict::kDrift : verdict_of(m.state);
}

bool over(const Incident& incident) {
  return incident.state == Incident::State::kResolved;
}

class Page {
 public:
  explicit Page(const LivePage& page) : page_(page), models_(page.models) {
    std::stable_sort(models_.begin(), models_.end(),
                     [](const LiveModel& a, const LiveModel& b) { return grade_of(a) > grade_of(b); });
  }

  std::string draw() {
    head();
    figures();
    incidents();
    models();
    sources();
    close_page(out_, page_.version);
    return std::move(out_);
  }

 private:
  std::size_t open_incidents() const {
    return static_cast<std::size_t>(
        std::count_if(page_.incidents.begin(), page_.incidents.end(), [](const Incident& i) { return !over(i); }));
  }

  void head() {
    const auto open = open_incidents();
    const bool critical = std::any_of(page_.incidents.begin(), page_.incidents.end(), [](const Incident& i) {
      return !over(i) && i.severity == event::Severity::kCritical;
    });
    const auto verdict = open == 0  ? models_.empty() ? Verdict::kNoData : Verdict::kOk
                         : critical ? Verdict::kDrift
                                    : Verdict::kWarning;
    const auto word = open == 0 ? models_.empty() ? "No data" : "OK" : critical ? "Critical" : "Warning";
    std::vector<Link> links{{"incidents", "Incidents"}, {"models", "Models"}};
    if (!page_.sources.empty()) links.push_back({"machine", "Machine"});
    open_page(out_, word, "models", links);
    put(out_, "<section class=\"verdict {}\" aria-label=\"state\"><p class=\"word\">{}</p><h1>{}</h1>",
        to_string(verdict), word, headline_text(open));
    put(out_, "<p class=\"dim\">As of {} UTC; this page renews itself every half minute.</p>", time_text(page_.now));
    if (!page_.trouble.empty())
      put(out_, "<p><strong>The service is held up:</strong> {}</p>", escaped(page_.trouble, 400));
    if (!page_.shipping.empty()) put(out_, "<p><strong>Shipping waits:</strong> {}</p>", escaped(page_.shipping, 400));
    out_ += "</section>";
  }

  std::string headline_text(std::size_t open) const {
    if (models_.empty()) return "Nothing has come yet.";
    if (open == 0) return "No incident is open.";
    const event::Incident* latest = nullptr;
    for (const auto& incident : page_.incidents)
      if (!over(incident) && (!latest || incident.opened > latest->opened)) latest = &incident;
    if (!latest) return {};
    return fmt::format("{}{}: {}", open == 1 ? "" : fmt::format("{} incidents are open. The latest: ", open),
                       escaped(latest->model, 60), escaped(latest->summary, 300));
  }

  void figures() {
    std::uint64_t predictions = 0, labels = 0;
    std::array<std::size_t, 4> states{};
    std::size_t silent = 0;
    for (const auto& m : models_) {
      predictions += m.predictions, labels += m.labels;
      ++(m.state == kSilent ? silent : states.at(static_cast<std::size_t>(verdict_of(m.state))));
    }
    out_ += "<dl class=\"figures\">";
    const auto figure = [&](std::string_view term, const std::string& value, const std::string& more) {
      put(out_, "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", term, value, more);
    };
    figure("Open incidents", std::to_string(open_incidents()),
           fmt::format("{} of the latest are below",
                       plural(static_cast<std::int64_t>(page_.incidents.size()), "incident")));
    figure("Models", with_commas(static_cast<std::int64_t>(models_.size())),
           fmt::format("{}{} drift, {} warning, {} ok, {} without a verdict",
                       silent ? fmt::format("{} silent, ", silent) : "", states[3], states[2], states[1], states[0]));
    figure("Predictions", with_commas(static_cast<std::int64_t>(predictions)), "distinct ids, since the first");
    figure("Labels", with_commas(static_cast<std::int64_t>(labels)), "of them, and of some that are still to come");
    out_ += "</dl>";
  }

  void incidents() {
    out_ += "<section id=\"incidents\" aria-labelledby=\"incidents-h\"><h2 id=\"incidents-h\">Incidents</h2>";
    if (page_.incidents.empty()) {
      out_ +=
          "<p>None so far. An incident begins with a window that drifted or failed, two in a row that warn, or an "
          "alarm of a detector.</p></section>";
      return;
    }
    for (const auto& i : page_.incidents) incident(i);
    out_ += "</section>";
  }

  void incident(const Incident& i) {
    const bool critical = i.severity == event::Severity::kCritical;
    put(out_,
        "<article class=\"incident\" id=\"{}\" data-name=\"{}\"><p><span class=\"badge {}\">{} {}</span> "
        "<strong><bdi>{}</bdi></strong> ",
        escaped(i.id), escaped(i.model, kName),
        over(i)    ? "ok"
        : critical ? "drift"
                   : "warning",
        critical ? "■" : "▲", critical ? "critical" : "warning", escaped(i.model, kName));
    put(out_, "{}{} · {}{} · {}{}</p><ul>", over(i) ? "" : "since ", time_text(i.since),
        over(i) ? "to " + time_text(i.until) + " · " : "", plural(i.windows, "window"),
        over(i) && i.false_alarm ? "a false alarm" : to_string(i.state),
        over(i) ? "" : ", opened " + ago(page_.now, static_cast<double>(i.opened)));
    for (std::size_t k = 0; k < std::min(i.causes.size(), kMostCauses); ++k) {
      const auto& c = i.causes[k];
      put(out_, "<li><bdi><strong>{}</strong>{}</bdi> {}</li>", escaped(c.column.empty() ? c.what : c.column, kName),
          c.segment.empty() ? "" : " where " + escaped(c.segment, kName), escaped(c.reason, 300));
    }
    if (i.causes.size() > kMostCauses) put(out_, "<li class=\"dim\">and {} more</li>", i.causes.size() - kMostCauses);
    if (!i.compared_with.empty()) put(out_, "<li>Compared with {}</li>", escaped(i.compared_with, 300));
    for (const auto& line : i.context) put(out_, "<li>Meanwhile: {}</li>", escaped(line, 300));
    out_ += "</ul><p class=\"dim\">";
    put(out_, "{}", i.owner.empty() ? "nobody owns it" : escaped(i.owner, kName));
    // Nothing but a page of the web may be linked to.
    if (i.runbook.starts_with("https://") || i.runbook.starts_with("http://"))
      put(out_, " · <a href=\"{}\" rel=\"noreferrer\">runbook</a>", escaped(i.runbook));
    if (!i.answered_by.empty() || !i.note.empty())
      put(out_, " · {}{}{}", escaped(i.answered_by, kName), i.answered_by.empty() || i.note.empty() ? "" : ": ",
          escaped(i.note, 200));
    put(out_, " · <code>{}</code></p></article>", escaped(i.id, 300));
  }

  void models() {
    out_ += "<section id=\"models\" aria-labelledby=\"models-h\"><h2 id=\"models-h\">Models</h2>";
    if (models_.empty()) {
      out_ +=
          "<p>POST the first prediction to <code>/v1/models/NAME/predictions</code>; "
          "<code>vigie serve --help</code> has the lines.</p></section>";
      return;
    }
    out_ += "<p class=\"legend\">";
    for (auto verdict : {Verdict::kOk, Verdict::kWarning, Verdict::kDrift, Verdict::kNoData})
      put(out_, "<span>{}</span>", badge(verdict));
    out_ +=
        "<span class=\"badge\">maintenance</span><span>a column is a window, the latest at the right; above: data and "
        "answers, below: the score and the labels</span></p>"
        "<div class=\"scroll\"><table><thead><tr><th>Model</th><th>State</th><th>Last windows</th>"
        "<th class=\"n\">Predictions</th><th class=\"n\">Labels</th><th>Last seen</th></tr></thead><tbody>";
    for (const auto& m : models_) model(m);
    out_ += "</tbody></table></div></section>";
  }

  void model(const LiveModel& m) {
    put(out_, "<tr data-name=\"{}\"><td><bdi>{}</bdi>", escaped(m.name, kName), escaped(m.name, kName));
    if (!m.description.empty() || !m.owner.empty())
      put(out_, "<br><small>{}{}{}</small>", escaped(m.description, 200),
          m.description.empty() || m.owner.empty() ? "" : " · ", escaped(m.owner, kName));
    put(out_, "</td><td>{}", m.state == kSilent ? badge(Verdict::kDrift, kSilent) : badge(verdict_of(m.state)));
    if (!m.maintenance.empty()) put(out_, "<br><small>in maintenance {}</small>", escaped(m.maintenance, 200));
    out_ += "</td><td>";
    strip(m);
    for (const auto& s : m.changed)
      put(out_, "<small class=\"stream\">▲ <bdi><strong>{}</strong></bdi> {}</small>", escaped(s.on, kName),
          escaped(s.reason, 300));
    draw_lines(out_, m.lines);
    put(out_, "</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
        with_commas(static_cast<std::int64_t>(m.predictions)), with_commas(static_cast<std::int64_t>(m.labels)),
        ago(page_.now, m.last_seen));
  }

  void sources() {
    if (page_.sources.empty()) return;
    out_ +=
        "<section id=\"machine\" aria-labelledby=\"machine-h\"><h2 id=\"machine-h\">Machine</h2>"
        "<p class=\"dim\">The last hour, by the minute.</p><div class=\"sources\">";
    for (const auto& s : page_.sources) {
      put(out_, "<section class=\"source\"><h3><bdi>{}</bdi></h3>", escaped(s.name, kName));
      draw_lines(out_, s.lines);
      out_ += "</section>";
    }
    out_ += "</div></section>";
  }

  void strip(const LiveModel& m) {
    if (!m.drawn) return void(out_ += "<small>not drawn: there are too many models</small>");
    if (m.windows.empty()) {
      out_ +=
          m.watched ? "<small>no window is over yet</small>" : "<small>no reference: POST one to be watched</small>";
      return;
    }
    constexpr int kWidth = 8, kHeight = 12;
    const auto width = static_cast<int>(m.windows.size()) * kWidth;
    put(out_,
        "<svg class=\"live\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\">",
        width, 2 * kHeight + 2, told(m));
    for (std::size_t i = 0; i < m.windows.size(); ++i) {
      const auto& w = m.windows[i];
      const auto x = static_cast<int>(i) * kWidth;
      const auto cell = [&](int y, std::string_view verdict) {
        put(out_, "<rect class=\"v-{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", verdict, x, y, kWidth - 1,
            kHeight);
      };
      put(out_, "<g><title>{} to {} UTC: {}{}</title>", time_text(w.start), time_text(w.end), w.verdict,
          w.score_verdict.empty() ? "" : ", score " + w.score_verdict);
      cell(0, w.verdict);
      if (!w.score_verdict.empty()) cell(kHeight + 2, w.verdict == "maintenance" ? w.verdict : w.score_verdict);
      out_ += "</g>";
    }
    put(out_, "</svg><small>{} to {}</small>", time_text(m.windows.front().start), time_text(m.windows.back().end));
  }

  // "of the last 60 windows 3 drift, 2 warning"
  static std::string told(const LiveModel& m) {
    std::array<std::size_t, 4> counts{};
    for (const auto& w : m.windows) ++counts.at(static_cast<std::size_t>(verdict_of(w.verdict)));
    return fmt::format("of the last {} windows {} drift, {} warning", m.windows.size(), counts[3], counts[2]);
  }

  const LivePage& page_;
  std::vector<LiveModel> models_;
  std::string out_;
};

}  // namespace

std::string to_page(const LivePage& page) {
  auto html = Page(page).draw();
  const std::string_view head = "<meta charset=\"utf-8\">";
  html.insert(html.find(head) + head.size(), "<meta http-equiv=\"refresh\" content=\"30\">");
  return html;
}

}  // namespace vigie::view

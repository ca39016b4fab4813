// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "view/html_internal.h"
#include "view/quality_internal.h"
#include "view/quality_sentence_internal.h"
#include "view/report.h"

namespace vigie::view {
namespace {

constexpr std::size_t kName = 120, kReason = 300, kShown = 60;

std::string columns_html(const Alike& f) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(8, f.columns.size()); ++i)
    put(out, "{}<bdi>{}</bdi>", i ? ", " : "", escaped(f.columns[i], kName));
  if (f.columns.size() > 8) put(out, " and {} more", f.columns.size() - 8);
  return out;
}

std::string_view quality_badge(std::string_view verdict) {
  if (verdict == "fail") return "<span class=\"badge drift\">■ fail</span>";
  return "<span class=\"badge warning\">▲ warn</span>";
}

}  // namespace

void quality_section(std::string& out, const std::vector<engine::WindowResult>& windows) {
  const auto counts = quality_counts(windows);
  if (counts.none()) return;
  const auto found = alike(windows);
  out += "<section id=\"quality\" aria-labelledby=\"quality-h\"><h2 id=\"quality-h\">Data quality</h2>";
  std::string said;
  const auto say = [&](std::int64_t count, std::string_view what) {
    if (count) put(said, ", {} {}", with_commas(count), what);
  };
  say(counts.fail, "failed");
  say(counts.warn, counts.warn == 1 ? "warns" : "warn");
  say(counts.no_data, "could not be made");
  put(out, "<p class=\"dim\">{} passed{}.</p>", plural(counts.pass, "check"), said);
  if (!found.empty()) {
    const bool several = windows.size() > 1;
    out +=
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"data quality\"><table><thead><tr><th "
        "scope=\"col\">verdict</th><th scope=\"col\">check</th><th scope=\"col\">column</th><th "
        "scope=\"col\">reason</th><th scope=\"col\">expected</th>";
    if (several) out += "<th scope=\"col\">when</th>";
    out += "</tr></thead><tbody>";
    for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
      const auto& f = found[i];
      put(out, "<tr data-name=\"{}\"><td>{}</td><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td>",
          f.columns.empty() ? "" : escaped(f.columns[0], kName), quality_badge(f.first->verdict),
          escaped(f.first->check, 60), f.columns.empty() ? "<bdi class=\"dim\">the table</bdi>" : columns_html(f),
          escaped(f.first->reason, kReason), escaped(f.first->expected, kReason));
      if (several) {
        const auto when = in_windows(f, windows);
        put(out, "<td>{}</td>", when.empty() ? fmt::format("in all {} windows", windows.size()) : dated(escaped(when)));
      }
      out += "</tr>";
    }
    out += "</tbody></table></div>";
    if (found.size() > kShown) put(out, "<p class=\"dim\">… and {} more in the JSON.</p>", found.size() - kShown);
  }
  out += "</section>";
}

std::string to_report(const engine::Inspection& c) {
  std::string out;
  const auto& s = c.summary;
  const bool unjudged = s.no_data > 0;
  std::vector<Link> links = {{"quality", "Quality"}};
  if (unjudged) links.push_back({"open", "Not judged"});
  links.push_back({"how", "How"});
  open_page(out, fmt::format("{}: {}", capital(s.verdict), escaped(c.data.source, 60)), "columns", links);
  put(out, "<section class=\"verdict {}\" aria-label=\"verdict\"><p class=\"word\">{}</p><h1>{}.</h1>",
      s.verdict == "fail"   ? "drift"
      : s.verdict == "warn" ? "warning"
      : s.verdict == "pass" ? "ok"
                            : "no_data",
      quality_headline(s.verdict), dated(capital(glued(escaped(quality_sentence(c), 500)))));
  put(out, "<p class=\"dim\"><bdi>{}</bdi>{}</p></section>", escaped(c.data.source, 200),
      c.reference ? fmt::format(" against <bdi>{}</bdi>", escaped(c.reference->source, 200)) : "");
  out += "<dl class=\"figures\">";
  const auto figure = [&](std::string_view term, const std::string& value, const std::string& more) {
    put(out, "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", term, value, more);
  };
  figure("Checks failed", with_commas(s.fail),
         fmt::format("of {}; {} {}", with_commas(s.checks), with_commas(s.warn), s.warn == 1 ? "warns" : "warn"));
  figure("Checks passed", with_commas(s.pass), fmt::format("{} could not be made", with_commas(s.no_data)));
  figure("Rows", with_commas(c.data.rows),
         c.rejected ? fmt::format("{} left out as unreadable", with_commas(c.rejected)) : "none left out");
  if (c.windows.size() > 1)
    figure("Windows", with_commas(static_cast<std::int64_t>(c.windows.size())), "each checked by itself");
  if (c.reference)
    figure(
        "Reference rows", with_commas(c.reference->rows),
        c.reference->windows ? fmt::format("in {}", plural(c.reference->windows, "healthy window")) : "taken as one");
  out += "</dl>";
  quality_section(out, c.windows);
  if (unjudged) {
    out += "<section id=\"open\" aria-labelledby=\"open-h\"><h2 id=\"open-h\">Not judged</h2><dl class=\"facts\">";
    const auto none = without_verdict(c.windows);
    for (std::size_t i = 0; i < std::min<std::size_t>(20, none.size()); ++i)
      put(out, "<dt>{}</dt><dd>{}</dd>", escaped(unjudged_text(none[i])), escaped(none[i].first->reason, kReason));
    out += "</dl></section>";
  }
  out +=
      "<section id=\"how\" aria-labelledby=\"how-h\"><h2 id=\"how-h\">What was looked at, and how</h2><dl "
      "class=\"facts\">";
  const auto fact = [&](std::string_view term, const std::string& text) {
    put(out, "<dt>{}</dt><dd>{}</dd>", term, text);
  };
  fact("Data", fmt::format("<bdi>{}</bdi>, {}", escaped(c.data.source, 300), plural(c.data.rows, "row")));
  if (c.reference)
    fact("Reference",
         fmt::format("<bdi>{}</bdi>, {}", escaped(c.reference->source, 300), plural(c.reference->rows, "row")));
  if (c.rejected) {
    auto text = fmt::format("{} that could not be read", plural(c.rejected, "record"));
    for (const auto& p : c.problems) text += "<br>" + escaped(p, 600);
    fact("Left out", text);
  }
  if (const auto cut = cut_off_text(c.windows); !cut.empty()) fact("Cut off", capital(cut));
  fact("Correction",
       fmt::format("Benjamini–Hochberg over all checks of a window that rest on chance, at alpha {}", human(c.alpha)));
  for (const auto& note : c.notes) fact("Note", escaped(note, 600));
  out += "</dl></section>";
  close_page(out, c.version);
  return out;
}

}  // namespace vigie::view

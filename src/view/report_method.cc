// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "view/html_internal.h"

namespace vigie::view {

void method_section(std::string& out, const engine::Comparison& c) {
  out +=
      "<section id=\"how\" aria-labelledby=\"how-h\"><h2 id=\"how-h\">What was looked at, and how</h2><dl "
      "class=\"facts\">";
  auto fact = [&](std::string_view term, std::string_view text) { put(out, "<dt>{}</dt><dd>{}</dd>", term, text); };
  auto side = [](const engine::Side& s) {
    return fmt::format(
        "<bdi>{}</bdi>, {}{}", escaped(s.source, 300), plural(s.rows, "row"),
        s.windows ? fmt::format(", {} used for between-window variation", plural(s.windows, "healthy window")) : "");
  };
  fact("Reference", side(c.reference));
  fact("Current", side(c.current) + fmt::format(", {}", plural(static_cast<std::int64_t>(c.windows.size()), "window")));
  if (c.rejected) {
    auto text = fmt::format("{} that could not be read", plural(c.rejected, "record"));
    for (const auto& p : c.problems) text += "<br>" + escaped(p, 600);
    fact("Left out", text);
  }

  std::vector<std::pair<std::string, std::size_t>> methods, nulls, levels;
  auto tally = [](auto& list, const std::string& what) {
    auto found = std::find_if(list.begin(), list.end(), [&](const auto& e) { return e.first == what; });
    if (found == list.end()) found = list.insert(list.end(), {what, 0});
    ++found->second;
  };
  std::size_t inexact = 0, tests = 0;
  for (const auto& w : c.windows)
    for (const auto& r : w.columns) {
      ++tests;
      tally(methods, r.method);
      if (!r.null.empty()) tally(nulls, r.null);
      tally(levels,
            fmt::format("{} and {}", effect_html(r.watch, r.effect_scale), effect_html(r.major, r.effect_scale)));
      inexact += !r.exact;
    }
  auto list = [](const auto& items) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(20, items.size()); ++i)
      text += fmt::format("{}{} ({})", i ? ", " : "", escaped(items[i].first),
                          with_commas(static_cast<long long>(items[i].second)));
    return text;
  };
  fact("Tests",
       fmt::format("{}, one per column, window, segment and method", with_commas(static_cast<long long>(tests))));
  fact("Methods", list(methods));
  if (!nulls.empty()) fact("p-values from", list(nulls));
  fact("Levels, watch and major", list(levels));
  fact("Correction", !c.compat.empty()
                         ? fmt::format("none: verdicts are those of {}, by its own thresholds", escaped(c.compat))
                         : fmt::format("Benjamini–Hochberg over all columns, segments and missing shares of a window, "
                                       "at alpha {}; about {} of {} "
                                       "would alarm by chance alone",
                                       human(c.alpha), human(c.summary.expected_false_windows, 2),
                                       plural(static_cast<std::int64_t>(c.windows.size()), "window")));
  fact("Counts",
       inexact ? fmt::format("{} of {} results rest on sketches; each says its bound",
                             with_commas(static_cast<long long>(inexact)), with_commas(static_cast<long long>(tests)))
               : "exact");
  std::string options;
  for (std::size_t i = 0; i < c.options.size() && options.size() < 40'000; ++i)
    put(options, "<code>{}: {}</code> ", escaped(c.options[i].first, 60), escaped(c.options[i].second, 200));
  if (!options.empty()) fact("Options", options);
  fact("Version", "vigie " + escaped(c.version, 60));
  out += "</dl>";
  if (!c.notes.empty()) {
    out += "<h3>Notes</h3><ul>";
    std::size_t shown = 0;
    for (auto start = out.size(); shown < c.notes.size() && out.size() - start < 40'000; ++shown)
      put(out, "<li>{}</li>", escaped(c.notes[shown], 600));
    if (c.notes.size() > shown) put(out, "<li>… and {} more</li>", c.notes.size() - shown);
    out += "</ul>";
  }
  out += "</section>";
}

void glossary(std::string& out) {
  out +=
      "<section id=\"words\" aria-labelledby=\"words-h\"><h2 id=\"words-h\">The words</h2><dl class=\"words\">"
      "<dt>Effect</dt><dd>How far a column moved. Numbers: the average distance its values travelled, in standard "
      "deviations "
      "(sd) of the reference. Categories and missing values: the share of rows that changed place. What sampling noise "
      "alone "
      "would give has been taken off.</dd>"
      "<dt>Watch and major level</dt><dd>Below watch a change is too small to matter, however certain it is. Between "
      "the two it "
      "is a warning, from major on a drift.</dd>"
      "<dt>p and adjusted p</dt><dd>How often a change at least this clear would show up if nothing had happened. The "
      "adjusted p "
      "makes up for looking at many columns at once; it is the one that is held against alpha.</dd>"
      "<dt>Seen 4 times in 5 (detectable effect)</dt><dd>The smallest change that this many rows show four times in "
      "five; smaller ones they show more rarely. A column that is ok, but could only have seen large changes, has not "
      "been cleared.</dd>"
      "<dt>Verdict</dt><dd><b>drift</b>: certain and major. <b>warning</b>: certain, between watch and major. "
      "<b>ok</b>: neither. "
      "<b>no data</b>: too few rows, empty or constant; the reason is given. <b>undecided</b>: an effect worth a look "
      "that could not be told from chance or from the reference’s own variation, so that it is neither ok nor a "
      "warning.</dd>"
      "<dt>Expected by chance</dt><dd>The number of windows that would alarm although nothing had changed, at this "
      "alpha.</dd>"
      "<dt>Reference and current</dt><dd>What normal looks like, and what is held against it.</dd></dl></section>";
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "view/findings_internal.h"
#include "view/grid_internal.h"
#include "view/quality_internal.h"
#include "view/quality_sentence_internal.h"
#include "view/terminal.h"
#include "view/utf8_internal.h"

namespace vigie::view {
namespace {

constexpr std::size_t kMostListed = 20, kLabel = 10, kIndent = 8;

}  // namespace

std::string to_terminal(const engine::Inspection& c, const TerminalOptions& options) {
  std::string out;
  const auto clean = [&](std::string_view text) {
    auto shown = printable(text, options.unicode);
    for (auto at = shown.find(" %"); at != std::string::npos; at = shown.find(" %", at)) shown[at] = kTied;
    return shown;
  };
  const auto style = [](std::string_view verdict) {
    return verdict == "fail"   ? Style::kDrift
           : verdict == "warn" ? Style::kWarning
           : verdict == "pass" ? Style::kOk
                               : Style::kDim;
  };
  const auto lead = quality_headline(c.summary.verdict);
  out += wrapped({lead + "  ", style(c.summary.verdict)}, {clean(quality_sentence(c)), Style::kBold}, lead.size() + 2,
                 options);
  const auto found = by_columns(alike(c.windows));
  if (!found.empty()) out += '\n';
  for (std::size_t i = 0; i < std::min(kMostListed, found.size()); ++i) {
    const auto& group = found[i];
    const auto& first = group.front();
    const bool fails = first.first->verdict == "fail";
    std::string name;
    for (std::size_t k = 0; k < first.columns.size() && k < 8; ++k)
      name += fmt::format("{}{}", k ? ", " : "", shortened(clean(first.columns[k]), 40, ellipsis(options), true));
    if (first.columns.size() > 8) name += fmt::format(" and {} more", first.columns.size() - 8);
    if (group.size() > 1)
      name += fmt::format(", {} checks", group.size());
    else
      name = first.first->check + (name.empty() ? "" : fmt::format(" of {}", name));
    auto mark = std::string(options.unicode ? fails ? "■ " : "▲ " : "") + first.first->verdict;
    out += wrapped({mark + (options.unicode ? "  " : "    "), style(first.first->verdict)}, {name, Style::kBold},
                   kIndent, options);
    for (const auto& f : group) {
      std::string text;
      if (group.size() > 1)
        text = fmt::format("{}{}: ", f.first->check, f.first->verdict == first.first->verdict ? "" : " warns");
      if (const auto when = in_windows(f, c.windows); !when.empty()) text += when + ": ";
      text += f.first->reason;
      if (!f.first->expected.empty()) text += "; expected " + f.first->expected;
      out += wrapped({std::string(kIndent, ' '), Style::kPlain}, {clean(text), Style::kDim}, kIndent, options);
    }
  }
  if (found.size() > kMostListed)
    out +=
        wrapped({"", Style::kPlain},
                {fmt::format("{} and {} more: --json or -o report.html", ellipsis(options), found.size() - kMostListed),
                 Style::kBold},
                0, options);
  out += '\n';
  const auto line = [&](std::string_view label, const std::string& text, Style first = Style::kDim) {
    std::string head(label);
    head.resize(kLabel, ' ');
    out += wrapped({head, first}, {text, Style::kPlain}, kLabel, options);
  };
  if (c.summary.pass) line("passed", plural(c.summary.pass, "check"), Style::kOk);
  const auto unjudged = without_verdict(c.windows);
  for (std::size_t i = 0; i < std::min<std::size_t>(4, unjudged.size()); ++i) {
    const auto& u = unjudged[i];
    line(i ? "" : "no data", clean(fmt::format("{}: {}", unjudged_text(u), u.first->reason)));
  }
  if (unjudged.size() > 4) {
    std::size_t rest = 0;
    for (std::size_t i = 4; i < unjudged.size(); ++i) rest += unjudged[i].columns.size();
    line("", fmt::format("{} for other reasons: --json names them", plural(static_cast<std::int64_t>(rest), "check")));
  }
  const auto side = [&](const engine::Side& s) {
    return fmt::format("{} ({})", shortened(clean(s.source), 48, ellipsis(options), true), plural(s.rows, "row"));
  };
  auto looked = side(c.data);
  if (c.reference) looked += " against " + side(*c.reference);
  if (c.windows.size() > 1)
    looked += fmt::format(" in {}", plural(static_cast<std::int64_t>(c.windows.size()), "window"));
  line("looked at", looked);
  if (const auto cut = cut_off_text(c.windows); !cut.empty()) line("", cut);
  if (c.rejected)
    line("rejected", fmt::format("{} left out, as unreadable", plural(c.rejected, "record")), Style::kWarning);
  for (std::size_t i = 0; i < c.notes.size(); ++i) line(i ? "" : "note", clean(c.notes[i]));
  return out;
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "view/html_internal.h"

namespace vigie::view {
namespace {

using engine::ColumnResult;
using engine::ColumnType;
using engine::Comparison;
using engine::Picture;
using engine::Verdict;

constexpr std::size_t kName = 120, kReason = 400;

std::string unit(ColumnType type) {
  return type == ColumnType::kText        ? ", length in characters"
         : type == ColumnType::kEmbedding ? ", Euclidean norm"
                                          : "";
}

constexpr std::string_view kKey =
    "<span class=\"key\"><i class=\"kr\"></i>reference</span> <span class=\"key\"><i class=\"kc\"></i>current</span>";

void figure(std::string& out, std::string_view title, std::string_view caption, std::string_view body,
            std::string_view remark = {}) {
  if (body.empty()) return;
  put(out, "<figure><figcaption><b>{}</b> {}</figcaption>{}{}</figure>", title, caption, body,
      remark.empty() ? "" : fmt::format("<small>{}</small>", remark));
}

// The most frequent categories of both sides, bar under bar.
std::string category_bars(const Picture& p) {
  constexpr std::size_t kShown = 12;
  auto count = std::min({p.categories.size(), p.reference_shares.size(), p.current_shares.size()});
  if (count == 0) return {};
  std::string out =
      "<table class=\"cats\"><thead><tr><th scope=\"col\">value</th><th scope=\"col\"><span "
      "class=\"vh\">bars</span></th>"
      "<th scope=\"col\">reference</th><th scope=\"col\">current</th></tr></thead><tbody>";
  double top = 0;
  Pair rest;
  for (std::size_t k = 0; k < count; ++k) {
    if (k < kShown || count == kShown + 1) {
      top = std::max({top, p.reference_shares[k], p.current_shares[k]});
    } else {
      rest.reference += p.reference_shares[k];
      rest.current += p.current_shares[k];
    }
  }
  top = std::max({top, rest.reference, rest.current});
  auto row = [&](std::string_view name, const Pair& share) {
    auto width = [&](double v) { return top > 0 ? at(100 * v / top) : std::string("0"); };
    put(out,
        "<tr><th scope=\"row\"><bdi>{}</bdi></th><td><i class=\"b r\" style=\"width:{}%\"></i><i class=\"b c\" "
        "style=\"width:{}%\"></i></td><td>{}</td><td>{}</td></tr>",
        name, width(share.reference), width(share.current), share_html(share.reference), share_html(share.current));
  };
  for (std::size_t k = 0; k < count; ++k)
    if (k < kShown || count == kShown + 1)
      row(p.categories[k].empty() ? "<em>(empty)</em>" : escaped(p.categories[k], 60),
          {p.reference_shares[k], p.current_shares[k]});
  if (count > kShown + 1) row(fmt::format("<em>{} others</em>", count - kShown), rest);
  return out + "</tbody></table>";
}

// Of rows outside the reference's range only the number is known.
std::string beyond_remark(const Picture& p) {
  if (p.current_shares.size() != p.cuts.size() + 1 || p.cuts.empty()) return {};
  double below = p.current_shares.front(), above = p.current_shares.back();
  if (below < 0.01 && above < 0.01) return {};
  std::string text;
  if (below >= 0.01) put(text, "{} of the current rows lie below", share_html(below));
  if (above >= 0.01)
    put(text, "{} {} above", text.empty() ? "" : " and",
        text.empty() ? share_html(above) + " of the current rows lie" : share_html(above));
  return text + " the range of the reference, drawn as if spread evenly.";
}

std::string edge_remark(const Picture& p) {
  if (p.cuts.empty()) return {};
  bool edge = std::any_of(p.points.begin(), p.points.end(),
                          [&](const auto& point) { return point.p90 >= p.cuts.back() || point.p10 <= p.cuts.front(); });
  double reference_high = p.reference.p90, reference_low = p.reference.p10;
  if (!edge || reference_high >= p.cuts.back() || reference_low <= p.cuts.front()) return {};
  return "What lies outside the range of the reference is drawn at its edge.";
}

// The scale, and what the colours of the bars say.
std::string effect_key(const Finding& f) {
  const ColumnResult* any = nullptr;
  bool seen[4] = {};
  for (const auto* r : f.values)
    if (r) {
      if (!any || std::isnan(any->effect)) any = r;
      if (std::isfinite(r->effect)) seen[static_cast<std::size_t>(r->verdict)] = true;
    }
  if (!any) return {};
  std::string out =
      any->effect_scale == "share of rows" ? "in share of rows&ensp;" : "in " + escaped(any->effect_scale) + "&ensp;";
  constexpr std::string_view kClasses[] = {"kn", "ko", "kw", "kd"};
  for (auto v : {Verdict::kNoData, Verdict::kOk, Verdict::kWarning, Verdict::kDrift})
    if (seen[static_cast<std::size_t>(v)])
      put(out, " <span class=\"key\"><i class=\"{}\"></i>{}</span>", kClasses[static_cast<std::size_t>(v)],
          v == Verdict::kNoData ? "no verdict" : to_string(v));
  return out;
}

std::string effect_remark(const Finding& f) {
  bool large = std::any_of(f.values.begin(), f.values.end(), [](const auto* r) {
    return r && r->verdict == Verdict::kOk && r->watch > 0 && r->effect >= r->watch;
  });
  return large ? "Above a level and still ok: chance or the reference’s own variation explains as much." : "";
}

std::string shares_key(const Picture& p) {
  std::string out;
  auto shown = std::min<std::size_t>(6, p.categories.size());
  for (std::size_t k = 0; k < shown; ++k)
    put(out, "<span class=\"key\"><i class=\"kk k{}\"></i><bdi>{}</bdi></span> ", k, escaped(p.categories[k], 24));
  if (p.categories.size() > shown) out += "<span class=\"key\"><i class=\"kk k9\"></i>others</span>";
  return out;
}

void segment_table(std::string& out, const Comparison& c, const Finding& f) {
  struct Entry {
    const ColumnResult* worst;
    std::size_t window;
    std::size_t drift = 0;
  };
  std::vector<Entry> entries;
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t w = 0; w < c.windows.size(); ++w)
    for (const auto& r : c.windows[w].columns) {
      if (!r.segment || r.column != f.column) continue;
      auto [place, fresh] = known.try_emplace(*r.segment, entries.size());
      if (fresh) entries.push_back({&r, w});
      auto& e = entries[place->second];
      e.drift += r.verdict == Verdict::kDrift;
      if (r.verdict > e.worst->verdict || (r.verdict == e.worst->verdict && gravity(r) > gravity(*e.worst)))
        e.worst = &r, e.window = w;
    }
  if (entries.empty()) return;
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.worst->verdict != b.worst->verdict ? a.worst->verdict > b.worst->verdict
                                                : gravity(*a.worst) > gravity(*b.worst);
  });
  bool several = c.windows.size() > 1;
  constexpr std::size_t kShown = 12;
  put(out,
      "<h4>By segment{}</h4><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"segments of "
      "{}\"><table><thead><tr>"
      "<th scope=\"col\">segment</th><th scope=\"col\">verdict</th><th scope=\"col\" class=\"n\">effect</th><th "
      "scope=\"col\" class=\"n\">"
      "adjusted p</th><th scope=\"col\" class=\"n\">reference rows</th><th scope=\"col\" class=\"n\">current "
      "rows</th>{}</tr></thead><tbody>",
      several ? ", each in its worst window" : "", escaped(f.column, 60),
      several ? "<th scope=\"col\">window</th>" : "");
  for (std::size_t i = 0; i < std::min(kShown, entries.size()); ++i) {
    const auto& r = *entries[i].worst;
    put(out,
        "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td>{}</tr>",
        escaped(*r.segment, kName), badge(r.verdict), effect_html(r.effect, r.effect_scale),
        escaped(p_text(r.p_adjusted)), with_commas(r.n_reference), with_commas(r.n_current),
        several ? fmt::format("<td>{}</td>", escaped(window_text(c, entries[i].window))) : "");
  }
  out += "</tbody></table></div>";
  if (entries.size() > kShown)
    put(out, "<p class=\"dim\">{} more segments are in the JSON.</p>", entries.size() - kShown);
}

void numbers(std::string& out, const Comparison& c, const Finding& f) {
  put(out,
      "<h4>The numbers{}</h4><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"numbers of "
      "{}\"><table><thead><tr>",
      c.windows.size() > 1 ? " of " + escaped(window_text(c, f.window)) : "", escaped(f.column, 60));
  for (auto name :
       {"method", "statistic", "p", "adjusted p", "effect", "seen 4 times in 5", "reference rows", "current rows"})
    put(out, "<th scope=\"col\"{}>{}</th>", name == std::string_view("method") ? "" : " class=\"n\"", name);
  out += "<th scope=\"col\">p from</th></tr></thead><tbody>";
  std::size_t shown = 0;
  for (const auto& r : c.windows[f.window].columns) {
    if (r.column != f.column || (r.segment && &r != f.gravest) || ++shown > 24) continue;
    put(out,
        "<tr><th scope=\"row\">{}{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}{}</td></tr>",
        escaped(r.method), r.segment ? " where <bdi>" + escaped(*r.segment, 60) + "</bdi>" : "", human(r.statistic, 4),
        escaped(p_text(r.p_value)), escaped(p_text(r.p_adjusted)), effect_html(r.effect, r.effect_scale), power_html(r),
        with_commas(r.n_reference), with_commas(r.n_current), escaped(r.null),
        r.exact ? "" : fmt::format(", counts within {}", share_html(r.error_bound)));
    if (!r.components.empty() && r.components.size() <= 40) {
      out += "<tr class=\"parts\"><td colspan=\"9\">components, p: ";
      for (std::size_t i = 0; i < r.components.size(); ++i)
        put(out, "{}{} {}", i ? " · " : "", escaped(r.components[i].first), escaped(p_text(r.components[i].second)));
      out += "</td></tr>";
    }
  }
  out += "</tbody></table></div>";
}

void power(std::string& out, const Finding& f) {
  const auto& r = *f.gravest;
  const auto seen = power_html(r);
  if (seen == "–") return;
  const bool lucky = f.changed() && r.effect < r.detectable_effect;
  put(out, "<p class=\"power\">{}: this window {} <b>{}</b> four times in five{}.</p>",
      is_missing_share(r) ? "Power on the missing share" : "Power", lucky ? "sees" : "could have seen", seen,
      lucky                           ? "; a change as small as this one it sees more rarely"
      : r.detectable_effect > r.major ? fmt::format("; even a major change (<b>{}</b>) could have gone unseen",
                                                    effect_html(r.major, r.effect_scale))
                                      : "");
}

}  // namespace

void column_section(std::string& out, const Comparison& c, const Finding& f, std::size_t id, bool open) {
  const auto& r = *f.gravest;
  put(out,
      "<details class=\"col\" id=\"c{}\" data-name=\"{}\"{}><summary><h3><bdi>{}</bdi></h3>{}<span "
      "class=\"sum\">{}{}</span><span class=\"dim\">{}, {}</span></summary>",
      id, escaped(f.column, kName), open ? " open" : "", escaped(f.column, kName), badge(f.verdict),
      f.verdict == Verdict::kNoData
          ? std::string()
          : effect_html(r.effect, r.effect_scale, f.changed() ? direction(f, r, f.window) : 0),
      is_missing_share(r) ? ", missing" : "", to_string(f.role), type_text(f.type));
  put(out, "<p>{}{}{}</p>", r.segment ? "<b>Where <bdi>" + escaped(*r.segment, 80) + "</bdi>.</b> " : "",
      time_html(c, f), glued(escaped(reason_text(f), kReason)));

  out += "<div class=\"charts\">";
  if (f.picture) {
    const auto& p = *f.picture;
    bool over_time = c.windows.size() > 1 && p.points.size() == c.windows.size();
    if (p.categories.empty()) {
      auto density = density_of(p);
      std::string together = over_time ? "All windows together. " : "";
      figure(out, "Distribution" + unit(p.type), std::string(kKey) + " % of rows", distribution_chart(p, density),
             together + beyond_remark(p));
      if (over_time) figure(out, "Median and 10–90 %", kKey, quantile_chart(c, p), edge_remark(p));
    } else {
      figure(out, "Shares of rows", kKey, category_bars(p), over_time ? "All windows together." : "");
      if (over_time) figure(out, "Over time", shares_key(p), shares_chart(c, p));
    }
    if (over_time) {
      figure(out, "Effect by window", effect_key(f), effect_chart(c, f), effect_remark(f));
      figure(out, "Missing by window", "<span class=\"key\"><i class=\"kr\"></i>reference</span>", missing_chart(c, p));
    }
  }
  out += "</div>";
  auto [before, now] = missing_shares(f, r, f.window);
  if (before > 0 || now > 0)
    put(out, "<p>Missing{}: {} in the reference, {} in the current data.</p>",
        c.windows.size() > 1 ? " in " + escaped(window_text(c, f.window)) : "", share_html(before), share_html(now));
  power(out, f);
  numbers(out, c, f);
  segment_table(out, c, f);
  out += "</details>\n";
}

}  // namespace vigie::view

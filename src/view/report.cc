// SPDX-License-Identifier: Apache-2.0
#include "view/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "view/html_internal.h"
#include "view/quality_internal.h"

namespace vigie::view {
namespace {

using engine::Comparison;
using engine::Verdict;

constexpr std::size_t kMostDetails = 60, kOpen = 3, kMostStrips = 30, kMostRanked = 60, kMostRows = 2000;
constexpr std::size_t kDetailBytes = 700'000, kRowBytes = 300'000, kRankBytes = 100'000;
constexpr std::size_t kName = 120, kReason = 300;

class Report {
 public:
  explicit Report(const Comparison& comparison)
      : c_(comparison), findings_(find(comparison)), order_(ranked(findings_)) {
    detail();
  }

  std::string draw() {
    head();
    figures();
    heat_map();
    rank("outputs", "Model outputs that changed", true);
    rank("changed", "Columns that changed", false);
    quality_section(out_, c_.windows);
    all_columns();
    if (!details_.empty()) {
      out_ += "<section id=\"columns\" aria-labelledby=\"columns-h\"><h2 id=\"columns-h\">Column by column</h2>";
      if (detailed_ < findings_.size())
        put(out_, "<p class=\"dim\">The {} gravest of {}; the others are in the table above.</p>", detailed_,
            plural(static_cast<std::int64_t>(findings_.size()), "column"));
      out_ += details_ + "</section>";
    }
    method_section(out_, c_);
    glossary(out_);
    close_page(out_, c_.version);
    return std::move(out_);
  }

 private:
  // Anchors are numbers by the reference's order: a name may be anything.
  std::size_t id_of(const Finding* f) const { return static_cast<std::size_t>(f - findings_.data()); }

  // Details first: whether a name can be a link depends on what fits.
  void detail() {
    has_detail_.assign(findings_.size(), false);
    for (const auto* f : order_) {
      if (detailed_ >= kMostDetails) break;
      std::string section;
      column_section(section, c_, *f, id_of(f), detailed_ < kOpen);
      if (details_.size() + section.size() > kDetailBytes) break;
      details_ += section;
      has_detail_[id_of(f)] = true;
      ++detailed_;
    }
  }

  std::string name_of(const Finding* f, std::size_t limit = kName) const {
    auto name = "<bdi>" + escaped(f->column, limit) + "</bdi>";
    return has_detail_[id_of(f)] ? fmt::format("<a href=\"#c{}\">{}</a>", id_of(f), name) : name;
  }

  void head() {
    auto v = c_.summary.verdict;
    constexpr std::string_view kWords[] = {"No data", "OK", "Warning", "Drift"};
    auto said = sentence(c_, findings_);
    bool caution = cautious(said);
    auto word = std::string(kWords[static_cast<std::size_t>(v)]) + (caution ? ", but" : "");
    said = dated(capital(glued(escaped(caution ? said.substr(4) : said, 500))));
    std::vector<Link> links;
    bool outputs = false, features = false;
    for (const auto& f : findings_) (f.output() ? outputs : features) |= f.changed();
    if (outputs) links.push_back({"outputs", "Outputs"});
    if (features) links.push_back({"changed", "Changed"});
    if (!quality_counts(c_.windows).none()) links.push_back({"quality", "Quality"});
    links.push_back({"all", "All columns"});
    if (!details_.empty()) links.push_back({"columns", "Details"});
    links.push_back({"how", "How"});
    links.push_back({"words", "Words"});
    open_page(out_,
              fmt::format("{}: {} against {}", word, escaped(c_.current.source, 60), escaped(c_.reference.source, 60)),
              "columns", links);
    put(out_, "<section class=\"verdict {}\" aria-label=\"verdict\"><p class=\"word\">{}</p><h1>{}.</h1>",
        caution ? "warning" : to_string(v), word, said);
    put(out_, "<p class=\"dim\"><bdi>{}</bdi> against <bdi>{}</bdi>{}</p></section>", escaped(c_.current.source, 200),
        escaped(c_.reference.source, 200), span_text());
  }

  std::string span_text() const {
    if (c_.windows.empty() || !c_.windows.front().start || !c_.windows.back().end) return {};
    auto time = [](std::string_view iso) {
      auto text = std::string(iso.substr(0, 16));
      if (text.size() == 16) text[10] = ' ';
      return escaped(text.ends_with(" 00:00") ? text.substr(0, 10) : text);
    };
    return fmt::format(", <span class=\"nw\">{}</span> to <span class=\"nw\">{}</span>",
                       time(*c_.windows.front().start), time(*c_.windows.back().end));
  }

  void figures() {
    const auto& s = c_.summary;
    out_ += "<dl class=\"figures\">";
    auto figure = [&](std::string_view term, const std::string& value, const std::string& more) {
      put(out_, "<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", term, value, more);
    };
    std::string counts;
    auto count = [&](std::int64_t n, std::string_view what) {
      if (n) put(counts, "{}{} {}", counts.empty() ? "" : ", ", with_commas(n), what);
    };
    for (const auto& [verdict, what] :
         std::array{std::pair{Verdict::kDrift, "drift"}, std::pair{Verdict::kWarning, "warning"},
                    std::pair{Verdict::kOk, "ok"}, std::pair{Verdict::kNoData, "no data"}})
      count(std::count_if(findings_.begin(), findings_.end(),
                          [of = verdict](const Finding& f) { return f.verdict == of; }),
            what);
    figure("Columns changed", with_commas(s.drift + s.warning),
           fmt::format("of {}{}{}", with_commas(s.columns), counts.empty() ? "" : ": ", counts));
    if (!c_.compat.empty())
      figure("Windows with drift", with_commas(s.windows_with_drift),
             fmt::format("of {}; by the rules of {}", s.windows, escaped(c_.compat)));
    else if (c_.windows.size() > 1)
      figure("Windows with drift", with_commas(s.windows_with_drift),
             fmt::format("of {}; {} expected by chance", s.windows, human(s.expected_false_windows, 2)));
    else
      figure("Expected by chance", human(s.expected_false_windows, 2),
             fmt::format("of {} would alarm if nothing had changed",
                         plural(static_cast<std::int64_t>(c_.windows.size()), "window")));
    figure("Current rows", with_commas(c_.current.rows),
           c_.rejected ? fmt::format("{} left out as unreadable", with_commas(c_.rejected)) : "none left out");
    figure(
        "Reference rows", with_commas(c_.reference.rows),
        c_.reference.windows ? fmt::format("in {}", plural(c_.reference.windows, "healthy window")) : "taken as one");
    out_ += "</dl>";
  }

  void heat_map() {
    auto has_undecided = [](const Finding& f) {
      return std::find(f.undecided.begin(), f.undecided.end(), true) != f.undecided.end();
    };
    if (c_.windows.size() < 2 || findings_.empty()) return;
    auto cut = cut_off(c_.windows);
    auto s = steps_of(c_.windows.size());
    std::string labels;
    for (std::size_t i = 0; i < s.count; ++i) labels += (i ? "|" : "") + window_text(c_, i * s.each);
    put(out_,
        "<section id=\"map\" aria-labelledby=\"map-h\"><h2 id=\"map-h\">When</h2><p class=\"legend\"><span><svg "
        "viewBox=\"0 0 8 10\" "
        "class=\"lg\" aria-hidden=\"true\"><path class=\"vd\" d=\"M0 10v-10h8v10z\"/></svg>drift</span><span><svg "
        "viewBox=\"0 0 8 10\" class=\"lg\" "
        "aria-hidden=\"true\"><path class=\"vw\" d=\"M0 10v-6.5h8v6.5z\"/></svg>warning</span><span><svg viewBox=\"0 0 "
        "1 10\" class=\"lg\" aria-hidden=\"true\">"
        "<path class=\"vo\" d=\"M0 10v-3h8v3z\"/></svg>ok</span><span><svg viewBox=\"0 0 8 10\" class=\"lg\" "
        "aria-hidden=\"true\"><path class=\"vn\" "
        "d=\"M0 10v-1h8v1z\"/></svg>no data</span>{}<span>The taller, the worse; the stronger its shade, the further a "
        "drift is past its major level.{}</span></p>",
        std::any_of(findings_.begin(), findings_.end(), has_undecided)
            ? "<span><svg viewBox=\"0 0 8 10\" class=\"lg\" aria-hidden=\"true\"><path class=\"vn\" d=\"M0 "
              "10v-1.5h8v1.5zM0 6.5v-1.5h8v1.5z\"/></svg>undecided</span>"
            : "",
        (s.each > 1 ? fmt::format(" Each step is the worst of {} windows.", s.each) : "") +
            (cut.empty() ? "" : fmt::format(" {}, and not judged.", capital(cut))));
    put(out_,
        "<div class=\"map\" data-w=\"{}\"><div class=\"mrow mhead\"><span>column</span><span "
        "class=\"ends\"><span>{}</span><span>{}</span></span><span>greatest effect</span></div>",
        escaped(labels), escaped(window_label(c_, 0)), escaped(window_label(c_, c_.windows.size() - 1)));
    auto row = [&](std::string_view name, std::string_view picture, std::string_view effect) {
      put(out_, "<div class=\"mrow\"><span class=\"mname\">{}</span>{}<span class=\"n\">{}</span></div>", name, picture,
          effect);
    };
    auto whole = all_together(c_, findings_);
    row("<b>any column</b>", strip(c_, whole), "");
    std::size_t shown = 0;
    for (bool outputs : {true, false})
      for (const auto* f : order_)
        if (f->output() == outputs && shown < kMostStrips) {
          ++shown;
          row(name_of(f), strip(c_, *f),
              f->verdict == Verdict::kNoData ? "–" : effect_html(f->gravest->effect, f->gravest->effect_scale));
        }
    out_ += "</div>";
    if (shown < findings_.size())
      put(out_, "<p class=\"dim\">The {} gravest of {}.</p>", shown,
          plural(static_cast<std::int64_t>(findings_.size()), "column"));
    out_ += "</section>";
  }

  void rank(std::string_view id, std::string_view title, bool outputs) {
    std::vector<const Finding*> shown;
    double most = 1.5;
    for (const auto* f : order_)
      if (f->changed() && f->output() == outputs) shown.push_back(f), most = std::max(most, f->gravity);
    if (shown.empty()) return;
    bool over = most > 5.0;
    most = std::min(most, 5.0);
    put(out_,
        "<section id=\"{0}\" aria-labelledby=\"{0}-h\"><h2 id=\"{0}-h\">{2}</h2><p class=\"dim\">By effect relative to "
        "the major level. "
        "Marks on the bars: watch (thin) and major (thick).{1}</p><ol class=\"rank\">",
        id, over ? " A bar that ends in a point goes on." : "", title);
    auto start = out_.size();
    std::size_t ranked_here = 0;
    for (; ranked_here < std::min(kMostRanked, shown.size()) && out_.size() - start < kRankBytes; ++ranked_here) {
      const auto& f = *shown[ranked_here];
      const auto& r = *f.gravest;
      auto percent = [&](double ratio) { return at(100 * std::clamp(ratio / most, 0.0, 1.0)); };
      auto missing = missing_shares(f, r, f.window);
      put(out_,
          "<li data-name=\"{}\"><div class=\"who\">{}{}</div><div class=\"eff\"><div class=\"track\" "
          "aria-hidden=\"true\"><i class=\"f {}{}\" style=\"width:{}%\"></i>"
          "<i class=\"m w\" style=\"left:{}%\"></i><i class=\"m\" style=\"left:{}%\"></i></div><div "
          "class=\"nums\"><b>{}</b><span>{}</span><span>adjusted p {}</span>{}</div></div><p>{}{}{}</p></li>",
          escaped(f.column, kName), badge(f.verdict), name_of(&f), to_string(r.verdict),
          f.gravity > most ? " over" : "", percent(f.gravity), percent(r.watch / r.major), percent(1),
          effect_html(r.effect, r.effect_scale, direction(f, r, f.window)),
          f.gravity >= 0 ? human(f.gravity, 2) + " × major" : "", escaped(p_text(r.p_adjusted)),
          missing.differ()
              ? fmt::format("<span>missing {} → {}</span>", share_html(missing.reference), share_html(missing.current))
              : "",
          is_missing_share(r) ? "<b>Missing values.</b> "
          : r.segment         ? "<b>Where <bdi>" + escaped(*r.segment, 80) + "</bdi>.</b> "
                              : "",
          time_html(c_, f), glued(escaped(reason_text(f), kReason)) + also_in(f));
    }
    out_ += "</ol>";
    if (shown.size() > ranked_here)
      put(out_, "<p class=\"dim\">… and {} more in the table below.</p>", shown.size() - ranked_here);
    out_ += "</section>";
  }

  std::string also_in(const Finding& f) const {
    auto parts = segments(c_, f.column);
    std::erase(parts, f.gravest);
    if (parts.empty()) return {};
    std::string text = " <span class=\"dim seg\">In segments: ";
    for (std::size_t i = 0; i < std::min<std::size_t>(3, parts.size()); ++i)
      put(text, "{}<bdi>{}</bdi> {}", i ? "; " : "", escaped(*parts[i]->segment, 60),
          effect_html(parts[i]->effect, parts[i]->effect_scale));
    if (parts.size() > 3) put(text, "; and {} more", parts.size() - 3);
    return text + ".</span>";
  }

  void all_columns() {
    out_ += "<section id=\"all\" aria-labelledby=\"all-h\"><h2 id=\"all-h\">All columns</h2>";
    if (findings_.empty()) {
      out_ += "<p>There is no column to show.</p></section>";
      return;
    }
    out_ +=
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"all columns\"><table "
        "class=\"sortable\"><thead><tr>";
    constexpr std::pair<std::string_view, bool> kHeads[] = {
        {"column", false},           {"verdict", false}, {"effect", true}, {"× major", true}, {"adjusted p", true},
        {"seen 4 times in 5", true}, {"missing", true},  {"role", false},  {"type", false}};
    for (auto [name, number] : kHeads) put(out_, "<th scope=\"col\"{}>{}</th>", number ? " class=\"n\"" : "", name);
    out_ += "</tr></thead><tbody>";
    auto start = out_.size();
    std::size_t rows = 0;
    for (const auto* f : order_) {
      if (rows >= kMostRows || out_.size() - start > kRowBytes) break;
      ++rows;
      const auto& r = *f->gravest;
      auto [before, now] = missing_shares(*f, r, f->window);
      auto sort_key = [](double v) { return std::isnan(v) ? std::string() : fmt::format(" data-v=\"{:.4g}\"", v); };
      bool judged = f->verdict != Verdict::kNoData;
      auto effect = judged ? r.effect : std::numeric_limits<double>::quiet_NaN();
      auto gravity = judged ? f->gravity : -1;
      auto reason = !judged ? fmt::format("<small>{}</small>", escaped(r.reason, 100)) : "";
      put(out_,
          "<tr data-name=\"{}\"><th scope=\"row\">{}{}</th><td data-v=\"{}\">{}</td><td class=\"n\"{}>{}</td><td "
          "class=\"n\"{}>{}</td><td class=\"n\"{}>{}</td>"
          "<td class=\"n\"{}>{}</td><td class=\"n\"{}>{}</td><td>{}</td><td>{}</td></tr>",
          escaped(f->column, kName), name_of(f), reason, static_cast<int>(f->verdict), badge(f->verdict),
          sort_key(effect), effect_html(effect, r.effect_scale, f->changed() ? direction(*f, r, f->window) : 0),
          sort_key(gravity), gravity < 0 ? "–" : human(gravity, 2), sort_key(r.p_adjusted),
          escaped(p_text(r.p_adjusted)), sort_key(r.detectable_effect), power_html(r), sort_key(now),
          before == now ? share_html(now) : fmt::format("{} → {}", share_html(before), share_html(now)),
          to_string(f->role), type_text(f->type));
    }
    out_ += "</tbody></table></div>";
    if (rows < order_.size())
      put(out_, "<p class=\"dim\">The {} gravest of {}; the JSON has all.</p>", rows,
          plural(static_cast<std::int64_t>(order_.size()), "column"));
    out_ += "</section>";
  }

  const Comparison& c_;
  std::vector<Finding> findings_;
  std::vector<const Finding*> order_;
  std::vector<bool> has_detail_;
  std::string details_, out_;
  std::size_t detailed_ = 0;
};

}  // namespace

std::string to_report(const Comparison& comparison) {
  return Report(comparison).draw();
}

}  // namespace vigie::view

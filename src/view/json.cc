// SPDX-License-Identifier: Apache-2.0
#include "view/json.h"

#include <nlohmann/json.hpp>

#include "view/findings_internal.h"
#include "view/json_writer_internal.h"
#include "view/quality_internal.h"

namespace vigie::view {
namespace {

using engine::ColumnResult;

void write_column(Writer& out, const ColumnResult& r) {
  out.raw("{");
  out.member("column", r.column);
  out.member("role", to_string(r.role));
  out.member("type", to_string(r.type));
  out.member("segment", r.segment);
  out.member("method", r.method);
  out.member("statistic", r.statistic);
  out.member("p_value", r.p_value);
  out.member("p_adjusted", r.p_adjusted);
  out.member("effect", r.effect);
  out.member("effect_scale", r.effect_scale);
  out.member("watch", r.watch);
  out.member("major", r.major);
  if (!std::isnan(r.threshold)) out.member("threshold", r.threshold);
  out.member("detectable_effect", r.detectable_effect);
  out.member("verdict", to_string(r.verdict));
  out.member("reason", r.reason);
  out.member("n_reference", r.n_reference);
  out.member("n_current", r.n_current);
  out.member("missing_reference", r.missing_reference);
  out.member("missing_current", r.missing_current);
  if (r.held) out.member("held", true);
  if (r.untested_reference > 0) out.member("untested_reference", r.untested_reference);
  out.member("exact", r.exact);
  out.member("error_bound", r.error_bound);
  out.member("null", r.null.empty() ? std::nullopt : std::optional(r.null));
  out.name("components");
  out.raw("{");
  for (const auto& [key, p] : r.components) {
    if (&key != &r.components.front().first) out.raw(", ");
    out.text(key);
    out.raw(": ");
    out.number(p);
  }
  out.raw("}}");
}

void write_window_as(Writer& out, const engine::WindowResult& w, std::string_view verdict) {
  out.raw("{");
  out.member("index", w.index);
  out.member("start", w.start);
  out.member("end", w.end);
  out.member("rows", w.rows);
  if (w.partial) out.member("partial", true);
  out.member("verdict", verdict);
  out.raw(",\n   \"columns\": ");
  write_list(out, w.columns, "    ", write_column);
  out.raw(",\n   \"quality\": ");
  write_list(out, w.quality, "    ", write_quality);
  if (w.dataset) {
    out.raw(",\n   \"dataset_drift\": {");
    out.member("drifted", w.dataset->drifted);
    out.member("columns", w.dataset->columns);
    out.member("share", w.dataset->share());
    out.member("threshold", w.dataset->threshold);
    out.member("drift", w.dataset->drift());
    out.raw("}");
  }
  out.raw("}");
}

void write_window(Writer& out, const engine::WindowResult& w) {
  write_window_as(out, w, to_string(w.verdict));
}

void write_side(Writer& out, const engine::Side& side) {
  out.raw("{");
  out.member("source", side.source);
  out.member("rows", side.rows);
  out.raw("}");
}

}  // namespace

std::string to_json(const engine::WindowResult& window, std::string_view verdict) {
  Writer out;
  write_window_as(out, window, verdict.empty() ? to_string(window.verdict) : verdict);
  return out.take();
}

std::string to_json(const std::vector<engine::ColumnResult>& columns) {
  Writer out;
  write_list(out, columns, "    ", write_column);
  return out.take();
}

std::string to_json(const engine::Comparison& comparison) {
  const auto& c = comparison;
  Writer out;
  out.raw("{");
  out.member("command", std::string_view("compare"));
  out.member("version", c.version);
  out.raw(",\n \"reference\": ");
  write_side(out, c.reference);
  out.raw(", \"current\": ");
  write_side(out, c.current);
  out.raw(",\n \"options\": {");
  for (std::size_t i = 0; i < c.options.size(); ++i) {
    if (i) out.raw(", ");
    out.text(c.options[i].first);
    out.raw(": ");
    if (nlohmann::json::accept(c.options[i].second))
      out.raw(c.options[i].second);
    else
      out.text(c.options[i].second);
  }
  out.raw("},\n \"windows\": ");
  write_list(out, c.windows, "  ", write_window);
  write_remarks(out, c.rejected, c.notes);
  out.raw(",\n \"summary\": {");
  const auto& s = c.summary;
  out.member("verdict", to_string(s.verdict));
  out.member("windows", s.windows);
  out.member("windows_with_drift", s.windows_with_drift);
  out.member("columns", s.columns);
  out.member("drift", s.drift);
  out.member("warning", s.warning);
  if (s.held > 0) out.member("held", s.held);
  out.member("ok", s.ok);
  out.member("no_data", s.no_data);
  out.member("expected_false_windows", s.expected_false_windows);
  auto q = quality_counts(c.windows);
  out.name("quality");
  out.raw("{");
  out.member("pass", q.pass);
  out.member("warn", q.warn);
  out.member("fail", q.fail);
  out.member("no_data", q.no_data);
  out.raw("}}}\n");
  return out.take();
}

}  // namespace vigie::view

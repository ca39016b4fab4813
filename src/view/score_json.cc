// SPDX-License-Identifier: Apache-2.0
#include <span>
#include <variant>

#include "view/json.h"
#include "view/json_writer_internal.h"

namespace vigie::view {
namespace {

void write_metric(Writer& out, const engine::MetricResult& r) {
  out.raw("{");
  out.member("metric", r.metric->name);
  if (const auto key = r.metric->key(); key == "k") {
    out.name(key);
    out.raw(r.part);
  } else if (!key.empty()) {
    out.member(key, r.part);
  }
  if (r.segment) out.member("segment", *r.segment);
  out.member("value", r.value.value);
  out.member("low", r.value.low);
  out.member("high", r.value.high);
  out.member("n", r.value.n);
  out.member("exact", r.value.rounding == 0);
  if (r.value.rounding > 0) out.member("rounding", r.value.rounding);
  out.member("baseline", r.value.baseline);
  out.member("reference", r.reference);
  out.member("p_value", r.p_value);
  out.member("p_adjusted", r.p_adjusted);
  out.member("effect", r.effect);
  out.member("effect_scale", r.effect_scale.empty() ? std::nullopt : std::optional(r.effect_scale));
  out.member("watch", r.watch);
  out.member("major", r.major);
  out.member("detectable_effect", r.detectable_effect);
  out.member("verdict", to_string(r.verdict));
  out.member("reason", r.reason);
  if (r.held) out.member("held", true);
  out.raw("}");
}

void write_rows(Writer& out, const engine::RowCounts& rows) {
  out.member("rows", rows.rows);
  out.member("labelled", rows.labelled);
  out.member("unlabelled", rows.unlabelled);
  out.member("unscored", rows.unscored);
  if (rows.without_relevant) out.member("lists_without_relevant", *rows.without_relevant);
}

template <class T, class F>
void write_row(Writer& out, const T& items, F each) {
  out.raw("[");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i) out.raw(", ");
    each(items[i]);
  }
  out.raw("]");
}

void write_metrics(Writer& out, const engine::ScoreWindow& w) {
  out.raw(",\n   \"metrics\": ");
  write_list(out, w.metrics, "    ", write_metric);
  out.raw(",\n   \"confusion\": ");
  if (!w.confusion) return out.raw("null}");
  const auto& labels = w.confusion->labels;
  out.raw("{");
  out.name("labels");
  write_row(out, labels, [&](const std::string& name) { out.text(name); });
  out.name("matrix");
  std::vector<std::span<const std::int64_t>> rows;
  for (std::size_t i = 0; i < labels.size(); ++i)
    rows.push_back(std::span(w.confusion->matrix).subspan(i * labels.size(), labels.size()));
  write_row(out, rows, [&](const auto& row) { write_row(out, row, [&](std::int64_t n) { out.number(n); }); });
  out.raw("}}");
}

void write_window(Writer& out, const engine::ScoreWindow& w) {
  out.raw("{");
  out.member("index", w.index);
  out.member("start", w.start);
  out.member("end", w.end);
  write_rows(out, w.rows);
  if (w.partial) out.member("partial", true);
  out.member("verdict", to_string(w.verdict));
  write_metrics(out, w);
}

}  // namespace

std::string to_json(const engine::ScoreWindow& window) {
  Writer out;
  out.raw("{");
  out.member("labelled", window.rows.labelled);
  out.member("unlabelled", window.rows.unlabelled);
  out.member("unscored", window.rows.unscored);
  out.member("score_verdict", to_string(window.verdict));
  write_metrics(out, window);
  return out.take();
}

std::string to_json(const engine::Scorecard& card) {
  Writer out;
  out.raw("{");
  out.member("command", std::string_view("score"));
  out.member("version", card.version);
  out.member("task", to_string(card.task));
  out.member("source", card.source);
  out.member("reference", card.reference);
  out.raw(",\n \"options\": {");
  for (const auto& [key, value] : card.options) {
    if (&key != &card.options.front().first) out.raw(", ");
    out.text(key);
    out.raw(": ");
    if (const auto* number = std::get_if<double>(&value))
      out.number(*number);
    else if (const auto* text = std::get_if<std::string>(&value))
      out.text(*text);
    else
      write_row(out, std::get<std::vector<std::string>>(value), [&](const std::string& item) { out.text(item); });
  }
  out.raw("},\n \"windows\": ");
  write_list(out, card.windows, "  ", write_window);
  if (card.whole) {
    out.raw(",\n \"whole\": ");
    write_window(out, *card.whole);
  }
  write_remarks(out, card.rejected, card.notes);
  out.raw(",\n \"summary\": {");
  const auto& s = card.summary;
  out.member("verdict", to_string(s.verdict));
  write_rows(out, s.rows);
  out.member("windows", s.windows);
  out.member("windows_with_drift", s.windows_with_drift);
  out.member("metrics", s.metrics);
  out.member("drift", s.drift);
  out.member("warning", s.warning);
  if (s.held > 0) out.member("held", s.held);
  out.member("ok", s.ok);
  out.member("no_data", s.no_data);
  out.member("expected_false_windows", s.expected_false_windows);
  out.raw("}}\n");
  return out.take();
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include "engine/inspection.h"
#include "view/json.h"
#include "view/json_writer_internal.h"
#include "view/quality_internal.h"

namespace vigie::view {

void write_quality(Writer& out, const engine::QualityResult& q) {
  out.raw("{");
  out.member("check", q.check);
  out.member("column", q.column);
  out.member("value", q.value);
  out.member("expected", q.expected);
  out.member("verdict", q.verdict);
  out.member("reason", q.reason);
  out.raw("}");
}

std::string to_json(const engine::Inspection& inspection) {
  const auto& c = inspection;
  Writer out;
  out.raw("{");
  out.member("command", std::string_view("check"));
  out.member("version", c.version);
  const auto side = [&](std::string_view name, const engine::Side& s) {
    out.name(name);
    out.raw("{");
    out.member("source", s.source);
    out.member("rows", s.rows);
    out.raw("}");
  };
  side("data", c.data);
  if (c.reference) side("reference", *c.reference);
  if (!c.reference) out.member("reference", std::optional<std::string>());
  out.raw(",\n \"windows\": ");
  write_list(out, c.windows, "  ", [](Writer& to, const engine::WindowResult& w) {
    to.raw("{");
    to.member("index", w.index);
    to.member("start", w.start);
    to.member("end", w.end);
    to.member("rows", w.rows);
    if (w.partial) to.member("partial", true);
    to.raw(",\n   \"quality\": ");
    write_list(to, w.quality, "    ", write_quality);
    to.raw("}");
  });
  write_remarks(out, c.rejected, c.notes);
  out.raw(",\n \"summary\": {");
  const auto& s = c.summary;
  out.member("verdict", s.verdict);
  out.member("checks", s.checks);
  out.member("pass", s.pass);
  out.member("warn", s.warn);
  out.member("fail", s.fail);
  out.member("no_data", s.no_data);
  out.raw("}}\n");
  return out.take();
}

}  // namespace vigie::view

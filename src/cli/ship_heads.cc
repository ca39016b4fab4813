// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/ship_heads_internal.h"

namespace vigie::cli {
namespace {

constexpr long long kMostNotes = 6;

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string first_of(const table::RecordsHead& head) {
  return "its first " + (head.records == 1 ? "record" : plural(head.records, "record"));
}

}  // namespace

Status ShipHeads::look(const std::string& file, const table::RecordData& data) {
  const auto head = data.look(keys_, !lines_);
  if (!head && head.error().code == Code::kUsage) return head.error();
  if (!head || (head->lines && head->records == 0)) return {};
  if (!head->lines) {
    tables_.push_back(file);
    columns_.insert(columns_.end(), head->columns.begin(), head->columns.end());
  }
  VIGIE_TRY(check(*head, !head->lines || !std::exchange(lines_, true)));
  if (head->timed) return {};
  if (stream_)
    return fail(Code::kUsage,
                fmt::format("{}: no record has a time, which a data stream needs: --timestamp COL", head->name));
  tell_untimed(*head);
  untimed_.insert(file);
  return {};
}

Status ShipHeads::check(const table::RecordsHead& head, bool first) {
  for (const auto& [option, name] : {std::pair{"--timestamp", &keys_.time}, std::pair{"--id", &keys_.id}}) {
    if (name->empty() || has(head.columns, *name)) continue;
    if (first)
      return fail(Code::kUsage,
                  fmt::format("{}: {}", option, unknown_name("column", *name, head.columns, " in " + head.name)));
    if (name == &keys_.id)
      tell(fmt::format("{}: no {} in {}: what has none is known by where it stands", head.name, vigie::quoted(*name),
                       first_of(head)));
  }
  if (first) return head.time;
  return {};
}

void ShipHeads::tell_untimed(const table::RecordsHead& head) {
  const bool named = !keys_.time.empty();
  const auto place = head.lines ? " in " + first_of(head) : "";
  std::string lacks;
  if (named && !has(head.columns, keys_.time))
    lacks = fmt::format("no {}{}", vigie::quoted(keys_.time), place);
  else if (!named && !has(head.columns, "@timestamp") && !has(head.columns, "timestamp"))
    lacks = fmt::format("no {}\"@timestamp\" or \"timestamp\"{}", head.lines ? "" : "column ", place);
  else
    lacks = "no time that can be read" + place;
  tell(fmt::format("{}: {}, and Kibana's time filter does not show what has no time{}", head.name, lacks,
                   named ? "" : ": --timestamp COL"));
}

void ShipHeads::tell(const std::string& note) {
  if (notes_++ < kMostNotes) say(note);
}

Status ShipHeads::end(const DataOptions& reading) const {
  if (notes_ > kMostNotes) say(fmt::format("and {} more of other files", plural(notes_ - kMostNotes, "remark")));
  if (tables_.empty()) return {};
  return reading.remark_types(columns_, tables_.size() == 1 ? tables_[0] : plural(std::ssize(tables_), "file"));
}

}  // namespace vigie::cli

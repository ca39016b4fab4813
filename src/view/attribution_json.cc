// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "view/json.h"
#include "view/json_writer_internal.h"

namespace vigie::view {

std::string to_json(const engine::AttributionChange& change) {
  constexpr std::int64_t kMost = 20;
  Writer out;
  out.raw("{");
  out.member("verdict", to_string(change.verdict));
  out.member("ndcg", change.ndcg);
  out.member("ndcg_upper", change.upper);
  out.member("n", change.rows);
  out.member("reason", change.reason);
  out.name("features");
  out.raw("[");
  bool first = true;
  for (const auto& f : change.features) {
    if (f.rank > kMost && (f.reference_rank == 0 || f.reference_rank > kMost)) continue;
    out.raw(std::exchange(first, false) ? "{" : ", {");
    out.member("feature", f.feature);
    out.member("rank", f.rank);
    out.member("share", f.share);
    out.member("mean", f.mean);
    out.name("reference_rank");
    f.reference_rank > 0 ? out.number(f.reference_rank) : out.raw("null");
    out.member("reference_share", f.reference_share);
    out.raw("}");
  }
  out.raw("]}");
  return out.take();
}

}  // namespace vigie::view

// SPDX-License-Identifier: Apache-2.0
#include "view/json.h"
#include "view/json_writer_internal.h"

namespace vigie::view {

std::string to_json(const engine::Traffic& traffic) {
  Writer out;
  out.raw("{");
  out.member("requests", traffic.requests);
  out.member("errors", traffic.failed);
  out.member("client_errors", traffic.refused);
  if (traffic.odd > 0) out.member("unknown_status", traffic.odd);
  out.member("error_rate", traffic.error_rate());
  out.name("latency_ms");
  if (traffic.latency.count() == 0) {
    out.raw("null");
  } else {
    out.raw("{");
    for (const auto& [name, share] :
         {std::pair("p50", .5), std::pair("p95", .95), std::pair("p99", .99), std::pair("max", 1.)})
      out.member(name, traffic.latency.quantile(share));
    out.member("n", traffic.latency.count());
    out.raw("}");
  }
  out.name("payload_bytes");
  out.raw("{");
  out.member("total", traffic.bytes);
  out.member("mean", static_cast<double>(traffic.bytes) / static_cast<double>(traffic.requests));
  out.member("max", traffic.most_bytes);
  out.raw("}}");
  return out.take();
}

}  // namespace vigie::view

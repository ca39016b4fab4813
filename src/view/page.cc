// SPDX-License-Identifier: Apache-2.0
#include "view/html_internal.h"
#include "view/report_assets.h"

namespace vigie::view {
namespace {

std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto nibble = [&](std::size_t i) -> unsigned {
    if (i >= hex.size()) return 0;
    return static_cast<unsigned>(hex[i] <= '9' ? hex[i] - '0' : (hex[i] | 0x20) - 'a' + 10);
  };
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 6) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 6; ++k) bits = bits << 4 | nibble(i + k);
    auto bytes = std::min<std::size_t>(3, (hex.size() - i) / 2);
    for (std::size_t k = 0; k < 4; ++k) out += k <= bytes ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace

void open_page(std::string& out, std::string_view title, std::string_view filtered, const std::vector<Link>& links) {
  put(out,
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; "
      "script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\"><meta name=\"color-scheme\" content=\"light "
      "dark\">"
      "<meta name=\"referrer\" content=\"no-referrer\"><title>{} · vigie</title><style>{}</style></head><body>",
      base64_of_hex(assets::kScriptSha256), title, assets::kStyle);
  out +=
      "<a class=\"skip\" href=\"#main\">Skip to the results</a><header class=\"bar\"><span "
      "class=\"brand\">vigie</span><nav aria-label=\"sections\">";
  for (const auto& [id, name] : links) put(out, "<a href=\"#{}\">{}</a>", id, name);
  put(out,
      "</nav><div class=\"tools\" hidden><label><span class=\"vh\">Filter {0}</span>"
      "<input id=\"filter\" type=\"search\" placeholder=\"Filter {0}  /\" autocomplete=\"off\"></label>"
      "<button id=\"theme\" type=\"button\" aria-label=\"switch between light and dark\">◐</button></div></header>"
      "<main id=\"main\">",
      filtered);
}

void close_page(std::string& out, std::string_view version) {
  put(out,
      "</main><footer><p>vigie {} · summaries only: no row of the data is in this "
      "file</p></footer><script>{}</script></body></html>\n",
      escaped(version, 60), assets::kScript);
}

}  // namespace vigie::view

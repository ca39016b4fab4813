// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "notify/mail_internal.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

// Lines end in CR LF, and none of base64 is over 76 characters.
std::string part(std::string_view type, const std::string& content) {
  auto out = fmt::format("Content-Type: {}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", type);
  const auto coded = base64(content);
  for (std::size_t at = 0; at < coded.size(); at += 76) out += coded.substr(at, 76) + "\r\n";
  return out;
}

}  // namespace

std::string header_words(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain && text.find("=?") == text.npos) return std::string(text);
  std::string out;
  while (!text.empty()) {
    auto size = std::min<std::size_t>(text.size(), 39);
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    out += fmt::format("{}=?utf-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '"'  ? "&quot;"
           : c == '\'' ? "&#39;"
                       : std::string(1, c);
  return out;
}

std::string to_mime(const Mail& mail) {
  const auto boundary = "vigie-" + fingerprint({mail.id, mail.text});
  auto out = fmt::format("From: vigie <{}>\r\nTo: {}\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}>\r\n", mail.from,
                         fmt::join(mail.to, ",\r\n "), header_words(mail.subject), mail.date, mail.id);
  if (!mail.reply.empty()) out += fmt::format("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", mail.reply);
  if (mail.urgent) out += "Importance: high\r\nX-Priority: 1\r\n";
  out += fmt::format(
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n "
      "boundary=\"{}\"\r\n\r\n",
      boundary);
  for (const auto& each : {part("text/plain", mail.text), part("text/html", mail.html)})
    out += fmt::format("--{}\r\n{}", boundary, each);
  return out + fmt::format("--{}--\r\n", boundary);
}

}  // namespace vigie::notify

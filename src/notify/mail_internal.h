// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vigie::notify {

/// A message of RFC 5322 with a text and an HTML of the same content. Header fields hold no line breaks.
struct Mail {
  std::string from;
  std::vector<std::string> to;
  std::string subject, text, html;
  std::string date;   ///< RFC 5322
  std::string id;     ///< without the angle brackets
  std::string reply;  ///< the message that it belongs to; empty: none
  bool urgent = false;
};
std::string to_mime(const Mail& mail);

/// A header field's words, as RFC 2047 has them where they are not plain ASCII.
std::string header_words(std::string_view text);
/// Safe between tags and in attributes.
std::string html_escaped(std::string_view text);

}  // namespace vigie::notify

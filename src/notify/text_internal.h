// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "notify/notify.h"

namespace vigie::notify {

/// A name and what is said of it.
struct Fact {
  std::string name, value;
};

/// What is told of an incident, the same whatever it is told through; a notifier lays it out and escapes it. All of it
/// is well-formed UTF-8 without control characters, each piece in one line.
struct Text {
  std::string headline;             ///< what a phone shows before anybody touches it
  std::vector<std::string> causes;  ///< the three weightiest, and how many more there are
  std::vector<Fact> facts;
  std::vector<Fact> links;  ///< values are addresses
  std::string next;         ///< what to do about it, up to the command; empty: nothing
  std::string command;      ///< for a shell
};
Text text_of(const event::Notice& notice, const Context& context);
/// All of it, for where there are only lines.
std::string plain(const Text& text);

/// Well-formed, in one line, and where it is over `most` characters cut, and ended by "…".
std::string one_line(std::string_view text, std::size_t most);
/// The same where lines may stay.
std::string shortened(std::string_view text, std::size_t most);
/// "Fri 27 Nov 03:00 CET".
std::string when(std::int64_t micros, const std::string& zone);
/// For a path or a fragment of a URL.
std::string url_encoded(std::string_view text);
/// Whether it can be offered as a link.
bool is_link(std::string_view text);
/// Of the incident on vigie's page; empty where that is not known.
std::string page_of(const event::Incident& incident, const Context& context);

/// 32 hexadecimal digits that stand for these words, in this order.
std::string fingerprint(std::initializer_list<std::string_view> words);

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/hash.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;
using State = event::Incident::State;

constexpr std::size_t kCauses = 3, kHeadline = 200, kReason = 300, kName = 80;

// Bytes of the character at the front; 0: it is none that is well-formed.
std::size_t character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return size <= text.size() && is_utf8(text.substr(0, size)) ? size : 0;
}

std::string cleaned(std::string_view text, std::size_t most, bool lines) {
  std::string out;
  std::size_t count = 0, last = 0;
  for (; !text.empty(); ++count) {
    if (count == most) return out.erase(last), out += "…";
    last = out.size();
    const auto size = character(text);
    const auto c = static_cast<unsigned char>(text.front());
    if (size == 0)
      out += "�";
    else if (size == 1 && (c < 0x20 || c == 0x7f))
      out += lines && c == '\n' ? '\n' : ' ';
    else
      out.append(text.substr(0, size));
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

// "1 h 55 min": what people say.
std::string lasted(std::int64_t from, std::int64_t to) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}};
  const auto seconds = std::max<std::int64_t>((to - from) / 1'000'000, 0);
  for (std::size_t i = 0; i + 1 < std::size(kUnits); ++i) {
    const auto [size, name] = kUnits[i];
    if (seconds < size) continue;
    const auto [part, part_name] = kUnits[i + 1];
    const auto rest = seconds % size / part;
    return rest > 0 ? fmt::format("{} {} {} {}", seconds / size, name, rest, part_name)
                    : fmt::format("{} {}", seconds / size, name);
  }
  return fmt::format("{} s", seconds);
}

// Of an incident that is over: until its last window that was not healthy.
std::int64_t end_of(const event::Incident& incident) {
  return incident.until > incident.since ? incident.until : incident.resolved;
}

std::string headline(const event::Notice& notice, const Context& context) {
  const auto& incident = notice.incident;
  const auto model = one_line(incident.model, kName), severity = upper(to_string(incident.severity));
  auto summary = incident.summary;
  if (summary.empty() && !incident.causes.empty()) summary = incident.causes.front().reason;
  std::string head;
  switch (notice.kind) {
    case Kind::kOpened:
      head = fmt::format("{} {}", severity, model);
      break;
    case Kind::kWorse:
      head = fmt::format("{} {}, worse", severity, model);
      break;
    case Kind::kReminder:
      head = fmt::format("{} {}, {} for {}", severity, model,
                         incident.state == State::kOpen ? "unanswered" : to_string(incident.state),
                         lasted(incident.opened, context.now));
      break;
    case Kind::kResolved:
      head = fmt::format("RESOLVED {}, after {}", model, lasted(incident.since, end_of(incident)));
  }
  return one_line(summary.empty() ? head : fmt::format("{}: {}", head, summary), kHeadline);
}

std::string cause_line(const event::Cause& cause, const event::Incident& incident, const Context& context) {
  auto out = one_line(cause.column.empty() ? cause.what : cause.column, kName);
  if (!cause.segment.empty()) out += " where " + one_line(cause.segment, kName);
  out += ": " + one_line(cause.reason.empty() ? std::string_view("changed") : cause.reason, kReason);
  std::vector<std::string> notes;
  if (!cause.column.empty() && !cause.what.empty()) notes.push_back(one_line(cause.what, kName));
  if (cause.severity != incident.severity) notes.emplace_back(to_string(cause.severity));
  if (cause.since > incident.since) notes.push_back("since " + when(cause.since, context.zone));
  return notes.empty() ? out : fmt::format("{} ({})", out, fmt::join(notes, ", "));
}

std::vector<Fact> facts_of(const event::Notice& notice, const Context& context) {
  const auto& incident = notice.incident;
  std::vector<Fact> out;
  const auto add = [&](const char* name, std::string_view value) {
    if (!value.empty()) out.push_back({name, one_line(value, kReason)});
  };
  auto windows = incident.windows > 0 ? ", " + plural(incident.windows, "window") : std::string();
  if (notice.kind == Kind::kResolved)
    add("Lasted", fmt::format("{}, from {} to {}{}", lasted(incident.since, end_of(incident)),
                              when(incident.since, context.zone), when(end_of(incident), context.zone), windows));
  else
    add("Since", when(incident.since, context.zone) + windows);
  for (const auto& line : incident.context) add("Meanwhile", line);
  add("Owner", incident.owner);
  if (!is_link(incident.runbook)) add("Runbook", incident.runbook);
  const auto by = incident.answered_by.empty() ? std::string() : " by " + incident.answered_by;
  if (incident.false_alarm)
    add("Answer", fmt::format("a false alarm, said{}", by.empty() ? " somebody" : by));
  else if (incident.state == State::kAcknowledged)
    add("Answer", "acknowledged" + by);
  else if (incident.state == State::kSnoozed)
    add("Answer", fmt::format("snoozed until {}{}", when(incident.snoozed_until, context.zone), by));
  add("Note", incident.note);
  return out;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t most) {
  return cleaned(text, most, false);
}
std::string shortened(std::string_view text, std::size_t most) {
  return cleaned(text, most, true);
}

std::string when(std::int64_t micros, const std::string& zone) {
  const date::sys_seconds at{std::chrono::seconds(micros / 1'000'000)};
  auto local = at;
  std::string name = "UTC";
  if (!zone.empty() && zone != "UTC") {
    try {
      const auto info = date::locate_zone(zone)->get_info(at);
      local += info.offset;
      name = info.abbrev.starts_with('+') || info.abbrev.starts_with('-') ? "UTC" + info.abbrev : info.abbrev;
    } catch (const std::exception&) {
      name = "UTC";  // check() has told of it
    }
  }
  return date::format("%a %d %b %H:%M ", local) + name;
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

bool is_link(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && text.size() <= 2000 &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 ||
                  std::string_view("\"'<>\\^`{|}\x7f").find(c) != std::string_view::npos;
         });
}

std::string page_of(const event::Incident& incident, const Context& context) {
  if (!is_link(context.page)) return {};
  std::string_view page = context.page;
  while (page.ends_with('/')) page.remove_suffix(1);
  return fmt::format("{}/#{}", page, url_encoded(incident.id));
}

std::string fingerprint(std::initializer_list<std::string_view> words) {
  std::string all;
  for (const auto word : words) all.append(fmt::format("{}:", word.size())).append(word);
  return fmt::format("{:016x}{:016x}", hash64(all), hash64(all, 1));
}

Text text_of(const event::Notice& notice, const Context& context) {
  const auto& incident = notice.incident;
  Text out;
  out.headline = headline(notice, context);
  for (const auto& cause : incident.causes) {
    if (out.causes.size() == kCauses) {
      out.causes.push_back(fmt::format("and {} more", incident.causes.size() - kCauses));
      break;
    }
    out.causes.push_back(cause_line(cause, incident, context));
  }
  out.facts = facts_of(notice, context);
  if (is_link(incident.runbook)) out.links.push_back({"Runbook", incident.runbook});
  const auto page = page_of(incident, context);
  if (page.empty()) return out;
  out.links.push_back({"Details", page});
  if (notice.kind == Kind::kResolved || incident.state != State::kOpen) return out;
  out.next = "To say that you look after it";
  out.command = fmt::format(R"(curl{} -d "{{\"by\": \"$USER\"}}" '{}/v1/incidents/{}/ack')",
                            context.token ? " -H \"Authorization: Bearer $VIGIE_TOKEN\"" : "",
                            page.substr(0, page.find("/#")), url_encoded(incident.id));
  return out;
}

std::string plain(const Text& text) {
  auto out = text.headline + "\n";
  if (!text.causes.empty()) out += "\n";
  for (const auto& cause : text.causes) out += "- " + cause + "\n";
  if (!text.facts.empty()) out += "\n";
  for (const auto& fact : text.facts) out += fmt::format("{}: {}\n", fact.name, fact.value);
  for (const auto& link : text.links) out += fmt::format("{}: {}\n", link.name, link.value);
  if (!text.command.empty()) out += fmt::format("\n{}:\n{}\n", text.next, text.command);
  return out;
}

}  // namespace vigie::notify

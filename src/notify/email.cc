// SPDX-License-Identifier: Apache-2.0
#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "notify/mail_internal.h"
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;

constexpr Param kParams[] = {
    {.name = "url",
     .doc = "mail server: smtp://mail.example.org:587, or smtps://… of TLS from the start",
     .required = true,
     .secret = true},
    {.name = "from", .doc = "the sender's address", .required = true},
    {.name = "to", .doc = "addresses, blanks or commas between: to=\"a@example.org, b@example.org\"", .required = true},
    {.name = "user", .doc = "to log in with; none: without"},
    {.name = "password", .doc = "of that user", .secret = true},
    {.name = "tls",
     .fallback = "required",
     .doc = "required; optional, where the server has none; or never, for a relay on the same host"},
};

std::vector<std::string> addresses(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ,;"), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool is_address(std::string_view text) {
  const auto at = text.find('@');
  return at != text.npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         text.size() <= 254 && std::all_of(text.begin(), text.end(), [](char c) {
           return c > 0x20 && c < 0x7f && std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos;
         });
}

std::optional<http::Request::Tls> tls_of(std::string_view word) {
  using enum http::Request::Tls;
  return word == "required"   ? std::optional(kRequired)
         : word == "optional" ? std::optional(kOptional)
         : word == "never"    ? std::optional(kNever)
                              : std::nullopt;
}

Status check(const Settings& settings) {
  const std::string_view url = settings["url"];
  const auto begin = url.find("://");
  if (!(url.starts_with("smtp://") || url.starts_with("smtps://")) || url.size() == begin + 3 ||
      url.find_first_of(" /?#@", begin + 3) != url.npos)
    return fail(Code::kUsage, "email.url: expected smtp://HOST:PORT or smtps://HOST:PORT");
  for (const auto* name : {"from", "to"}) {
    const auto all = addresses(settings[name]);
    if (all.empty()) return fail(Code::kUsage, fmt::format("email.{}: holds no address", name));
    for (const auto& each : all)
      if (!is_address(each))
        return fail(Code::kUsage, fmt::format("email.{}: {} is no mail address", name, vigie::quoted(each)));
  }
  if (addresses(settings["from"]).size() > 1) return fail(Code::kUsage, "email.from: expected one address");
  if (tls_of(settings["tls"])) return {};
  return fail(Code::kUsage,
              fmt::format("email.tls: expected required, optional or never, got {}", vigie::quoted(settings["tls"])));
}

std::string html(const Text& text, const char* colour) {
  auto out = fmt::format(
      "<!DOCTYPE html><html><body style=\"font:16px/1.4 sans-serif;color:#222\">"
      "<p style=\"border-left:6px solid {};padding-left:10px;font-weight:bold\">{}</p>",
      colour, html_escaped(text.headline));
  if (!text.causes.empty()) out += "<ul>";
  for (const auto& cause : text.causes) out += fmt::format("<li>{}</li>", html_escaped(cause));
  if (!text.causes.empty()) out += "</ul>";
  for (const auto& fact : text.facts)
    out += fmt::format("<div><b>{}:</b> {}</div>", html_escaped(fact.name), html_escaped(fact.value));
  if (!text.links.empty()) out += "<p>";
  for (const auto& link : text.links)
    out += fmt::format("<a href=\"{}\">{}</a> &nbsp; ", html_escaped(link.value), html_escaped(link.name));
  if (!text.links.empty()) out += "</p>";
  if (!text.command.empty())
    out += fmt::format("<p>{}:<br><code>{}</code></p>", html_escaped(text.next), html_escaped(text.command));
  return out + "</body></html>\n";
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto& incident = notice.incident;
  const auto text = text_of(notice, context);
  const bool over = notice.kind == Kind::kResolved, critical = incident.severity == event::Severity::kCritical;
  Mail mail;
  mail.from = addresses(settings["from"]).front();
  mail.to = addresses(settings["to"]);
  mail.subject = text.headline;
  mail.text = plain(text);
  mail.html = html(text, over ? "#2e7d32" : critical ? "#c62828" : "#f9a825");
  mail.urgent = critical && !over;
  mail.date =
      date::format("%a, %d %b %Y %H:%M:%S +0000", date::sys_seconds{std::chrono::seconds(context.now / 1'000'000)});
  // The first message begins the thread.
  const auto domain = mail.from.substr(mail.from.find('@'));
  const auto first = fingerprint({incident.id}) + domain;
  mail.id = notice.kind == Kind::kOpened
                ? first
                : fingerprint({incident.id, to_string(notice.kind), std::to_string(context.number)}) + domain;
  if (notice.kind != Kind::kOpened) mail.reply = first;

  http::Request out;
  out.method.clear();
  out.url = settings["url"];
  out.body = to_mime(mail);
  out.from = mail.from, out.to = mail.to;
  out.user = settings["user"], out.password = settings["password"];
  out.tls = tls_of(settings["tls"]).value();
  return out;
}

}  // namespace

constinit const Notifier email{.name = "email",
                               .summary = "A mail, in text and HTML; those of one incident are a thread",
                               .reference = "SMTP with STARTTLS or TLS, RFC 5322",
                               .params = kParams,
                               .request = request,
                               .check = check};

}  // namespace vigie::notify

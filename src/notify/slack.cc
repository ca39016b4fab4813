// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "url",
     .doc = "address of an incoming webhook, https://hooks.slack.com/services/…",
     .required = true,
     .secret = true},
};

Status check(const Settings& settings) {
  return check_url("slack", settings);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

// Text that Slack takes as it is: no marks, no mentions, no emoji.
Json as_is(std::string_view text, std::size_t most) {
  return {{"type", "plain_text"}, {"text", shortened(text, most)}, {"emoji", false}};
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto text = text_of(notice, context);
  auto blocks = Json::array();
  std::string causes, links;
  for (const auto& cause : text.causes) causes += (causes.empty() ? "• " : "\n• ") + cause;
  if (!causes.empty()) blocks.push_back({{"type", "section"}, {"text", as_is(causes, 3000)}});
  auto fields = Json::array();
  for (const auto& fact : text.facts) fields.push_back(as_is(fact.name + "\n" + fact.value, 2000));
  if (!fields.empty()) blocks.push_back({{"type", "section"}, {"fields", fields}});
  for (const auto& link : text.links)
    links += fmt::format("{}<{}|{}>", links.empty() ? "" : " · ", escaped(link.value), link.name);
  const auto marked = [](const std::string& words) { return Json{{"type", "mrkdwn"}, {"text", words}}; };
  if (!links.empty()) blocks.push_back({{"type", "section"}, {"text", marked(links)}});
  if (!text.command.empty())
    blocks.push_back({{"type", "context"},
                      {"elements", Json::array({marked(fmt::format("{}: `{}`", text.next, escaped(text.command)))})}});
  const bool over = notice.kind == event::Notice::Kind::kResolved;
  const auto colour = over ? "#2e7d32" : notice.incident.severity == event::Severity::kCritical ? "#c62828" : "#f9a825";
  return post(settings["url"],
              {{"text", escaped(text.headline)},
               {"mrkdwn", false},
               {"attachments", Json::array({{{"color", colour}, {"fallback", text.headline}, {"blocks", blocks}}})}});
}

}  // namespace

constinit const Notifier slack{.name = "slack",
                               .summary = "A message in a channel of Slack",
                               .reference = "Slack incoming webhooks, Block Kit",
                               .params = kParams,
                               .request = request,
                               .check = check};

}  // namespace vigie::notify

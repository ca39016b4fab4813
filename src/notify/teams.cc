// SPDX-License-Identifier: Apache-2.0
#include "notify/request_internal.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

constexpr Param kParams[] = {
    {.name = "url",
     .doc = "address of a Power Automate workflow: \"when a Teams webhook request is received\"",
     .required = true,
     .secret = true},
};

Status check(const Settings& settings) {
  return check_url("teams", settings);
}

// Of runs, because a TextBlock would read the text as Markdown.
Json paragraph(std::initializer_list<Json> runs, const char* spacing) {
  return {{"type", "RichTextBlock"}, {"spacing", spacing}, {"inlines", Json::array_t(runs)}};
}
Json run(const std::string& text, const Json& more = Json::object()) {
  Json out{{"type", "TextRun"}, {"text", text}};
  out.update(more);
  return out;
}

http::Request request(const event::Notice& notice, const Settings& settings, const Context& context) {
  const auto text = text_of(notice, context);
  const bool over = notice.kind == event::Notice::Kind::kResolved;
  const auto colour = over ? "Good" : notice.incident.severity == event::Severity::kCritical ? "Attention" : "Warning";
  auto body = Json::array();
  body.push_back(
      paragraph({run(text.headline, {{"weight", "Bolder"}, {"size", "Medium"}, {"color", colour}})}, "None"));
  for (const auto& cause : text.causes) body.push_back(paragraph({run("• " + cause)}, "Small"));
  for (const auto& fact : text.facts)
    body.push_back(paragraph({run(fact.name + ": ", {{"weight", "Bolder"}}), run(fact.value)}, "Small"));
  if (!text.command.empty())
    body.push_back(paragraph({run(text.next + ": "), run(text.command, {{"fontType", "Monospace"}})}, "Medium"));
  Json card{{"type", "AdaptiveCard"},
            {"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
            {"version", "1.4"},
            {"msteams", {{"width", "Full"}}},
            {"fallbackText", text.headline},
            {"body", body}};
  auto actions = Json::array();
  for (const auto& link : text.links)
    actions.push_back({{"type", "Action.OpenUrl"}, {"title", link.name}, {"url", link.value}});
  if (!actions.empty()) card["actions"] = actions;
  return post(settings["url"],
              {{"type", "message"},
               {"summary", text.headline},
               {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                             {"contentUrl", nullptr},
                                             {"content", card}}})}});
}

}  // namespace

constinit const Notifier teams{.name = "teams",
                               .summary = "A card in a channel or chat of Microsoft Teams",
                               .reference = "Adaptive Cards 1.4, Teams Workflows",
                               .params = kParams,
                               .request = request,
                               .check = check};

}  // namespace vigie::notify

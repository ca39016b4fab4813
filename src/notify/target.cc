// SPDX-License-Identifier: Apache-2.0
#include <date/tz.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstdlib>

#include "base/iso_time.h"
#include "base/text.h"
#include "notify/notify.h"
#include "notify/text_internal.h"

namespace vigie::notify {
namespace {

using Kind = event::Notice::Kind;

constexpr std::int64_t kSecond = 1'000'000;

void hide(std::string& text, std::string_view secret) {
  if (secret.size() < 4) return;
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at)) text.replace(at, secret.size(), "***");
}

bool again_http(unsigned status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

}  // namespace

Target::Target(const Notifier& notifier, Settings settings) : notifier_(notifier), settings_(std::move(settings)) {}

bool Target::wants(const event::Notice& notice) const {
  const auto& incident = notice.incident;
  const bool critical_only = settings_["severity"] == "critical";
  if (critical_only && incident.severity != event::Severity::kCritical) return false;
  // What begins with the incident begins with the first notice that is grave enough.
  if (notifier_.trigger && notice.kind != Kind::kOpened && !(critical_only && notice.kind == Kind::kWorse))
    return false;
  std::string_view models = settings_["models"];
  while (!models.empty()) {
    const auto end = std::min(models.find(' '), models.size());
    if (fnmatch(std::string(models.substr(0, end)).c_str(), incident.model.c_str(), 0) == 0) return true;
    models.remove_prefix(std::min(end + 1, models.size()));
  }
  return false;
}

http::Request Target::request(const event::Notice& notice, const Context& context) const {
  return notifier_.request(notice, settings_, context);
}

std::int64_t Target::interval() const {
  return static_cast<std::int64_t>(60.0 * kSecond / std::strtod(settings_["per_minute"].c_str(), nullptr));
}

std::string Target::place() const {
  const auto url = settings_.values.find("url");
  return url == settings_.values.end() ? "the log" : http::place_of(url->second);
}

std::string Target::redacted(std::string text) const {
  for (const auto& param : notifier_.params) {
    if (!param.secret) continue;
    const std::string_view value = settings_[param.name];
    const auto scheme = value.find("://");
    if (scheme == value.npos) {
      hide(text, value);
    } else if (const auto path = value.find('/', scheme + 3); path != value.npos) {
      hide(text, value.substr(path));
      hide(text, value.substr(path + 1));
    }
  }
  return text;
}

Outcome Target::judge(const Result<http::Answer>& answer) const {
  using enum Outcome::Kind;
  if (!answer) {
    const bool again = answer.error().code == Code::kUnavailable;
    return {again ? kLater : kRefused, false, 0, redacted(answer.error().message)};
  }
  const auto status = answer->status;
  auto said = one_line(answer->body, 200);
  said.resize(said.find_last_not_of(' ') + 1);
  auto what = fmt::format("{}: {}", place(), status);
  if (!said.empty() && !said.starts_with('<')) what += ": " + redacted(said);
  if ((status >= 200 && status < 300) || (status != 0 && status == notifier_.done_already))
    return {kSent, true, 0, what};
  if (status >= 300 && status < 400) what += " (it points elsewhere: give the address that it leads to)";
  const bool mail = place().starts_with("smtp");
  const bool again = mail ? status < 500 : again_http(status);
  return {again ? kLater : kRefused, true, std::min<std::int64_t>(answer->retry_after(), 86'400) * kSecond, what};
}

Status check(const Context& context) {
  const auto& page = context.page;
  if (!page.empty() && (!is_link(page) || page.find_first_of("?#") != page.npos))
    return fail(Code::kUsage,
                fmt::format("page {}: expected an address as https://vigie.example.org", vigie::quoted(page)));
  try {
    if (!context.zone.empty()) date::locate_zone(context.zone);
  } catch (const std::exception&) {
    return fail(Code::kUsage,
                fmt::format("time zone {}: not in the time zone database (try Europe/Paris, America/New_York, UTC)",
                            vigie::quoted(context.zone)));
  }
  return {};
}

Result<event::Notice> example(std::string_view kind, std::int64_t now) {
  std::vector<std::string> names;
  for (const auto each : {Kind::kOpened, Kind::kWorse, Kind::kReminder, Kind::kResolved}) {
    names.emplace_back(to_string(each));
    if (names.back() != kind) continue;
    event::Incident incident;
    incident.model = "vigie-test";
    incident.until = now / kSecond * kSecond, incident.opened = now;
    incident.since = incident.until - 3600 * kSecond, incident.windows = 1;
    incident.id = "vigie-test-" + iso_time(static_cast<double>(incident.until));
    incident.summary = "this is a test, nothing is wrong";
    incident.causes = {{"age", "country=FR", "omnibus", event::Severity::kWarning, 1.6,
                        "would have moved by 0.4 of the reference's standard deviations", incident.since, 1}};
    incident.owner = "whoever reads this";
    if (each == Kind::kReminder) incident.opened -= 3600 * kSecond;
    if (each == Kind::kResolved) incident.resolved = now, incident.state = event::Incident::State::kResolved;
    return event::Notice{each, incident};
  }
  return fail(Code::kUsage,
              fmt::format("{} ({})", unknown_name("kind of notice", kind, names), fmt::join(names, ", ")));
}

Result<std::string> send_now(const Target& target, const event::Notice& notice, const Context& context,
                             const std::function<void(const std::string&)>& write) {
  const auto request = target.request(notice, context);
  if (request.url.empty()) {
    write(request.body);
    return fmt::format("{}: {}: written", target.name(), to_string(notice.kind));
  }
  const auto outcome = target.judge(http::send(request, {.answer = std::chrono::seconds(15)}));
  auto line = fmt::format("{}: {}: {}", target.name(), to_string(notice.kind), outcome.what);
  if (outcome.kind == Outcome::Kind::kSent) return line;
  return fail(outcome.kind == Outcome::Kind::kLater ? Code::kUnavailable : Code::kInput, line);
}

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/command_internal.h"
#include "cli/credentials_internal.h"
#include "cli/send_delivery_internal.h"
#include "event/record.h"

namespace vigie::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What the other side says is wrong.
std::string reason_of(const http::Answer& answer) {
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  const auto said = body.is_object() ? body.find("error") : body.end();
  if (said == body.end() || !said->is_string()) return fmt::format("status {}", answer.status);
  return fmt::format("status {}: {}", answer.status, said->get<std::string>());
}

std::optional<Taken> taken_of(const http::Answer& answer) {
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  if (!body.is_object() || !body.contains("accepted") || !body.contains("rejected")) return std::nullopt;
  try {
    Taken taken;
    body.at("accepted").get_to(taken.accepted);
    if (body.contains("duplicates")) body.at("duplicates").get_to(taken.duplicates);
    for (const auto& one : body.at("rejected"))
      taken.rejected.push_back({one.at("index").get<std::size_t>(), one.at("error").get<std::string>()});
    return taken;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Delivery::Delivery(std::string to, std::string model, std::string token, std::optional<milliseconds> patience)
    : to_(std::move(to)),
      model_(std::move(model)),
      token_(std::move(token)),
      patience_(patience),
      client_(std::make_unique<http::Client>(http::ClientOptions{.user_agent = fmt::format("vigie/{}", kVersion)})) {}

Result<Delivery> Delivery::make(const std::string& to, const std::string& model, std::string token,
                                std::optional<milliseconds> patience) {
  const auto scheme = to.find("://");
  if ((!to.starts_with("http://") && !to.starts_with("https://")) || scheme + 3 == to.size() ||
      to.find_first_of("?# ") != std::string::npos)
    return fail(Code::kUsage, fmt::format("--to: expected the URL of a service, as http://127.0.0.1:8090, got {}",
                                          vigie::quoted(http::place_of(to))));
  if (const auto named = event::check_model(model); !named)
    return fail(Code::kUsage, "--model: " + named.error().message);
  auto base = to;
  while (base.ends_with('/')) base.pop_back();
  return Delivery(std::move(base), http::encoded(model), std::move(token), patience);
}

bool Delivery::pause(milliseconds span) const {
  pollfd end{signals_ ? signals_->fd() : -1, POLLIN, 0};
  ::poll(&end, 1, static_cast<int>(span.count()));
  return !signals_ || !signals_->asked();
}

Result<std::optional<http::Answer>> Delivery::ask(std::string_view method, const std::string& path,
                                                  std::string_view body, const std::string& type) {
  constexpr milliseconds kFirst{100}, kLongest{5'000};
  bool lost = false;
  Clock::time_point since;
  auto wait = kFirst;
  const bool post = method == "POST";
  auto headers = authorized(token_);
  headers.emplace_back("Content-Type", type);
  while (true) {
    auto answer = client_->send(method, to_ + path, body, headers);
    if (!answer && answer.error().code != Code::kUnavailable) return std::move(answer.error());
    if (answer && post && (answer->status == 429 || answer->status == 503)) {
      reached_ = true;
      lost = false;
      if (!told_) say(fmt::format("{}: asks to wait: {}", http::place_of(to_), reason_of(*answer)));
      told_ = true;
      const long seconds = std::clamp(answer->retry_after(), 1L, 3'600L);
      if (!pause(std::chrono::seconds(seconds))) return std::optional<http::Answer>();
      continue;
    }
    if (answer && (answer->status < 500 || !post)) {
      if (lost) say(fmt::format("{}: answers again", http::place_of(to_)));
      reached_ = true, told_ = false;
      return std::optional<http::Answer>(std::move(*answer));
    }
    // What is lost may have been taken: it is sent again, and known by its ids.
    const auto why = answer ? fmt::format("{}: {}", http::place_of(to_), reason_of(*answer)) : answer.error().message;
    const auto patience = patience_.value_or(reached_ ? kPatience : milliseconds(0));
    const auto now = Clock::now();
    if (!lost) {
      lost = true, since = now;
      if (patience.count() > 0)
        say(fmt::format("{}; tried again for {}", why, duration(static_cast<double>(patience.count()) * 1e3)));
    }
    const auto left = std::chrono::duration_cast<milliseconds>(since + patience - now);
    if (left.count() <= 0) return fail(Code::kUnavailable, why);
    if (!pause(std::min(wait, left))) return std::optional<http::Answer>();
    wait = std::min(2 * wait, kLongest);
  }
}

Status Delivery::reach() {
  VIGIE_TRY(ask("GET", "/healthz", "", "application/json"));
  return {};
}

Result<std::optional<Taken>> Delivery::records(std::string_view kind, std::string_view body) {
  VIGIE_ASSIGN(const auto answer,
               ask("POST", fmt::format("/v1/models/{}/{}", model_, kind), body, "application/x-ndjson"));
  if (!answer) return std::optional<Taken>();
  auto taken = taken_of(*answer);
  if (taken && (answer->status < 300 || answer->status == 400)) return taken;
  return fail(Code::kInput, fmt::format("{}: {}", http::place_of(to_), reason_of(*answer)));
}

Result<bool> Delivery::reference(std::string_view profile) {
  VIGIE_ASSIGN(const auto answer,
               ask("POST", fmt::format("/v1/models/{}/reference", model_), profile, "application/vnd.vigie.profile"));
  if (!answer) return false;
  if (answer->status < 300) return true;
  return fail(Code::kInput, fmt::format("{}: the reference is refused, {}", http::place_of(to_), reason_of(*answer)));
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "event/incident.h"
#include "http/transfers.h"

namespace vigie::notify {

/// What a message says besides the incident.
struct Context {
  std::string page;         ///< address of vigie, as "https://vigie.example.org"; empty: a message has no links to it
  bool token = false;       ///< whether its API wants a bearer token
  std::string zone;         ///< of times in texts, as "Europe/Paris"; empty: UTC
  std::int64_t now = 0;     ///< µs since 1970
  std::int64_t number = 0;  ///< of the notice, the same whenever it is sent again
};

using vigie::Environment;
using vigie::Param;
using vigie::Settings;

/// Descriptor of a notifier: see conventions "A unit". `request` and `check` are pure.
struct Notifier {
  std::string_view name, summary;
  std::string_view reference;  ///< the format it speaks
  std::span<const Param> params;
  http::Request (*request)(const event::Notice&, const Settings&, const Context&);
  Status (*check)(const Settings&) = nullptr;  ///< Code::kUsage; shows no secret
  bool keeps = false;                          ///< the receiver keeps an alert open until it is told that it is over
  bool trigger = false;                        ///< starts something and tells nobody: at the start of an incident only
  unsigned done_already = 0;                   ///< an HTTP status by which the receiver says that it has this one
};

#define VIGIE_NOTIFIER(name) extern const Notifier name;
#include "notify/notifiers.def"
#undef VIGIE_NOTIFIER

/// All notifiers, in the order of notifiers.def.
std::span<const Notifier* const> notifiers();
/// The notifier of that name, or nullptr.
const Notifier* find_notifier(std::string_view name);
/// What every notifier has besides its own: name, severity, models, per_minute.
std::span<const Param> common_params();

/// What became of a notice.
struct Outcome {
  enum class Kind : std::uint8_t {
    kSent,
    kLater,    ///< nobody answers, or the answer is 408, 429 or 5xx: to be tried again
    kRefused,  ///< it would be no use
  };
  Kind kind = Kind::kSent;
  bool reached = true;           ///< whether anybody answered
  std::int64_t retry_after = 0;  ///< µs that the receiver asks to be left alone
  std::string what;              ///< in one line, without secrets: "https://hooks.slack.com: 404: no_team"
};

/// A notifier with its parameters. Threads may share it.
class Target {
 public:
  Target(const Notifier& notifier, Settings settings);

  const Notifier& notifier() const { return notifier_; }
  const std::string& name() const { return settings_["name"]; }
  /// Whether the notice is for it, by severity and model.
  bool wants(const event::Notice& notice) const;
  http::Request request(const event::Notice& notice, const Context& context) const;
  Outcome judge(const Result<http::Answer>& answer) const;
  std::int64_t interval() const;  ///< µs between two notices
  std::string place() const;      ///< where it sends to, without secrets
  std::string redacted(std::string text) const;

 private:
  const Notifier& notifier_;
  Settings settings_;
};

/// From text: "slack(url=https://hooks.slack.com/services/…)", "email(url=smtp://mail:587, to=\"a@x.org, b@x.org\")".
/// A value may be "${NAME}", or hold it, and "file:/path" stands for the first line of that file. Code::kUsage for
/// brackets or quotes that do not match, an unknown notifier or parameter (with the nearest one), a missing or unfit
/// value, a variable or a file that is not there. Messages show no values of secret parameters.
Result<std::unique_ptr<Target>> make_target(std::string_view spec, const Environment& environment);

/// Code::kUsage: a page that is no address of HTTP, or a time zone that there is not.
Status check(const Context& context);

/// What is sent to try a target. Code::kUsage for an unknown kind, with the nearest one.
Result<event::Notice> example(std::string_view kind, std::int64_t now);

/// Sends one notice, without a second try, and says in one line what happened. Code::kUnavailable: not reached, or to
/// be tried again later; Code::kInput: refused. `write` gets what is for the notifier log.
Result<std::string> send_now(const Target& target, const event::Notice& notice, const Context& context,
                             const std::function<void(const std::string&)>& write);

}  // namespace vigie::notify

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/call.h"
#include "base/result.h"

namespace vigie {

/// Parameter of a unit that is named with parameters in text, for help, configuration and the reference page.
struct Param {
  std::string_view name, fallback = {}, doc;
  bool required = false;
  bool secret = false;    ///< never shown; of a URL scheme and host are
  bool referred = false;  ///< a secret that may not stand there itself, but only what it is referred to by
};

/// Parameters of one such unit by name: each is there, with what ${NAME} and file: stand for.
struct Settings {
  std::map<std::string, std::string, std::less<>> values;
  const std::string& operator[](std::string_view name) const { return values.find(name)->second; }
};

/// Looks up a variable of the environment.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The parameters of a call, "slack(url=https://hooks.slack.com/services/…)". A value may be in double quotes, as
/// it must where it has a comma; it may be "${NAME}", or hold it, and "file:/path" stands for the first line of that
/// file. Code::kUsage for an unknown parameter (with the nearest one), a missing one, a part that is no name=value, a
/// variable or a file that is not there. Messages show no values, except of such a part behind a parameter that is no
/// secret.
Result<Settings> read_settings(const Call& call, std::span<const Param> params, const Environment& environment);

}  // namespace vigie

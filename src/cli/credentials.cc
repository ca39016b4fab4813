// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.h"
#include "base/secret.h"
#include "cli/command_internal.h"
#include "cli/credentials_internal.h"
#include "http/trust.h"

namespace vigie::cli {

void Credentials::add(CLI::App& app) {
  app.add_option("--token", token,
                 "what the service lets in by, as ${NAME} or file:PATH; else VIGIE_TOKEN of the environment")
      ->type_name("TOKEN");
  app.add_option("--ca", ca, "certificates by which an https service is known, PEM; else the system's")
      ->type_name("FILE");
}

Result<std::string> Credentials::read() const {
  constexpr const char* kVariable = "VIGIE_TOKEN";
  std::string out;
  if (token.empty()) {
    out = variable(kVariable).value_or("");
  } else {
    // Others see what stands on a command line.
    if (!refers(token))
      return fail(Code::kUsage, fmt::format("--token: a token itself does not belong here: ${{NAME}} or file:PATH; "
                                            "without it {} is taken",
                                            kVariable));
    VIGIE_ASSIGN(out, reveal(token, "--token", variable));
  }
  if (std::any_of(out.begin(), out.end(), [](char c) { return c <= 0x20 || c >= 0x7f; }))
    return fail(Code::kUsage,
                fmt::format("{}: has characters that no token has", token.empty() ? kVariable : "--token"));
  if (!ca.empty()) VIGIE_TRY(InputFile::open(ca));
  http::trust(ca);
  return out;
}

std::vector<std::pair<std::string, std::string>> authorized(const std::string& token) {
  if (token.empty()) return {};
  return {{"Authorization", "Bearer " + token}};
}

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "server/http.h"

namespace vigie::server {

/// What a token lets its holder do: kIngest send predictions, labels and explanations; kRead get everything but the
/// files of references; kAdmin all.
enum class Role : std::uint8_t { kIngest, kRead, kAdmin };
std::string_view to_string(Role role);
/// All of them, by name.
const std::vector<std::string>& role_names();

/// Who may ask for what. Tokens are known by their SHA-256 alone: with 256 bits of chance in each there is nothing that
/// a slow hash would protect.
class Tokens {
 public:
  /// `spec`: "sha256:" and 64 hexadecimal digits, or what reveal() finds: a token of 16 printable characters or
  /// more, or its hash. Code::kUsage, `place` first, without what was given: a token that stands there itself.
  Status add(Role role, const std::string& place, std::string_view spec, const Environment& environment);
  bool empty() const { return known_.empty(); }

  /// Nothing: it may pass. /healthz and /readyz always may. Else it takes a token of the right role, as `Bearer`, or
  /// for GET as the password of `Basic`, which a browser asks people for: that one it also sends where another site
  /// makes it ask, which must not be able to change anything. 401 names the ways, 403 the role that lacks.
  ///
  /// Without any token everything may pass that comes from this machine: what a page of another site makes a browser
  /// ask is refused, by its Origin, and by a Host that is no name of this machine (`any_host`: a proxy asks, and any
  /// is).
  std::optional<Reply> refuse(const Request& head, bool any_host) const;

 private:
  using Hash = std::array<unsigned char, 32>;
  struct Known {
    Role role;
    Hash hash;
  };
  std::vector<Known> known_;
};

/// A new token, and what of it stands in a configuration.
struct NewToken {
  std::string token, hash;
};
NewToken make_token(Role role);

}  // namespace vigie::server

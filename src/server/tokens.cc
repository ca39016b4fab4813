// SPDX-License-Identifier: Apache-2.0
#include "server/tokens.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/text.h"

namespace vigie::server {
namespace {

constexpr std::string_view kHash = "sha256:";
constexpr std::size_t kShortest = 16, kLongest = 512;

std::array<unsigned char, 32> sha256(std::string_view text) {
  std::array<unsigned char, 32> out{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
  return out;
}

// "Basic dXNlcjp0b2tlbg==": what stands behind the name of a user.
std::string password_of(std::string_view packed) {
  if (packed.empty() || packed.size() > 4 * kLongest || packed.size() % 4 != 0) return {};
  std::string plain(packed.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(plain.data()),
                      reinterpret_cast<const unsigned char*>(packed.data()), static_cast<int>(packed.size()));
  if (size < 0) return {};
  plain.resize(static_cast<std::size_t>(size) - (packed.ends_with("==") ? 2 : packed.ends_with("=") ? 1 : 0));
  const auto colon = plain.find(':');
  return colon == plain.npos ? std::string() : plain.substr(colon + 1);
}

std::optional<std::string_view> behind(std::string_view header, std::string_view scheme) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return {};
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (!std::equal(scheme.begin(), scheme.end(), header.begin(), same)) return {};
  header.remove_prefix(std::min(header.find_first_not_of(' ', scheme.size()), header.size()));
  return header;
}

bool is_get(const Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

Role role_for(const Request& request) {
  const auto& path = request.path;
  // A reference has the names of categories, those of hidden columns too.
  const bool file = path.size() == 5 && path[0] == "v1" && path[1] == "models" && path[3] == "references";
  if (is_get(request)) return file ? Role::kAdmin : Role::kRead;
  const bool records = request.method == "POST" && path.size() == 4 && path[0] == "v1" && path[1] == "models" &&
                       (path[3] == "predictions" || path[3] == "labels" || path[3] == "explanations");
  return records ? Role::kIngest : Role::kAdmin;
}

// A name that others' name servers answer for: an attacker's may point to this machine.
bool is_foreign(std::string_view host) {
  if (host.starts_with('[')) return false;
  host = host.substr(0, host.find(':'));
  const bool number = host.find_first_not_of("0123456789.") == host.npos;
  return !number && host.find('.') != host.npos && !host.ends_with(".localhost");
}

Reply ask_for_token(const Request& request, std::string_view why) {
  auto reply = refuse(401, why, "authorization");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"vigie\"");
  if (is_get(request)) reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"vigie, a token as the password\"");
  return reply;
}

}  // namespace

const std::vector<std::string>& role_names() {
  static const std::vector<std::string> names{"ingest", "read", "admin"};
  return names;
}

std::string_view to_string(Role role) {
  return role_names()[static_cast<std::size_t>(role)];
}

Status Tokens::add(Role role, const std::string& place, std::string_view spec, const Environment& environment) {
  if (!spec.starts_with(kHash) && !refers(spec))
    return fail(Code::kUsage, fmt::format("{0}: a token itself does not belong here: sha256:… of it (vigie config "
                                          "--token {1}), ${{NAME}} or file:PATH",
                                          place, to_string(role)));
  VIGIE_ASSIGN(const auto value, reveal(spec, place, environment));
  Known known{role, {}};
  if (value.starts_with(kHash)) {
    const auto digits = std::string_view(value).substr(kHash.size());
    bool good = digits.size() == 2 * known.hash.size();
    for (std::size_t i = 0; good && i < known.hash.size(); ++i) {
      const char* at = digits.data() + 2 * i;
      const auto [end, error] = std::from_chars(at, at + 2, known.hash[i], 16);
      good = error == std::errc() && end == at + 2;
    }
    if (!good) return fail(Code::kUsage, fmt::format("{}: expected 64 hexadecimal digits behind sha256:", place));
  } else {
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (value.size() < kShortest || value.size() > kLongest || !printable)
      return fail(Code::kUsage, fmt::format("{}: a token has {} to {} printable characters without blanks (vigie "
                                            "config --token {})",
                                            place, kShortest, kLongest, to_string(role)));
    known.hash = sha256(value);
  }
  known_.push_back(known);
  return {};
}

std::optional<Reply> Tokens::refuse(const Request& head, bool any_host) const {
  if (head.path.size() == 1 && (head.path[0] == "healthz" || head.path[0] == "readyz")) return {};
  if (!head.origin.empty()) {
    const auto scheme = head.origin.find("://");
    if (scheme == head.origin.npos || head.origin.substr(scheme + 3) != head.host)
      return server::refuse(403, "a page of another site asks", "origin");
  }
  if (known_.empty()) {
    if (any_host || !is_foreign(head.host)) return {};
    return server::refuse(403,
                          fmt::format("{} is no name of this machine: where a proxy asks, vigie serve --behind-proxy",
                                      vigie::quoted(head.host)),
                          "host");
  }
  std::string given;
  if (const auto bearer = behind(head.authorization, "Bearer"))
    given = *bearer;
  else if (const auto basic = behind(head.authorization, "Basic"); basic && is_get(head))
    given = password_of(*basic);
  if (given.empty() || given.size() > kLongest)
    return ask_for_token(head, "a token is needed: Authorization: Bearer …");
  // All are looked at, each to its end, so that time tells nothing.
  const auto hash = sha256(given);
  unsigned roles = 0;
  for (const auto& known : known_)
    roles |= static_cast<unsigned>(CRYPTO_memcmp(hash.data(), known.hash.data(), hash.size()) == 0)
             << static_cast<unsigned>(known.role);
  if (roles == 0) return ask_for_token(head, "nobody has this token");
  const auto has = [&](Role role) { return (roles >> static_cast<unsigned>(role) & 1) != 0; };
  const auto needed = role_for(head);
  if (has(needed) || has(Role::kAdmin)) return {};
  return server::refuse(403,
                        fmt::format("this takes the role {}, and the token has {}", to_string(needed),
                                    to_string(has(Role::kIngest) ? Role::kIngest : Role::kRead)),
                        "authorization");
}

NewToken make_token(Role role) {
  std::array<unsigned char, 32> chance{};
  if (RAND_bytes(chance.data(), static_cast<int>(chance.size())) != 1) std::abort();
  NewToken out;
  // Told by its looks, for tools that search for what was published by mistake.
  out.token = fmt::format("vigie_{}_", to_string(role));
  for (const auto byte : chance) out.token += fmt::format("{:02x}", byte);
  out.hash = kHash;
  for (const auto byte : sha256(out.token)) out.hash += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace vigie::server

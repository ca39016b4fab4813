// SPDX-License-Identifier: Apache-2.0
#include "elastic/access.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/text.h"

namespace vigie::elastic {
namespace {

constexpr std::size_t kSmall = 1'000;  // bytes that are not worth packing

// All but letters, digits, -._~ and what `plain` holds by their bytes; what is so already stays.
std::string escaped(std::string_view text, std::string_view plain) {
  std::string out;
  for (const char c : text)
    plain.find(c) != plain.npos ? out.append(1, c) : out.append(http::encoded(std::string_view(&c, 1)));
  return out;
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return fmt::format("{:02x}", fmt::join(std::span(digest).first(size), ""));
}

// As AWS reads a path, parameters in their order, when it checks a signature: libcurl signs what it is given.
std::string canonical(std::string_view path) {
  const auto mark = path.find('?');
  auto out = escaped(path.substr(0, mark), "/%");
  if (mark == path.npos) return out;
  std::vector<std::string> parameters;
  for (auto rest = path.substr(mark + 1); !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    auto& one = parameters.emplace_back(escaped(rest.substr(0, end), "=%"));
    if (one.find('=') == one.npos) one += '=';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::ranges::sort(parameters, {}, [](const auto& p) { return std::pair(p.substr(0, p.find('=')), p); });
  return fmt::format("{}?{}", out, fmt::join(parameters, "&"));
}

}  // namespace

std::string api_key_of(std::string_view given) {
  return given.find(':') == given.npos ? std::string(given) : http::base64(given);
}

Result<std::string> pin_of(std::string_view given) {
  std::string out;
  for (const char c : given) {
    if (c == ':') continue;
    out += c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
  }
  const bool hex =
      std::all_of(out.begin(), out.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (hex && out.size() == 64) return out;
  return fail(Code::kUsage,
              fmt::format("expected the SHA-256 of a certificate, 64 digits of 0-9 a-f, got {}", quoted(given)));
}

Result<std::string> packed(std::string_view text, int level) {
  constexpr int kGzip = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(Code::kInternal, "a body cannot be packed");
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!done) return fail(Code::kInternal, "a body cannot be packed");
  return out;
}

Result<http::Request> Access::request(std::string_view method, const std::string& node, std::string_view path,
                                      std::string body) const {
  http::Request out;
  out.method = method, out.url = node + (sigv4.empty() ? std::string(path) : canonical(path)),
  out.body = std::move(body);
  if (!out.body.empty())
    out.headers.emplace_back("Content-Type", path.starts_with("/_bulk") ? "application/x-ndjson" : "application/json");
  if (gzip > 0 && out.body.size() >= kSmall) {
    VIGIE_ASSIGN(out.body, packed(out.body, gzip));
    out.headers.emplace_back("Content-Encoding", "gzip");
  }
  if (!api_key.empty()) out.headers.emplace_back("Authorization", "ApiKey " + api_key);
  // OpenSearch Serverless wants it, and others take it; libcurl signs it with the rest.
  if (!sigv4.empty()) out.headers.emplace_back("x-amz-content-sha256", sha256(out.body));
  if (!session.empty()) out.headers.emplace_back("X-Amz-Security-Token", session);
  out.user = user, out.password = password, out.sigv4 = sigv4, out.ca = ca, out.pin = pin;
  return out;
}

}  // namespace vigie::elastic

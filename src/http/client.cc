// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>

#include "http/curl_internal.h"

namespace vigie::http {

std::string_view Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

long Answer::retry_after() const {
  const auto value = header("retry-after");
  long seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  return error == std::errc() && end == value.data() + value.size() && seconds > 0 ? seconds : 0;
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    plain ? out.append(1, c) : out.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  out.resize(static_cast<std::size_t>(size) - (text.size() - text.find_last_not_of('=') - 1));
  return out;
}

std::string place_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url.substr(0, url.find_first_of("/?#")));
  auto host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  return std::string(url.substr(0, scheme + 3)).append(host);
}

Client::Client(ClientOptions options) : options_(std::move(options)) {
  const auto* curl = Curl::get();
  curl_ = curl ? curl->easy_init() : nullptr;
}

Client::~Client() {
  if (curl_) Curl::get()->easy_cleanup(curl_);
}

Result<Answer> Client::send(std::string_view method, const std::string& url, std::string_view body,
                            const std::vector<std::pair<std::string, std::string>>& headers) {
  if (!curl_) return fail(Code::kInternal, kNoCurl);
  const auto& curl = *Curl::get();
  curl.easy_reset(curl_);
  Exchange exchange(curl, curl_, options_, method, url, body, headers);
  VIGIE_TRY(exchange.ready());
  return exchange.end(curl.easy_perform(curl_));
}

}  // namespace vigie::http

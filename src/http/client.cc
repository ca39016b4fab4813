// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <mutex>

namespace vigie::http {
namespace {

struct Receiver {
  Answer answer;
  std::size_t most;
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& receiver = *static_cast<Receiver*>(to);
  if (receiver.answer.body.size() + size * count > receiver.most) return 0;
  receiver.answer.body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& headers = static_cast<Receiver*>(to)->answer.headers;
  std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // of an interim answer
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
      value.remove_suffix(1);
    headers.emplace_back(std::move(name), value);
  }
  return size * count;
}

}  // namespace

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

std::string place_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url.substr(0, url.find_first_of("/?#")));
  auto host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  return std::string(url.substr(0, scheme + 3)).append(host);
}

Client::Client(ClientOptions options) : options_(std::move(options)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  curl_ = curl_easy_init();
}

Client::~Client() {
  curl_easy_cleanup(curl_);
}

Result<Answer> Client::send(std::string_view method, const std::string& url, std::string_view body,
                            const std::vector<std::pair<std::string, std::string>>& headers) {
  auto* curl = static_cast<CURL*>(curl_);
  if (!curl) return fail(Code::kInternal, "libcurl cannot be used");
  curl_easy_reset(curl);
  Receiver receiver{{}, options_.most_bytes};
  char why[CURL_ERROR_SIZE] = "";
  struct List {
    curl_slist* first = nullptr;
    ~List() { curl_slist_free_all(first); }
  } list;
  // No wait for a 100 before a body.
  list.first = curl_slist_append(list.first, "Expect:");
  for (const auto& [name, value] : headers)
    list.first = curl_slist_append(list.first, fmt::format("{}: {}", name, value).c_str());
  const std::string verb(method);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect.count()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.answer.count()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.first);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &receiver);
  if (verb == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (verb != "GET" || !body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, verb.c_str());
  }
  const auto code = curl_easy_perform(curl);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return fail(Code::kUsage, fmt::format("{}: not a URL of http or https", place_of(url)));
  if (code != CURLE_OK)
    return fail(Code::kUnavailable, fmt::format("{}: {}", place_of(url), *why ? why : curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  receiver.answer.status = static_cast<unsigned>(status);
  return std::move(receiver.answer);
}

}  // namespace vigie::http

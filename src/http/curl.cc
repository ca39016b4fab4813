// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "http/curl_internal.h"
#include "http/trust.h"

namespace vigie::http {
namespace {

Curl load(bool& complete) {
  Curl out{};
  void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  complete = library != nullptr;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(library ? dlsym(library, name) : nullptr);
    complete &= function != nullptr;
  };
  decltype(&curl_global_init) global_init = nullptr;
  find("curl_global_init", global_init);
  find("curl_easy_init", out.easy_init);
  find("curl_easy_reset", out.easy_reset);
  find("curl_easy_cleanup", out.easy_cleanup);
  find("curl_easy_setopt", out.easy_setopt);
  find("curl_easy_getinfo", out.easy_getinfo);
  find("curl_easy_perform", out.easy_perform);
  find("curl_easy_strerror", out.easy_strerror);
  find("curl_slist_append", out.slist_append);
  find("curl_slist_free_all", out.slist_free_all);
  find("curl_multi_init", out.multi_init);
  find("curl_multi_cleanup", out.multi_cleanup);
  find("curl_multi_add_handle", out.multi_add_handle);
  find("curl_multi_remove_handle", out.multi_remove_handle);
  find("curl_multi_perform", out.multi_perform);
  find("curl_multi_poll", out.multi_poll);
  find("curl_multi_wakeup", out.multi_wakeup);
  find("curl_multi_info_read", out.multi_info_read);
  if (complete) complete = global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return out;
}

std::string& trusted_file() {
  static std::string file;
  return file;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// The answer of a mail server: "550 no such user", or "550-…" where more lines follow.
unsigned reply_code(std::string_view line) {
  unsigned code = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + std::min<std::size_t>(line.size(), 3), code);
  return error == std::errc() && end == line.data() + 3 ? code : 0;
}

bool has_fingerprint(X509* certificate, std::string_view pin) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!certificate || X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return false;
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text == pin;
}

// The chain as it was shown, with the certificate of that fingerprint as its only anchor.
int verify_pinned(X509_STORE_CTX* shown, void* pin) {
  const std::string_view wanted = *static_cast<const std::string*>(pin);
  X509* anchor = X509_STORE_CTX_get0_cert(shown);
  if (!has_fingerprint(anchor, wanted)) {
    anchor = nullptr;
    auto* const chain = X509_STORE_CTX_get0_untrusted(shown);
    for (int i = 0; i < sk_X509_num(chain) && !anchor; ++i)
      if (has_fingerprint(sk_X509_value(chain, i), wanted)) anchor = sk_X509_value(chain, i);
  }
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> trusted(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  if (!anchor || !trusted || sk_X509_push(trusted.get(), anchor) == 0) {
    X509_STORE_CTX_set_error(shown, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }
  X509_STORE_CTX_set0_trusted_stack(shown, trusted.get());
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(shown), X509_V_FLAG_PARTIAL_CHAIN);
  return X509_verify_cert(shown);
}

CURLcode pin_context(CURL*, void* context, void* pin) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), &verify_pinned, pin);
  return CURLE_OK;
}

// How long it took is left out: the same failure is told in the same words each time.
std::string timeless(std::string what) {
  for (std::size_t at = 0; (at = what.find(" after ", at)) != std::string::npos; ++at) {
    const auto digits = at + 7, unit = what.find_first_not_of("0123456789", digits);
    if (unit == digits || unit == std::string::npos) continue;
    for (const std::string_view name : {" milliseconds", " ms"})
      if (what.compare(unit, name.size(), name) == 0) return what.erase(at, unit + name.size() - at);
  }
  return what;
}

}  // namespace

void trust(std::string file) {
  trusted_file() = std::move(file);
}

const std::string& trusted() {
  return trusted_file();
}

const Curl* Curl::get() {
  static bool complete = false;
  static const Curl curl = load(complete);
  return complete ? &curl : nullptr;
}

// `what` names for people what nothing may be sent without.
template <class T>
void Exchange::set(CURLoption option, T value, const char* what) {
  const auto code = curl_.easy_setopt(easy_, option, value);
  if (code != CURLE_OK && what && refused_.empty())
    refused_ = fmt::format("{}: libcurl does not take it: {}", what, curl_.easy_strerror(code));
}

Status Exchange::ready() const {
  if (refused_.empty()) return {};
  return fail(Code::kInternal, fmt::format("{}: {}", place_, refused_));
}

Exchange::Exchange(const Curl& curl, CURL* easy, const ClientOptions& options, std::string_view method,
                   const std::string& url, std::string_view body,
                   const std::vector<std::pair<std::string, std::string>>& headers)
    : curl_(curl), easy_(easy), place_(place_of(url)), body_(body), most_(options.most_bytes) {
  headers_ = curl_.slist_append(nullptr, "Expect:");  // no wait for a 100 before a body
  for (const auto& [name, value] : headers) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) refused_ = name + ": a header holds a line break";
    headers_ = curl_.slist_append(headers_, fmt::format("{}: {}", name, value).c_str());
  }
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https", "http and https alone");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  set(CURLOPT_QUICK_EXIT, 1L);  // breaking off does not wait for the name server
#endif
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.answer.count()));
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!trusted().empty()) set(CURLOPT_CAINFO, trusted().c_str(), "the file of certificates");
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_ERRORBUFFER, why_);
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, this);
  const std::string verb(method);
  if (verb == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (verb != "GET" || !body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_CUSTOMREQUEST, verb.c_str());
  }
}

Exchange::~Exchange() {
  curl_.slist_free_all(headers_);
  curl_.slist_free_all(to_);
}

void Exchange::identify(const Request& request) {
  if (!request.user.empty()) {
    set(CURLOPT_USERNAME, request.user.c_str(), "the user");
    set(CURLOPT_PASSWORD, request.password.c_str(), "the password");
    request.sigv4.empty() ? set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC), "the password")
                          : set(CURLOPT_AWS_SIGV4, request.sigv4.c_str(), "the signature for AWS");
  }
  if (!request.sigv4.empty()) {
    // libcurl signs "Expect:" too, which it does not send.
    set(CURLOPT_HTTPHEADER, headers_->next, "the signature for AWS");
    set(CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
  }
  if (!request.ca.empty()) set(CURLOPT_CAINFO, request.ca.c_str(), "the file of certificates");
  if (request.pin.empty()) return;
  set(CURLOPT_SSL_CTX_FUNCTION, &pin_context, "the fingerprint of a certificate");
  set(CURLOPT_SSL_CTX_DATA, static_cast<const void*>(&request.pin), "the fingerprint of a certificate");
}

void Exchange::address(const Request& request) {
  mail_ = true;
  for (const auto& address : request.to) to_ = curl_.slist_append(to_, fmt::format("<{}>", address).c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps", "smtp alone");
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  set(CURLOPT_CUSTOMREQUEST, static_cast<char*>(nullptr));
  set(CURLOPT_POST, 0L);
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_READFUNCTION, &give_body);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  set(CURLOPT_MAIL_FROM, fmt::format("<{}>", request.from).c_str());
  set(CURLOPT_MAIL_RCPT, to_);
  set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);  // one wrong address keeps the message from nobody else
  set(CURLOPT_USE_SSL,
      static_cast<long>(request.tls == Request::Tls::kRequired   ? CURLUSESSL_ALL
                        : request.tls == Request::Tls::kOptional ? CURLUSESSL_TRY
                                                                 : CURLUSESSL_NONE),
      "TLS");
  if (request.user.empty()) return;
  set(CURLOPT_USERNAME, request.user.c_str(), "the user");
  set(CURLOPT_PASSWORD, request.password.c_str(), "the password");
}

Result<Answer> Exchange::end(CURLcode code) {
  const auto what = timeless(*why_ ? why_ : curl_.easy_strerror(code));
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return fail(Code::kUsage, fmt::format("{}: not a URL of {}", place_, mail_ ? "smtp or smtps" : "http or https"));
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  // A mail server that says no ends the exchange in an error, and is an answer all the same; one without TLS, or
  // without a way to log in, says so with a 2xx.
  if (mail_ && code != CURLE_OK && status >= 400 && !answer_.body.empty()) code = CURLE_OK;
  if (code != CURLE_OK) return fail(Code::kUnavailable, fmt::format("{}: {}", place_, what));
  answer_.status = static_cast<unsigned>(status);
  return std::move(answer_);
}

std::size_t Exchange::take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  if (exchange.mail_) return size * count;
  if (exchange.answer_.body.size() + size * count > exchange.most_) return 0;
  exchange.answer_.body.append(bytes, size * count);
  return size * count;
}

std::size_t Exchange::take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  auto& headers = exchange.answer_.headers;
  std::string_view line(bytes, size * count);
  if (exchange.mail_) {
    if (reply_code(line) >= 400 && exchange.answer_.body.size() + line.size() <= exchange.most_)
      exchange.answer_.body.append(line);
    return size * count;
  }
  if (line.starts_with("HTTP/")) headers.clear();  // of an interim answer
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
      value.remove_suffix(1);
    headers.emplace_back(std::move(name), value);
  }
  return size * count;
}

std::size_t Exchange::give_body(char* bytes, std::size_t size, std::size_t count, void* from) {
  auto& rest = static_cast<Exchange*>(from)->body_;
  const auto given = rest.copy(bytes, size * count);
  rest.remove_prefix(given);
  return given;
}

}  // namespace vigie::http

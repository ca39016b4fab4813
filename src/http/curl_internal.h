// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <string>

#include "base/result.h"
#include "http/client.h"
#include "http/transfers.h"

namespace vigie::http {

/// The functions of libcurl, which is loaded when it is first asked for: it brings thirty libraries along, and most
/// commands need none.
struct Curl {
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_poll) multi_poll;
  decltype(&curl_multi_wakeup) multi_wakeup;
  decltype(&curl_multi_info_read) multi_info_read;

  /// nullptr: it is not to be had.
  static const Curl* get();
};
inline constexpr const char* kNoCurl = "libcurl.so.4 is not to be had; install it (Debian: libcurl4)";

/// One request on a handle of libcurl, from its options to what became of it. Stays where it is until then.
class Exchange {
 public:
  Exchange(const Curl& curl, CURL* easy, const ClientOptions& options, std::string_view method, const std::string& url,
           std::string_view body, const std::vector<std::pair<std::string, std::string>>& headers);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  /// Says who asks, and who may answer; `request` must outlive it.
  void identify(const Request& request);
  /// Makes it a mail.
  void address(const Request& request);
  /// Code::kInternal: libcurl does not take what was asked for; nothing may be sent.
  Status ready() const;
  Result<Answer> end(CURLcode code);

 private:
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to);
  static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to);
  static std::size_t give_body(char* bytes, std::size_t size, std::size_t count, void* from);

  template <class T>
  void set(CURLoption option, T value, const char* what = nullptr);

  const Curl& curl_;
  CURL* easy_;
  std::string place_;
  std::string_view body_;  // that is not given yet
  std::size_t most_;
  Answer answer_;
  bool mail_ = false;
  curl_slist *headers_ = nullptr, *to_ = nullptr;
  std::string refused_;  // what libcurl does not take
  char why_[CURL_ERROR_SIZE] = "";
};

}  // namespace vigie::http

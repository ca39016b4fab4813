// SPDX-License-Identifier: Apache-2.0
#include "http/transfers.h"

#include "http/curl_internal.h"

namespace vigie::http {

struct Transfers::Running {
  std::int64_t id;
  Request request;
  CURL* easy;
  Exchange exchange;

  Running(std::int64_t number, Request what, CURL* handle, const ClientOptions& options)
      : id(number),
        request(std::move(what)),
        easy(handle),
        exchange(*Curl::get(), handle, options, request.method, request.url, request.body, request.headers) {
    request.to.empty() ? exchange.identify(request) : exchange.address(request);
  }
  ~Running() { Curl::get()->easy_cleanup(easy); }
};

Transfers::Transfers(ClientOptions options) : options_(std::move(options)) {
  const auto* curl = Curl::get();
  multi_ = curl ? curl->multi_init() : nullptr;
}

Transfers::~Transfers() {
  if (!multi_) return;
  for (const auto& [easy, running] : running_) Curl::get()->multi_remove_handle(multi_, easy);
  running_.clear();
  Curl::get()->multi_cleanup(multi_);
}

Status Transfers::usable() const {
  if (multi_) return {};
  return fail(Code::kInternal, kNoCurl);
}

Status Transfers::start(std::int64_t id, Request request) {
  const auto* curl = Curl::get();
  CURL* easy = multi_ ? curl->easy_init() : nullptr;
  if (!easy) return fail(Code::kInternal, kNoCurl);
  auto options = options_;
  if (request.answer.count() > 0) options.answer = request.answer;
  auto running = std::make_unique<Running>(id, std::move(request), easy, options);
  VIGIE_TRY(running->exchange.ready());
  running_[easy] = std::move(running);
  curl->multi_add_handle(multi_, easy);
  return {};
}

std::vector<Transfers::Done> Transfers::wait(std::chrono::milliseconds at_most) {
  std::vector<Done> done;
  if (!multi_) return done;
  const auto& curl = *Curl::get();
  int some = 0;
  curl.multi_perform(multi_, &some);
  const auto ended = [&] {
    int left = 0;
    while (const auto* message = curl.multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      auto* const easy = message->easy_handle;
      const auto code = message->data.result;
      const auto at = running_.find(easy);
      done.push_back({at->second->id, at->second->exchange.end(code)});
      curl.multi_remove_handle(multi_, easy);
      running_.erase(at);
    }
    return !done.empty();
  };
  if (ended()) return done;
  curl.multi_poll(multi_, nullptr, 0, static_cast<int>(at_most.count()), nullptr);
  curl.multi_perform(multi_, &some);
  ended();
  return done;
}

void Transfers::wake() {
  if (multi_) Curl::get()->multi_wakeup(multi_);
}

Result<Answer> send(const Request& request, const ClientOptions& options) {
  const auto* curl = Curl::get();
  CURL* easy = curl ? curl->easy_init() : nullptr;
  if (!easy) return fail(Code::kInternal, kNoCurl);
  struct Handle {
    CURL* easy;
    ~Handle() { Curl::get()->easy_cleanup(easy); }
  } handle{easy};
  Exchange exchange(*curl, easy, options, request.method, request.url, request.body, request.headers);
  request.to.empty() ? exchange.identify(request) : exchange.address(request);
  VIGIE_TRY(exchange.ready());
  return exchange.end(curl->easy_perform(easy));
}

}  // namespace vigie::http

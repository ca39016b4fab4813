// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/interrupt_internal.h"
#include "http/client.h"

namespace vigie::cli {

/// What a service said of a batch of records.
struct Taken {
  struct Reject {
    std::size_t index;  ///< of the record in the batch
    std::string error;
  };
  std::int64_t accepted = 0, duplicates = 0;
  std::vector<Reject> rejected;
};

/// Posts to a model of a `vigie serve`, one request after the other on a connection that is kept. A service that asks
/// to wait (429, 503) is waited for as long as it does; a connection that is lost is tried again for `patience`, and
/// before the first answer only where one is given. One thread at a time.
class Delivery {
 public:
  static constexpr std::chrono::milliseconds kPatience{60'000};
  /// `to`: as http://127.0.0.1:8090; `token`: what it lets in by, or nothing. Code::kUsage where it is no such URL,
  /// Code::kInput where the model has no name.
  static Result<Delivery> make(const std::string& to, const std::string& model, std::string token,
                               std::optional<std::chrono::milliseconds> patience);
  /// From now on an end that is asked for ends every wait.
  void heed(const CatchSignals& signals) { signals_ = &signals; }

  /// Code::kUnavailable unless something answers there.
  Status reach();
  /// `kind`: predictions or labels, one a line. Nothing where an end was asked for before it was answered.
  Result<std::optional<Taken>> records(std::string_view kind, std::string_view body);
  /// False: an end was asked for before it was answered.
  Result<bool> reference(std::string_view profile);

 private:
  Delivery(std::string to, std::string model, std::string token, std::optional<std::chrono::milliseconds> patience);
  Result<std::optional<http::Answer>> ask(std::string_view method, const std::string& path, std::string_view body,
                                          const std::string& type);
  bool pause(std::chrono::milliseconds span) const;  ///< false: an end was asked for

  std::string to_, model_, token_;
  std::optional<std::chrono::milliseconds> patience_;
  const CatchSignals* signals_ = nullptr;
  std::unique_ptr<http::Client> client_;
  bool reached_ = false, told_ = false;
};

}  // namespace vigie::cli

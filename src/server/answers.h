// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/http.h"
#include "server/planned_work.h"
#include "server/state.h"

namespace vigie::server {

nlohmann::ordered_json json_of(const Model& model);
nlohmann::ordered_json json_of(const PlannedWork::Time& work);
Reply reply_of(unsigned status, const nlohmann::ordered_json& body);
/// Code::kUnavailable is 429, Code::kInput 400, anything else 503.
Reply refuse(const Error& error, std::string_view where);

/// Code::kInput: `value`, which that parameter was given, is none from 0 up.
Result<std::int64_t> whole_number(std::string_view parameter, const std::string& value);

/// The parameters of a list of the API: limit, from and to, and others that it names.
class Parameters {
 public:
  static constexpr std::size_t kMost = 10'000;
  /// Code::kInput: one of them is not right, or not of `names`. `most`: where no limit is said.
  static Result<Parameters> read(const Request& request, const std::vector<std::string>& names, std::size_t most);

  std::size_t most = 0;
  std::int64_t from = std::numeric_limits<std::int64_t>::min();  ///< µs since 1970
  std::int64_t to = std::numeric_limits<std::int64_t>::max();
  /// What was said of one of them; empty: nothing.
  const std::string& operator[](std::string_view name) const;
  bool has(std::string_view name) const;

  /// Leads to what follows `after`: the address of this list with all that was said of it.
  void link_next(Reply& reply, std::string_view after) const;

 private:
  std::vector<std::pair<std::string, std::string>> said_;
  std::string path_;
};

}  // namespace vigie::server

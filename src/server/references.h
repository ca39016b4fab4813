// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http.h"
#include "server/state.h"
#include "store/store.h"

namespace vigie::server {

/// Where the rows of a reference come from.
struct ReferenceOrigin {
  enum class Kind : std::uint8_t {
    kPosted,  ///< a profile, or rows, that somebody sent
    kPast,    ///< what came before, as somebody asked for
    kFirst,   ///< what came first, as ReferenceChoice says
  };
  Kind kind = Kind::kPosted;
  std::int64_t from = 0, to = 0;  ///< times of its rows: µs since 1970; both 0: not known
};
/// The body of a record of event::Kind::kOrigin, of the profile with those bytes.
std::string to_record(const ReferenceOrigin& origin, std::string_view profile);

/// What the store is to keep of a profile; nothing where `record` is that of another one, or of bytes that are none.
/// `made`: µs since 1970, 0 where nobody knows. An empty `record`: of an older vigie.
std::optional<store::Profile> to_keep(const std::string& model, std::string_view record, std::string bytes,
                                      std::int64_t made);

/// GET /v1/models/{model}/references?from=&to=&limit=&after=: those that were made between the two, the youngest first.
Reply list_references(const Request& request, const store::Store& store, const State& state);
/// GET /v1/models/{model}/references/{id}: its bytes, a file for --reference.
Reply reference_file(const Request& request, const store::Store& store);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "server/http.h"
#include "store/store.h"

namespace vigie::server {

/// GET /v1/notices?state=&limit=&after=: what targets were told of incidents, or are to be, the youngest first.
Reply list_notices(const Request& request, const store::Store& store);

/// POST /v1/notices/{id}/resend: one that was given up waits again, and the audit log says who wanted it. 409 where its
/// target is none of `targets`. `now`: µs since 1970.
Reply resend_notice(const Request& request, store::Store& store, std::span<const std::string> targets,
                    std::int64_t now);

}  // namespace vigie::server

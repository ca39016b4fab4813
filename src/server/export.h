// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http.h"
#include "server/models.h"
#include "store/store.h"

namespace vigie::server {

/// GET /v1/export/{windows|merged|scores|incidents|audit|models|references}?model=&from=&to=&limit=&after=&format=: all
/// that is kept, as NDJSON, or as Parquet where `format` or the Accept header says so; page after page, each of `limit`
/// rows or about kPageBytes, so that memory does not grow with what is kept. A Link header leads to the next page.
Reply export_page(const Request& request, const store::Store& store, const Models& models);

inline constexpr std::size_t kPageBytes = std::size_t{8} << 20;

/// GET /v1/models/{model}/rows?window=&segment=: sampled rows of a window.
Reply sampled_rows(const Request& request, const store::Store& store);

}  // namespace vigie::server

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "elastic/target.h"
#include "store/store.h"

namespace vigie::store {

struct ElasticOptions {
  elastic::Target target;  ///< nodes, access and the prefix of its indexes
  std::string node;        ///< this process among those that share the store: its own, the same after a start anew
  std::function<std::int64_t()> now{};  ///< µs since 1970; default: the system's clock
};
/// Indexes of Elasticsearch 7.10 and later, or OpenSearch, which several processes may share: made where they are not
/// there. What is put together lasts once all of it is put; where that fails on the way, putting it again completes it.
/// Cost: two or three requests for a put() or a question; of the audit log two for each entry. Code::kUsage: what
/// answers is no such cluster. Where nobody answers, it is asked again with each function, which is kUnavailable.
Result<std::unique_ptr<Store>> open_elastic(ElasticOptions options);

}  // namespace vigie::store

// SPDX-License-Identifier: Apache-2.0
#include "drift/omnibus_internal.h"

namespace vigie::drift {

constinit const Method length{.name = "length",
                              .summary = "Characters of a text: what the other methods see of it",
                              .reference = "as omnibus",
                              .accepts = kNumeric,
                              .view = View::kLength,
                              .statistic = "A² of omnibus",
                              .params = {},
                              .run = omnibus_detail::run};

}  // namespace vigie::drift

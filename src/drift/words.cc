// SPDX-License-Identifier: Apache-2.0
#include "drift/omnibus_internal.h"

namespace vigie::drift {

constinit const Method words{.name = "words",
                             .summary = "Words of a text: runs of letters, digits and apostrophes",
                             .reference = "as omnibus",
                             .accepts = kNumeric,
                             .view = View::kWords,
                             .statistic = "A² of omnibus",
                             .params = {},
                             .run = omnibus_detail::run};

}  // namespace vigie::drift

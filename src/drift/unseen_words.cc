// SPDX-License-Identifier: Apache-2.0
#include "drift/omnibus_internal.h"

namespace vigie::drift {

constinit const Method unseen_words{.name = "unseen_words",
                                    .summary =
                                        "Share of a text's words that are not among the 4,096 most frequent ones of "
                                        "half of the reference; the other half is what current texts are compared with",
                                    .reference = "as omnibus",
                                    .accepts = kNumeric,
                                    .view = View::kUnseenWords,
                                    .statistic = "A² of omnibus",
                                    .params = {},
                                    .run = omnibus_detail::run};

}  // namespace vigie::drift

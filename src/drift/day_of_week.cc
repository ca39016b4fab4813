// SPDX-License-Identifier: Apache-2.0
#include "drift/omnibus_internal.h"

namespace vigie::drift {

constinit const Method day_of_week{.name = "day_of_week",
                                   .summary = "Days of the week as 7 categories, in the same time zone",
                                   .reference = "as omnibus",
                                   .accepts = kCategorical,
                                   .view = View::kDayOfWeek,
                                   .statistic = "X² of omnibus",
                                   .params = {},
                                   .run = omnibus_detail::run};

}  // namespace vigie::drift

// SPDX-License-Identifier: Apache-2.0
#include "drift/omnibus_internal.h"

namespace vigie::drift {

constinit const Method hour_of_day{
    .name = "hour_of_day",
    .summary = "Hours of the day as 24 categories, in the time zone of --timezone, else in UTC",
    .reference = "as omnibus",
    .accepts = kCategorical,
    .view = View::kHourOfDay,
    .statistic = "X² of omnibus",
    .params = {},
    .run = omnibus_detail::run};

}  // namespace vigie::drift

// SPDX-License-Identifier: Apache-2.0
#include "stats/binomial.h"

#include <boost/math/special_functions/beta.hpp>
#include <limits>

namespace vigie::stats {
namespace {

namespace bp = boost::math::policies;
using Quiet = bp::policy<bp::domain_error<bp::ignore_error>, bp::pole_error<bp::ignore_error>,
                         bp::overflow_error<bp::ignore_error>, bp::underflow_error<bp::ignore_error>,
                         bp::denorm_error<bp::ignore_error>, bp::evaluation_error<bp::ignore_error>,
                         bp::promote_double<false>, bp::promote_float<false>>;

}  // namespace

double binomial_tail(std::int64_t k, std::int64_t n, double p) {
  if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (k <= 0) return 1;
  if (k > n) return 0;
  return boost::math::ibeta(static_cast<double>(k), static_cast<double>(n - k + 1), p, Quiet());
}

}  // namespace vigie::stats

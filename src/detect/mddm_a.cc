// SPDX-License-Identifier: Apache-2.0
#include "detect/mddm_internal.h"

namespace vigie::detect {
namespace {

using MddmArithmetic = Mddm<Weights::kArithmetic>;

}  // namespace

constinit const Detector mddm_a{.name = "mddm_a",
                                .summary = "Share of correct predictions in a window with arithmetic weights",
                                .paper = "Pesaranghader, Viktor & Paquet 2018",
                                .stream = MddmArithmetic::kStream,
                                .params = kMddmParams,
                                .river = kMddmParams,
                                .tuned = "drift_confidence",
                                .make = make<MddmArithmetic>};

}  // namespace vigie::detect

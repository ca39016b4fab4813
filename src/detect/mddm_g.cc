// SPDX-License-Identifier: Apache-2.0
#include "detect/mddm_internal.h"

namespace vigie::detect {
namespace {

using MddmGeometric = Mddm<Weights::kGeometric>;

}  // namespace

constinit const Detector mddm_g{.name = "mddm_g",
                                .summary = "Share of correct predictions in a window with geometric weights",
                                .paper = "Pesaranghader, Viktor & Paquet 2018",
                                .stream = MddmGeometric::kStream,
                                .params = kMddmParams,
                                .river = kMddmParams,
                                .tuned = "drift_confidence",
                                .make = make<MddmGeometric>};

}  // namespace vigie::detect

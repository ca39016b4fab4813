// SPDX-License-Identifier: Apache-2.0
#include "detect/mddm_internal.h"

namespace vigie::detect {
namespace {

using MddmEuler = Mddm<Weights::kEuler>;

}  // namespace

constinit const Detector mddm_e{.name = "mddm_e",
                                .summary = "Share of correct predictions in a window with exponential weights",
                                .paper = "Pesaranghader, Viktor & Paquet 2018",
                                .stream = MddmEuler::kStream,
                                .params = kMddmParams,
                                .river = kMddmParams,
                                .tuned = "drift_confidence",
                                .make = make<MddmEuler>};

}  // namespace vigie::detect

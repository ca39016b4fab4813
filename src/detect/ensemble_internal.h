// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "detect/detect.h"

namespace vigie::detect {

/// The descriptor of an ensemble, or nullptr. Ensembles are no detectors of the registry: they hold some.
const Detector* find_ensemble(std::string_view name);
/// `params` as the descriptor has them; at least one member, at most 64, all of one stream, or Code::kUsage.
Result<std::unique_ptr<Monitor>> make_ensemble(const Detector& ensemble, const Args& args,
                                               std::vector<std::unique_ptr<Monitor>> members);
/// One whose members will be loaded.
std::unique_ptr<Monitor> empty_ensemble(const Detector& ensemble, const Args& args);

}  // namespace vigie::detect

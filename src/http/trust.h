// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace vigie::http {

/// From now on whoever is asked by https is known by these certificates, a file of PEM, and no more by the system's.
/// Before the first request, from one thread.
void trust(std::string file);
/// That file; empty: the system's.
const std::string& trusted();

}  // namespace vigie::http

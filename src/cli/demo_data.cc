// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_data_internal.h"

// Both files as they are, each with the address of its end behind it.
#define VIGIE_EMBED(name, file)                                                             \
  asm(".section .rodata\n.global " #name "\n.hidden " #name "\n" #name ":\n.incbin \"" file \
      "\"\n"                                                                                \
      ".global " #name "_end\n.hidden " #name "_end\n" #name "_end:\n.byte 0\n.previous\n")
VIGIE_EMBED(vigie_demo_reference, VIGIE_FLIGHTS "/reference.csv.zst");
VIGIE_EMBED(vigie_demo_current, VIGIE_FLIGHTS "/current.csv.zst");

extern "C" {
extern const char vigie_demo_reference[], vigie_demo_reference_end[], vigie_demo_current[], vigie_demo_current_end[];
}

namespace vigie::cli {

std::string_view demo_reference() {
  return {vigie_demo_reference, vigie_demo_reference_end};
}
std::string_view demo_current() {
  return {vigie_demo_current, vigie_demo_current_end};
}

}  // namespace vigie::cli

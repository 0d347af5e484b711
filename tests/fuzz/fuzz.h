/* What a fuzz target defines: libFuzzer calls it in fuzz builds, replay_main.c in ordinary ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; anything wrong ends the process. The name and shape are libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

/* The seam to chance: the kernel's in the program, a printed seed's in tests. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* A NULL random asks the kernel every time; otherwise a reproducible sequence (not for secrets). */
struct random {
    uint64_t state;
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_u64(struct random *random);
/* 0 .. limit-1; limit > 0. */
uint64_t random_below(struct random *random, uint64_t limit);

#endif

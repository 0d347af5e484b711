/* splitmix64 (Steele, Lea, Flood 2014) for tests; getrandom for the program. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <stddef.h>
#include <sys/random.h>

#include "base/check.h"

void random_seed(struct random *random, uint64_t seed)
{
    random->state = seed;
}

uint64_t random_u64(struct random *random)
{
    uint64_t value;
    if (random == NULL) {
        check(getrandom(&value, sizeof value, 0) == (ssize_t)sizeof value);
        return value;
    }
    random->state += 0x9e3779b97f4a7c15U;
    value = random->state;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    check(limit > 0);
    return random_u64(random) % limit;
}

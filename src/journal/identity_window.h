/* The identities of late: which messages were admitted before, within a limit in number and in time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_IDENTITY_WINDOW_H
#define JOURNAL_IDENTITY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    IDENTITY_HASH_SIZE = 16,
};

struct identity_block;

/*
 * A queue in the order of admission, which is the order of expiry, and a hash table of places in it. Memory follows
 * what is held: 24 bytes an identity, in blocks of 96 KiB, and 8 to 16 bytes of table, which only grows: 32.5 MB at a
 * million. The call that doubles the table is slow: about 20 ms at half a million. For one thread at a time.
 */
struct identity_window {
    struct identity_block **blocks; /* a ring; those without identities are NULL */
    uint32_t block_count;
    uint32_t head;   /* place of the oldest */
    uint32_t len;    /* places in use, also by removed ones */
    uint32_t *table; /* place + 1; 0: empty */
    uint32_t table_size;
    uint32_t table_used;
    uint32_t count_max;
    int64_t age_max_ns;
    uint64_t seed;
};

/* The oldest one beyond count_max is forgotten, and those of age_max_ns. The seed is random: peers choose identities. */
enum err identity_window_init(struct identity_window *window,
                              uint32_t count_max,
                              int64_t age_max_ns,
                              uint64_t seed) MUST_CHECK;
void identity_window_done(struct identity_window *window);

/* Remembers it from now on; EXISTS when it was known. MEMORY: nothing changed. */
enum err identity_window_admit(struct identity_window *window,
                               const uint8_t hash[IDENTITY_HASH_SIZE],
                               int64_t now_wall_ns) MUST_CHECK;
/* As it was admitted at that time; for start, in the order of the log. One that is there becomes the newest. */
enum err identity_window_load(struct identity_window *window,
                              const uint8_t hash[IDENTITY_HASH_SIZE],
                              int64_t wall_ns) MUST_CHECK;
/* Its append failed: it may come again. Nothing happens when it is not there. */
void identity_window_remove(struct identity_window *window, const uint8_t hash[IDENTITY_HASH_SIZE]);

bool identity_window_has(const struct identity_window *window, const uint8_t hash[IDENTITY_HASH_SIZE]);
uint32_t identity_window_count(const struct identity_window *window);
/* Allocated. */
size_t identity_window_bytes(const struct identity_window *window);

#endif

/* A queue of identities with a hash table beside it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/identity_window.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { BLOCK_SIZE = 4096, TABLE_FIRST = 1024, REMOVED = -1 };

struct identity {
    int64_t wall_ns; /* REMOVED: only its place is left */
    uint8_t hash[IDENTITY_HASH_SIZE];
};

struct identity_block {
    struct identity identities[BLOCK_SIZE];
};

enum err
identity_window_init(struct identity_window *window, uint32_t count_max, int64_t age_max_ns, uint64_t seed)
{
    check(count_max > 0 && count_max <= UINT32_MAX / 4 && age_max_ns > 0);
    *window = (struct identity_window){.count_max = count_max, .age_max_ns = age_max_ns, .seed = seed};
    window->block_count =
        count_max / BLOCK_SIZE + 2; /* the oldest and the newest block may be used in part */
    window->blocks = calloc(window->block_count, sizeof(struct identity_block *));
    if (window->blocks == NULL)
        window->block_count = 0;
    return window->blocks == NULL ? ERR_MEMORY : ERR_NONE;
}

void identity_window_done(struct identity_window *window)
{
    for (uint32_t i = 0; i < window->block_count; i++)
        free(window->blocks[i]);
    free(window->blocks);
    free(window->table);
    *window = (struct identity_window){0};
}

static struct identity *identity_at(const struct identity_window *window, uint32_t place)
{
    return &window->blocks[place / BLOCK_SIZE]->identities[place % BLOCK_SIZE];
}

/* The place `count` behind the oldest one. */
static uint32_t place_behind(const struct identity_window *window, uint32_t count)
{
    return (uint32_t)(((uint64_t)window->head + count) % ((uint64_t)window->block_count * BLOCK_SIZE));
}

/* --- The table: open addressing, linear probing --------------------------------------------------- */

static uint32_t home_of(const struct identity_window *window, const uint8_t *hash)
{
    return (uint32_t)hash_bytes(span_of(hash, IDENTITY_HASH_SIZE), window->seed) & (window->table_size - 1);
}

/* Where the identity stands, or the empty slot where it would. */
static uint32_t find_slot(const struct identity_window *window, const uint8_t *hash)
{
    uint32_t slot = home_of(window, hash);
    for (; window->table[slot] != 0; slot = (slot + 1) & (window->table_size - 1))
        if (memcmp(identity_at(window, window->table[slot] - 1)->hash, hash, IDENTITY_HASH_SIZE) == 0)
            break;
    return slot;
}

static bool is_known(const struct identity_window *window, const uint8_t *hash)
{
    return window->table_size > 0 && window->table[find_slot(window, hash)] != 0;
}

/* Empties a slot; those behind it that it kept from their homes move up. */
static void clear_slot(struct identity_window *window, uint32_t empty)
{
    uint32_t mask = window->table_size - 1;
    for (uint32_t slot = (empty + 1) & mask; window->table[slot] != 0; slot = (slot + 1) & mask) {
        uint32_t home = home_of(window, identity_at(window, window->table[slot] - 1)->hash);
        if (((slot - home) & mask) < ((slot - empty) & mask))
            continue;
        window->table[empty] = window->table[slot];
        empty = slot;
    }
    window->table[empty] = 0;
    window->table_used--;
}

/* Puts all into the table, which is empty: in the order of the queue, as memory likes it. */
static void fill_table(struct identity_window *window)
{
    for (uint32_t i = 0; i < window->len; i++) {
        uint32_t place = place_behind(window, i);
        const struct identity *identity = identity_at(window, place);
        if (identity->wall_ns == REMOVED)
            continue;
        uint32_t slot = home_of(window, identity->hash);
        while (window->table[slot] != 0)
            slot = (slot + 1) & (window->table_size - 1);
        window->table[slot] = place + 1;
    }
}

/* At most every second slot is used. */
static enum err reserve_slot(struct identity_window *window)
{
    if ((window->table_used + 1) * 2 <= window->table_size)
        return ERR_NONE;
    uint32_t size = window->table_size == 0 ? TABLE_FIRST : window->table_size * 2;
    uint32_t *table = calloc(size, sizeof *table);
    if (table == NULL)
        return ERR_MEMORY;
    free(window->table);
    window->table = table;
    window->table_size = size;
    fill_table(window);
    return ERR_NONE;
}

/* --- The queue -------------------------------------------------------------------------------------- */

static void forget_oldest(struct identity_window *window)
{
    const struct identity *oldest = identity_at(window, window->head);
    if (oldest->wall_ns != REMOVED)
        clear_slot(window, find_slot(window, oldest->hash));
    uint32_t block = window->head / BLOCK_SIZE;
    window->head = place_behind(window, 1);
    window->len--;
    if (window->head / BLOCK_SIZE == block)
        return;
    free(window->blocks[block]);
    window->blocks[block] = NULL;
}

/* Those that are too old, and those whose places are all that is left of them. */
static void forget_expired(struct identity_window *window, int64_t now_wall_ns)
{
    while (window->len > 0) {
        int64_t wall_ns = identity_at(window, window->head)->wall_ns;
        if (wall_ns != REMOVED && wall_ns > now_wall_ns - window->age_max_ns)
            return;
        forget_oldest(window);
    }
}

/* Room for one more in queue and table. */
static enum err reserve_place(struct identity_window *window)
{
    if (window->len == window->count_max)
        forget_oldest(window);
    struct identity_block **block = &window->blocks[place_behind(window, window->len) / BLOCK_SIZE];
    if (*block == NULL)
        *block = malloc(sizeof **block);
    return *block == NULL ? ERR_MEMORY : reserve_slot(window);
}

static enum err add_newest(struct identity_window *window, const uint8_t *hash, int64_t wall_ns)
{
    enum err err = reserve_place(window);
    if (err != ERR_NONE)
        return err;
    uint32_t place = place_behind(window, window->len);
    struct identity *newest = identity_at(window, place);
    newest->wall_ns = wall_ns > 0 ? wall_ns : 0;
    memcpy(newest->hash, hash, IDENTITY_HASH_SIZE);
    window->table[find_slot(window, hash)] = place + 1;
    window->table_used++;
    window->len++;
    return ERR_NONE;
}

enum err identity_window_admit(struct identity_window *window,
                               const uint8_t hash[IDENTITY_HASH_SIZE],
                               int64_t now_wall_ns)
{
    forget_expired(window, now_wall_ns);
    if (is_known(window, hash))
        return ERR_EXISTS;
    return add_newest(window, hash, now_wall_ns);
}

enum err
identity_window_load(struct identity_window *window, const uint8_t hash[IDENTITY_HASH_SIZE], int64_t wall_ns)
{
    identity_window_remove(window, hash);
    return add_newest(window, hash, wall_ns);
}

void identity_window_remove(struct identity_window *window, const uint8_t hash[IDENTITY_HASH_SIZE])
{
    if (!is_known(window, hash))
        return;
    uint32_t slot = find_slot(window, hash);
    identity_at(window, window->table[slot] - 1)->wall_ns = REMOVED;
    clear_slot(window, slot);
}

bool identity_window_has(const struct identity_window *window, const uint8_t hash[IDENTITY_HASH_SIZE])
{
    return is_known(window, hash);
}

uint32_t identity_window_count(const struct identity_window *window)
{
    return window->table_used;
}

size_t identity_window_bytes(const struct identity_window *window)
{
    size_t bytes =
        window->block_count * sizeof(struct identity_block *) + window->table_size * sizeof *window->table;
    for (uint32_t i = 0; i < window->block_count; i++)
        bytes += window->blocks[i] == NULL ? 0 : sizeof(struct identity_block);
    return bytes;
}

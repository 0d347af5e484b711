/* What a live group knows of one partition: its chunks, and where the store and the log are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_partition.h"

#include <stdlib.h>

#include "group/group_stream.h"

enum { CHUNKS_MAX = INT32_MAX };

/* --- Life ----------------------------------------------------------------------------------------- */

enum err group_partition_new(struct group_core *core,
                             uint32_t group,
                             struct span group_name,
                             uint32_t topic,
                             uint32_t partition,
                             struct group_partition **ret_partition)
{
    struct store_progress progress;
    check(group_name.len <= STORE_GROUP_NAME_MAX);
    enum err err = core->store->outcomes->progress(core->store, group, topic, partition, &progress);
    if (err != ERR_NONE)
        return err;
    struct group_partition *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ERR_MEMORY;
    *made = (struct group_partition){
        .core = core,
        .key = {group, topic, partition},
        .low = progress.low,
        .has_begun = progress.has_begun,
    };
    memcpy(made->group_name, group_name.data, group_name.len);
    list_init(&made->link);
    list_init(&made->seek_link);
    list_init(&made->streams);
    list_init(&made->pledges);
    map_init(&made->chunks, CHUNKS_MAX, core->settings.seed);
    (void)group_partition_look_at_log(made);
    *ret_partition = made;
    return ERR_NONE;
}

bool group_partition_is_at_rest(const struct group_partition *partition)
{
    return list_is_empty(&partition->pledges) && partition->outcomes == 0 && partition->commits == 0 &&
           partition->open == 0;
}

bool group_partition_is_idle(const struct group_partition *partition)
{
    return group_partition_is_at_rest(partition) && list_is_empty(&partition->streams) &&
           partition->phase == PARTITION_OPEN;
}

static void forget_returned_block(struct group_partition *partition,
                                  struct group_chunk *chunk,
                                  uint32_t block,
                                  uint64_t mask);

static void drop_chunk(struct group_partition *partition, struct group_chunk *chunk)
{
    for (uint32_t i = 0; i < GROUP_CHUNK_BLOCKS; i++)
        forget_returned_block(partition, chunk, i, UINT64_MAX);
    check(chunk->open_count == 0);
    (void)map_remove(&partition->chunks, span_of(&chunk->number, sizeof chunk->number));
    partition->last = NULL;
    free(chunk);
}

struct group_partition *group_partition_free(struct group_partition *partition)
{
    check(group_partition_is_idle(partition));
    group_partition_reset(partition, partition->low);
    map_done(&partition->chunks);
    list_remove(&partition->link);
    free(partition);
    return NULL;
}

/* --- Chunks --------------------------------------------------------------------------------------- */

static struct store_position position_at(const struct group_partition *partition, uint64_t offset)
{
    return (struct store_position){partition->key.topic, partition->key.partition, offset};
}

/* The first run of offsets at or after `offset` without an outcome in the store. */
static void
find_unsettled(const struct group_partition *partition, uint64_t offset, uint64_t *ret_from, uint64_t *ret_to)
{
    struct store *store = partition->core->store;
    *ret_from = offset;
    *ret_to = UINT64_MAX;
    /* A group that is forgotten meanwhile has no outcomes. */
    enum err err = store->outcomes->unsettled(store, partition->key.group, position_at(partition, offset),
                                              ret_from, ret_to);
    if (err != ERR_NONE) {
        *ret_from = offset;
        *ret_to = UINT64_MAX;
    }
}

static void fill_from_store(const struct group_partition *partition, struct group_chunk *chunk)
{
    uint64_t end = group_chunk_start(chunk) + GROUP_CHUNK_SIZE;
    for (uint64_t at = group_chunk_start(chunk); at < end;) {
        uint64_t from;
        uint64_t to;
        find_unsettled(partition, at, &from, &to);
        group_chunk_settle(chunk, at, from);
        at = to;
    }
    LIST_EACH (&partition->pledges, link) {
        const struct partition_pledge *pledge = LIST_OWNER(link, struct partition_pledge, link);
        group_chunk_settle(chunk, pledge->from, pledge->to);
    }
}

static struct group_chunk *find_chunk(const struct group_partition *partition, uint64_t number)
{
    if (partition->last != NULL && partition->last->number == number)
        return partition->last;
    return map_get(&partition->chunks, span_of(&number, sizeof number));
}

struct group_chunk *group_partition_chunk(struct group_partition *partition, uint64_t offset)
{
    uint64_t number = offset >> GROUP_CHUNK_BITS;
    struct group_chunk *chunk = find_chunk(partition, number);
    if (chunk == NULL) {
        chunk = calloc(1, sizeof *chunk);
        if (chunk == NULL)
            return NULL;
        chunk->number = number;
        if (map_put(&partition->chunks, span_of(&chunk->number, sizeof chunk->number), chunk) != ERR_NONE) {
            free(chunk);
            return NULL;
        }
        fill_from_store(partition, chunk);
    }
    partition->last = chunk;
    return chunk;
}

/* Behind all pledges that hold the offset. */
static uint64_t skip_pledges(const struct group_partition *partition, uint64_t offset)
{
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        LIST_EACH (&partition->pledges, link) {
            const struct partition_pledge *pledge = LIST_OWNER(link, struct partition_pledge, link);
            if (pledge->from <= offset && offset < pledge->to) {
                offset = pledge->to;
                has_moved = true;
            }
        }
    }
    return offset;
}

uint64_t group_partition_first_free(struct group_partition *partition, uint64_t offset)
{
    offset = offset < partition->low ? partition->low : offset;
    while (offset < partition->end) {
        struct group_chunk *chunk = find_chunk(partition, offset >> GROUP_CHUNK_BITS);
        uint64_t next;
        uint64_t to;
        if (chunk != NULL) {
            partition->last = chunk;
            next = group_chunk_first_free(chunk, offset);
            if (next < group_chunk_start(chunk) + GROUP_CHUNK_SIZE)
                return next;
        } else {
            find_unsettled(partition, offset, &next, &to);
            next = skip_pledges(partition, next);
            if (next == offset)
                return offset;
        }
        offset = next;
    }
    return offset;
}

void group_partition_forget_returned(struct group_partition *partition)
{
    size_t position = 0;
    for (struct group_chunk *chunk; (chunk = map_next(&partition->chunks, &position)) != NULL;)
        for (uint32_t i = 0; i < GROUP_CHUNK_BLOCKS; i++)
            forget_returned_block(partition, chunk, i, UINT64_MAX);
}

/* --- The store's view ------------------------------------------------------------------------------- */

bool group_partition_look_at_log(struct group_partition *partition)
{
    struct store *store = partition->core->store;
    struct store_extent extent;
    enum err err = store->ops->extent(store, partition->key.topic, partition->key.partition, &extent);
    if (err != ERR_NONE || extent.end <= partition->end)
        return false;
    partition->end = extent.end;
    return true;
}

/* What lies wholly below the mark goes, but what is still in somebody's hands. */
static void drop_if_passed(struct group_partition *partition, struct group_chunk *chunk)
{
    uint64_t start = group_chunk_start(chunk);
    if (start < partition->low)
        group_chunk_settle(chunk, start, partition->low);
    if (start + GROUP_CHUNK_SIZE <= partition->low && chunk->open_count == 0)
        drop_chunk(partition, chunk);
}

/* Long ways are walked through the map, several times, for it changes. */
static void drop_passed(struct group_partition *partition, uint64_t old_low)
{
    uint64_t first = old_low >> GROUP_CHUNK_BITS;
    uint64_t last = partition->low >> GROUP_CHUNK_BITS;
    if (last - first <= partition->chunks.count) {
        for (uint64_t number = first; number <= last; number++) {
            struct group_chunk *chunk = find_chunk(partition, number);
            if (chunk != NULL)
                drop_if_passed(partition, chunk);
        }
        return;
    }
    for (size_t count = 0; count != partition->chunks.count;) {
        count = partition->chunks.count;
        size_t position = 0;
        for (struct group_chunk *chunk; (chunk = map_next(&partition->chunks, &position)) != NULL;)
            drop_if_passed(partition, chunk);
    }
}

bool group_partition_look_at_progress(struct group_partition *partition)
{
    struct store *store = partition->core->store;
    struct store_progress progress;
    enum err err = store->outcomes->progress(store, partition->key.group, partition->key.topic,
                                             partition->key.partition, &progress);
    if (err != ERR_NONE || progress.low <= partition->low)
        return false;
    uint64_t old_low = partition->low;
    partition->low = progress.low;
    drop_passed(partition, old_low);
    bool may_go_on = partition->is_span_full;
    partition->is_span_full = false;
    return may_go_on;
}

void group_partition_reset(struct group_partition *partition, uint64_t low)
{
    check(partition->open == 0);
    for (size_t position = 0; partition->chunks.count > 0; position = 0)
        drop_chunk(partition, map_next(&partition->chunks, &position));
    partition->low = low;
    partition->is_span_full = false;
    LIST_EACH (&partition->streams, stream_link) {
        struct group_stream *stream = LIST_OWNER(stream_link, struct group_stream, partition_link);
        LIST_EACH (&stream->cursors, link) {
            struct group_cursor *cursor = LIST_OWNER(link, struct group_cursor, stream_link);
            cursor->next = low > stream->from ? low : stream->from;
            cursor->went_back = true;
        }
    }
}

/* --- Runs ------------------------------------------------------------------------------------------- */

static struct group_run *new_run(struct group_partition *partition,
                                 struct group_chunk *chunk,
                                 struct group_stream *stream,
                                 uint64_t block)
{
    struct group_run *run = malloc(sizeof *run);
    if (run == NULL)
        return NULL;
    struct group_run **head = &chunk->runs[block % GROUP_CHUNK_BLOCKS];
    *run = (struct group_run){.next = *head, .chunk = chunk, .stream = stream, .block = block};
    list_init(&run->link);
    *head = run;
    stream->runs++;
    partition->core->held++;
    return run;
}

static void free_run(struct group_partition *partition, struct group_run *run)
{
    struct group_run **place = &run->chunk->runs[run->block % GROUP_CHUNK_BLOCKS];
    while (*place != run)
        place = &(*place)->next;
    *place = run->next;
    list_remove(&run->link);
    run->stream->runs--;
    partition->core->held--;
    if (run->member == NULL)
        partition->returned--;
    free(run);
}

/* Records of a block mostly go to one member and count along: the right run is among the first. */
static struct group_run *find_own_run(struct group_chunk *chunk,
                                      uint64_t block,
                                      const struct partition_give *give,
                                      uint64_t seq,
                                      uint16_t attempts)
{
    enum { LOOKED_AT_MAX = 4 };
    struct group_run *run = chunk->runs[block % GROUP_CHUNK_BLOCKS];
    for (unsigned i = 0; run != NULL && i < LOOKED_AT_MAX; run = run->next, i++)
        if (run->member == give->member && run->stream == give->stream && run->seq == seq &&
            run->attempts == attempts && run->has_seq == (give->seq > 0))
            return run;
    return NULL;
}

static enum err new_own_run(struct group_partition *partition,
                            struct group_chunk *chunk,
                            uint64_t block,
                            const struct partition_give *give,
                            uint64_t seq,
                            struct group_run **ret_run)
{
    struct group_run *run = new_run(partition, chunk, give->stream, block);
    if (run == NULL)
        return ERR_MEMORY;
    run->member = give->member;
    run->seq = seq;
    run->has_seq = give->seq > 0;
    enum err err = run->has_seq ? seq_index_add(give->seqs, run) : ERR_NONE;
    if (err != ERR_NONE) {
        free_run(partition, run);
        return err;
    }
    run->time_ns = group_core_now_ns(partition->core);
    list_insert_last(give->runs, &run->link);
    *ret_run = run;
    return ERR_NONE;
}

static struct group_run *find_returned(const struct group_chunk *chunk, uint64_t offset)
{
    struct group_run *run = chunk->runs[group_chunk_block(offset)];
    while (run != NULL && !(run->member == NULL && (run->mask & group_bit(offset)) != 0))
        run = run->next;
    return run;
}

/* Whoever reads the partition has passed records over because of one that waited. */
static void go_back(struct group_partition *partition, uint64_t offset)
{
    LIST_EACH (&partition->streams, link)
        group_stream_go_back(LIST_OWNER(link, struct group_stream, partition_link), offset);
}

/* Nothing that came back with these offsets is kept. Keys that waited for them wait no more. */
static void forget_returned_block(struct group_partition *partition,
                                  struct group_chunk *chunk,
                                  uint32_t block,
                                  uint64_t mask)
{
    struct group_run *next;
    for (struct group_run *run = chunk->runs[block]; run != NULL; run = next) {
        next = run->next;
        if (run->member != NULL || (run->mask & mask) == 0)
            continue;
        if (group_run_waits(run)) {
            uint64_t first = (unsigned)__builtin_ctzll(run->mask & mask);
            go_back(partition, run->block * GROUP_BLOCK_SIZE + first);
        }
        run->mask &= ~mask;
        if (run->mask != 0)
            continue;
        partition->waiting -= group_run_waits(run);
        free_run(partition, run);
    }
}

enum err group_partition_give(struct group_partition *partition,
                              uint64_t offset,
                              const struct partition_give *give,
                              uint16_t *ret_attempts)
{
    struct group_chunk *chunk = group_partition_chunk(partition, offset);
    if (chunk == NULL)
        return ERR_MEMORY;
    uint64_t block = offset >> GROUP_BLOCK_BITS;
    uint64_t seq = give->seq > 0 ? group_run_seq(give->seq, offset) : 0;
    const struct group_run *returned = partition->returned > 0 ? find_returned(chunk, offset) : NULL;
    uint16_t attempts = returned == NULL                  ? 1
                        : returned->attempts < UINT16_MAX ? (uint16_t)(returned->attempts + 1)
                                                          : UINT16_MAX;
    struct group_run *run = find_own_run(chunk, block, give, seq, attempts);
    enum err err = run != NULL ? ERR_NONE : new_own_run(partition, chunk, block, give, seq, &run);
    if (err != ERR_NONE)
        return err;
    if (returned != NULL)
        forget_returned_block(partition, chunk, group_chunk_block(offset), group_bit(offset));
    check(!group_chunk_has(chunk, offset));
    run->attempts = attempts;
    run->mask |= group_bit(offset);
    chunk->open[group_chunk_block(offset)] |= group_bit(offset);
    chunk->lanes[offset % GROUP_CHUNK_SIZE] = give->lane;
    chunk->open_count++;
    partition->open++;
    *ret_attempts = attempts;
    return ERR_NONE;
}

bool group_partition_waits(struct group_partition *partition, uint64_t offset)
{
    struct group_chunk *chunk = find_chunk(partition, offset >> GROUP_CHUNK_BITS);
    const struct group_run *run = chunk == NULL ? NULL : find_returned(chunk, offset);
    return run != NULL && group_run_waits(run);
}

struct group_run *group_partition_find_run(const struct group_partition *partition,
                                           const struct group_member *member,
                                           uint64_t offset)
{
    const struct group_chunk *chunk = find_chunk(partition, offset >> GROUP_CHUNK_BITS);
    struct group_run *run = chunk == NULL ? NULL : chunk->runs[group_chunk_block(offset)];
    while (run != NULL && !(run->member == member && (run->mask & group_bit(offset)) != 0))
        run = run->next;
    return run;
}

void group_partition_take(struct group_run *run, uint64_t mask, struct seq_index *seqs)
{
    check(run->member != NULL && (mask & ~run->mask) == 0);
    run->mask &= ~mask;
    if (run->mask != 0)
        return;
    if (run->has_seq)
        seq_index_remove(seqs, run);
    free_run(run->stream->partition, run);
}

void group_partition_close(struct group_partition *partition,
                           uint64_t block,
                           uint64_t mask,
                           bool is_settled,
                           struct group_lanes *lanes)
{
    struct group_chunk *chunk = find_chunk(partition, block / GROUP_CHUNK_BLOCKS);
    uint32_t place = block % GROUP_CHUNK_BLOCKS;
    check(chunk != NULL && (mask & ~chunk->open[place]) == 0);
    chunk->open[place] &= ~mask;
    if (is_settled)
        chunk->settled[place] |= mask;
    uint32_t count = (uint32_t)__builtin_popcountll(mask);
    chunk->open_count -= count;
    partition->open -= count;
    for (; mask != 0; mask &= mask - 1)
        lanes->lanes[chunk->lanes[place * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(mask)]].open--;
    if (chunk->open_count == 0)
        drop_if_passed(partition, chunk);
}

/* --- What came back --------------------------------------------------------------------------------- */

static struct group_run *find_alike(struct group_chunk *chunk,
                                    uint64_t block,
                                    const struct group_stream *stream,
                                    uint16_t attempts,
                                    int64_t due_ns)
{
    struct group_run *run = chunk->runs[block % GROUP_CHUNK_BLOCKS];
    while (run != NULL && !(run->member == NULL && run->stream == stream && run->attempts == attempts &&
                            run->time_ns == due_ns))
        run = run->next;
    return run;
}

void group_partition_return(
    struct group_stream *stream, uint64_t block, uint64_t mask, uint16_t attempts, int64_t due_ns)
{
    struct group_partition *partition = stream->partition;
    struct group_core *core = partition->core;
    struct group_chunk *chunk = find_chunk(partition, block / GROUP_CHUNK_BLOCKS);
    if (stream->is_removed || partition->streams.next != partition->streams.previous) {
        go_back(partition, block * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(mask));
        core->has_changed = true;
    }
    if (chunk == NULL || core->held >= core->settings.open_max + core->settings.open_max / 4)
        return;
    mask &= ~chunk->settled[block % GROUP_CHUNK_BLOCKS];
    if (mask == 0)
        return;
    struct group_run *run = find_alike(chunk, block, stream, attempts, due_ns);
    if (run == NULL) {
        run = new_run(partition, chunk, stream, block);
        if (run == NULL)
            return;
        partition->returned++;
        run->attempts = attempts;
        run->time_ns = due_ns;
        if (due_ns > 0) {
            partition->waiting++;
            list_insert_last(&core->waiting, &run->link);
            group_core_want_work_at(core, due_ns);
        }
    }
    run->mask |= mask;
}

void group_partition_release(struct group_run *run)
{
    struct group_partition *partition = run->stream->partition;
    check(group_run_waits(run));
    list_remove(&run->link);
    run->time_ns = 0;
    partition->waiting--;
    go_back(partition, run->block * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(run->mask));
    partition->core->has_changed = true;
}

/* --- What nobody was given --------------------------------------------------------------------------- */

static uint64_t next_taken_in(const struct group_chunk *chunk, uint64_t from, uint64_t to)
{
    uint64_t block = group_chunk_start(chunk) / GROUP_BLOCK_SIZE;
    for (uint32_t i = group_chunk_block(from); i < GROUP_CHUNK_BLOCKS; i++) {
        uint64_t taken = (chunk->open[i] | chunk->settled[i]) & group_block_mask(block + i, from, to);
        if (taken != 0)
            return (block + i) * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(taken);
    }
    return to;
}

/* Where the first chunk behind a place without one begins, or `to`. */
static uint64_t next_chunk(const struct group_partition *partition, uint64_t from, uint64_t to)
{
    size_t position = 0;
    for (const struct group_chunk *chunk; (chunk = map_next(&partition->chunks, &position)) != NULL;) {
        uint64_t start = group_chunk_start(chunk);
        to = start >= from && start < to ? start : to;
    }
    return to;
}

uint64_t group_partition_next_taken(const struct group_partition *partition, uint64_t from, uint64_t to)
{
    while (from < to) {
        const struct group_chunk *chunk = find_chunk(partition, from >> GROUP_CHUNK_BITS);
        if (chunk == NULL) {
            from = next_chunk(partition, from, to);
            continue;
        }
        uint64_t end = group_chunk_start(chunk) + GROUP_CHUNK_SIZE;
        end = end < to ? end : to;
        uint64_t taken = next_taken_in(chunk, from, end);
        if (taken < end)
            return taken;
        from = end;
    }
    return to;
}

static void settle_in_chunk(struct group_partition *partition,
                            struct group_chunk *chunk,
                            const struct partition_pledge *pledge)
{
    if (chunk == NULL)
        return;
    uint64_t block = group_chunk_start(chunk) / GROUP_BLOCK_SIZE;
    group_chunk_settle(chunk, pledge->from, pledge->to);
    for (uint32_t i = 0; i < GROUP_CHUNK_BLOCKS; i++) {
        uint64_t mask = group_block_mask(block + i, pledge->from, pledge->to);
        if (mask != 0 && chunk->runs[i] != NULL)
            forget_returned_block(partition, chunk, i, mask);
    }
}

void group_partition_pledge(struct partition_pledge *pledge)
{
    struct group_partition *partition = pledge->partition;
    list_insert_last(&partition->pledges, &pledge->link);
    uint64_t first = pledge->from >> GROUP_CHUNK_BITS;
    uint64_t last = (pledge->to - 1) >> GROUP_CHUNK_BITS;
    if (last - first < partition->chunks.count) {
        for (uint64_t number = first; number <= last; number++)
            settle_in_chunk(partition, find_chunk(partition, number), pledge);
        return;
    }
    size_t position = 0;
    for (struct group_chunk *chunk; (chunk = map_next(&partition->chunks, &position)) != NULL;)
        settle_in_chunk(partition, chunk, pledge);
}

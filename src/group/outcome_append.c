/* The append of outcomes that is being put together, and those that are under way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/outcome_append.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    APPENDS_MAX = 4,             /* under way */
    BYTES_MAX = 4 * 1024 * 1024, /* likewise */
    PARTITIONS_FIRST = 16,
};

/* What an append under way speaks of. */
struct load {
    struct outcome_append *append;
    struct group_core *core;
    struct group_partition **partitions;
    uint32_t count;
    struct list sets;
};

void outcome_append_init(struct outcome_append *append, struct group_core *core)
{
    *append = (struct outcome_append){.core = core};
    list_init(&append->sets);
    append_builder_init(&append->builder, core->store);
    append_queue_init(&append->appends, core->store, core->mailbox);
}

static void drop_notes(struct outcome_append *append)
{
    for (uint32_t i = 0; i < append->count; i++)
        append->partitions[i]->commits--;
    append->count = 0;
}

void outcome_append_done(struct outcome_append *append)
{
    drop_notes(append);
    check(list_is_empty(&append->sets));
    append_queue_done(&append->appends);
    append_builder_done(&append->builder);
    free(append->partitions);
}

bool outcome_append_is_idle(struct outcome_append *append)
{
    return append_builder_is_empty(&append->builder) && append_queue_is_idle(&append->appends);
}

bool outcome_append_may_grow(const struct outcome_append *append)
{
    return append->appends.count < APPENDS_MAX && append->appends.bytes < BYTES_MAX;
}

enum err outcome_append_reserve(struct outcome_append *append, uint32_t count)
{
    if (append->count + count <= append->size)
        return ERR_NONE;
    uint32_t size = append->size == 0 ? PARTITIONS_FIRST : append->size;
    while (size < append->count + count)
        size *= 2;
    struct group_partition **grown = realloc(append->partitions, size * sizeof(struct group_partition *));
    if (grown == NULL)
        return ERR_MEMORY;
    append->partitions = grown;
    append->size = size;
    return ERR_NONE;
}

void outcome_append_note(struct outcome_append *append, struct group_partition *partition)
{
    if (append->count > 0 && append->partitions[append->count - 1] == partition)
        return;
    check(append->count < append->size);
    append->partitions[append->count++] = partition;
    partition->commits++;
}

void outcome_append_take_set(struct outcome_append *append, struct settled_set *set)
{
    list_remove(&set->link);
    list_insert_last(&append->sets, &set->link);
}

/* --- Completion --------------------------------------------------------------------------------------- */

static void end_seek(struct group_partition *partition, enum err err)
{
    void (*on_sought)(void *owner, enum err err) = partition->on_sought;
    partition->on_sought = NULL;
    partition->phase = PARTITION_OPEN;
    if (err == ERR_NONE)
        group_partition_reset(partition, partition->seek_to);
    if (on_sought != NULL)
        on_sought(partition->sought_owner, err);
}

static void end_partition(struct group_partition *partition, enum err err)
{
    struct group_core *core = partition->core;
    partition->commits--;
    if (partition->phase == PARTITION_IS_SENT) {
        core->has_changed = true;
        end_seek(partition, err);
    } else if (group_partition_look_at_progress(partition)) {
        core->has_changed = true;
    }
}

/* Once. Of a log that is broken, and of a stop, others tell. */
static void tell_failure(const struct group_core *core, enum err err)
{
    bool is_told = err == ERR_NONE || err == ERR_BROKEN || err == ERR_DRAINING || err == ERR_CLOSED;
    if (!is_told && !core->is_broken)
        log_line(LOG_ERROR, "group", "outcomes are refused: no group goes on before a restart", "err=%s",
                 err_name(err));
}

static void on_complete(void *owner, const struct built_append *built)
{
    struct load *load = owner;
    enum err err = built->append.ret_err;
    tell_failure(load->core, err);
    if (load->append->last == load)
        load->append->last = NULL;
    load->core->is_broken |= err != ERR_NONE;
    for (uint32_t i = 0; i < load->count; i++)
        end_partition(load->partitions[i], err);
    while (!list_is_empty(&load->sets))
        settled_set_end(LIST_OWNER(load->sets.next, struct settled_set, link), err);
    group_core_want_work(load->core);
    free(load->partitions);
    free(load);
}

static struct load *new_load(struct outcome_append *append)
{
    struct load *load = malloc(sizeof *load);
    size_t size = append->count * sizeof(struct group_partition *);
    struct group_partition **partitions = malloc(size + 1);
    if (load == NULL || partitions == NULL) {
        free(load);
        free(partitions);
        return NULL;
    }
    if (size > 0)
        memcpy(partitions, append->partitions, size);
    *load = (struct load){append, append->core, partitions, append->count, {NULL, NULL}};
    list_init(&load->sets);
    return load;
}

enum err outcome_append_flush(struct outcome_append *append)
{
    if (append_builder_is_empty(&append->builder)) {
        drop_notes(append);
        return ERR_NONE;
    }
    struct load *load = new_load(append);
    if (load == NULL)
        return ERR_MEMORY;
    struct built_append *built;
    int64_t now_ms = clock_wall_ns(append->core->clock) / CLOCK_NS_PER_MS;
    enum err err = append_builder_finish(&append->builder, now_ms, &built);
    if (err == ERR_NONE) {
        list_move_all(&load->sets, &append->sets);
        append->count = 0;
        append->last = load;
        err = append_queue_submit(&append->appends, built, on_complete, load);
        check(err == ERR_NONE); /* Rule zero: nobody could say any more what is settled */
        return ERR_NONE;
    }
    free(load->partitions);
    free(load);
    return err;
}

bool outcome_append_follow(struct outcome_append *append, struct settled_set *set)
{
    if (append->last == NULL)
        return false;
    list_remove(&set->link);
    list_insert_last(&append->last->sets, &set->link);
    return true;
}

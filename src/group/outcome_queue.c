/* Outcomes that have gathered, sent at the end of a turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/outcome_queue.h"

#include <stdlib.h>

enum {
    RUNS_FIRST = 256,
    TOLD_MAX = 128,                  /* runs in one call of on_commit */
    AGAIN_NS = 10 * CLOCK_NS_PER_MS, /* without memory */
};

void outcome_queue_init(struct outcome_queue *queue, struct group_core *core)
{
    *queue = (struct outcome_queue){.core = core, .is_sorted = true};
    list_init(&queue->sets);
    list_init(&queue->flushes);
    list_init(&queue->seeks);
    outcome_append_init(&queue->append, core);
}

void outcome_queue_done(struct outcome_queue *queue)
{
    check(queue->count == 0 && list_is_empty(&queue->sets) && list_is_empty(&queue->seeks));
    check(list_is_empty(&queue->flushes));
    outcome_append_done(&queue->append);
    free(queue->runs);
}

bool outcome_queue_is_idle(struct outcome_queue *queue)
{
    return queue->count == 0 && list_is_empty(&queue->sets) && list_is_empty(&queue->seeks) &&
           list_is_empty(&queue->flushes) && outcome_append_is_idle(&queue->append);
}

/* --- Gathering ---------------------------------------------------------------------------------------- */

enum err outcome_queue_reserve(struct outcome_queue *queue, uint32_t runs)
{
    if (queue->count + runs <= queue->size)
        return ERR_NONE;
    uint32_t size = queue->size == 0 ? RUNS_FIRST : queue->size * 2;
    while (size < queue->count + runs)
        size *= 2;
    struct outcome_run *grown = realloc(queue->runs, size * sizeof *grown);
    if (grown == NULL)
        return ERR_MEMORY;
    queue->runs = grown;
    queue->size = size;
    return ERR_NONE;
}

/* `next` goes on where `run` ends, with the same to say. */
static bool join(struct outcome_run *run, const struct outcome_run *next)
{
    if (run->partition != next->partition || run->offset + run->count != next->offset ||
        run->status != next->status || run->by != next->by || run->attempts != next->attempts ||
        run->count > UINT32_MAX - next->count)
        return false;
    run->count += next->count;
    return true;
}

/* Runs of one group's outcomes stand together, in it those of one partition. */
static int compare(const void *left, const void *right)
{
    const struct outcome_run *a = left;
    const struct outcome_run *b = right;
    if (a->partition == b->partition)
        return a->offset < b->offset ? -1 : a->offset > b->offset;
    if (a->partition->key.group != b->partition->key.group)
        return a->partition->key.group < b->partition->key.group ? -1 : 1;
    return (uintptr_t)a->partition < (uintptr_t)b->partition ? -1 : 1;
}

void outcome_queue_add(struct outcome_queue *queue, const struct outcome_run *run)
{
    struct outcome_run *last = queue->count == 0 ? NULL : &queue->runs[queue->count - 1];
    group_core_want_work(queue->core);
    if (last != NULL && join(last, run))
        return;
    check(queue->runs != NULL && queue->count < queue->size && run->count > 0);
    queue->is_sorted &= last == NULL || compare(last, run) <= 0;
    queue->runs[queue->count++] = *run;
    group_by_ref(run->by);
    run->partition->outcomes++;
    queue->core->held++;
}

enum err outcome_queue_settle(struct outcome_queue *queue, const struct settled_set_parts *parts)
{
    struct settled_set *set;
    enum err err = settled_set_new(queue->core, parts, &set);
    if (err != ERR_NONE)
        return err;
    bool is_flush = parts->count == 0 && parts->note == NULL;
    list_insert_last(is_flush ? &queue->flushes : &queue->sets, &set->link);
    group_core_want_work(queue->core);
    return ERR_NONE;
}

/* The store refuses a place beyond the end, and with it all that goes in the same append. */
static uint64_t within_log(const struct group_partition *partition, uint64_t offset)
{
    struct store *store = partition->core->store;
    struct store_extent extent;
    if (store->ops->extent(store, partition->key.topic, partition->key.partition, &extent) != ERR_NONE)
        return partition->low;
    return offset < extent.end ? offset : extent.end;
}

void outcome_queue_seek(struct outcome_queue *queue, struct group_partition *partition, uint64_t offset)
{
    check(partition->phase == PARTITION_OPEN);
    partition->phase = PARTITION_SEEKS;
    partition->seek_to = within_log(partition, offset);
    list_insert_last(&queue->seeks, &partition->seek_link);
    group_core_want_work(queue->core);
}

/* The run is in an append, or part of another one. */
static void drop_run(struct outcome_queue *queue, struct outcome_run *run)
{
    group_by_unref(run->by);
    run->partition->outcomes--;
    queue->core->held--;
}

static void drop_front(struct outcome_queue *queue, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        drop_run(queue, &queue->runs[i]);
    queue->count -= count;
    queue->is_sorted |= queue->count == 0;
    if (count > 0)
        memmove(queue->runs, queue->runs + count, queue->count * sizeof *queue->runs);
}

static void sort_runs(struct outcome_queue *queue)
{
    if (queue->is_sorted)
        return;
    qsort(queue->runs, queue->count, sizeof *queue->runs, compare);
    queue->is_sorted = true;
    uint32_t last = 0;
    for (uint32_t i = 1; i < queue->count; i++) {
        if (join(&queue->runs[last], &queue->runs[i]))
            drop_run(queue, &queue->runs[i]);
        else
            queue->runs[++last] = queue->runs[i];
    }
    queue->count = last + 1;
}

/* --- Telling ------------------------------------------------------------------------------------------- */

static bool is_full(enum err err)
{
    return err == ERR_TOO_LARGE || err == ERR_TOO_MANY;
}

/*
 * Outcomes of one group, with what shall be true together with them: all in the builder, or nothing. One that is too large
 * with its audit goes without.
 */
static enum err tell(struct outcome_queue *queue,
                     const struct store_settled *settled,
                     uint32_t count,
                     const char *group_name,
                     bool is_told)
{
    const struct groups_settings *settings = &queue->core->settings;
    struct append_builder *builder = &queue->append.builder;
    struct append_builder_mark mark = append_builder_mark(builder);
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < count && err == ERR_NONE; i++)
        err = append_builder_add_settled(builder, &settled[i]);
    if (err == ERR_NONE && is_told && settings->on_commit != NULL)
        err =
            settings->on_commit(settings->commit_owner, builder, span_from_text(group_name), settled, count);
    if (err != ERR_NONE)
        append_builder_undo(builder, &mark);
    return err;
}

/*
 * As many of them as fit: the append is sent when it is full, and what does not fit into an empty one is halved. *ret_count:
 * how many are in the builder now.
 */
static enum err tell_some(struct outcome_queue *queue,
                          const struct store_settled *settled,
                          uint32_t count,
                          const char *group_name,
                          uint32_t *ret_count)
{
    bool is_told = true;
    enum err err = outcome_append_reserve(&queue->append, count);
    while (err == ERR_NONE && is_full(err = tell(queue, settled, count, group_name, is_told))) {
        bool was_empty = append_builder_is_empty(&queue->append.builder);
        is_told = !(was_empty && count == 1);
        count = was_empty ? (count + 1) / 2 : count;
        err = outcome_append_flush(&queue->append);
    }
    *ret_count = count;
    return err;
}

/* --- Sending ------------------------------------------------------------------------------------------- */

static struct store_settled settled_of(const struct outcome_run *run)
{
    return (struct store_settled){
        .group = run->partition->key.group,
        .topic = run->partition->key.topic,
        .partition = run->partition->key.partition,
        .offset = run->offset,
        .count = run->count,
        .outcome = STORE_OUTCOME_DONE,
        .attempts = run->attempts,
        .status = run->status,
        .by = group_by_text(run->by),
    };
}

/* The runs from `at` on that one call of on_commit may tell of; how many. */
static uint32_t gather(const struct outcome_queue *queue, uint32_t at, struct store_settled settled[TOLD_MAX])
{
    uint32_t group = queue->runs[at].partition->key.group;
    uint32_t count = 0;
    for (; count < TOLD_MAX && at + count < queue->count; count++) {
        const struct outcome_run *run = &queue->runs[at + count];
        if (run->partition->key.group != group)
            break;
        settled[count] = settled_of(run);
    }
    return count;
}

static enum err send_runs(struct outcome_queue *queue)
{
    struct store_settled settled[TOLD_MAX];
    enum err err = ERR_NONE;
    uint32_t at = 0;
    sort_runs(queue);
    while (at < queue->count && outcome_append_may_grow(&queue->append)) {
        uint32_t count = gather(queue, at, settled);
        err = tell_some(queue, settled, count, queue->runs[at].partition->group_name, &count);
        if (err != ERR_NONE)
            break;
        for (uint32_t i = 0; i < count; i++)
            outcome_append_note(&queue->append, queue->runs[at + i].partition);
        at += count;
    }
    drop_front(queue, at);
    return err;
}

/* The runs of a set from set->sent on that belong to one group. */
static uint32_t same_group(const struct settled_set *set)
{
    uint32_t count = 1;
    while (set->sent + count < set->count &&
           set->settled[set->sent + count].group == set->settled[set->sent].group)
        count++;
    return count;
}

static enum err send_note(struct outcome_queue *queue, const struct settled_set *set)
{
    enum err err = append_builder_add_note(&queue->append.builder, &set->note);
    if (!is_full(err))
        return err;
    err = outcome_append_flush(&queue->append);
    return err != ERR_NONE ? err : append_builder_add_note(&queue->append.builder, &set->note);
}

/* In one append when it fits, else in several with the note in the last. */
static enum err send_set(struct outcome_queue *queue, struct settled_set *set)
{
    while (set->sent < set->count) {
        uint32_t count = same_group(set);
        enum err err = tell_some(queue, set->settled + set->sent, count,
                                 set->pledges[set->sent].partition->group_name, &count);
        if (err != ERR_NONE)
            return err;
        for (uint32_t i = 0; i < count; i++)
            outcome_append_note(&queue->append, set->pledges[set->sent + i].partition);
        set->sent += count;
    }
    enum err err = set->has_note ? send_note(queue, set) : ERR_NONE;
    if (err == ERR_NONE)
        outcome_append_take_set(&queue->append, set);
    return err;
}

/* A set and its note that would not fit behind what is there begin an append of their own. */
static enum err send_sets(struct outcome_queue *queue)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && !list_is_empty(&queue->sets) && outcome_append_may_grow(&queue->append)) {
        struct settled_set *set = LIST_OWNER(queue->sets.next, struct settled_set, link);
        if (set->has_note && set->sent == 0)
            err = outcome_append_flush(&queue->append);
        if (err == ERR_NONE)
            err = send_set(queue, set);
    }
    return err;
}

static enum err send_seeks(struct outcome_queue *queue)
{
    LIST_EACH_SAFE (&queue->seeks, link) {
        struct group_partition *partition = LIST_OWNER(link, struct group_partition, seek_link);
        struct store_seek seek = {partition->key.group, partition->key.topic, partition->key.partition,
                                  partition->seek_to};
        if (!group_partition_is_at_rest(partition))
            continue;
        enum err err = outcome_append_reserve(&queue->append, 1);
        if (err == ERR_NONE)
            err = append_builder_add_seek(&queue->append.builder, &seek);
        if (err != ERR_NONE)
            return is_full(err) ? ERR_NONE : err; /* then with the next one */
        list_remove(link);
        partition->phase = PARTITION_IS_SENT;
        outcome_append_note(&queue->append, partition);
    }
    return ERR_NONE;
}

/* --- The end -------------------------------------------------------------------------------------------- */

static void end_sets(struct list *sets, enum err err)
{
    while (!list_is_empty(sets))
        settled_set_end(LIST_OWNER(sets->next, struct settled_set, link), err);
}

static void give_up(struct outcome_queue *queue)
{
    drop_front(queue, queue->count);
    end_sets(&queue->sets, ERR_BROKEN);
    end_sets(&queue->flushes, ERR_BROKEN);
    for (struct list *link; (link = list_take_first(&queue->seeks)) != NULL;) {
        struct group_partition *partition = LIST_OWNER(link, struct group_partition, seek_link);
        void (*on_sought)(void *owner, enum err err) = partition->on_sought;
        partition->phase = PARTITION_OPEN;
        partition->on_sought = NULL;
        if (on_sought != NULL)
            on_sought(partition->sought_owner, ERR_BROKEN);
    }
}

/* All that was said before them is under way, or complete. */
static void send_flushes(struct outcome_queue *queue)
{
    if (queue->count > 0 || !list_is_empty(&queue->sets))
        return;
    LIST_EACH_SAFE (&queue->flushes, link) {
        struct settled_set *set = LIST_OWNER(link, struct settled_set, link);
        if (!outcome_append_follow(&queue->append, set))
            settled_set_end(set, ERR_NONE);
    }
}

void outcome_queue_send(struct outcome_queue *queue)
{
    if (queue->core->is_broken)
        give_up(queue);
    if (!outcome_append_may_grow(&queue->append))
        return; /* a completion brings us here again */
    enum err err = send_seeks(queue);
    if (err == ERR_NONE)
        err = send_sets(queue);
    if (err == ERR_NONE)
        err = send_runs(queue);
    enum err flush_err = outcome_append_flush(&queue->append);
    if (err != ERR_NONE || flush_err != ERR_NONE)
        group_core_want_work_at(queue->core, group_core_now_ns(queue->core) + AGAIN_NS);
    else
        send_flushes(queue);
}

/* The members of a group that share a topic: their streams, and lanes that move between them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/group_unit.h"

#include <stdlib.h>

enum {
    HAND_OVER_NS = 20 * CLOCK_NS_PER_MS, /* lanes that come one by one are gathered for so long */
    PIECES_MAX = 32,
};

/* --- Waking ------------------------------------------------------------------------------------------- */

void group_member_call(struct group_member *member)
{
    struct group_core *core = group_member_core(member);
    list_remove(&member->ready_link);
    list_insert_last(&core->ready, &member->ready_link);
    group_core_want_work(core);
}

void group_member_wake(struct group_member *member)
{
    if (!member->wants || member->is_lapsed)
        return;
    member->wants = false;
    member->is_called = true;
    group_member_call(member);
}

void group_unit_wake(struct group_unit *unit)
{
    LIST_EACH (&unit->members, link)
        group_member_wake(LIST_OWNER(link, struct group_member, link));
}

/* --- Streams ------------------------------------------------------------------------------------------ */

/* Shared by all that read it for this group's outcomes. */
static enum err open_partition(struct groups *groups,
                               uint32_t group,
                               struct span group_name,
                               uint32_t topic,
                               uint32_t number,
                               struct group_partition **ret_partition)
{
    struct group_partition_key key = {group, topic, number};
    struct group_partition *partition = map_get(&groups->partitions, span_of(&key, sizeof key));
    if (partition != NULL) {
        *ret_partition = partition;
        return ERR_NONE;
    }
    enum err err = group_partition_new(&groups->core, group, group_name, topic, number, &partition);
    if (err != ERR_NONE)
        return err;
    err = map_put(&groups->partitions, span_of(&partition->key, sizeof partition->key), partition);
    if (err != ERR_NONE) {
        group_partition_free(partition);
        return err;
    }
    *ret_partition = partition;
    return ERR_NONE;
}

static enum err add_cursor(struct group_stream *stream, struct group_member *member)
{
    struct group_cursor *cursor = malloc(sizeof *cursor);
    if (cursor == NULL)
        return ERR_MEMORY;
    /* Without lanes it has no place yet. */
    *cursor = (struct group_cursor){.stream = stream, .member = member, .next = UINT64_MAX};
    list_insert_last(&stream->cursors, &cursor->stream_link);
    list_insert_last(&member->cursors, &cursor->member_link);
    return ERR_NONE;
}

static void free_cursor(struct group_cursor *cursor)
{
    struct group_reader *reader = cursor->member->reader;
    if (reader != NULL && reader->cursor == cursor)
        group_reader_drop(reader);
    list_remove(&cursor->stream_link);
    list_remove(&cursor->member_link);
    free(cursor);
}

static void free_stream(struct group_stream *stream)
{
    check(stream->runs == 0);
    LIST_EACH_SAFE (&stream->cursors, link)
        free_cursor(LIST_OWNER(link, struct group_cursor, stream_link));
    list_remove(&stream->unit_link);
    list_remove(&stream->partition_link);
    key_holds_done(&stream->holds);
    free(stream);
}

enum err group_unit_add_stream(struct group_unit *unit,
                               uint32_t group,
                               struct span group_name,
                               uint32_t topic,
                               uint32_t partition,
                               struct group_stream **ret_stream)
{
    struct group_partition *found;
    enum err err = open_partition(unit->group->groups, group, group_name, topic, partition, &found);
    if (err != ERR_NONE)
        return err;
    struct group_stream *stream = malloc(sizeof *stream);
    if (stream == NULL)
        return ERR_MEMORY;
    *stream = (struct group_stream){.unit = unit, .partition = found, .to = UINT64_MAX};
    list_init(&stream->cursors);
    key_holds_init(&stream->holds, group_unit_core(unit)->settings.open_max);
    list_insert_last(&unit->streams, &stream->unit_link);
    list_insert_last(&found->streams, &stream->partition_link);
    LIST_EACH (&unit->members, link) {
        err = add_cursor(stream, LIST_OWNER(link, struct group_member, link));
        if (err == ERR_NONE)
            continue;
        free_stream(stream);
        return err;
    }
    group_stream_go_back(stream, found->low);
    *ret_stream = stream;
    return ERR_NONE;
}

void group_unit_remove_stream(struct group_stream *stream)
{
    stream->is_removed = true;
    stream->source = NULL;
    group_unit_core(stream->unit)->has_idle = true;
    group_core_want_work(group_unit_core(stream->unit));
}

void group_unit_sweep(struct group_unit *unit)
{
    LIST_EACH_SAFE (&unit->streams, link) {
        struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (stream->is_removed && stream->runs == 0)
            free_stream(stream);
    }
}

static bool is_at(const struct group_stream *stream, const struct store_position *position)
{
    return stream->partition->key.topic == position->topic &&
           stream->partition->key.partition == position->partition;
}

struct group_stream *group_unit_find_stream(const struct group_unit *unit,
                                            const struct store_position *position)
{
    uint32_t index = unit->partition == GROUP_ALL_PARTITIONS ? position->partition : 0;
    if (position->topic == unit->topic && index < unit->base_count && is_at(unit->base[index], position))
        return unit->base[index];
    LIST_EACH (&unit->streams, link) {
        struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (is_at(stream, position))
            return stream;
    }
    return NULL;
}

/* --- Life --------------------------------------------------------------------------------------------- */

static struct group_unit *find_unit(struct group *group, uint32_t topic, int64_t partition)
{
    LIST_EACH (&group->units, link) {
        struct group_unit *unit = LIST_OWNER(link, struct group_unit, link);
        if (unit->topic == topic && unit->partition == partition)
            return unit;
    }
    return NULL;
}

static enum err count_partitions(struct store *store, uint32_t topic, uint32_t *ret_count)
{
    struct store_topic found;
    uint32_t position = topic; /* a topic's position is its id */
    if (!store->ops->topic_next(store, &position, &found) || found.id != topic)
        return ERR_UNKNOWN_TOPIC;
    *ret_count = found.partitions;
    return ERR_NONE;
}

static enum err open_base(struct group_unit *unit, uint32_t partitions)
{
    bool is_all = unit->partition == GROUP_ALL_PARTITIONS;
    uint32_t first = is_all ? 0 : (uint32_t)unit->partition;
    unit->base = calloc(is_all ? partitions : 1, sizeof(struct group_stream *));
    if (unit->base == NULL)
        return ERR_MEMORY;
    enum err err = ERR_NONE;
    while (unit->base_count < (is_all ? partitions : 1) && err == ERR_NONE) {
        err = group_unit_add_stream(unit, unit->group->id, span_from_text(unit->group->name), unit->topic,
                                    first + unit->base_count, &unit->base[unit->base_count]);
        unit->base_count += err == ERR_NONE;
    }
    return err;
}

enum err group_unit_open(struct group *group, uint32_t topic, int64_t partition, struct group_unit **ret_unit)
{
    struct group_unit *unit = find_unit(group, topic, partition);
    uint32_t partitions;
    enum err err = count_partitions(group->groups->core.store, topic, &partitions);
    if (err != ERR_NONE)
        return err;
    if (partition < GROUP_ALL_PARTITIONS || partition >= (int64_t)partitions)
        return ERR_BAD_INPUT;
    if (unit == NULL) {
        unit = calloc(1, sizeof *unit);
        if (unit == NULL)
            return ERR_MEMORY;
        unit->group = group;
        unit->topic = topic;
        unit->partition = partition;
        list_init(&unit->streams);
        list_init(&unit->members);
        group_lanes_init(&unit->lanes);
        list_insert_last(&group->units, &unit->link);
        err = open_base(unit, partitions);
        if (err != ERR_NONE) {
            group_unit_free(unit);
            return err;
        }
    }
    *ret_unit = unit;
    return ERR_NONE;
}

/* What came back is forgotten with it. */
struct group_unit *group_unit_free(struct group_unit *unit)
{
    check(unit->member_count == 0 && unit->claims == 0);
    LIST_EACH_SAFE (&unit->streams, link) {
        struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (stream->runs > 0)
            group_partition_forget_returned(stream->partition);
        free_stream(stream);
    }
    list_remove(&unit->link);
    group_lanes_done(&unit->lanes);
    free(unit->base);
    free(unit);
    return NULL;
}

bool group_unit_is_idle(const struct group_unit *unit, bool all)
{
    if (unit->member_count > 0 || unit->claims > 0)
        return false;
    LIST_EACH (&unit->streams, link) {
        const struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (stream->source != NULL || (all && stream->runs > 0))
            return false;
    }
    return true;
}

static uint64_t begin_at(const struct group_partition *partition,
                         const struct group_member_settings *settings)
{
    struct store *store = partition->core->store;
    struct store_extent extent;
    if (settings->from == GROUP_FROM_OFFSET)
        return settings->offset;
    if (store->ops->extent(store, partition->key.topic, partition->key.partition, &extent) != ERR_NONE)
        return partition->low;
    return settings->from == GROUP_FROM_END ? extent.end : extent.start;
}

void group_unit_begin(struct group_unit *unit, const struct group_member_settings *settings)
{
    for (uint32_t i = 0; i < unit->base_count; i++) {
        struct group_partition *partition = unit->base[i]->partition;
        if (partition->has_begun)
            continue;
        partition->has_begun = true;
        outcome_queue_seek(unit->group->groups->outcomes, partition, begin_at(partition, settings));
    }
}

/* --- Members ------------------------------------------------------------------------------------------ */

static void free_cursors(struct group_member *member)
{
    LIST_EACH_SAFE (&member->cursors, link)
        free_cursor(LIST_OWNER(link, struct group_cursor, member_link));
}

enum err group_unit_add_member(struct group_unit *unit, struct group_member *member)
{
    enum err err = ERR_NONE;
    LIST_EACH (&unit->streams, link) {
        struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (err == ERR_NONE && !stream->is_removed)
            err = add_cursor(stream, member);
    }
    if (err == ERR_NONE)
        err = group_lanes_join(&unit->lanes, member);
    if (err != ERR_NONE) {
        free_cursors(member);
        return err;
    }
    list_insert_last(&unit->members, &member->link);
    unit->member_count++;
    group_unit_note_windows(unit);
    group_unit_hand_over(unit);
    return ERR_NONE;
}

void group_unit_remove_member(struct group_member *member)
{
    struct group_unit *unit = member->unit;
    check(member->open == 0);
    free_cursors(member);
    group_lanes_leave(&unit->lanes, member);
    list_remove(&member->link);
    unit->member_count--;
    group_unit_note_windows(unit);
    group_unit_hand_over(unit);
}

uint64_t group_unit_take_all_back(struct group_member *member)
{
    uint64_t count = 0;
    while (!list_is_empty(&member->runs)) {
        struct group_run *run = LIST_OWNER(member->runs.next, struct group_run, link);
        struct group_stream *stream = run->stream;
        uint64_t block = run->block;
        uint64_t mask = run->mask;
        uint16_t attempts = run->attempts;
        group_partition_take(run, mask, &member->seqs);
        group_partition_return(stream, block, mask, attempts, 0);
        group_partition_close(stream->partition, block, mask, false, &member->unit->lanes);
        count += (unsigned)__builtin_popcountll(mask);
    }
    check(count == member->open);
    member->open = 0;
    return count;
}

void group_unit_note_windows(struct group_unit *unit)
{
    unit->span = group_unit_core(unit)->settings.span_max;
    LIST_EACH (&unit->members, link) {
        const struct group_member *member = LIST_OWNER(link, struct group_member, link);
        unit->span = member->window > unit->span ? member->window : unit->span;
    }
}

/* --- Lanes -------------------------------------------------------------------------------------------- */

static void look_from_the_mark_on(struct group_member *member)
{
    LIST_EACH (&member->cursors, link) {
        struct group_cursor *cursor = LIST_OWNER(link, struct group_cursor, member_link);
        uint64_t low = cursor->stream->partition->low;
        group_cursor_go_back(cursor, low > cursor->stream->from ? low : cursor->stream->from);
    }
    group_member_wake(member);
}

void group_unit_hand_over(struct group_unit *unit)
{
    struct group_core *core = group_unit_core(unit);
    if (unit->lanes.moving == 0)
        return;
    int64_t now_ns = group_core_now_ns(core);
    if (!group_lanes_have_drained(&unit->lanes) && now_ns < unit->handed_over_ns + HAND_OVER_NS) {
        group_core_want_work_at(core, unit->handed_over_ns + HAND_OVER_NS);
        return;
    }
    if (!group_lanes_hand_over(&unit->lanes))
        return;
    unit->handed_over_ns = now_ns;
    for (uint32_t i = 0; i < unit->lanes.count; i++) {
        struct lane_holder *holder = &unit->lanes.holders[i];
        if (holder->has_gained)
            look_from_the_mark_on(holder->member);
        holder->has_gained = false;
    }
}

/* --- What is new -------------------------------------------------------------------------------------- */

void group_unit_look(struct group_unit *unit)
{
    bool has_grown = false;
    LIST_EACH (&unit->streams, link) {
        struct group_stream *stream = LIST_OWNER(link, struct group_stream, unit_link);
        has_grown |= group_partition_look_at_log(stream->partition);
    }
    if (has_grown)
        group_unit_wake(unit);
}

static enum err settle_pieces(struct group_unit *unit,
                              struct group_partition *partition,
                              const struct store_settled *pieces,
                              uint32_t count)
{
    struct group_partition *partitions[PIECES_MAX];
    for (uint32_t i = 0; i < count; i++)
        partitions[i] = partition;
    struct settled_set_parts parts = {.settled = pieces, .partitions = partitions, .count = count};
    return outcome_queue_settle(unit->group->groups->outcomes, &parts);
}

enum err group_unit_pass_over(struct group_unit *unit,
                              struct group_partition *partition,
                              uint64_t from,
                              uint64_t to,
                              enum store_outcome outcome,
                              struct span by)
{
    struct store_settled pieces[PIECES_MAX];
    uint32_t count = 0;
    (void)group_partition_look_at_log(partition);
    for (uint64_t at = from; (at = group_partition_first_free(partition, at)) < to;) {
        uint64_t end = group_partition_next_taken(partition, at, to);
        end = end - at > UINT32_MAX ? at + UINT32_MAX : end;
        pieces[count++] = (struct store_settled){.group = partition->key.group,
                                                 .topic = partition->key.topic,
                                                 .partition = partition->key.partition,
                                                 .offset = at,
                                                 .count = (uint32_t)(end - at),
                                                 .outcome = outcome,
                                                 .by = by};
        at = end;
        if (count < PIECES_MAX)
            continue;
        enum err err = settle_pieces(unit, partition, pieces, count);
        if (err != ERR_NONE)
            return err;
        count = 0;
    }
    return count == 0 ? ERR_NONE : settle_pieces(unit, partition, pieces, count);
}

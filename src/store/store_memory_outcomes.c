/* The store in memory's groups, fates, places and notes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "store/store_memory_impl.h"

static uint64_t start_of(const struct store_memory *memory, uint32_t topic, uint32_t partition)
{
    const struct memory_partition *found = memory_topics_partition(&memory->topics, topic, partition);
    check(found != NULL);
    return found->start;
}

/* --- What an append makes true ------------------------------------------------------------------- */

static struct store_fate
fate_of(const struct store_settled *settled, const struct store_append *append, int64_t at_ns)
{
    check(settled->by.len <= STORE_BY_MAX);
    struct store_fate fate = {
        .outcome = settled->outcome,
        .attempts = settled->attempts,
        .status = settled->status,
        .at_ns = at_ns,
        .by_len = (uint8_t)settled->by.len,
    };
    if (settled->by.len > 0)
        memcpy(fate.by, settled->by.data, settled->by.len);
    if (settled->outcome != STORE_OUTCOME_DEAD)
        return fate;
    check(settled->dead_part < append->part_count);
    const struct store_part *part = &append->parts[settled->dead_part];
    check(settled->dead_record < part->records && settled->count <= part->records - settled->dead_record);
    fate.dead_is_known = true;
    fate.dead.topic = part->topic;
    fate.dead.partition = part->partition;
    fate.dead.offset = part->ret_base_offset + settled->dead_record;
    return fate;
}

static void settle(struct store_memory *memory,
                   const struct store_settled *settled,
                   const struct store_append *append,
                   int64_t at_ns)
{
    struct memory_group *group = memory_groups_at(&memory->groups, settled->group);
    check(settled->count > 0 && settled->outcome > STORE_OUTCOME_OPEN &&
          settled->outcome < STORE_OUTCOME_COUNT);
    if (group == NULL) /* forgotten meanwhile */
        return;
    struct memory_progress *progress = memory_group_progress(group, settled->topic, settled->partition);
    struct store_fate fate = fate_of(settled, append, at_ns);
    memory_progress_settle(progress, start_of(memory, settled->topic, settled->partition), settled->offset,
                           settled->offset + settled->count, &fate);
    group->group.active_ns = at_ns;
    group->group.has_done |= settled->outcome == STORE_OUTCOME_DONE;
}

static void seek(struct store_memory *memory, const struct store_seek *seek, int64_t at_ns)
{
    struct memory_group *group = memory_groups_at(&memory->groups, seek->group);
    if (group == NULL)
        return;
    (void)start_of(memory, seek->topic, seek->partition);
    memory_progress_seek(memory_group_progress(group, seek->topic, seek->partition), seek->offset, at_ns);
    group->group.active_ns = at_ns;
}

void store_memory_settle(struct store_memory *memory, const struct store_append *append)
{
    int64_t at_ns = clock_wall_ns(memory->clock);
    check(append->settled_count <= STORE_SETTLED_MAX && append->note_count <= STORE_NOTES_MAX);
    if (append->run_count > 0)
        memory_places_add(&memory->places, append, at_ns);
    for (uint32_t i = 0; i < append->seek_count; i++)
        seek(memory, &append->seeks[i], at_ns);
    for (uint32_t i = 0; i < append->settled_count; i++)
        settle(memory, &append->settled[i], append, at_ns);
    for (uint32_t i = 0; i < append->note_count; i++)
        memory_notes_set(&memory->notes, &append->notes[i]);
}

/* --- Groups -------------------------------------------------------------------------------------- */

static enum err memory_group_open(struct store *store, struct span name, bool create, uint32_t *ret_group)
{
    struct store_memory *memory = store_memory_of(store);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    struct memory_group *group = memory_groups_find(&memory->groups, name);
    if (group == NULL && !create)
        return ERR_NOT_FOUND;
    if (group == NULL)
        group = memory_groups_add(&memory->groups, name);
    if (group == NULL)
        return ERR_TOO_MANY;
    if (group->group.active_ns == 0)
        group->group.active_ns = clock_wall_ns(memory->clock);
    *ret_group = group->group.id;
    return ERR_NONE;
}

static bool memory_group_next(struct store *store, uint32_t *position, struct store_group *ret_group)
{
    struct memory_groups *groups = &store_memory_of(store)->groups;
    while (*position < groups->count) {
        const struct memory_group *group = memory_groups_at(groups, (*position)++);
        if (group == NULL)
            continue;
        *ret_group = group->group;
        return true;
    }
    return false;
}

static enum err memory_forget(struct store *store, uint32_t id)
{
    struct memory_group *group = memory_groups_at(&store_memory_of(store)->groups, id);
    if (group == NULL)
        return ERR_NOT_FOUND;
    memory_group_forget(group);
    return ERR_NONE;
}

/* --- Progress and fates --------------------------------------------------------------------------- */

/* The group's progress, NULL when it has not begun. */
static enum err find_progress(struct store_memory *memory,
                              uint32_t group,
                              uint32_t topic,
                              uint32_t partition,
                              const struct memory_progress **ret_progress)
{
    const struct memory_group *found = memory_groups_at(&memory->groups, group);
    if (memory_topics_partition(&memory->topics, topic, partition) == NULL)
        return ERR_UNKNOWN_TOPIC;
    if (found == NULL)
        return ERR_NOT_FOUND;
    *ret_progress = memory_group_find(found, topic, partition);
    return ERR_NONE;
}

static struct store_progress say_progress(const struct memory_progress *progress)
{
    return (struct store_progress){
        .topic = progress->topic,
        .partition = progress->partition,
        .low = progress->low,
        .end = memory_progress_end(progress),
        .settled_above = progress->settled_above,
        .has_begun = progress->has_begun,
    };
}

static enum err memory_progress_of(struct store *store,
                                   uint32_t group,
                                   uint32_t topic,
                                   uint32_t partition,
                                   struct store_progress *ret_progress)
{
    struct store_memory *memory = store_memory_of(store);
    const struct memory_progress *progress;
    enum err err = find_progress(memory, group, topic, partition, &progress);
    if (err != ERR_NONE)
        return err;
    uint64_t start = start_of(memory, topic, partition);
    *ret_progress =
        progress != NULL
            ? say_progress(progress)
            : (struct store_progress){.topic = topic, .partition = partition, .low = start, .end = start};
    return ERR_NONE;
}

static bool memory_progress_next(struct store *store,
                                 uint32_t group,
                                 uint32_t *position,
                                 struct store_progress *ret_progress)
{
    const struct memory_group *found = memory_groups_at(&store_memory_of(store)->groups, group);
    if (found == NULL || *position >= found->count)
        return false;
    *ret_progress = say_progress(&found->partitions[(*position)++]);
    return true;
}

static enum err memory_unsettled(
    struct store *store, uint32_t group, struct store_position from, uint64_t *ret_from, uint64_t *ret_to)
{
    const struct memory_progress *progress;
    enum err err = find_progress(store_memory_of(store), group, from.topic, from.partition, &progress);
    if (err != ERR_NONE)
        return err;
    *ret_from = from.offset;
    *ret_to = UINT64_MAX;
    if (progress != NULL)
        memory_progress_unsettled(progress, from.offset, ret_from, ret_to);
    return ERR_NONE;
}

static enum err
memory_fate(struct store *store, uint32_t group, struct store_position position, struct store_fate *ret_fate)
{
    const struct memory_progress *progress;
    enum err err =
        find_progress(store_memory_of(store), group, position.topic, position.partition, &progress);
    if (err != ERR_NONE)
        return err;
    *ret_fate = (struct store_fate){.outcome = STORE_OUTCOME_OPEN};
    const struct memory_fates *run =
        progress == NULL ? NULL : memory_progress_find(progress, position.offset);
    if (run != NULL) {
        *ret_fate = run->fate;
        ret_fate->dead.offset += run->fate.dead_is_known ? position.offset - run->from : 0;
    } else if (progress != NULL && position.offset < progress->low) {
        ret_fate->outcome = STORE_OUTCOME_SKIPPED; /* it lay before the group's beginning */
    }
    return ERR_NONE;
}

static enum store_outcome memory_outcome(struct store *store, uint32_t group, struct store_position position)
{
    struct store_fate fate;
    return memory_fate(store, group, position, &fate) == ERR_NONE ? fate.outcome : STORE_OUTCOME_OPEN;
}

/* --- Places and notes ------------------------------------------------------------------------------ */

static enum err memory_places(struct store *store,
                              struct store_number number,
                              struct store_place *places,
                              uint32_t size,
                              uint32_t *ret_count,
                              bool *ret_unplaced)
{
    struct store_memory *memory = store_memory_of(store);
    check(number.sequence < memory->sequence_count);
    struct store_place place;
    bool is_placed;
    *ret_count = 0;
    *ret_unplaced = false;
    for (uint32_t at = 0;
         memory_places_next(&memory->places, number.sequence, number.number, &at, &place, &is_placed);) {
        *ret_unplaced |= !is_placed;
        if (is_placed && *ret_count == size)
            return ERR_TOO_MANY;
        if (!is_placed)
            continue;
        place.is_expired =
            place.position.offset < start_of(memory, place.position.topic, place.position.partition);
        places[(*ret_count)++] = place;
    }
    return ERR_NONE;
}

static enum err memory_note(struct store *store, struct span key, struct buffer *value)
{
    const struct memory_note *note = memory_notes_from(&store_memory_of(store)->notes, key);
    if (note == NULL || !span_equal(memory_note_key(note), key))
        return ERR_NOT_FOUND;
    return buffer_append(value, memory_note_value(note));
}

static bool begins_with(struct span bytes, struct span prefix)
{
    return bytes.len >= prefix.len && span_equal(span_of(bytes.data, prefix.len), prefix);
}

static enum err memory_note_next(
    struct store *store, struct span prefix, struct span after, struct buffer *key, struct buffer *value)
{
    const struct memory_notes *notes = &store_memory_of(store)->notes;
    const struct memory_note *end = notes->notes + notes->count;
    const struct memory_note *note = memory_notes_from(notes, after.len > 0 ? after : prefix);
    if (note != NULL && after.len > 0 && span_equal(memory_note_key(note), after))
        note = note + 1 < end ? note + 1 : NULL;
    while (note != NULL && !begins_with(memory_note_key(note), prefix))
        note = note + 1 < end ? note + 1 : NULL;
    if (note == NULL)
        return ERR_NOT_FOUND;
    buffer_clear(key);
    enum err err = buffer_append(key, memory_note_key(note));
    return err != ERR_NONE ? err : buffer_append(value, memory_note_value(note));
}

const struct outcomes_ops store_memory_outcomes = {
    .group_open = memory_group_open,
    .group_next = memory_group_next,
    .group_forget = memory_forget,
    .progress = memory_progress_of,
    .progress_next = memory_progress_next,
    .unsettled = memory_unsettled,
    .outcome = memory_outcome,
    .fate = memory_fate,
    .places = memory_places,
    .note = memory_note,
    .note_next = memory_note_next,
};

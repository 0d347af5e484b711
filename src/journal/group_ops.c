/* What is asked of groups. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/group_ops.h"

#include <stdlib.h>

#include "journal/hold.h"
#include "journal/internal_frame.h"
#include "journal/outcome_frame.h"
#include "journal/places.h"

#define GROUP_IDLE_NS (7 * 24 * 3600 * CLOCK_NS_PER_S)

static struct journal_group *find_group(const struct journal *journal, uint32_t id)
{
    struct journal_group *group = group_book_by_id(&journal->catalog.groups, id);
    return group == NULL || group->is_going ? NULL : group;
}

static struct internal_frame *
reader_frame(const struct journal *journal, uint32_t id, uint32_t state, struct span name)
{
    uint8_t payload[FRAME_READER_FIXED + STORE_GROUP_NAME_MAX];
    struct frame_reader reader = {
        .id = id, .state = state, .wall_ns = clock_wall_ns(journal->seams.clock), .name = name};
    size_t len = frame_reader_write(payload, &reader);
    return internal_frame_new(FRAME_READER, NULL, span_of(payload, len));
}

/* The view lock is held. */
static enum err create_group(struct journal *journal, struct span name, struct journal_group **ret_group)
{
    struct group_book *book = &journal->catalog.groups;
    if (!group_book_has_room(book, GROUP_BOOK_GROUP_COST))
        return ERR_TOO_MANY;
    struct internal_frame *frame = reader_frame(journal, book->next_id, FRAME_READER_MADE, name);
    if (frame == NULL)
        return ERR_MEMORY;
    enum err err = group_book_add(book, book->next_id, name, clock_wall_ns(journal->seams.clock), ret_group);
    if (err == ERR_NONE)
        internal_frame_queue(journal, frame);
    else
        free(frame);
    return err;
}

static enum err group_open(struct store *store, struct span name, bool create, uint32_t *ret_group)
{
    struct journal *journal = journal_of(store);
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    journal_lock(&journal->view);
    struct journal_group *group = group_book_by_name(&journal->catalog.groups, name);
    enum err err = ERR_NONE;
    if (group == NULL)
        err = create ? create_group(journal, name, &group) : ERR_NOT_FOUND;
    if (err == ERR_NONE)
        *ret_group = group->public.id;
    journal_unlock(&journal->view);
    return err;
}

static bool group_next(struct store *store, uint32_t *position, struct store_group *ret_group)
{
    struct journal *journal = journal_of(store);
    const struct group_book *book = &journal->catalog.groups;
    bool has = false;
    journal_lock(&journal->view);
    for (uint32_t i = 0; !has && i < book->count; i++) {
        const struct journal_group *group = book->groups[i];
        if (group->public.id < *position || group->is_going)
            continue;
        *ret_group = group->public;
        ret_group->is_named = hold_is_named(journal, group->public.name);
        *position = group->public.id + 1;
        has = true;
    }
    journal_unlock(&journal->view);
    return has;
}

/* It goes when the frame is synced; until then nobody sees it any more. The view lock is held. */
static enum err forget(struct journal *journal, struct journal_group *group)
{
    struct internal_frame *frame =
        reader_frame(journal, group->public.id, FRAME_READER_FORGOTTEN, span_from_text(group->public.name));
    if (frame == NULL)
        return ERR_MEMORY;
    group->is_going = true;
    internal_frame_queue(journal, frame);
    return ERR_NONE;
}

static enum err group_forget(struct store *store, uint32_t id)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    struct journal_group *group = find_group(journal, id);
    enum err err = group == NULL ? ERR_NOT_FOUND : forget(journal, group);
    journal_unlock(&journal->view);
    return err;
}

bool group_ops_expire(struct journal *journal)
{
    const struct group_book *book = &journal->catalog.groups;
    bool goes = false;
    int64_t due_ns = clock_wall_ns(journal->seams.clock) - GROUP_IDLE_NS;
    journal_lock(&journal->view);
    for (uint32_t i = 0; !goes && i < book->count; i++) {
        struct journal_group *group = book->groups[i];
        if (!group->is_going && group->public.active_ns < due_ns &&
            !hold_is_named(journal, group->public.name))
            goes = forget(journal, group) == ERR_NONE;
    }
    journal_unlock(&journal->view);
    return goes;
}

/* --- Progress ------------------------------------------------------------------------------------ */

static struct store_progress progress_of(const struct group_progress *progress)
{
    return (struct store_progress){
        .topic = progress->topic,
        .partition = progress->partition,
        .low = progress->low,
        .end = progress->end,
        .settled_above = progress->settled_above,
        .has_begun = true,
    };
}

/* A group and a partition; *ret_progress NULL when it has not begun there. The view lock is held. */
static enum err find(const struct journal *journal,
                     uint32_t id,
                     const struct store_position *position,
                     const struct partition **ret_partition,
                     const struct group_progress **ret_progress)
{
    const struct journal_group *group = find_group(journal, id);
    const struct partition *partition =
        catalog_partition(&journal->catalog, position->topic, position->partition);
    if (group == NULL || partition == NULL)
        return partition == NULL ? ERR_UNKNOWN_TOPIC : ERR_NOT_FOUND;
    const struct group_progress *progress = group_book_progress(group, partition->slot);
    *ret_partition = partition;
    *ret_progress = progress != NULL && progress->has_begun ? progress : NULL;
    return ERR_NONE;
}

static enum err progress(
    struct store *store, uint32_t group, uint32_t topic, uint32_t number, struct store_progress *ret_progress)
{
    struct journal *journal = journal_of(store);
    const struct partition *partition;
    const struct group_progress *found;
    struct store_position position = {topic, number, 0};
    journal_lock(&journal->view);
    enum err err = find(journal, group, &position, &partition, &found);
    if (err == ERR_NONE && found != NULL)
        *ret_progress = progress_of(found);
    else if (err == ERR_NONE)
        *ret_progress = (struct store_progress){
            .topic = topic, .partition = number, .low = partition->start, .end = partition->start};
    journal_unlock(&journal->view);
    return err;
}

static bool
progress_next(struct store *store, uint32_t id, uint32_t *position, struct store_progress *ret_progress)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    const struct journal_group *group = find_group(journal, id);
    const struct group_progress *found = group == NULL ? NULL : group_book_progress_from(group, *position);
    while (found != NULL && !found->has_begun)
        found = group_book_progress_from(group, found->slot + 1);
    if (found != NULL) {
        *ret_progress = progress_of(found);
        *position = found->slot + 1;
    }
    journal_unlock(&journal->view);
    return found != NULL;
}

static enum err unsettled(
    struct store *store, uint32_t group, struct store_position from, uint64_t *ret_from, uint64_t *ret_to)
{
    struct journal *journal = journal_of(store);
    const struct partition *partition;
    const struct group_progress *found;
    journal_lock(&journal->view);
    enum err err = find(journal, group, &from, &partition, &found);
    if (err == ERR_NONE) {
        uint64_t start = from.offset > partition->start ? from.offset : partition->start;
        struct progress_range open = found != NULL ? group_progress_open_from(found, from.offset)
                                                   : (struct progress_range){start, UINT64_MAX};
        *ret_from = open.from;
        *ret_to = open.to;
    }
    journal_unlock(&journal->view);
    return err;
}

/* When nothing more is known of one that is settled, it lay before the group's beginning, or its receipt is over. */
static enum err look_up(struct journal *journal,
                        uint32_t group,
                        const struct store_position *position,
                        struct store_fate *ret_fate)
{
    struct outcome_key key = {group, position->topic, position->partition};
    enum err err = places_fate(journal, &key, position->offset, ret_fate);
    if (err == ERR_NOT_FOUND)
        *ret_fate = (struct store_fate){.outcome = STORE_OUTCOME_SKIPPED};
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

static enum store_outcome outcome(struct store *store, uint32_t group, struct store_position position)
{
    struct journal *journal = journal_of(store);
    const struct partition *partition;
    const struct group_progress *found = NULL;
    struct store_fate fate = {.outcome = STORE_OUTCOME_OPEN};
    journal_lock(&journal->view);
    enum err err = find(journal, group, &position, &partition, &found);
    if (err == ERR_NONE && found != NULL && group_progress_is_settled(found, position.offset)) {
        fate.outcome = STORE_OUTCOME_DONE;
        if (group_progress_is_in_stretch(found, position.offset))
            err = look_up(journal, group, &position, &fate);
    }
    journal_unlock(&journal->view);
    return err == ERR_NONE ? fate.outcome : STORE_OUTCOME_OPEN;
}

static enum err
fate(struct store *store, uint32_t group, struct store_position position, struct store_fate *ret_fate)
{
    struct journal *journal = journal_of(store);
    const struct partition *partition;
    const struct group_progress *found = NULL;
    *ret_fate = (struct store_fate){.outcome = STORE_OUTCOME_OPEN};
    journal_lock(&journal->view);
    enum err err = find(journal, group, &position, &partition, &found);
    if (err == ERR_NONE && found != NULL && group_progress_is_settled(found, position.offset)) {
        bool may_be_other = group_progress_is_in_stretch(found, position.offset);
        err = look_up(journal, group, &position, ret_fate);
        if (err == ERR_NONE && ret_fate->at_ns == 0 && !may_be_other)
            ret_fate->outcome = STORE_OUTCOME_DONE;
    }
    journal_unlock(&journal->view);
    return err;
}

/* --- Notes ----------------------------------------------------------------------------------------- */

static enum err note(struct store *store, struct span key, struct buffer *value)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    const struct note *found = note_book_get(&journal->catalog.notes, key);
    enum err err = found == NULL ? ERR_NOT_FOUND : buffer_append(value, note_value(found));
    journal_unlock(&journal->view);
    return err;
}

static enum err note_next(
    struct store *store, struct span prefix, struct span after, struct buffer *key, struct buffer *value)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->view);
    const struct note *found = note_book_next(&journal->catalog.notes, prefix, after);
    enum err err = found == NULL ? ERR_NOT_FOUND : ERR_NONE;
    if (err == ERR_NONE) {
        buffer_clear(key);
        err = buffer_append(key, note_key(found));
    }
    if (err == ERR_NONE)
        err = buffer_append(value, note_value(found));
    journal_unlock(&journal->view);
    return err;
}

const struct outcomes_ops group_ops = {
    .group_open = group_open,
    .group_next = group_next,
    .group_forget = group_forget,
    .progress = progress,
    .progress_next = progress_next,
    .unsettled = unsettled,
    .outcome = outcome,
    .fate = fate,
    .places = places_find,
    .note = note,
    .note_next = note_next,
};

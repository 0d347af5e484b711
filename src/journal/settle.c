/* Groups, progress and outcomes change here. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/settle.h"

#include <string.h>

/* The progress that a frame speaks of, made and begun when it is the first one to do so. */
static enum err find_progress(const struct settle *settle,
                              struct journal_group *group,
                              const struct partition *partition,
                              struct group_progress **ret_progress)
{
    struct group_place place = {partition->topic, partition->partition, partition->slot, partition->start};
    enum err err = group_book_make_progress(&settle->catalog->groups, group, &place, false, ret_progress);
    if (err == ERR_NONE)
        group_book_begin(&settle->catalog->groups, *ret_progress, partition->start);
    return err;
}

static struct outcome_mark mark_of(const struct settle *settle, const struct settle_run *run)
{
    struct outcome_mark mark = {
        .outcome = (uint8_t)run->outcome,
        .by_len = (uint8_t)run->by.len,
        .attempts = run->attempts,
        .status = run->status,
        .at_ns = settle->wall_ns,
        .dead_topic = UINT32_MAX,
    };
    if (run->by.len > 0)
        memcpy(mark.by, run->by.data, run->by.len);
    if (run->has_dead) {
        mark.dead_topic = run->dead.topic;
        mark.dead_partition = run->dead.partition;
        mark.dead_shift = run->dead.offset - run->offset;
    }
    return mark;
}

/* Who and when, of those that had no outcome. */
static enum err index_range(const struct settle *settle,
                            const struct group_progress *progress,
                            struct progress_range range,
                            const struct settle_run *run)
{
    if (settle->index == NULL)
        return ERR_NONE;
    struct outcome_key key = {run->group, run->topic, run->partition};
    struct outcome_mark mark = mark_of(settle, run);
    enum err err = ERR_NONE;
    struct progress_range open = group_progress_open_from(progress, range.from);
    while (err == ERR_NONE && open.from < range.to) {
        open.to = open.to < range.to ? open.to : range.to;
        err = segment_index_add_outcome(settle->index, &key, open.from, open.to - open.from, &mark);
        open = group_progress_open_from(progress, open.to);
    }
    return err == ERR_TOO_MANY ? ERR_NONE : err; /* so many at once that who and when are not worth it */
}

/* Outcomes that nobody may forget; those that are there already stay. */
static enum err settle_range(const struct settle *settle,
                             struct group_progress *progress,
                             struct progress_range range,
                             const struct settle_run *run)
{
    enum err err = group_progress_can_settle(progress, range) ? ERR_NONE : ERR_TOO_MANY;
    if (err == ERR_NONE && run->outcome != STORE_OUTCOME_DONE)
        err = group_progress_add_stretch(progress, range);
    if (err == ERR_NONE)
        err = index_range(settle, progress, range, run);
    return err == ERR_NONE ? group_book_settle(&settle->catalog->groups, progress, range) : err;
}

enum err settle_run(const struct settle *settle, const struct settle_run *run)
{
    struct journal_group *group = group_book_by_id(&settle->catalog->groups, run->group);
    const struct partition *partition = catalog_partition(settle->catalog, run->topic, run->partition);
    struct group_progress *progress;
    if (group == NULL || partition == NULL)
        return group == NULL ? ERR_NOT_FOUND : ERR_UNKNOWN_TOPIC;
    uint64_t to =
        run->offset + run->count; /* beyond the end bad bytes took the records, and nothing is settled */
    to = to < partition->end ? to : partition->end;
    if (run->offset >= to)
        return ERR_BAD_INPUT;
    enum err err = find_progress(settle, group, partition, &progress);
    if (err == ERR_NONE)
        err = settle_range(settle, progress, (struct progress_range){run->offset, to}, run);
    if (err != ERR_NONE)
        return err;
    group->public.has_done = group->public.has_done || run->outcome == STORE_OUTCOME_DONE;
    group->public.active_ns = settle->wall_ns;
    progress->active_ns = settle->wall_ns;
    return ERR_NONE;
}

/* What is open below `to` gets this outcome, in pieces: a run has a limit. */
static enum err pass_over(const struct settle *settle,
                          uint32_t group,
                          struct group_progress *progress,
                          uint64_t to,
                          enum store_outcome outcome)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && progress->low < to) {
        struct progress_range open = group_progress_open_from(progress, progress->low);
        open.to = open.to < to ? open.to : to;
        open.to = open.to - open.from < INT32_MAX ? open.to : open.from + INT32_MAX;
        struct settle_run run = {
            .group = group,
            .topic = progress->topic,
            .partition = progress->partition,
            .offset = open.from,
            .count = (uint32_t)(open.to - open.from),
            .outcome = outcome,
        };
        err = settle_range(settle, progress, open, &run);
    }
    return err;
}

enum err settle_seek(const struct settle *settle, const struct store_seek *seek)
{
    struct journal_group *group = group_book_by_id(&settle->catalog->groups, seek->group);
    const struct partition *partition = catalog_partition(settle->catalog, seek->topic, seek->partition);
    struct group_progress *progress;
    if (group == NULL || partition == NULL)
        return group == NULL ? ERR_NOT_FOUND : ERR_UNKNOWN_TOPIC;
    uint64_t offset = seek->offset < partition->end ? seek->offset : partition->end;
    offset = offset > partition->start ? offset : partition->start;
    enum err err = find_progress(settle, group, partition, &progress);
    if (err == ERR_NONE)
        err = pass_over(settle, group->public.id, progress, offset, STORE_OUTCOME_SKIPPED);
    if (err != ERR_NONE)
        return err;
    group_book_seek(&settle->catalog->groups, progress, offset);
    if (settle->index != NULL)
        segment_index_begin_outcomes_anew(settle->index);
    group->public.active_ns = settle->wall_ns;
    return ERR_NONE;
}

enum err settle_expired(const struct settle *settle, const struct partition *partition)
{
    const struct group_book *book = &settle->catalog->groups;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < book->count; i++) {
        struct group_progress *progress = group_book_progress(book->groups[i], partition->slot);
        if (progress != NULL && progress->has_begun)
            err = pass_over(settle, book->groups[i]->public.id, progress, partition->start,
                            STORE_OUTCOME_EXPIRED);
    }
    return err;
}

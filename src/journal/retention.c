/* Which segments go: by age, by size, by the ceiling of the whole log, never what a named reader still needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/retention.h"

#include "journal/capacity.h"
#include "journal/judgement.h"
#include "journal/retire.h"

/*
 * 1. The oldest sealed segment is judged: it goes when all topics in it have expired there, or when the log is at its
 *    ceiling; a held record keeps it.
 * 2. A RETIRE frame says so, with the new first offsets. Only when it is synced do readers see less, and the file is
 *    given away (recycled by prepare.c, or removed).
 * 3. Its index file stays for receipts.keep, so that numbers of producers are still known.
 *
 * Records that expire before the file can go: expiry.c.
 */

/* The table is kept smaller by those that may be rolled into before the helper comes by again. */
enum { ENTRIES_AHEAD = JOURNAL_PREPARED_MIN + 2 };

/* --- The step ------------------------------------------------------------------------------------ */

/* The first whole segment that is not the active one; NULL when none can be judged now. The view lock is held. */
static struct segment *oldest_sealed(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++) {
        struct segment *segment = journal->table.segments[i];
        if (segment->state == SEGMENT_INDEX_ONLY || segment->state == SEGMENT_RETIRING)
            continue;
        return segment->state == SEGMENT_SEALED ? segment : NULL;
    }
    return NULL;
}

static bool some_is_retiring(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++)
        if (journal->table.segments[i]->state == SEGMENT_RETIRING)
            return true;
    return false;
}

static struct segment *oldest_index_only(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++)
        if (journal->table.segments[i]->state == SEGMENT_INDEX_ONLY)
            return journal->table.segments[i];
    return NULL;
}

/* Index files of retired segments whose time is over. */
static bool forget_index(struct journal *journal)
{
    journal_lock(&journal->view);
    struct segment *segment = oldest_index_only(journal);
    int64_t age_ns = segment == NULL ? 0 : clock_wall_ns(journal->seams.clock) - segment->last_ns;
    bool is_over = journal->table.count > journal_settings_listed_max(&journal->settings) ||
                   !capacity_has_entries(journal, true, ENTRIES_AHEAD) ||
                   journal->index_only_bytes > journal->settings.receipts_size_max ||
                   (age_ns > journal->settings.receipts_keep_ns && judgement_age_counts(journal));
    bool goes = segment != NULL && list_is_empty(&segment->link) && segment->references == 0 && is_over;
    if (goes)
        segment_table_remove(&journal->table, segment);
    journal_unlock(&journal->view);
    if (!goes)
        return false;
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, segment->number, ".index");
    struct fs_file *file;
    struct fs_stat stat = {0};
    if (fs_open(journal->seams.fs, name, FS_OPEN_READ, &file) == ERR_NONE) {
        (void)file->ops->stat(file, &stat);
        fs_close(file);
    }
    journal->index_only_bytes -=
        stat.size < journal->index_only_bytes ? stat.size : journal->index_only_bytes;
    (void)journal->seams.fs->ops->unlink(journal->seams.fs, name);
    segment_free(segment);
    return true;
}

/* Judges the oldest; true when it goes. Also run to learn who holds it. */
static bool judge_oldest(struct journal *journal, bool retires, struct why *ret_holder)
{
    struct judgement judgement;
    struct list frames;
    list_init(&frames);
    judgement_begin(&judgement, journal);
    journal_lock(&journal->queue);
    judgement.lacks_space = journal->lacks_space && journal->is_blocked;
    journal_unlock(&journal->queue);
    journal_lock(&journal->view);
    struct segment *segment = oldest_sealed(journal);
    bool goes = false;
    if (segment != NULL && segment->index_file != NULL) {
        judgement.is_forced = !capacity_has_segments(journal, false, JOURNAL_PREPARED_MIN + 1) ||
                              !capacity_has_entries(journal, false, ENTRIES_AHEAD);
        goes = judgement_of(&judgement, segment) == ERR_NONE && !judgement.is_kept;
    }
    enum err err = ERR_NONE;
    if (goes && retires)
        err = retire_make_frames(journal, segment, buffer_span(&judgement.starts), &frames);
    goes = goes && err == ERR_NONE;
    if (goes && retires)
        segment_move(segment, SEGMENT_RETIRING);
    journal_unlock(&journal->view);
    retire_queue_frames(journal, &frames);
    if (goes && retires)
        judgement_tell_dropped(&judgement, segment);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "retiring a segment");
    if (ret_holder != NULL)
        *ret_holder = judgement.holder;
    judgement_end(&judgement);
    return goes;
}

static void open_oldest_index(struct journal *journal)
{
    journal_lock(&journal->view);
    struct segment *segment = oldest_sealed(journal);
    if (segment != NULL)
        judgement_open_index(journal, segment);
    journal_unlock(&journal->view);
}

bool retention_step(struct journal *journal)
{
    if (forget_index(journal))
        return true;
    open_oldest_index(journal);
    journal_lock(&journal->view);
    bool waits = journal->retires_under_way > 0; /* what they say would be counted twice */
    journal_unlock(&journal->view);
    return !waits && judge_oldest(journal, true, NULL);
}

bool retention_is_within(struct journal *journal, uint32_t prepared)
{
    journal_lock(&journal->view);
    bool is_within = capacity_has_segments(journal, true, prepared);
    journal_unlock(&journal->view);
    return is_within;
}

enum retention_room retention_room(struct journal *journal, uint32_t prepared, struct why *ret_holder)
{
    journal_lock(&journal->view);
    bool is_soon = some_is_retiring(journal);
    bool has_discarded = !list_is_empty(&journal->discarded);
    bool has_room = capacity_has_segments(journal, true, prepared + 1) &&
                    capacity_has_entries(journal, false, prepared + 1);
    journal_unlock(&journal->view);
    if (has_discarded)
        return RETENTION_ROOM;
    if (is_soon && (prepared > 0 || !has_room))
        return RETENTION_WAIT;
    if (has_room)
        return RETENTION_ROOM;
    return judge_oldest(journal, false, ret_holder) ? RETENTION_WAIT : RETENTION_NONE;
}

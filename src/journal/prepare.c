/* Segments that wait to be begun: recycled from retired ones, or written once with zeros. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/prepare.h"

#include <stdlib.h>

#include "base/metric.h"
#include "journal/directory.h"
#include "journal/retention.h"
#include "journal/retire.h"

/*
 * A prepared segment bears its number already and is wholly written and synced, its name too; what is in it belongs to
 * an earlier life, or is zeros. So the writer begins it without waiting, and a sync of it changes no metadata.
 *
 * A file with another hard link (a backup's) is never written again: the link count is looked at after the rename, so
 * that a backup which links by the old name comes too late.
 */

enum { ZEROS_SIZE = 1 << 20, SYNC_EVERY = 4 << 20 };

static enum err write_zeros(struct journal *journal, struct fs_file *file)
{
    uint8_t *zeros = calloc(1, ZEROS_SIZE);
    if (zeros == NULL)
        return ERR_MEMORY;
    enum err err = ERR_NONE;
    uint64_t size = journal->settings.segment_size;
    for (uint64_t at = 0; err == ERR_NONE && at < size; at += ZEROS_SIZE) {
        size_t len = size - at < ZEROS_SIZE ? (size_t)(size - at) : ZEROS_SIZE;
        err = fs_pwrite(file, span_of(zeros, len), at);
        if (err == ERR_NONE && (at + len) % SYNC_EVERY == 0)
            err = fs_fdatasync(file); /* in small steps: commits share the disk */
    }
    free(zeros);
    return err == ERR_NONE ? fs_fdatasync(file) : err;
}

static enum err create(struct journal *journal, const char *name, struct fs_file **ret_file)
{
    struct fs *fs = journal->seams.fs;
    struct fs_file *file;
    enum err err = fs_open(fs, DIRECTORY_TEMPORARY, FS_OPEN_WRITE | FS_OPEN_CREATE, &file);
    if (err != ERR_NONE)
        return err;
    err = write_zeros(journal, file);
    if (err == ERR_NONE)
        err = fs->ops->rename(fs, DIRECTORY_TEMPORARY, name);
    if (err == ERR_NONE)
        err = fs->ops->sync_directory(fs);
    if (err != ERR_NONE) {
        fs_close(file);
        (void)fs->ops->unlink(fs, DIRECTORY_TEMPORARY);
        return err;
    }
    *ret_file = file;
    return ERR_NONE;
}

/* NOT_FOUND: there is nothing to recycle. */
static enum err recycle(struct journal *journal, const char *name, struct fs_file **ret_file)
{
    struct fs *fs = journal->seams.fs;
    uint64_t number = retire_take_discarded(journal, 0);
    if (number == 0)
        return ERR_NOT_FOUND;
    char old_name[SEGMENT_NAME_SIZE];
    segment_name(old_name, number, ".segment");
    struct fs_file *file = NULL;
    struct fs_stat stat;
    enum err err = fs->ops->rename(fs, old_name, name);
    if (err == ERR_NONE)
        err = fs_open(fs, name, FS_OPEN_WRITE, &file);
    if (err == ERR_NONE)
        err = file->ops->stat(file, &stat);
    bool is_fit = err == ERR_NONE && stat.links == 1 && stat.size == journal->settings.segment_size;
    if (is_fit && fs->ops->sync_directory(fs) == ERR_NONE) {
        *ret_file = file;
        return ERR_NONE;
    }
    fs_close(file);
    (void)fs->ops->unlink(fs, name);
    return ERR_NOT_FOUND;
}

static void add(struct journal *journal, struct prepared *take_prepared)
{
    journal_lock(&journal->queue);
    journal->prepare_next = take_prepared->number + 1;
    bool is_the_kept_one = list_is_empty(&journal->prepared);
    bool was_full = journal->state == STORE_FULL && !is_the_kept_one;
    journal->lacks_space = journal->lacks_space && is_the_kept_one;
    journal->is_blocked = journal->is_blocked && is_the_kept_one;
    journal->is_stuck = false;
    list_insert_last(&journal->prepared, &take_prepared->link);
    if (was_full) {
        journal->resumes = true; /* the writer begins a new incarnation first */
        journal->state = STORE_OPEN;
    }
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
    if (!was_full)
        return;
    metric_set(METRIC_JOURNAL_FULL, 0);
    journal_tell(journal, JOURNAL_EVENT_OPEN_AGAIN, "segment=%llu",
                 (unsigned long long)take_prepared->number);
    journal_post_watches(journal);
}

enum err prepare_one(struct journal *journal)
{
    struct prepared *prepared = malloc(sizeof *prepared);
    if (prepared == NULL)
        return ERR_MEMORY;
    prepared->number = journal->prepare_next;
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, prepared->number, ".segment");
    enum err err = recycle(journal, name, &prepared->file);
    if (err == ERR_NOT_FOUND)
        err = create(journal, name, &prepared->file);
    if (err != ERR_NONE) {
        free(prepared);
        return err;
    }
    add(journal, prepared);
    return ERR_NONE;
}

/* The log is full once the writer needs a segment that cannot be had. */
static void note_lack(struct journal *journal, enum err err, const char *holder)
{
    journal_lock(&journal->queue);
    journal->lacks_space = true;
    bool turns_full = journal->is_blocked && journal->state == STORE_OPEN;
    struct why why = {""};
    if (turns_full) {
        journal->state = STORE_FULL;
        (void)why_set(&journal->state_why, ERR_FULL,
                      holder[0] == '\0' ? "the disk is full (%s): free some space"
                                        : "log.size_max is reached: %s",
                      holder[0] == '\0' ? err_text(err) : holder);
        why = journal->state_why;
    }
    journal_unlock(&journal->queue);
    if (!turns_full)
        return;
    metric_set(METRIC_JOURNAL_FULL, 1);
    journal_tell(journal, JOURNAL_EVENT_FULL, "reason=\"%s\"", why.text);
    journal_post_watches(journal);
}

static uint32_t count_prepared(struct journal *journal)
{
    uint32_t count = 0;
    journal_lock(&journal->queue);
    LIST_EACH (&journal->prepared, link)
        count++;
    journal_unlock(&journal->queue);
    return count;
}

/*
 * A retired file that no prepared segment is wanted of gives its space back, but for as many as the next rolls need:
 * topics reach their size and segments their end at different times, and none should write zeros for want of a file.
 */
static bool remove_surplus(struct journal *journal, uint32_t prepared)
{
    uint32_t spare = retention_is_within(journal, prepared) ? JOURNAL_PREPARED_MIN : 0;
    uint64_t number = retire_take_discarded(journal, spare);
    if (number == 0)
        return false;
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".segment");
    enum err err = journal->seams.fs->ops->unlink(journal->seams.fs, name);
    if (err == ERR_NONE)
        err = journal->seams.fs->ops->sync_directory(journal->seams.fs);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "removing a retired segment");
    return err == ERR_NONE;
}

bool prepare_step(struct journal *journal)
{
    uint32_t count = count_prepared(journal);
    if (count >= JOURNAL_PREPARED_MIN)
        return remove_surplus(journal, count);
    if (clock_now_ns(journal->seams.clock) < journal->chore_retry_ns)
        return false;
    struct why holder = {{0}};
    enum retention_room room = retention_room(journal, count, &holder);
    if (room == RETENTION_WAIT)
        return false; /* one is being retired: it will be recycled */
    enum err err = room == RETENTION_NONE ? ERR_NO_SPACE : prepare_one(journal);
    if (err == ERR_NONE)
        return true;
    journal->chore_retry_ns = clock_now_ns(journal->seams.clock) + CLOCK_NS_PER_S / 4;
    if (err == ERR_NO_SPACE)
        note_lack(journal, err, holder.text);
    else
        journal_tell(journal, JOURNAL_EVENT_CHORE_FAILED, "doing=\"preparing a segment\" err=%s",
                     err_name(err));
    return false;
}

struct prepared *prepare_take(struct journal *journal)
{
    struct list *link = list_take_first(&journal->prepared);
    return link == NULL ? NULL : LIST_OWNER(link, struct prepared, link);
}

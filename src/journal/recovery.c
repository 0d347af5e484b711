/* From the files of a directory to a journal that is ready for appends. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/recovery.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "journal/capacity.h"
#include "journal/commit.h"
#include "journal/directory.h"
#include "journal/identity_load.h"
#include "journal/prepare.h"
#include "journal/replay.h"
#include "journal/retire.h"
#include "journal/roll.h"
#include "journal/seal.h"
#include "journal/segment_scan.h"

/*
 * 1. The active segment is the highest that has begun; higher ones are prepared.
 * 2. The state comes from its checkpoint; when that is bad, from the newest segment before it that has a good one.
 * 3. Everything from there on is scanned; the end is cut behind the last whole set. Only then it is known which
 *    segments were retired, and so which files there must be.
 * 4. What no group says was synced is made certain, and a new incarnation durable: by a covering group, or by the next
 *    segment, whose checkpoint then spares the following start what this one met.
 *
 * Older segments are not read. Damage is reported and passed over; only a newer format, and errors of the disk, end here.
 */

struct recovery {
    struct journal *journal;
    struct why *why;
    struct directory directory;
    struct replay replay;
    uint64_t active; /* 0: none has begun */
    uint64_t base;   /* the scan begins with this segment */
    uint64_t done_bytes;
    uint64_t total_bytes;
    bool lacks_features; /* the active segment was begun by an older program */
};

static enum err
open_file(struct journal *journal, uint64_t number, const char *suffix, struct fs_file **ret_file)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, suffix);
    return fs_open(journal->seams.fs, name, FS_OPEN_WRITE, ret_file);
}

static void remove_file(struct journal *journal, uint64_t number, const char *suffix)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, suffix);
    (void)journal->seams.fs->ops->unlink(journal->seams.fs, name);
}

static void report_damage(struct journal *journal, const char *format, ...) PRINTF_LIKE(2, 3);

static void report_damage(struct journal *journal, const char *format, ...)
{
    char fields[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fields, sizeof fields, format, arguments);
    va_end(arguments);
    journal->recovery.damaged_ranges++;
    metric_add(METRIC_DAMAGE, 1);
    journal_tell(journal, JOURNAL_EVENT_DAMAGE, "%s", fields);
}

/* --- 1. Which segment is active ------------------------------------------------------------------ */

static enum err set_aside(struct journal *journal, uint64_t number)
{
    char name[SEGMENT_NAME_SIZE];
    char aside[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".segment");
    segment_name(aside, number, ".aside");
    journal->recovery.damaged_ranges++;
    metric_add(METRIC_DAMAGE, 1);
    journal_tell(journal, JOURNAL_EVENT_SET_ASIDE,
                 "segment=%llu file=%s reason=\"neither header can be read\"", (unsigned long long)number,
                 aside);
    return journal->seams.fs->ops->rename(journal->seams.fs, name, aside);
}

/* Keeps a segment that has not begun for later, when it is whole. */
static enum err keep_prepared(struct journal *journal, uint64_t number, struct fs_file *take_file)
{
    struct fs_stat stat;
    struct prepared *prepared = malloc(sizeof *prepared);
    enum err err = prepared == NULL ? ERR_MEMORY : take_file->ops->stat(take_file, &stat);
    if (err == ERR_NONE && stat.size == journal->settings.segment_size && stat.links == 1) {
        *prepared = (struct prepared){.number = number, .file = take_file};
        list_insert_first(&journal->prepared, &prepared->link); /* found from high to low */
        return ERR_NONE;
    }
    free(prepared);
    fs_close(take_file);
    if (err == ERR_NONE)
        remove_file(journal, number, ".segment");
    return err;
}

static void report_torn_beginning(struct journal *journal, const struct segment_header *header)
{
    journal->recovery.torn_bytes += header->size;
    journal_tell(journal, JOURNAL_EVENT_TORN_TAIL, "segment=%llu from=0 to=%llu lsn=%llu cut=true",
                 (unsigned long long)header->number, (unsigned long long)header->size,
                 (unsigned long long)header->first_lsn);
}

static enum err judge_file(struct recovery *recovery, uint64_t number)
{
    struct journal *journal = recovery->journal;
    struct fs_file *file;
    struct segment_header header = {0};
    enum segment_header_state state;
    enum err err = open_file(journal, number, ".segment", &file);
    if (err != ERR_NONE)
        return why_set(recovery->why, err, "segment %llu cannot be opened: %s", (unsigned long long)number,
                       err_text(err));
    err = replay_read_header(file, &header, &state, recovery->why);
    if (err != ERR_NONE) {
        fs_close(file);
        return err;
    }
    bool is_its_own =
        state != SEGMENT_HEADER_ABSENT && state != SEGMENT_HEADER_LOST && header.number == number;
    bool has_begun = false;
    if (is_its_own)
        err = segment_scan_has_begun(file, &header, state, &has_begun);
    if (is_its_own && err == ERR_NONE && !has_begun)
        report_torn_beginning(journal, &header);
    if (err == ERR_NONE && !has_begun && state != SEGMENT_HEADER_LOST)
        return keep_prepared(journal, number, file);
    fs_close(file);
    if (err != ERR_NONE)
        return err;
    if (state == SEGMENT_HEADER_LOST)
        return set_aside(journal, number);
    recovery->active = number;
    return ERR_NONE;
}

static enum err find_active(struct recovery *recovery)
{
    const struct directory_numbers *segments = &recovery->directory.segments;
    enum err err = ERR_NONE;
    for (uint32_t i = segments->count; err == ERR_NONE && i > 0 && recovery->active == 0; i--)
        err = judge_file(recovery, segments->numbers[i - 1]);
    return err;
}

/* Prepared segments follow the active one without a hole; right behind it, what is missing may have begun. */
static void keep_consecutive(struct recovery *recovery, uint64_t next)
{
    struct journal *journal = recovery->journal;
    uint64_t behind = recovery->active == 0 ? 0 : recovery->active + 1;
    LIST_EACH_SAFE (&journal->prepared, link) {
        struct prepared *prepared = LIST_OWNER(link, struct prepared, link);
        if (prepared->number == next) {
            next++;
            continue;
        }
        if (next == behind && !directory_has(&recovery->directory.segments, next))
            report_damage(journal, "segment=%llu what=missing", (unsigned long long)next);
        behind = 0;
        list_remove(link);
        fs_close(prepared->file);
        remove_file(journal, prepared->number, ".segment");
        free(prepared);
    }
    journal->prepare_next = next;
}

/* --- 2. The state ---------------------------------------------------------------------------------- */

static enum err find_base(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    const struct directory_numbers *segments = &recovery->directory.segments;
    for (uint32_t i = segments->count; i > 0; i--) {
        uint64_t number = segments->numbers[i - 1];
        if (number > recovery->active)
            continue;
        struct catalog catalog;
        enum err err = replay_checkpoint_of(journal, number, &catalog, &journal->table);
        if (err == ERR_NONE) {
            catalog_done(&journal->catalog);
            journal->catalog = catalog;
            recovery->base = number;
            return ERR_NONE;
        }
        if (err != ERR_NOT_FOUND && err != ERR_DAMAGED)
            return why_set(recovery->why, err, "segment %llu cannot be read: %s", (unsigned long long)number,
                           err_text(err));
        report_damage(journal, "segment=%llu what=checkpoint", (unsigned long long)number);
        recovery->base = number;
    }
    return ERR_NONE;
}

static bool drop_missing(struct recovery *recovery, struct segment *segment)
{
    struct journal *journal = recovery->journal;
    bool has_index = directory_has(&recovery->directory.indexes, segment->number);
    if (segment->state == SEGMENT_INDEX_ONLY)
        return !has_index;
    if (directory_has(&recovery->directory.segments, segment->number))
        return false;
    report_damage(journal, "segment=%llu what=missing first_lsn=%llu last_lsn=%llu",
                  (unsigned long long)segment->number, (unsigned long long)segment->first_lsn,
                  (unsigned long long)segment->last_lsn);
    segment_move(segment, SEGMENT_INDEX_ONLY);
    return !has_index;
}

static void compare_with_files(struct recovery *recovery)
{
    struct segment_table *table = &recovery->journal->table;
    for (uint32_t i = table->count; i > 0; i--) {
        struct segment *segment = table->segments[i - 1];
        if (!drop_missing(recovery, segment))
            continue;
        segment_table_remove(table, segment);
        segment_free(segment);
    }
    for (uint32_t i = 0; i < table->count;
         i++) /* files are given away in the order in which their segments retired */
        if (table->segments[i]->state == SEGMENT_INDEX_ONLY)
            retire_adopt(recovery->journal, table->segments[i],
                         directory_has(&recovery->directory.segments, table->segments[i]->number));
}

/* Files that no checkpoint knows, and indexes of nothing. */
static void remove_leftovers(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    for (uint32_t i = 0; i < recovery->directory.segments.count; i++) {
        uint64_t number = recovery->directory.segments.numbers[i];
        if (number < recovery->base && segment_table_find(&journal->table, number) == NULL)
            remove_file(journal, number, ".segment");
    }
    for (uint32_t i = 0; i < recovery->directory.indexes.count; i++) {
        uint64_t number = recovery->directory.indexes.numbers[i];
        if (segment_table_find(&journal->table, number) == NULL)
            remove_file(journal, number, ".index");
    }
    if (recovery->directory.has_temporary)
        (void)journal->seams.fs->ops->unlink(journal->seams.fs, DIRECTORY_TEMPORARY);
}

static void on_bad_index(void *owner, uint64_t segment, enum err err)
{
    report_damage(owner, "segment=%llu what=index err=%s", (unsigned long long)segment, err_name(err));
}

/* --- 3. The scan ------------------------------------------------------------------------------------ */

static enum err on_set(void *owner, const struct scan_set *set)
{
    struct recovery *recovery = owner;
    struct journal *journal = recovery->journal;
    journal->recovery.bytes_scanned += set->bytes.len;
    if (journal->seams.on_progress != NULL)
        journal->seams.on_progress(journal->seams.owner, recovery->done_bytes + set->position,
                                   recovery->total_bytes);
    return replay_set(&recovery->replay, set->bytes, set->position);
}

static void on_damage(void *owner, const struct segment_damage *damage)
{
    struct recovery *recovery = owner;
    report_damage(recovery->journal, "segment=%llu from=%llu to=%llu first_lsn=%llu last_lsn=%llu",
                  (unsigned long long)damage->segment, (unsigned long long)damage->from,
                  (unsigned long long)damage->to, (unsigned long long)damage->first_lsn,
                  (unsigned long long)damage->last_lsn);
}

static void on_gap(void *owner, const struct frame_batch *batch, uint64_t expected, uint64_t found)
{
    struct recovery *recovery = owner;
    const struct topic *topic = recovery->journal->catalog.topics[batch->topic];
    journal_tell(recovery->journal, JOURNAL_EVENT_DAMAGE, "topic=%s partition=%u missing_offsets=%llu-%llu",
                 topic->public.name, batch->partition, (unsigned long long)expected,
                 (unsigned long long)found - 1);
}

static void on_lost_name(void *owner, const char *name)
{
    struct recovery *recovery = owner;
    report_damage(recovery->journal, "what=name named=%s", name);
}

/* The segment enters the table, open, with an empty index. */
static enum err enter_segment(struct recovery *recovery,
                              const struct segment_header *header,
                              struct fs_file *take_file,
                              struct segment **ret_segment)
{
    struct segment *segment = segment_new(header->number, header->epoch);
    if (segment == NULL) {
        fs_close(take_file);
        return ERR_MEMORY;
    }
    segment->file = take_file;
    segment->size = header->size;
    segment->first_lsn = header->first_lsn;
    enum err err = segment_index_new(JOURNAL_INDEX_MAX, &segment->index);
    if (err == ERR_NONE)
        err = segment_table_add(&recovery->journal->table, segment);
    if (err != ERR_NONE)
        segment_free(segment);
    *ret_segment = segment;
    return err;
}

/* Where the successor says that this segment ends; 0 when nobody says it. */
static uint64_t end_from_successor(struct recovery *recovery, const struct segment_header *header)
{
    struct fs_file *file;
    struct segment_header next = {0};
    enum segment_header_state state = SEGMENT_HEADER_LOST;
    if (header->number >= recovery->active ||
        open_file(recovery->journal, header->number + 1, ".segment", &file) != ERR_NONE)
        return 0;
    enum err err = replay_read_header(file, &next, &state, NULL);
    fs_close(file);
    bool is_known = err == ERR_NONE && (state == SEGMENT_HEADER_WHOLE || state == SEGMENT_HEADER_DAMAGED) &&
                    next.previous_number == header->number && next.previous_epoch == header->epoch;
    return is_known ? next.previous_end : 0;
}

static void note_scanned(struct recovery *recovery, struct segment *segment, const struct segment_scan *scan)
{
    segment->end = scan->end;
    segment->last_lsn = scan->lsn - 1;
    segment->first_ns = recovery->replay.first_ns;
    segment->last_ns = recovery->replay.last_ns;
    recovery->replay.first_ns = 0;
    recovery->journal->recovery.segments_scanned++;
    recovery->done_bytes += recovery->journal->settings.segment_size;
}

static enum err scan_file(struct recovery *recovery,
                          const struct segment_header *header,
                          struct segment *segment,
                          struct segment_scan *ret_scan)
{
    *ret_scan = (struct segment_scan){
        .file = segment->file,
        .header = header,
        .known_end = end_from_successor(recovery, header),
        .on_set = on_set,
        .on_damage = on_damage,
        .owner = recovery,
    };
    recovery->replay.index = segment->index;
    recovery->replay.synced_end = SEGMENT_HEADER_SIZE;
    recovery->replay.is_sealed = false;
    enum err err = segment_scan_run(ret_scan);
    note_scanned(recovery, segment, ret_scan);
    return err;
}

static void
report_torn(struct recovery *recovery, const struct segment *segment, const struct segment_scan *scan)
{
    if (scan->torn_to <= scan->end)
        return;
    struct journal *journal = recovery->journal;
    journal->recovery.torn_bytes += scan->torn_to - scan->end;
    journal_tell(journal, JOURNAL_EVENT_TORN_TAIL, "segment=%llu from=%llu to=%llu lsn=%llu cut=true",
                 (unsigned long long)segment->number, (unsigned long long)scan->end,
                 (unsigned long long)scan->torn_to, (unsigned long long)scan->lsn);
}

/* A segment that is followed by another one is sealed, whether it got its SEAL frame or not. */
static enum err seal_scanned(struct recovery *recovery, struct segment *segment)
{
    struct journal *journal = recovery->journal;
    enum err err = segment_summarise(segment);
    if (err == ERR_NONE)
        err = seal_note_slots(&journal->catalog, segment);
    if (err != ERR_NONE)
        return err;
    segment_move(segment, SEGMENT_SEALED);
    (void)seal_step(journal); /* gives the memory back now; when it fails the helper tries again */
    return ERR_NONE;
}

static enum err resume_writer(struct recovery *recovery,
                              const struct segment_header *header,
                              const struct segment *segment,
                              const struct segment_scan *scan)
{
    struct writer *writer = &recovery->journal->writer;
    uint8_t page[SEGMENT_PAGE] = {0};
    size_t got;
    enum err err = fs_pread(segment->file, page, sizeof page, scan->end / SEGMENT_PAGE * SEGMENT_PAGE, &got);
    if (err != ERR_NONE)
        return err;
    memcpy(recovery->journal->journal_id, header->journal_id, sizeof header->journal_id);
    recovery->lacks_features = (header->features_incompatible & SEGMENT_HAS_OUTCOMES) == 0;
    writer_resume(writer, segment->file, header, scan->end, page);
    writer->lsn = scan->lsn;
    writer->incarnation =
        (scan->incarnation > header->incarnation ? scan->incarnation : header->incarnation) + 1;
    return ERR_NONE;
}

static enum err scan_one(struct recovery *recovery, uint64_t number)
{
    struct fs_file *file;
    struct segment_header header = {0};
    enum segment_header_state state;
    struct segment *segment = NULL;
    enum err err = open_file(recovery->journal, number, ".segment", &file);
    if (err != ERR_NONE)
        return err;
    err = replay_read_header(file, &header, &state, recovery->why);
    if (err != ERR_NONE || state == SEGMENT_HEADER_LOST || state == SEGMENT_HEADER_ABSENT) {
        fs_close(file);
        return err == ERR_NONE ? set_aside(recovery->journal, number) : err;
    }
    if (state == SEGMENT_HEADER_DAMAGED)
        report_damage(recovery->journal, "segment=%llu what=header from=0 to=4096",
                      (unsigned long long)number);
    err = enter_segment(recovery, &header, file, &segment);
    struct segment_scan scan = {0};
    if (err == ERR_NONE)
        err = scan_file(recovery, &header, segment, &scan);
    if (err != ERR_NONE)
        return err;
    if (number != recovery->active) {
        if (scan.torn_to > scan.end) /* nobody says where it ends, but another segment follows */
            report_damage(recovery->journal, "segment=%llu from=%llu to=%llu", (unsigned long long)number,
                          (unsigned long long)scan.end, (unsigned long long)scan.torn_to);
        return seal_scanned(recovery, segment);
    }
    report_torn(recovery, segment, &scan);
    return resume_writer(recovery, &header, segment, &scan);
}

static enum err scan_from_base(struct recovery *recovery)
{
    const struct directory_numbers *segments = &recovery->directory.segments;
    uint32_t first = 0;
    while (first < segments->count && segments->numbers[first] < recovery->base)
        first++;
    enum err err = ERR_NONE;
    for (uint32_t i = first; i < segments->count && segments->numbers[i] <= recovery->active; i++)
        recovery->total_bytes += recovery->journal->settings.segment_size;
    for (uint32_t i = first;
         err == ERR_NONE && i < segments->count && segments->numbers[i] <= recovery->active; i++) {
        err = scan_one(recovery, segments->numbers[i]);
        if (err != ERR_NONE)
            (void)why_set(recovery->why, err, "segment %llu cannot be recovered: %s",
                          (unsigned long long)segments->numbers[i], err_text(err));
    }
    return err;
}

/* --- 4. The new incarnation ------------------------------------------------------------------------- */

static enum err begin_anew(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    journal->recovery.created = journal->table.count == 0 && recovery->directory.segments.count == 0;
    if (journal->prepare_next == 0)
        journal->prepare_next = 1;
    journal->writer.incarnation = 1;
    journal->writer.lsn = 1;
    for (size_t i = 0; i < sizeof journal->journal_id; i += 8) {
        uint64_t random = random_u64(journal->seams.random);
        memcpy(journal->journal_id + i, &random, 8);
    }
    enum err err = list_is_empty(&journal->prepared) ? prepare_one(journal) : ERR_NONE;
    if (err != ERR_NONE)
        return why_set(recovery->why, err, "the first segment (%llu bytes) cannot be written: %s",
                       (unsigned long long)journal->settings.segment_size, err_text(err));
    return roll_begin(journal, prepare_take(journal));
}

/* False when there is no space for another segment: then the next start meets the same again. */
static bool has_next_segment(struct journal *journal)
{
    return !list_is_empty(&journal->prepared) || prepare_one(journal) == ERR_NONE;
}

static enum err open_incarnation(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    bool is_sealed = recovery->replay.is_sealed;
    bool wants_segment = is_sealed || recovery->base != recovery->active ||
                         journal->recovery.damaged_ranges > 0 || recovery->lacks_features;
    uint64_t from = recovery->replay.synced_end <= SEGMENT_HEADER_SIZE ? 0 : recovery->replay.synced_end;
    enum err err = segment_make_certain(journal->writer.file, from, journal->writer.position);
    if (err != ERR_NONE)
        return err;
    if (!wants_segment || !has_next_segment(journal))
        return commit_cover(journal);
    err = is_sealed ? roll_close(journal) : roll_seal(journal);
    if (err != ERR_NONE)
        return err;
    return roll_begin(journal, prepare_take(journal));
}

static enum err recover(struct recovery *recovery)
{
    struct journal *journal = recovery->journal;
    enum err err = directory_read(journal->seams.fs, &recovery->directory);
    if (err == ERR_NONE)
        err = find_active(recovery);
    if (err != ERR_NONE)
        return err;
    err =
        journal->seams.fs->ops->sync_directory(journal->seams.fs); /* the names it goes on with are certain */
    if (err != ERR_NONE)
        return err;
    const struct directory_numbers *segments = &recovery->directory.segments;
    uint64_t highest = segments->count == 0 ? 0 : segments->numbers[segments->count - 1];
    keep_consecutive(recovery, recovery->active != 0 ? recovery->active + 1 : highest + 1);
    if (recovery->active == 0) {
        remove_leftovers(recovery);
        return begin_anew(recovery);
    }
    err = find_base(recovery);
    if (err != ERR_NONE)
        return err;
    identity_load(journal, on_bad_index, journal);
    recovery->replay.catalog = &journal->catalog;
    recovery->replay.table = &journal->table;
    recovery->replay.identities = &journal->identities;
    recovery->replay.on_gap = on_gap;
    recovery->replay.on_lost_name = on_lost_name;
    recovery->replay.owner = recovery;
    err = scan_from_base(recovery);
    if (err != ERR_NONE)
        return err;
    compare_with_files(recovery);
    err = capacity_examine(journal, recovery->why);
    if (err != ERR_NONE)
        return err;
    remove_leftovers(recovery);
    return open_incarnation(recovery);
}

enum err recovery_run(struct journal *journal, struct why *why)
{
    struct recovery recovery = {.journal = journal, .why = why};
    int64_t began_ns = clock_now_ns(journal->seams.clock);
    replay_init(&recovery.replay);
    enum err err = recover(&recovery);
    journal->recovery.records_scanned = recovery.replay.records;
    journal->recovery.took_ns = clock_now_ns(journal->seams.clock) - began_ns;
    metric_set(METRIC_SEGMENTS, journal->table.count);
    replay_done(&recovery.replay);
    directory_done(&recovery.directory);
    if (err != ERR_NONE && why != NULL && why->text[0] == '\0')
        (void)why_set(why, err, "the journal cannot be opened: %s", err_text(err));
    return err;
}

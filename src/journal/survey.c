/* Reads a whole journal, segment by segment, with the same eyes as recovery. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/checkpoint.h"
#include "journal/directory.h"
#include "journal/replay.h"
#include "journal/segment_scan.h"

enum { FIELDS_SIZE = 512 };

/*
 * 1. Headers say which segments have begun; the highest of them is the active one.
 * 2. Each is scanned up to the end that its successor knows, the active one up to where it stops.
 * 3. Each one's checkpoint, and the frames behind it, say which offset must come next in each partition.
 * 4. The active one's checkpoint, and what was retired behind it, say which sealed segments there must be.
 */
struct walk {
    struct survey *survey;
    struct why *why;
    struct directory directory;
    uint64_t active; /* 0: none has begun */
    struct replay replay;
    struct catalog *catalog; /* of the latest checkpoint and the frames behind it; NULL before the first */
    struct segment_table table;
    struct survey_segment segment; /* the present one */
    bool has_state;                /* its checkpoint was met */
    uint64_t size;                 /* of a segment */
    uint64_t done;
};

static void find(struct survey *survey, enum survey_finding finding, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void find(struct survey *survey, enum survey_finding finding, const char *format, ...)
{
    char fields[FIELDS_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fields, sizeof fields, format, arguments);
    va_end(arguments);
    survey->damages += finding == SURVEY_DAMAGE;
    survey->losses += finding == SURVEY_LOSS;
    survey->torn_tails += finding == SURVEY_TORN_TAIL;
    survey->on_finding(survey->owner, finding, fields);
}

static void find_loss(struct walk *walk,
                      uint64_t segment,
                      const struct catalog *catalog,
                      const struct partition *partition,
                      uint64_t from,
                      uint64_t to)
{
    find(walk->survey, SURVEY_LOSS, "segment=%llu topic=%s partition=%u missing_offsets=%llu-%llu",
         (unsigned long long)segment, catalog->topics[partition->topic]->public.name, partition->partition,
         (unsigned long long)from, (unsigned long long)to - 1);
}

static void on_gap(void *owner, const struct frame_batch *batch, uint64_t expected, uint64_t found)
{
    struct walk *walk = owner;
    const struct partition *partition = catalog_partition(walk->catalog, batch->topic, batch->partition);
    find_loss(walk, walk->segment.number, walk->catalog, partition, expected, found);
}

static void on_lost_name(void *owner, const char *name)
{
    struct walk *walk = owner;
    find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=name named=%s",
         (unsigned long long)walk->segment.number, name);
}

/* What a checkpoint knows and no frame before it said, was in a segment before. */
static void compare_state(struct walk *walk, const struct catalog *before, const struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->slot_count; i++) {
        const struct partition *partition = catalog->slots[i];
        const struct partition *same = catalog_partition(before, partition->topic, partition->partition);
        uint64_t from = same == NULL ? 0 : same->next;
        if (from < partition->next)
            find_loss(walk, walk->segment.number - 1, catalog, partition, from, partition->next);
    }
}

static void drop_catalog(struct catalog *catalog)
{
    if (catalog != NULL)
        catalog_done(catalog);
    free(catalog);
}

/* The state of a segment's checkpoint in place of the one before. */
static void take_state(struct walk *walk, struct catalog *take_catalog, struct segment_table table)
{
    if (walk->catalog != NULL)
        compare_state(walk, walk->catalog, take_catalog);
    drop_catalog(walk->catalog);
    walk->catalog = take_catalog;
    segment_table_done(&walk->table);
    walk->table = table;
    walk->replay.catalog = walk->catalog;
    walk->replay.table = &walk->table;
}

/* The frames behind the checkpoint are applied to what it says. */
static enum err load_state(struct walk *walk)
{
    static const struct catalog_limits limits = {.topics_max = CATALOG_TOPICS_MAX,
                                                 .producers_max = CATALOG_PRODUCERS_MAX,
                                                 .groups_size_max = SIZE_MAX,
                                                 .notes_size_max = SIZE_MAX};
    struct segment_table table = {0};
    struct catalog *catalog = calloc(1, sizeof *catalog);
    walk->has_state = true;
    if (catalog == NULL)
        return ERR_MEMORY;
    catalog_init(catalog, &limits, 0);
    enum err err = checkpoint_read(buffer_span(&walk->replay.checkpoint), catalog, &table);
    if (err == ERR_NONE) {
        take_state(walk, catalog, table);
        return ERR_NONE;
    }
    drop_catalog(catalog);
    segment_table_done(&table);
    if (err != ERR_DAMAGED)
        return err;
    find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=checkpoint",
         (unsigned long long)walk->segment.number);
    return ERR_NONE;
}

static enum err on_set(void *owner, const struct scan_set *set)
{
    struct walk *walk = owner;
    walk->segment.frames_bytes += set->bytes.len;
    if (walk->survey->on_progress != NULL)
        walk->survey->on_progress(walk->survey->owner, walk->done + set->position,
                                  walk->size * walk->directory.segments.count);
    enum err err = replay_set(&walk->replay, set->bytes, set->position);
    bool is_new = walk->replay.has_checkpoint && !walk->has_state;
    return err == ERR_NONE && is_new ? load_state(walk) : err;
}

static void on_damage(void *owner, const struct segment_damage *damage)
{
    struct walk *walk = owner;
    find(walk->survey, SURVEY_DAMAGE, "segment=%llu from=%llu to=%llu first_lsn=%llu last_lsn=%llu",
         (unsigned long long)damage->segment, (unsigned long long)damage->from,
         (unsigned long long)damage->to, (unsigned long long)damage->first_lsn,
         (unsigned long long)damage->last_lsn);
}

static bool is_readable(enum segment_header_state state)
{
    return state == SEGMENT_HEADER_WHOLE || state == SEGMENT_HEADER_DAMAGED;
}

/* Opens a segment and reads its header; the caller closes the file. */
static enum err open_segment(struct walk *walk,
                             uint64_t number,
                             struct fs_file **ret_file,
                             struct segment_header *ret_header,
                             enum segment_header_state *ret_state)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".segment");
    enum err err = fs_open(walk->survey->fs, name, FS_OPEN_READ, ret_file);
    if (err != ERR_NONE)
        return why_set(walk->why, err, "%s: %s", name, err_text(err));
    err = replay_read_header(*ret_file, ret_header, ret_state, walk->why);
    if (err != ERR_NONE)
        *ret_file = fs_close(*ret_file);
    return err;
}

static enum err find_active(struct walk *walk)
{
    enum err err = ERR_NONE;
    for (uint32_t i = walk->directory.segments.count; err == ERR_NONE && i > 0 && walk->active == 0; i--) {
        uint64_t number = walk->directory.segments.numbers[i - 1];
        struct segment_header header = {0};
        enum segment_header_state state = SEGMENT_HEADER_LOST;
        struct fs_file *file = NULL;
        bool has_begun = false;
        err = open_segment(walk, number, &file, &header, &state);
        if (err == ERR_NONE && is_readable(state) && header.number == number)
            err = segment_scan_has_begun(file, &header, state, &has_begun);
        if (err == ERR_NONE && has_begun) {
            walk->active = number;
            walk->size = header.size;
        }
        file = fs_close(file);
    }
    return err;
}

/* Where the next segment says that this one ends; 0 when nobody says it. */
static uint64_t end_from_successor(struct walk *walk, const struct segment_header *header)
{
    struct segment_header next = {0};
    enum segment_header_state state = SEGMENT_HEADER_LOST;
    struct fs_file *file = NULL;
    if (header->number >= walk->active || !directory_has(&walk->directory.segments, header->number + 1) ||
        open_segment(walk, header->number + 1, &file, &next, &state) != ERR_NONE)
        return 0;
    file = fs_close(file);
    bool is_known =
        is_readable(state) && next.previous_number == header->number && next.previous_epoch == header->epoch;
    return is_known ? next.previous_end : 0;
}

static enum err scan(struct walk *walk, struct fs_file *file)
{
    struct segment_scan scan = {
        .file = file,
        .header = &walk->segment.header,
        .known_end = end_from_successor(walk, &walk->segment.header),
        .on_set = on_set,
        .on_damage = on_damage,
        .owner = walk,
    };
    uint64_t records = walk->replay.records;
    walk->replay.first_ns = 0;
    enum err err = segment_scan_run(&scan);
    if (err != ERR_NONE)
        return why_set(walk->why, err, "segment %llu: %s", (unsigned long long)walk->segment.number,
                       err_text(err));
    walk->segment.end = scan.end;
    walk->segment.records = walk->replay.records - records;
    walk->segment.first_ns = walk->replay.first_ns;
    walk->segment.last_ns = walk->replay.last_ns;
    if (scan.torn_to > scan.end)
        find(walk->survey, walk->segment.state == SURVEY_ACTIVE ? SURVEY_TORN_TAIL : SURVEY_DAMAGE,
             "segment=%llu from=%llu to=%llu", (unsigned long long)walk->segment.number,
             (unsigned long long)scan.end, (unsigned long long)scan.torn_to);
    return ERR_NONE;
}

static enum err verify_index(struct walk *walk)
{
    struct index_file *index = NULL;
    if (!directory_has(&walk->directory.indexes, walk->segment.number))
        return ERR_NONE;
    enum err err =
        index_file_open(walk->survey->fs, walk->segment.number, walk->segment.header.epoch, &index);
    if (err == ERR_NONE)
        err = index_file_verify(index);
    index = index_file_close(index);
    walk->segment.has_index = err == ERR_NONE;
    if (err != ERR_DAMAGED)
        return err;
    find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=index", (unsigned long long)walk->segment.number);
    return ERR_NONE;
}

static enum err survey_begun(struct walk *walk, struct fs_file *file, enum segment_header_state state)
{
    if (state == SEGMENT_HEADER_DAMAGED)
        find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=header from=0 to=%d",
             (unsigned long long)walk->segment.number, SEGMENT_HEADER_SIZE);
    enum err err = scan(walk, file);
    return err == ERR_NONE ? verify_index(walk) : err;
}

/* A file below the active one must have begun; above it, it waits to. */
static bool has_begun(struct walk *walk, enum segment_header_state state)
{
    uint64_t number = walk->segment.number;
    bool is_its_own = is_readable(state) && walk->segment.header.number == number;
    if (is_its_own && number <= walk->active) {
        walk->segment.state = number == walk->active ? SURVEY_ACTIVE : SURVEY_SEALED;
        return true;
    }
    if (is_its_own) /* the write that would have begun it was torn: nothing in it was acknowledged */
        find(walk->survey, SURVEY_TORN_TAIL, "segment=%llu from=0 to=%llu", (unsigned long long)number,
             (unsigned long long)walk->segment.header.size);
    walk->segment.state = state == SEGMENT_HEADER_LOST ? SURVEY_LOST : SURVEY_PREPARED;
    if (state == SEGMENT_HEADER_LOST || number < walk->active)
        find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=header_lost", (unsigned long long)number);
    return false;
}

static enum err survey_segment(struct walk *walk, uint64_t number)
{
    struct fs_file *file = NULL;
    enum segment_header_state state = SEGMENT_HEADER_LOST;
    walk->segment = (struct survey_segment){.number = number};
    walk->replay.has_checkpoint = false;
    walk->has_state = false;
    enum err err = open_segment(walk, number, &file, &walk->segment.header, &state);
    if (err == ERR_NONE && has_begun(walk, state))
        err = survey_begun(walk, file, state);
    file = fs_close(file);
    if (err != ERR_NONE)
        return err;
    walk->survey->segments++;
    walk->survey->on_segment(walk->survey->owner, &walk->segment);
    walk->done += walk->size;
    return ERR_NONE;
}

/* Segments that must be there and whose files are gone. */
static void find_missing(struct walk *walk)
{
    const struct directory_numbers *segments = &walk->directory.segments;
    uint64_t behind = walk->active + 1;
    uint64_t highest = segments->count == 0 ? 0 : segments->numbers[segments->count - 1];
    if (walk->active != 0 && highest > behind && !directory_has(segments, behind))
        find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=missing", (unsigned long long)behind);
    for (uint32_t i = 0; i < walk->table.count; i++) {
        const struct segment *segment = walk->table.segments[i];
        if (segment->state != SEGMENT_INDEX_ONLY &&
            !directory_has(&walk->directory.segments, segment->number))
            find(walk->survey, SURVEY_DAMAGE, "segment=%llu what=missing first_lsn=%llu last_lsn=%llu",
                 (unsigned long long)segment->number, (unsigned long long)segment->first_lsn,
                 (unsigned long long)segment->last_lsn);
    }
}

static void tell_group(struct walk *walk, const struct journal_group *group)
{
    struct survey_group told = {
        .name = group->public.name, .id = group->public.id, .has_done = group->public.has_done};
    for (uint32_t i = 0; i < group->count; i++) {
        const struct group_progress *progress = group->progresses[i];
        const struct partition *partition =
            catalog_partition(walk->catalog, progress->topic, progress->partition);
        if (partition == NULL || !progress->has_begun)
            continue;
        told.partitions++;
        told.behind += partition->next > progress->low ? partition->next - progress->low : 0;
        told.settled_above += progress->settled_above;
    }
    walk->survey->on_group(walk->survey->owner, &told);
}

static void tell_groups(struct walk *walk)
{
    if (walk->survey->on_group == NULL || walk->catalog == NULL)
        return;
    for (uint32_t i = 0; i < walk->catalog->groups.count; i++)
        tell_group(walk, walk->catalog->groups.groups[i]);
}

enum err survey_run(struct survey *survey, struct why *why)
{
    struct walk walk = {.survey = survey, .why = why};
    enum err err = directory_read(survey->fs, &walk.directory);
    if (err != ERR_NONE)
        return why_set(why, err, "the journal's directory: %s", err_text(err));
    replay_init(&walk.replay);
    walk.replay.on_gap = on_gap;
    walk.replay.on_lost_name = on_lost_name;
    walk.replay.owner = &walk;
    err = find_active(&walk);
    for (uint32_t i = 0; i < walk.directory.segments.count && err == ERR_NONE; i++)
        err = survey_segment(&walk, walk.directory.segments.numbers[i]);
    for (uint32_t i = 0; i < walk.directory.asides.count && err == ERR_NONE; i++)
        find(survey, SURVEY_DAMAGE, "segment=%llu what=set_aside",
             (unsigned long long)walk.directory.asides.numbers[i]);
    if (err == ERR_NONE)
        find_missing(&walk);
    if (err == ERR_NONE)
        tell_groups(&walk);
    survey->records = walk.replay.records;
    survey->active = walk.active;
    segment_table_done(&walk.table);
    drop_catalog(walk.catalog);
    replay_done(&walk.replay);
    directory_done(&walk.directory);
    return err;
}

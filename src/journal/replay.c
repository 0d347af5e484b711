/* Frames applied to catalog, table and index. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/replay.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "journal/checkpoint.h"
#include "journal/outcome_frame.h"
#include "journal/retire.h"
#include "journal/scanner.h"

enum { BATCHES_MAX = UINT16_MAX + 1 };

void replay_init(struct replay *replay)
{
    *replay = (struct replay){0};
    buffer_init(&replay->checkpoint, CHECKPOINT_SIZE_MAX);
    buffer_init(&replay->batches, BATCHES_MAX * sizeof(struct place_batch));
    buffer_init(&replay->runs, STORE_RUNS_MAX * sizeof(struct store_run));
}

void replay_done(struct replay *replay)
{
    buffer_done(&replay->checkpoint);
    buffer_done(&replay->batches);
    buffer_done(&replay->runs);
}

static enum err apply_group(struct replay *replay, const struct frame *frame)
{
    struct frame_group group;
    if (!frame_group_read(frame->payload, &group))
        return ERR_BAD_INPUT;
    replay->synced_end = group.synced_end;
    replay->wall_ns = group.wall_ns;
    replay->first_ns = replay->first_ns == 0 ? group.wall_ns : replay->first_ns;
    replay->last_ns = group.wall_ns > replay->last_ns ? group.wall_ns : replay->last_ns;
    return ERR_NONE;
}

/*
 * The frame that named a topic can be damaged while its batches are whole. They stay readable under a name that says so,
 * and the topics behind it keep their ids; how many partitions it had is not known.
 */
static enum err name_lost_topics(struct replay *replay, uint32_t count)
{
    struct catalog *catalog = replay->catalog;
    enum err err = ERR_NONE;
    while (err == ERR_NONE && replay->on_lost_name != NULL && catalog->topic_count < count) {
        char name[sizeof "waybill.lost." + 10];
        struct topic *topic;
        (void)snprintf(name, sizeof name, "waybill.lost.%u", catalog->topic_count);
        err = catalog_topic_add(catalog, catalog->topic_count, span_from_text(name), STORE_PARTITIONS_MAX, 0,
                                &topic);
        if (err == ERR_NONE)
            replay->on_lost_name(replay->owner, name);
    }
    return err;
}

static enum err name_lost_sequences(struct replay *replay, uint32_t count)
{
    struct catalog *catalog = replay->catalog;
    enum err err = ERR_NONE;
    while (err == ERR_NONE && replay->on_lost_name != NULL && catalog->sequence_count < count) {
        char name[sizeof "waybill.lost." + 10];
        (void)snprintf(name, sizeof name, "waybill.lost.%u", catalog->sequence_count);
        err = catalog_sequence_add(catalog, catalog->sequence_count, span_from_text(name));
        if (err == ERR_NONE)
            replay->on_lost_name(replay->owner, name);
    }
    return err;
}

/* For the places in the RUNS frame of the set; more than a door makes are not followed. */
static enum err note_batch(struct replay *replay, const struct place_batch *batch)
{
    enum err err = buffer_append(&replay->batches, span_of(batch, sizeof *batch));
    return err == ERR_TOO_LARGE ? ERR_NONE : err;
}

static enum err apply_batch(struct replay *replay, const struct frame *frame, uint64_t position)
{
    struct frame_batch batch;
    if (!frame_batch_read(frame->payload, &batch) || batch.batch.len < 8)
        return ERR_BAD_INPUT;
    replay->records += batch.records;
    enum err err = ERR_NONE;
    if (replay->catalog != NULL && batch.topic < replay->catalog->topics_max)
        err = name_lost_topics(replay, batch.topic + 1);
    if (err != ERR_NONE)
        return err;
    struct partition *partition =
        replay->catalog == NULL ? NULL : catalog_partition(replay->catalog, batch.topic, batch.partition);
    if (partition == NULL)
        return replay->catalog == NULL ? ERR_NONE : ERR_BAD_INPUT;
    uint64_t base = bytes_get_be64(batch.batch.data);
    if (base < partition->next)
        return ERR_BAD_INPUT; /* no reader may meet an offset twice */
    if (base > partition->next) {
        replay->gaps++;
        if (replay->on_gap != NULL)
            replay->on_gap(replay->owner, &batch, partition->next, base);
    }
    partition->next = partition->end = base + batch.records;
    size_t len = frame_padded(frame->len);
    partition->bytes += len;
    if (replay->index == NULL)
        return ERR_NONE;
    struct index_batch entry = {
        .slot = partition->slot,
        .records = batch.records,
        .base_offset = base,
        .position = (uint32_t)position,
        .len = (uint32_t)len,
        .wall_ns = batch.wall_ns,
    };
    err = segment_index_add_batch(replay->index, &entry);
    struct place_batch place = {batch.topic, batch.partition, base, batch.records};
    return err == ERR_NONE ? note_batch(replay, &place) : err;
}

static enum err apply_topic(struct replay *replay, const struct frame *frame)
{
    if (replay->catalog == NULL)
        return ERR_NONE;
    if (frame->payload.len <= 16)
        return ERR_BAD_INPUT;
    const uint8_t *body = frame->payload.data;
    struct span name = span_after(frame->payload, 16);
    struct topic *topic = catalog_topic_by_name(replay->catalog, name);
    if (topic != NULL) /* created while the checkpoint was written that holds it too */
        return topic->public.id == bytes_get_le32(body) ? ERR_NONE : ERR_BAD_INPUT;
    enum err err = bytes_get_le32(body) < replay->catalog->topics_max
                       ? name_lost_topics(replay, bytes_get_le32(body))
                       : ERR_BAD_INPUT;
    if (err != ERR_NONE)
        return err;
    return catalog_topic_add(replay->catalog, bytes_get_le32(body), name, bytes_get_le32(body + 4),
                             (int64_t)bytes_get_le64(body + 8), &topic);
}

static enum err apply_sequence(struct replay *replay, const struct frame *frame)
{
    if (replay->catalog == NULL)
        return ERR_NONE;
    if (frame->payload.len <= 8)
        return ERR_BAD_INPUT;
    struct span name = span_after(frame->payload, 8);
    if (catalog_sequence_by_name(replay->catalog, name) >= 0)
        return ERR_NONE;
    enum err err = name_lost_sequences(replay, bytes_get_le32(frame->payload.data));
    if (err != ERR_NONE)
        return err;
    return catalog_sequence_add(replay->catalog, bytes_get_le32(frame->payload.data), name);
}

static enum err apply_run(struct replay *replay, uint32_t sequence, struct store_run run)
{
    if (!run_is_legal(run.from, run.count))
        return ERR_BAD_INPUT;
    if (run.from == 0) /* records without a number */
        return ERR_NONE;
    if (replay->catalog != NULL)
        catalog_sequence_raise(replay->catalog, sequence, run.from + run.count - 1);
    if (replay->index == NULL)
        return ERR_NONE;
    return segment_index_add_runs(replay->index, sequence, &run, 1, (uint32_t)replay->set_position);
}

/* When bad bytes took a part of the set, its batches and places do not agree, and the index passes them over. */
static enum err apply_places(struct replay *replay, const struct frame_runs *runs)
{
    if (replay->index == NULL || runs->run_count > STORE_RUNS_MAX)
        return ERR_NONE;
    buffer_clear(&replay->runs);
    for (uint32_t i = 0; i < runs->run_count; i++) {
        struct store_run run = frame_runs_at(runs, i);
        enum err err = buffer_append(&replay->runs, span_of(&run, sizeof run));
        if (err != ERR_NONE)
            return err;
    }
    struct place_append about = {
        .sequence = runs->sequence,
        .runs = (const struct store_run *)(const void *)replay->runs.data,
        .run_count = runs->run_count,
        .places_framed = runs->places.data,
        .place_count = runs->place_count,
        .batches = (const struct place_batch *)(const void *)replay->batches.data,
        .batch_count = (uint32_t)(replay->batches.len / sizeof(struct place_batch)),
        .wall_ns = replay->wall_ns,
    };
    return segment_index_add_places(replay->index, &about);
}

static enum err apply_runs(struct replay *replay, const struct frame *frame)
{
    struct frame_runs runs;
    if (!frame_runs_read(frame->payload, &runs) || runs.producer.len > STORE_PRODUCER_MAX ||
        runs.sequence >= CATALOG_SEQUENCES_MAX)
        return ERR_BAD_INPUT;
    enum err err = replay->catalog == NULL ? ERR_NONE : name_lost_sequences(replay, runs.sequence + 1);
    if (err != ERR_NONE)
        return err;
    if (replay->catalog != NULL && runs.sequence >= replay->catalog->sequence_count)
        return ERR_BAD_INPUT;
    for (uint32_t i = 0; err == ERR_NONE && i < runs.run_count; i++)
        err = apply_run(replay, runs.sequence, frame_runs_at(&runs, i));
    if (err == ERR_NONE)
        err = apply_places(replay, &runs);
    if (err == ERR_NONE && runs.producer.len > 0 && replay->catalog != NULL)
        err = catalog_producer_raise(replay->catalog, runs.sequence, runs.producer, runs.producer_last,
                                     frame->lsn);
    return err;
}

static enum err apply_identities(struct replay *replay, const struct frame *frame)
{
    struct span payload = frame->payload;
    if (payload.len < FRAME_IDENTITIES_FIXED)
        return ERR_BAD_INPUT;
    uint64_t count = bytes_get_le32(payload.data);
    if (payload.len != FRAME_IDENTITIES_FIXED + count * FRAME_IDENTITY_SIZE)
        return ERR_BAD_INPUT;
    int64_t wall_ns = (int64_t)bytes_get_le64(payload.data + 8);
    enum err err = ERR_NONE;
    for (uint64_t i = 0; err == ERR_NONE && i < count; i++) {
        const uint8_t *hash = payload.data + FRAME_IDENTITIES_FIXED + i * FRAME_IDENTITY_SIZE;
        if (replay->index != NULL)
            err = segment_index_add_identity(replay->index, hash, wall_ns);
        if (err == ERR_NONE && replay->identities != NULL)
            err = identity_window_load(replay->identities, hash, wall_ns);
    }
    return err;
}

static struct settle settle_of(const struct replay *replay)
{
    return (struct settle){replay->catalog, replay->index, replay->wall_ns};
}

static enum err apply_outcomes(const struct replay *replay, const struct frame *frame)
{
    struct frame_outcomes outcomes;
    if (!frame_outcomes_read(frame->payload, &outcomes))
        return ERR_BAD_INPUT;
    if (replay->catalog == NULL)
        return ERR_NONE;
    struct settle settle = settle_of(replay);
    struct settle_run run = {
        .group = outcomes.group,
        .topic = outcomes.topic,
        .partition = outcomes.partition,
        .outcome = (enum store_outcome)outcomes.outcome,
        .attempts = outcomes.attempts,
        .status = outcomes.status,
        .by = outcomes.by,
        .has_dead = outcomes.outcome == STORE_OUTCOME_DEAD && outcomes.dead.topic != FRAME_NO_DEAD_LETTER,
        .dead = outcomes.dead,
    };
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < outcomes.run_count; i++) {
        frame_outcomes_at(&outcomes, i, &run.offset, &run.count);
        err = settle_run(&settle, &run);
        run.dead.offset += run.count;
    }
    return err;
}

/* One that is known already was made while the checkpoint was written that holds it too. */
static enum err apply_reader(const struct replay *replay, const struct frame *frame)
{
    struct frame_reader reader;
    struct journal_group *group;
    if (!frame_reader_read(frame->payload, &reader))
        return ERR_BAD_INPUT;
    if (replay->catalog == NULL)
        return ERR_NONE;
    struct group_book *book = &replay->catalog->groups;
    if (reader.state == FRAME_READER_FORGOTTEN) {
        group_book_remove(book, reader.id);
        return ERR_NONE;
    }
    if (group_book_by_id(book, reader.id) != NULL)
        return ERR_NONE;
    return group_book_add(book, reader.id, reader.name, reader.wall_ns, &group);
}

static enum err apply_seek(const struct replay *replay, const struct frame *frame)
{
    struct store_seek seek;
    int64_t wall_ns;
    if (!frame_seek_read(frame->payload, &seek, &wall_ns))
        return ERR_BAD_INPUT;
    struct settle settle = settle_of(replay);
    return replay->catalog == NULL ? ERR_NONE : settle_seek(&settle, &seek);
}

static enum err apply_note(const struct replay *replay, const struct frame *frame)
{
    struct store_note note;
    if (!frame_note_read(frame->payload, &note))
        return ERR_BAD_INPUT;
    if (replay->catalog == NULL)
        return ERR_NONE;
    if (note.value.data != NULL)
        return note_book_load(&replay->catalog->notes, &note);
    note_book_remove(&replay->catalog->notes, note.key);
    return ERR_NONE;
}

static enum err apply_retire(struct replay *replay, const struct frame *frame)
{
    uint64_t number;
    if (replay->catalog == NULL)
        return ERR_NONE;
    struct settle settle = settle_of(replay);
    enum err err = retire_apply(&settle, frame->payload, &number);
    if (err != ERR_NONE)
        return err;
    struct segment *segment = replay->table == NULL ? NULL : segment_table_find(replay->table, number);
    if (segment != NULL && segment->state == SEGMENT_SEALED)
        segment_move(segment, SEGMENT_INDEX_ONLY);
    return ERR_NONE;
}

static enum err apply_checkpoint(struct replay *replay, const struct frame *frame, bool is_first)
{
    if (is_first)
        buffer_clear(&replay->checkpoint);
    enum err err = buffer_append(&replay->checkpoint, frame->payload);
    replay->has_checkpoint = err == ERR_NONE && (frame->flags & FRAME_MORE) == 0;
    return err;
}

static enum err apply(struct replay *replay, const struct frame *frame, uint64_t position)
{
    switch (frame->kind) {
    case FRAME_GROUP: return apply_group(replay, frame);
    case FRAME_BATCH: return apply_batch(replay, frame, position);
    case FRAME_TOPIC: return apply_topic(replay, frame);
    case FRAME_SEQUENCE: return apply_sequence(replay, frame);
    case FRAME_RUNS: return apply_runs(replay, frame);
    case FRAME_IDENTITIES: return apply_identities(replay, frame);
    case FRAME_CHECKPOINT: return apply_checkpoint(replay, frame, position == replay->set_position);
    case FRAME_RETIRE: return apply_retire(replay, frame);
    case FRAME_OUTCOMES: return apply_outcomes(replay, frame);
    case FRAME_READER: return apply_reader(replay, frame);
    case FRAME_SEEK: return apply_seek(replay, frame);
    case FRAME_NOTE: return apply_note(replay, frame);
    case FRAME_SEAL: replay->is_sealed = true; return ERR_NONE;
    default: return ERR_BAD_INPUT;
    }
}

enum err replay_set(struct replay *replay, struct span frames, uint64_t position)
{
    struct frame frame;
    replay->set_position = position;
    buffer_clear(&replay->batches);
    for (uint64_t at = position; scan_set_next(&frames, &position, &frame); at = position) {
        enum err err = apply(replay, &frame, at);
        if (err == ERR_MEMORY)
            return err;
        if (err != ERR_NONE)
            replay->strange++;
    }
    return ERR_NONE;
}

enum err replay_read_header(struct fs_file *file,
                            struct segment_header *ret_header,
                            enum segment_header_state *ret_state,
                            struct why *why)
{
    uint8_t page[SEGMENT_PAGE] = {0};
    size_t len;
    enum err err = fs_pread(file, page, sizeof page, 0, &len);
    if (err != ERR_NONE)
        return err;
    return segment_header_read(page, ret_header, ret_state, why);
}

static enum err open_segment(struct journal *journal, uint64_t number, struct fs_file **ret_file)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".segment");
    return fs_open(journal->seams.fs, name, FS_OPEN_READ, ret_file);
}

/* Every set up to the end; behind bad bytes it goes on with the next good frame. */
static enum err scan_all(struct scanner *scanner, struct replay *replay)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE) {
        struct scan_set set;
        enum scan scan = scanner_next(scanner, &set, &err);
        if (scan == SCAN_FAILED)
            return err;
        err = replay_set(replay, set.bytes, set.position);
        if (err == ERR_NONE && scan == SCAN_STOP) {
            if (set.position + set.bytes.len >= scanner->end)
                return ERR_NONE;
            err = scanner_resync(scanner, set.position + set.bytes.len);
            if (err == ERR_NOT_FOUND)
                return ERR_NONE;
        }
    }
    return err;
}

enum err replay_index(struct journal *journal, struct segment *segment, struct catalog *ret_catalog)
{
    struct fs_file *file;
    enum err err = open_segment(journal, segment->number, &file);
    if (err != ERR_NONE)
        return err;
    struct scanner scanner;
    struct replay replay;
    struct segment_table table = {0};
    scanner_init(&scanner, file, segment->epoch, segment->end);
    scanner_seek(&scanner, SEGMENT_HEADER_SIZE, segment->first_lsn, 0);
    replay_init(&replay);
    /* Its own checkpoint gives topics and next offsets, as they were when it began. */
    err = replay_checkpoint_of(journal, segment->number, ret_catalog, &table);
    if (err == ERR_NONE) {
        replay.catalog = ret_catalog;
        replay.index = segment->index;
        err = scan_all(&scanner, &replay);
        segment_table_done(&table);
    }
    replay_done(&replay);
    scanner_done(&scanner);
    fs_close(file);
    return err;
}

/* The catalog and table of the checkpoint that was found. DAMAGED, MEMORY: then both are empty. */
static enum err load_checkpoint(struct journal *journal,
                                const struct replay *replay,
                                uint64_t number,
                                struct catalog *ret_catalog,
                                struct segment_table *ret_table)
{
    *ret_table = (struct segment_table){0};
    struct catalog_limits limits = journal_catalog_limits(journal);
    catalog_init(ret_catalog, &limits, random_u64(journal->seams.random));
    enum err err = checkpoint_read(buffer_span(&replay->checkpoint), ret_catalog, ret_table);
    const struct segment *last = segment_table_last(ret_table);
    if (err == ERR_NONE && last != NULL && last->number >= number) /* it lists those before its segment */
        err = ERR_DAMAGED;
    if (err != ERR_NONE) {
        catalog_done(ret_catalog);
        segment_table_done(ret_table);
    }
    return err;
}

enum err replay_checkpoint_of(struct journal *journal,
                              uint64_t number,
                              struct catalog *ret_catalog,
                              struct segment_table *ret_table)
{
    struct fs_file *file;
    enum err err = open_segment(journal, number, &file);
    if (err != ERR_NONE)
        return err;
    struct segment_header header;
    enum segment_header_state state;
    struct scanner scanner = {0};
    struct replay replay;
    replay_init(&replay);
    err = replay_read_header(file, &header, &state, NULL);
    if (err == ERR_NONE &&
        (state == SEGMENT_HEADER_ABSENT || state == SEGMENT_HEADER_LOST || header.number != number))
        err = ERR_NOT_FOUND;
    if (err == ERR_NONE) {
        scanner_init(&scanner, file, header.epoch, header.size);
        scanner_seek(&scanner, SEGMENT_HEADER_SIZE, header.first_lsn, 0);
        struct scan_set set = {0};
        /* The first set is the GROUP frame, the second the checkpoint. */
        for (int i = 0; i < 2 && err == ERR_NONE && scanner_next(&scanner, &set, &err) == SCAN_SET; i++)
            err = replay_set(&replay, set.bytes, set.position);
    }
    if (err == ERR_NONE && !replay.has_checkpoint)
        err = ERR_NOT_FOUND;
    if (err == ERR_NONE)
        err = load_checkpoint(journal, &replay, number, ret_catalog, ret_table);
    replay_done(&replay);
    scanner_done(&scanner);
    fs_close(file);
    return err;
}

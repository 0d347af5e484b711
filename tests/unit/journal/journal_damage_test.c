/* Damage to what holds other things together: names, files, indexes of what is gone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "journal/frame.h"
#include "journal/segment.h"
#include "journal/segment_header.h"
#include "journal/survey.h"
#include "support/journal_model.h"
#include "support/test.h"

#define ALL_TIME (JOURNAL_MODEL_NEVER - 1)

enum { APPENDS = 70 };

struct fixture {
    struct journal_bench bench;
    struct journal_model model;
};

static void begin(struct fixture *fixture, uint32_t appends, uint32_t segment_size, uint32_t files_max)
{
    *fixture = (struct fixture){0};
    journal_bench_init(&fixture->bench, 5);
    fixture->bench.settings.segment_size = segment_size;
    fixture->bench.settings.size_max = files_max * (uint64_t)segment_size;
    journal_model_init(&fixture->model, &fixture->bench);
    (void)snprintf(fixture->model.where, sizeof fixture->model.where, "the model");
    journal_bench_open(&fixture->bench);
    for (uint32_t shape = 0; shape < appends; shape++) {
        expect_fine(journal_model_submit(&fixture->model, shape));
        journal_bench_settle(&fixture->bench);
    }
    journal_bench_rest(&fixture->bench);
    fixture->model.has_damage = true;
}

static void finish(struct fixture *fixture)
{
    journal_model_done(&fixture->model);
    journal_bench_done(&fixture->bench);
}

static struct store_extent extent_of(struct fixture *fixture, const char *name, uint32_t partition)
{
    struct store *store = fixture->bench.store;
    struct store_topic topic;
    struct store_extent extent;
    expect_fine(store->ops->topic_open(store, span_from_text(name), 0, false, &topic));
    expect_fine(store->ops->extent(store, topic.id, partition, &extent));
    return extent;
}

/* Where a file holds these bytes first. */
static uint64_t find(struct fs *fs, const char *file, struct span wanted)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    expect_fine(fs_memory_read_all(fs, file, &bytes));
    uint8_t *at = memmem(bytes.data, bytes.len, wanted.data, wanted.len);
    expect_not_null(at);
    uint64_t position = (uint64_t)(at - bytes.data);
    buffer_done(&bytes);
    return position;
}

TEST(records_of_a_topic_whose_name_is_lost_stay_readable_and_later_topics_keep_their_ids)
{
    struct fixture fixture;
    begin(&fixture, APPENDS, 4 * JOURNAL_BENCH_SEGMENT, 5);
    struct store_extent before = extent_of(&fixture, "topic-1", 1);
    struct store_extent later = extent_of(&fixture, "topic-2", 0);
    expect(before.end > 0 && later.end > 0);
    journal_bench_close(&fixture.bench);
    struct fs *fs = fixture.bench.fs;
    fs_memory_poke(fs, "0000000000000001.segment",
                   find(fs, "0000000000000001.segment", span_from_text("topic-1")), 1);
    for (int life = 0; life < 3; life++) {
        journal_bench_open(&fixture.bench);
        expect_equal_u64(extent_of(&fixture, "waybill.lost.1", 1).end, before.end);
        expect_equal_u64(extent_of(&fixture, "topic-2", 0).end, later.end);
        if (life == 0)
            expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "waybill.lost.1"));
        expect_equal_u64(journal_recovery(fixture.bench.journal)->damaged_ranges > 0, life == 0);
        journal_model_check(&fixture.model, ALL_TIME);
        journal_bench_close(&fixture.bench);
    }
    finish(&fixture);
}

static void no_segment(void *owner, const struct survey_segment *segment)
{
    (void)owner;
    (void)segment;
}

static void keep_finding(void *owner, enum survey_finding finding, const char *fields)
{
    char *kept = owner;
    (void)finding;
    (void)snprintf(kept, JOURNAL_BENCH_EVENT_SIZE, "%s", fields);
}

TEST(a_missing_file_of_the_active_segment_is_noticed_by_the_gap_behind_it)
{
    struct fixture fixture;
    char finding[JOURNAL_BENCH_EVENT_SIZE] = "";
    begin(&fixture, 3 * APPENDS, JOURNAL_BENCH_SEGMENT, 5);
    struct fs *fs = fixture.bench.fs;
    journal_bench_close(&fixture.bench);
    struct survey survey = {.fs = fs, .on_segment = no_segment, .on_finding = keep_finding, .owner = finding};
    expect_fine(survey_run(&survey, NULL));
    expect_equal_u64(survey.damages, 0);
    char name[64];
    (void)snprintf(name, sizeof name, "%016llu.segment", (unsigned long long)survey.active);
    expect_fine(fs->ops->unlink(fs, name));
    expect_fine(survey_run(&survey, NULL));
    expect_not_null(strstr(finding, "what=missing"));
    journal_bench_open(&fixture.bench);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "what=missing"));
    journal_model_check(&fixture.model, ALL_TIME);
    expect(fixture.model.missing > 0);
    finish(&fixture);
}

struct survey_notes {
    struct survey_segment sealed; /* the last */
    char loss[JOURNAL_BENCH_EVENT_SIZE];
};

static void note_segment(void *owner, const struct survey_segment *segment)
{
    struct survey_notes *notes = owner;
    if (segment->state == SURVEY_SEALED)
        notes->sealed = *segment;
}

static void note_loss(void *owner, enum survey_finding finding, const char *fields)
{
    struct survey_notes *notes = owner;
    if (finding == SURVEY_LOSS)
        keep_finding(notes->loss, finding, fields);
}

static void wipe_end(struct fs *fs, const struct survey_segment *segment)
{
    static const uint8_t zeros[16 * 1024];
    struct fs_file *file;
    char name[64];
    (void)snprintf(name, sizeof name, "%016llu.segment", (unsigned long long)segment->number);
    expect_fine(fs_open(fs, name, FS_OPEN_WRITE, &file));
    expect_fine(fs_pwrite(file, span_of(zeros, sizeof zeros), segment->end - sizeof zeros));
    fs_close(file);
}

TEST(records_lost_at_the_end_of_a_segment_are_named_by_the_checkpoint_behind_it)
{
    struct fixture fixture;
    struct survey_notes notes = {0};
    char expected[64];
    begin(&fixture, 3 * APPENDS, JOURNAL_BENCH_SEGMENT, 5);
    struct fs *fs = fixture.bench.fs;
    journal_bench_close(&fixture.bench);
    struct survey survey = {.fs = fs, .on_segment = note_segment, .on_finding = note_loss, .owner = &notes};
    expect_fine(survey_run(&survey, NULL));
    expect_equal_u64(survey.losses, 0);
    wipe_end(fs, &notes.sealed);
    expect_fine(survey_run(&survey, NULL));
    expect_equal_u64(survey.damages, 1);
    expect(survey.losses > 0);
    (void)snprintf(expected, sizeof expected, "segment=%llu topic=", (unsigned long long)notes.sealed.number);
    expect(strncmp(notes.loss, expected, strlen(expected)) == 0);
    expect_not_null(strstr(notes.loss, "missing_offsets="));
    journal_bench_open(&fixture.bench);
    finish(&fixture);
}

struct spoiling {
    struct fs *fs;
    unsigned count;
};

static void spoil_index(void *owner, const char *name)
{
    struct spoiling *spoiling = owner;
    if (strstr(name, ".index") == NULL)
        return;
    for (uint64_t block = 1; block < 5; block++)
        fs_memory_poke(spoiling->fs, name, block * 4096 + 100, 0x40);
    spoiling->count++;
}

TEST(bad_index_files_are_made_again_and_those_of_retired_segments_are_said_to_be_lost)
{
    struct fixture fixture;
    begin(&fixture, 6 * APPENDS, JOURNAL_BENCH_SEGMENT, 5);
    struct fs *fs = fixture.bench.fs;
    struct store_extent extent = extent_of(&fixture, "topic-0", 0);
    expect(extent.start > 0);
    journal_bench_close(&fixture.bench);
    struct spoiling spoiling = {.fs = fs};
    expect_fine(fs->ops->list(fs, spoil_index, &spoiling));
    expect(spoiling.count > 2);
    journal_bench_open(&fixture.bench);
    journal_model_check(&fixture.model, ALL_TIME);
    expect_equal_u64(fixture.model.missing, 0);
    expect(fixture.model.missing_numbers > 0);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "numbers=lost"));
    journal_bench_rest(&fixture.bench);
    finish(&fixture);
}

static void remove_files(struct fs *fs, uint64_t number, bool also_segment)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, number, ".index");
    expect_fine(fs->ops->unlink(fs, name));
    segment_name(name, number, ".segment");
    if (also_segment)
        expect_fine(fs->ops->unlink(fs, name));
}

TEST(an_index_is_made_again_although_the_next_segment_is_lost)
{
    struct fixture fixture;
    begin(&fixture, 3 * APPENDS, JOURNAL_BENCH_SEGMENT, 20);
    struct fs *fs = fixture.bench.fs;
    journal_bench_close(&fixture.bench);
    remove_files(fs, 2, true);
    remove_files(fs, 1, false);
    journal_bench_open(&fixture.bench);
    journal_model_check(&fixture.model, ALL_TIME);
    expect(fixture.model.missing > 0);
    expect_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "unreadable"));
    struct store *store = fixture.bench.store;
    uint64_t offset = UINT64_MAX;
    expect_fine(store->ops->offset_at(store, 0, 0, 0, &offset));
    expect_equal_u64(offset, 0); /* in front of the segment that is lost */
    finish(&fixture);
}

TEST(a_segment_whose_index_cannot_be_made_again_is_stepped_over)
{
    struct fixture fixture;
    begin(&fixture, 3 * APPENDS, JOURNAL_BENCH_SEGMENT, 20);
    struct fs *fs = fixture.bench.fs;
    journal_bench_close(&fixture.bench);
    remove_files(fs, 2, false);
    fs_memory_poke(fs, "0000000000000002.segment", SEGMENT_HEADER_SIZE + FRAME_GROUP_SIZE + 40, 1);
    journal_bench_open(&fixture.bench);
    journal_model_check(&fixture.model, ALL_TIME); /* reads go on behind it and come to the end */
    expect(fixture.model.missing > 0);
    expect(fixture.model.missing < fixture.model.count / 2);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "segment=2 what=unreadable"));
    finish(&fixture);
}

/* Rewrites the first number in the table of the checkpoint that a segment begins with. */
static void renumber(struct fs *fs, const char *name, uint64_t number)
{
    enum { ENTRY_HEADER = 8, SEGMENT_ENTRY = 6 };
    struct buffer bytes;
    struct segment_header header;
    enum segment_header_state state;
    buffer_init(&bytes, 1 << 20);
    expect_fine(fs_memory_read_all(fs, name, &bytes));
    expect_fine(segment_header_read(bytes.data, &header, &state, NULL));
    uint8_t *at = bytes.data + SEGMENT_HEADER_SIZE + FRAME_GROUP_SIZE;
    struct frame frame = frame_peek(at);
    expect(frame.kind == FRAME_CHECKPOINT);
    uint8_t *entry = at + FRAME_HEADER_SIZE;
    while (entry[0] != SEGMENT_ENTRY)
        entry += ENTRY_HEADER + bytes_get_le32(entry + 4);
    expect(entry < at + frame.len);
    bytes_put_le64(entry + ENTRY_HEADER, number);
    frame_write(at, &frame, frame_crc_of_epoch(header.epoch));
    struct fs_file *file;
    expect_fine(fs_open(fs, name, FS_OPEN_WRITE, &file));
    expect_fine(fs_pwrite(file, buffer_span(&bytes), 0));
    fs_close(file);
    buffer_done(&bytes);
}

TEST(a_checkpoint_that_lists_its_own_segment_is_damage)
{
    struct fixture fixture;
    begin(&fixture, 2, JOURNAL_BENCH_SEGMENT, 20);
    fixture.model.has_damage = false;
    struct buffer index;
    buffer_init(&index, 1 << 20);
    for (uint32_t shape = 2;
         fs_memory_read_all(fixture.bench.fs, "0000000000000001.index", &index) != ERR_NONE; shape++) {
        expect_fine(journal_model_submit(&fixture.model, shape));
        journal_bench_settle(&fixture.bench);
    }
    buffer_done(&index);
    journal_bench_close(&fixture.bench);
    renumber(fixture.bench.fs, "0000000000000002.segment", 2);
    journal_bench_open(&fixture.bench);
    expect_equal_u64(journal_recovery(fixture.bench.journal)->damaged_ranges, 1);
    expect_not_null(strstr(fixture.bench.last_event[JOURNAL_EVENT_DAMAGE], "segment=2 what=checkpoint"));
    journal_model_check(&fixture.model, ALL_TIME);
    finish(&fixture);
}

TEST_MAIN(records_of_a_topic_whose_name_is_lost_stay_readable_and_later_topics_keep_their_ids,
          a_missing_file_of_the_active_segment_is_noticed_by_the_gap_behind_it,
          records_lost_at_the_end_of_a_segment_are_named_by_the_checkpoint_behind_it,
          bad_index_files_are_made_again_and_those_of_retired_segments_are_said_to_be_lost,
          an_index_is_made_again_although_the_next_segment_is_lost,
          a_segment_whose_index_cannot_be_made_again_is_stepped_over,
          a_checkpoint_that_lists_its_own_segment_is_damage)

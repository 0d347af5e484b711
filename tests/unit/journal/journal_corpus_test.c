/* Damaged journals of each format, kept as files: how each is verified and opened stays as it was. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "journal/frame.h"
#include "journal/segment_header.h"
#include "journal/survey.h"
#include "support/journal_model.h"
#include "support/page.h"
#include "support/test.h"

/*
 * tests/corpus/journals/<name>.journal, lines of text:
 *
 *   # what is wrong with it
 *   open NONE damaged 1 torn 0           what opening it says: the error, whether damage or a torn tail was told
 *   verify NONE damaged 1 torn 0         likewise the survey
 *   records 85                           that can be read, of all topics together
 *   file 0000000000000001.segment 32768
 *   at 4096 1d477be6...                  bytes that are not zeros
 *
 * They are written by this program with WAYBILL_MAKE_JOURNALS=1, those that are not there yet: a journal of an older
 * format is never made again.
 */
enum {
    LINE_BYTES = 64,
    SEGMENT = 8 * 1024,
    SEGMENT_WITH_GROUPS = 16 * 1024, /* with room for a group in its checkpoint */
    APPENDS = 11,
    APPENDS_WITH_GROUPS = 26,
    READ_SIZE = 64 * 1024
};

struct outcome {
    char open[32];
    char verify[32];
    unsigned open_damaged;
    unsigned open_torn;
    unsigned verify_damaged;
    unsigned verify_torn;
    unsigned records;
};

static void use_segments(struct journal_bench *bench, uint32_t size)
{
    bench->settings.segment_size = size;
    bench->settings.append_size_max = size / 4;
    bench->settings.record_size_max = size / 8;
}

/* --- Text to files and back ------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

struct writing {
    struct fs *fs;
    FILE *to;
};

static void write_file(void *owner, const char *name)
{
    const struct writing *writing = owner;
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    expect_fine(fs_memory_read_all(writing->fs, name, &bytes));
    (void)fprintf(writing->to, "file %s %zu\n", name, bytes.len);
    for (size_t at = 0; at < bytes.len; at += LINE_BYTES) {
        size_t len = bytes.len - at < LINE_BYTES ? bytes.len - at : LINE_BYTES;
        while (len > 0 && bytes.data[at + len - 1] == 0)
            len--;
        if (is_zero(bytes.data + at, len))
            continue;
        (void)fprintf(writing->to, "at %zu ", at);
        for (size_t i = 0; i < len; i++)
            (void)fprintf(writing->to, "%02x", bytes.data[at + i]);
        (void)fputc('\n', writing->to);
    }
    buffer_done(&bytes);
}

static unsigned digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

static void read_bytes(struct fs_file *file, const char *line)
{
    uint8_t bytes[LINE_BYTES];
    char *hex;
    size_t len = 0;
    uint64_t at = strtoull(line + strlen("at "), &hex, 10);
    for (const char *c = hex + 1; isxdigit((unsigned char)c[0]) && len < sizeof bytes; c += 2)
        bytes[len++] = (uint8_t)(digit(c[0]) << 4 | digit(c[1]));
    check(file != NULL);
    expect_fine(fs_pwrite(file, span_of(bytes, len), at));
}

/* The number behind a word of the line; 0 when it is not there. */
static unsigned number_behind(const char *line, const char *word)
{
    const char *at = strstr(line, word);
    return at == NULL ? 0 : (unsigned)strtoul(at + strlen(word), NULL, 10);
}

static void read_outcome(const char *line, struct outcome *outcome)
{
    if (sscanf(line, "open %31s", outcome->open) == 1) {
        outcome->open_damaged = number_behind(line, " damaged ");
        outcome->open_torn = number_behind(line, " torn ");
    } else if (sscanf(line, "verify %31s", outcome->verify) == 1) {
        outcome->verify_damaged = number_behind(line, " damaged ");
        outcome->verify_torn = number_behind(line, " torn ");
    } else if (strncmp(line, "records ", 8) == 0) {
        outcome->records = number_behind(line, "records ");
    }
}

static struct fs *read_journal(char *text, struct outcome *ret_outcome)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = NULL;
    char *rest = NULL;
    char name[64];
    *ret_outcome = (struct outcome){0};
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (sscanf(line, "file %63s", name) == 1) {
            file = fs_close(file);
            expect_fine(fs_open(fs, name, FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
            expect_fine(file->ops->truncate(file, strtoull(strrchr(line, ' '), NULL, 10)));
        } else if (strncmp(line, "at ", 3) == 0) {
            read_bytes(file, line);
        } else {
            read_outcome(line, ret_outcome);
        }
    }
    file = fs_close(file);
    return fs;
}

/* --- What comes of it ---------------------------------------------------------------------------------- */

static void on_segment(void *owner, const struct survey_segment *segment)
{
    (void)owner;
    (void)segment;
}

static void on_finding(void *owner, enum survey_finding finding, const char *fields)
{
    (void)owner;
    (void)finding;
    expect(strncmp(fields, "segment=", 8) == 0);
}

static unsigned count_partition(struct store *store, uint32_t topic, uint32_t partition)
{
    uint8_t *buffer = malloc(READ_SIZE);
    check(buffer != NULL);
    struct store_extent extent;
    expect_fine(store->ops->extent(store, topic, partition, &extent));
    struct store_read read = {
        .topic = topic, .partition = partition, .offset = extent.start, .buffer = buffer, .size = READ_SIZE};
    unsigned records = 0;
    while (read.offset < extent.end) {
        enum err err = store->ops->read(store, &read);
        expect(err == ERR_NONE || err == ERR_DAMAGED);
        expect(read.ret_next_offset > read.offset);
        records += err == ERR_NONE ? (unsigned)(read.ret_next_offset - read.offset) : 0;
        read.offset = read.ret_next_offset;
    }
    free(buffer);
    return records;
}

static unsigned count_records(struct store *store)
{
    struct store_topic topic;
    unsigned records = 0;
    for (uint32_t position = 0; store->ops->topic_next(store, &position, &topic);)
        for (uint32_t i = 0; i < topic.partitions; i++)
            records += count_partition(store, topic.id, i);
    return records;
}

/* The first from this one on that is small. */
static uint32_t next_shape(uint32_t shape)
{
    while (journal_model_size_of(shape) > SEGMENT / 8)
        shape++;
    return shape;
}

/* It goes on: an append, a second start. */
static void go_on(struct journal_bench *bench)
{
    struct journal_model model;
    journal_model_init(&model, bench);
    expect_fine(journal_model_submit(&model, next_shape(0)));
    journal_bench_rest(bench);
    expect_fine(model.appends[0].err);
    journal_bench_close(bench);
    journal_bench_open(bench);
    journal_model_done(&model);
}

static struct outcome examine(struct fs *take_fs, uint32_t segment_size)
{
    struct outcome outcome = {0};
    struct journal_bench bench;
    struct why why = {{0}};
    struct survey survey = {.fs = take_fs, .on_segment = on_segment, .on_finding = on_finding};
    enum err err = survey_run(&survey, &why);
    (void)snprintf(outcome.verify, sizeof outcome.verify, "%s", err_name(err));
    outcome.verify_damaged = survey.damages > 0;
    outcome.verify_torn = survey.torn_tails > 0;
    journal_bench_init_on(&bench, take_fs, 1);
    use_segments(&bench, segment_size);
    err = journal_bench_try_open(&bench);
    (void)snprintf(outcome.open, sizeof outcome.open, "%s", err_name(err));
    expect(err == ERR_NONE || bench.why.text[0] != '\0');
    if (err == ERR_NONE) {
        outcome.open_damaged = journal_bench_complaints(&bench) > 0;
        outcome.open_torn = bench.events[JOURNAL_EVENT_TORN_TAIL] > 0;
        outcome.records = count_records(bench.store);
        go_on(&bench);
    }
    journal_bench_done(&bench);
    return outcome;
}

/* --- The cases --------------------------------------------------------------------------------------------- */

static void change(struct fs *fs, const char *name, uint64_t at, const void *bytes, size_t len)
{
    struct fs_file *file;
    expect_fine(fs_open(fs, name, FS_OPEN_WRITE, &file));
    expect_fine(fs_pwrite(file, span_of(bytes, len), at));
    file = fs_close(file);
}

static void flip(struct fs *fs, const char *name, uint64_t at)
{
    fs_memory_poke(fs, name, at, 0x10);
}

/* The first copy of the header, as a newer program would write it. */
static void patch_header(struct fs *fs, const char *name, size_t field, uint64_t value, size_t size)
{
    uint8_t copy[256];
    struct fs_file *file;
    size_t len;
    expect_fine(fs_open(fs, name, FS_OPEN_READ, &file));
    expect_fine(fs_pread(file, copy, sizeof copy, 0, &len));
    file = fs_close(file);
    if (size == 4)
        bytes_put_le32(copy + field, (uint32_t)value);
    else
        bytes_put_le64(copy + field, value);
    bytes_put_le32(copy + 12, 0);
    bytes_put_le32(copy + 12, hash_crc32c(span_of(copy, sizeof copy), 0));
    change(fs, name, 0, copy, sizeof copy);
    change(fs, name, 2048, copy, sizeof copy);
}

static const char first[] = "0000000000000001.segment";
static const char second[] = "0000000000000002.segment";
static const char third[] = "0000000000000003.segment";
static const char fourth[] = "0000000000000004.segment";
static const char first_index[] = "0000000000000001.index";

static void nothing(struct fs *fs)
{
    (void)fs;
}

static void on_active(void *owner, const struct survey_segment *segment)
{
    uint64_t *end = owner;
    if (segment->state == SURVEY_ACTIVE)
        *end = segment->end;
}

/* The program was killed behind its last group, which nothing covers yet; the disk lost a part of it. */
static void tear_tail(struct fs *fs)
{
    struct journal_bench bench;
    struct journal_model model;
    uint64_t end = 0;
    struct survey survey = {.fs = fs, .on_segment = on_active, .on_finding = on_finding, .owner = &end};
    journal_bench_init_on(&bench, fs, 2);
    use_segments(&bench, SEGMENT);
    journal_bench_open(&bench);
    journal_model_init(&model, &bench);
    expect_fine(journal_model_submit(&model, next_shape(0)));
    (void)journal_bench_step(&bench);
    journal_bench_kill(&bench);
    journal_model_done(&model);
    expect_fine(survey_run(&survey, NULL));
    flip(fs, third, end - FRAME_HEADER_SIZE);
}

static void damage_sealed(struct fs *fs)
{
    flip(fs, first, 4096 + 1500);
}

static void damage_checkpoint(struct fs *fs)
{
    flip(fs, third, 4096 + FRAME_GROUP_SIZE + 100);
}

static void lose_header(struct fs *fs)
{
    flip(fs, second, 40);
    flip(fs, second, 2048 + 40);
}

static void lose_segment(struct fs *fs)
{
    expect_fine(fs->ops->unlink(fs, second));
}

static void raise_version(struct fs *fs)
{
    patch_header(fs, third, 8, 2, 4);
}

static void need_feature(struct fs *fs)
{
    patch_header(fs, third, 24, 0x8000, 8);
}

static void half_prepare(struct fs *fs)
{
    struct fs_file *file;
    expect_fine(fs->ops->unlink(fs, fourth));
    expect_fine(fs_open(fs, fourth, FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(file->ops->truncate(file, SEGMENT / 2));
    file = fs_close(file);
    expect_fine(fs_open(fs, "prepare.tmp", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    file = fs_close(file);
}

/* The bytes of the first segment in the file that waits to begin. */
static void recycle(struct fs *fs)
{
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    expect_fine(fs_memory_read_all(fs, first, &bytes));
    change(fs, fourth, 0, bytes.data, bytes.len);
    buffer_done(&bytes);
}

/* The first OUTCOMES frame of the first segment. */
static void damage_outcomes(struct fs *fs)
{
    struct buffer bytes;
    uint64_t at = SEGMENT_PAGE;
    buffer_init(&bytes, 1 << 20);
    expect_fine(fs_memory_read_all(fs, first, &bytes));
    struct frame frame = frame_peek(bytes.data + at);
    while (frame.kind != FRAME_OUTCOMES) {
        expect(frame.len >= FRAME_HEADER_SIZE);
        at += frame_padded(frame.len);
        frame = frame_peek(bytes.data + at);
    }
    flip(fs, first, at + FRAME_HEADER_SIZE + 3);
    buffer_done(&bytes);
}

static void lose_indexes(struct fs *fs)
{
    expect_fine(fs->ops->unlink(fs, first_index));
}

static void damage_index(struct fs *fs)
{
    flip(fs, first_index, 4096 + 20);
}

static const struct journal_case {
    const char *name;
    const char *words;
    void (*spoil)(struct fs *fs);
    bool has_groups;
} kept_journals[] = {
    {"clean", "nothing is wrong", nothing, false},
    {"torn_tail", "the last group is there in part", tear_tail, false},
    {"damaged_sealed", "a bad byte in a frame of a sealed segment", damage_sealed, false},
    {"damaged_checkpoint", "a bad byte in the active segment's checkpoint", damage_checkpoint, false},
    {"both_headers", "no header of a sealed segment can be read", lose_header, false},
    {"missing_segment", "a sealed segment's file is gone", lose_segment, false},
    {"newer_version", "the active segment has format version 2", raise_version, false},
    {"unknown_feature", "the active segment needs an unknown feature", need_feature, false},
    {"half_prepared", "a segment was being prepared", half_prepare, false},
    {"recycled", "the next segment holds frames of an earlier life", recycle, false},
    {"bad_index", "a bad byte in an index file", damage_index, false},
    {"groups", "outcomes, dead letters and notes; nothing is wrong", nothing, true},
    {"damaged_outcomes", "a bad byte in a frame with outcomes", damage_outcomes, true},
    {"groups_without_index", "the index of the first segment with outcomes is gone", lose_indexes, true},
};

static uint32_t segment_size_of(const struct journal_case *which)
{
    return which->has_groups ? SEGMENT_WITH_GROUPS : SEGMENT;
}

static struct fs *make(const struct journal_case *which)
{
    struct journal_bench bench;
    struct journal_model model;
    journal_bench_init(&bench, 1);
    use_segments(&bench, segment_size_of(which));
    journal_model_init(&model, &bench);
    journal_bench_open(&bench);
    uint32_t appends = which->has_groups ? APPENDS_WITH_GROUPS : APPENDS;
    for (uint32_t shape = 0; model.count < appends; shape++) {
        shape = next_shape(shape);
        expect_fine(journal_model_submit(&model, shape));
        journal_bench_rest(&bench);
    }
    journal_bench_close(&bench);
    which->spoil(bench.fs);
    struct fs *fs = bench.fs;
    bench.fs = NULL;
    journal_bench_done(&bench);
    journal_model_done(&model);
    return fs;
}

static void make_file(const struct journal_case *which, const char *path)
{
    struct random random;
    struct writing writing = {.fs = make(which), .to = fopen(path, "we")};
    random_seed(&random, 1);
    expect_not_null(writing.to);
    struct outcome outcome =
        examine(fs_memory_crash(writing.fs, fs_memory_operations(writing.fs), FS_MEMORY_KEPT, &random),
                segment_size_of(which));
    (void)fprintf(writing.to, "# %s\nopen %s damaged %u torn %u\nverify %s damaged %u torn %u\nrecords %u\n",
                  which->words, outcome.open, outcome.open_damaged, outcome.open_torn, outcome.verify,
                  outcome.verify_damaged, outcome.verify_torn, outcome.records);
    expect_fine(writing.fs->ops->list(writing.fs, write_file, &writing));
    expect(fclose(writing.to) == 0);
    writing.fs = fs_memory_free(writing.fs);
}

TEST(every_journal_of_the_corpus_is_verified_and_opened_as_before)
{
    for (size_t i = 0; i < sizeof kept_journals / sizeof kept_journals[0]; i++) {
        char path[128];
        char full_path[1024];
        struct outcome expected;
        (void)snprintf(path, sizeof path, "tests/corpus/journals/%s.journal", kept_journals[i].name);
        page_path(path, full_path, sizeof full_path);
        FILE *file = fopen(full_path, "re");
        if (file == NULL && getenv("WAYBILL_MAKE_JOURNALS") != NULL)
            make_file(&kept_journals[i], full_path);
        else if (file != NULL)
            (void)fclose(file);
        char *text = page_read(path);
        struct outcome outcome = examine(read_journal(text, &expected), segment_size_of(&kept_journals[i]));
        free(text);
        print_message("%s\n", kept_journals[i].name);
        expect_equal_text(outcome.open, expected.open);
        expect_equal_text(outcome.verify, expected.verify);
        expect_equal_u64(outcome.open_damaged, expected.open_damaged);
        expect_equal_u64(outcome.open_torn, expected.open_torn);
        expect_equal_u64(outcome.verify_damaged, expected.verify_damaged);
        expect_equal_u64(outcome.verify_torn, expected.verify_torn);
        expect_equal_u64(outcome.records, expected.records);
    }
}

TEST_MAIN(every_journal_of_the_corpus_is_verified_and_opened_as_before)

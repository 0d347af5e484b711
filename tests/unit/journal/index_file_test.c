/* Tests of index files: answers as from memory, damage, failing disks, power cuts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_file.h"

#include <stdlib.h>

#include "journal/index_layout.h"
#include "support/fs_memory.h"
#include "support/test.h"

enum { SLOTS = 90, SEQUENCES = 3, NUMBER = 7, END = 1 << 26, SIZE_MAX_OF_TEST = 1 << 22 };

static const uint64_t epoch = 0x0123456789abcdef;
static const char path[] = "0000000000000007.index";
static const char draft[] = "0000000000000007.index.tmp";

struct fixture {
    struct fs *fs;
    struct random random;
    struct segment_index *index;
    struct index_slot slots[SLOTS];
    struct index_content content;
};

static void add_batches(struct fixture *fixture, uint32_t count)
{
    uint64_t next[SLOTS] = {0};
    uint32_t position = 4096;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)random_below(&fixture->random, SLOTS - 1); /* the last one stays empty */
        struct index_batch batch = {.slot = slot,
                                    .records = 1 + (uint32_t)random_below(&fixture->random, 9),
                                    .base_offset = next[slot],
                                    .position = position,
                                    .len = 8 * (1 + (uint32_t)random_below(&fixture->random, 100)),
                                    .wall_ns = (int64_t)i * 10};
        expect_fine(segment_index_add_batch(fixture->index, &batch));
        next[slot] += batch.records;
        position += batch.len;
    }
    for (uint32_t i = 0; i < SLOTS; i++)
        fixture->slots[i] =
            (struct index_slot){.topic = i / 4, .partition = i % 4 * 2, .slot = i, .end_offset = next[i]};
}

static void add_runs(struct fixture *fixture, uint32_t count)
{
    uint32_t position = 4096;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sequence = 20 * (uint32_t)random_below(&fixture->random, SEQUENCES);
        struct store_run run = {.from = 1 + random_below(&fixture->random, count * 3), .count = 1};
        run.count +=
            random_below(&fixture->random, random_below(&fixture->random, 50) == 0 ? RUN_COUNT_MAX : 3);
        expect_fine(segment_index_add_runs(fixture->index, sequence, &run, 1, position));
        position += (uint32_t)random_below(&fixture->random, 3000);
    }
}

/* A segment with `count` batches, runs and identities. */
static void begin(struct fixture *fixture, uint64_t seed, uint32_t count)
{
    *fixture = (struct fixture){.fs = fs_memory_new()};
    random_seed(&fixture->random, seed);
    expect_fine(segment_index_new(SIZE_MAX_OF_TEST, &fixture->index));
    add_batches(fixture, count);
    add_runs(fixture, count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t hash[SEGMENT_INDEX_HASH_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8)};
        expect_fine(segment_index_add_identity(fixture->index, hash, i));
    }
    fixture->content = (struct index_content){.number = NUMBER,
                                              .epoch = epoch,
                                              .end = END,
                                              .index = fixture->index,
                                              .slots = fixture->slots,
                                              .slot_count = SLOTS};
}

static void end(struct fixture *fixture)
{
    fixture->index = segment_index_free(fixture->index);
    fixture->fs = fs_memory_free(fixture->fs);
}

static struct index_file *write_and_open(struct fixture *fixture)
{
    struct index_file *file = NULL;
    expect_fine(index_file_write(fixture->fs, &fixture->content));
    expect_fine(index_file_open(fixture->fs, NUMBER, epoch, &file));
    return file;
}

static bool exists(struct fs *fs, const char *name)
{
    struct fs_file *file = NULL;
    enum err err = fs_open(fs, name, FS_OPEN_READ, &file);
    file = fs_close(file);
    return err == ERR_NONE;
}

/* --- Answers ------------------------------------------------------------------------------------ */

static void compare_partition(const struct fixture *fixture, const struct index_file *file, uint32_t slot)
{
    struct index_partition partition;
    struct index_summary summary = {0};
    expect_fine(index_file_partition(file, slot / 4, slot % 4 * 2, &partition));
    (void)segment_index_summary(fixture->index, slot, &summary);
    expect_equal_span(span_of(&partition.summary, sizeof summary), span_of(&summary, sizeof summary));
    for (uint64_t offset = 0; offset <= summary.end_offset; offset += 3) {
        struct index_extent expected[3];
        struct index_extent extents[3];
        uint32_t count;
        expect_fine(index_file_extents_from(file, &partition, offset, extents, 3, &count));
        expect_equal_u64(count, segment_index_extents_from(fixture->index, slot, offset, expected, 3));
        expect_equal_span(span_of(extents, count * sizeof *extents),
                          span_of(expected, count * sizeof *expected));
    }
    for (int64_t wall_ns = -5; wall_ns < summary.last_ns + 20; wall_ns += 77) {
        struct index_extent expected;
        struct index_extent extent;
        bool is_there = segment_index_extent_at_time(fixture->index, slot, wall_ns, &expected);
        expect_err(index_file_extent_at_time(file, &partition, wall_ns, &extent),
                   is_there ? ERR_NONE : ERR_NOT_FOUND);
        if (is_there)
            expect_equal_span(span_of(&extent, sizeof extent), span_of(&expected, sizeof expected));
    }
}

static void compare_number(const struct run_set *set,
                           const struct index_file *file,
                           const struct index_sequence *sequence,
                           uint64_t number)
{
    enum { SIZE = 64 };
    uint32_t expected[SIZE];
    uint32_t positions[SIZE];
    uint32_t count;
    bool is_there;
    expect_fine(index_file_has(file, sequence, number, &is_there));
    expect(is_there == run_set_has(set, number));
    expect_fine(index_file_positions(file, sequence, number, positions, SIZE, &count));
    expect_equal_u64(count, run_set_positions(set, number, expected, SIZE));
    expect_equal_span(span_of(positions, count * sizeof *positions),
                      span_of(expected, count * sizeof *expected));
}

static void compare_range(const struct run_set *set,
                          const struct index_file *file,
                          const struct index_sequence *sequence,
                          uint64_t from,
                          uint64_t to)
{
    enum { SIZE = 40 };
    struct store_run expected[SIZE];
    struct store_run runs[SIZE];
    struct run_merge in_memory;
    struct run_merge in_file;
    run_merge_init(&in_memory, from, to, expected, SIZE);
    run_merge_init(&in_file, from, to, runs, SIZE);
    run_set_collect(set, &in_memory);
    expect_fine(index_file_collect(file, sequence, &in_file));
    expect_equal_u64(in_file.covered, in_memory.covered);
    expect_equal_span(span_of(runs, in_file.count * sizeof *runs),
                      span_of(expected, in_memory.count * sizeof *expected));
}

static void compare_sequence(struct fixture *fixture, const struct index_file *file, uint32_t number)
{
    const struct run_set *set = segment_index_runs(fixture->index, number);
    struct index_sequence sequence;
    expect_fine(index_file_sequence(file, number, &sequence));
    expect_equal_u64(sequence.run_count, set->count);
    expect_equal_u64(sequence.merged_count, run_set_merged_count(set));
    expect_equal_u64(sequence.lowest, run_set_lowest(set));
    expect_equal_u64(sequence.highest, run_set_highest(set));
    for (uint32_t i = 0; i < 300; i++) {
        uint64_t from = random_below(&fixture->random, sequence.highest + 10);
        compare_number(set, file, &sequence, from);
        compare_range(set, file, &sequence, from, from + random_below(&fixture->random, 10000));
    }
    compare_number(set, file, &sequence, UINT64_MAX);
}

static void count_partition(void *owner, const struct index_partition *partition)
{
    uint32_t *count = owner;
    expect_equal_u64(partition->topic, *count / 4);
    expect_equal_u64(partition->partition, *count % 4 * 2);
    (*count)++;
}

static void count_identity(void *owner, const struct index_identity *identity)
{
    uint32_t *count = owner;
    expect_equal_i64(identity->wall_ns, *count);
    expect_equal_u64(identity->hash[0], *count % 256);
    (*count)++;
}

TEST(file_answers_like_the_index_it_was_written_from)
{
    uint64_t first = random_u64(NULL) % 1000000;
    for (uint64_t seed = first; seed < first + 3; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct fixture fixture;
        uint32_t partitions = 0;
        uint32_t identities = 0;
        begin(&fixture, seed, 4000);
        struct index_file *file = write_and_open(&fixture);
        expect_equal_u64(index_file_end(file), END);
        expect_fine(index_file_verify(file));
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            compare_partition(&fixture, file, slot);
        for (uint32_t i = 0; i < SEQUENCES; i++)
            compare_sequence(&fixture, file, 20 * i);
        expect_fine(index_file_each_partition(file, count_partition, &partitions));
        expect_equal_u64(partitions, SLOTS);
        expect_fine(index_file_each_identity(file, count_identity, &identities));
        expect_equal_u64(identities, 4000);
        file = index_file_close(file);
        end(&fixture);
    }
}

TEST(what_is_not_in_the_file_is_not_found)
{
    struct fixture fixture;
    struct index_partition partition;
    struct index_sequence sequence;
    struct index_file *file = NULL;
    begin(&fixture, 1, 100);
    expect_err(index_file_open(fixture.fs, NUMBER, epoch, &file), ERR_NOT_FOUND);
    file = write_and_open(&fixture);
    expect_err(index_file_partition(file, 0, 1, &partition), ERR_NOT_FOUND);
    expect_err(index_file_partition(file, SLOTS, 0, &partition), ERR_NOT_FOUND);
    expect_err(index_file_sequence(file, 1, &sequence), ERR_NOT_FOUND);
    file = index_file_close(file);
    end(&fixture);
}

TEST(empty_segment_has_an_index_of_one_block)
{
    struct fixture fixture;
    struct buffer bytes;
    begin(&fixture, 1, 0);
    fixture.content.slot_count = 0;
    struct index_file *file = write_and_open(&fixture);
    expect_fine(index_file_verify(file));
    file = index_file_close(file);
    buffer_init(&bytes, SIZE_MAX_OF_TEST);
    expect_fine(fs_memory_read_all(fixture.fs, path, &bytes));
    expect_equal_u64(bytes.len, INDEX_BLOCK_SIZE);
    buffer_done(&bytes);
    end(&fixture);
}

/* --- Damage ------------------------------------------------------------------------------------- */

TEST(index_of_another_life_is_damaged)
{
    struct fixture fixture;
    struct index_file *file = NULL;
    begin(&fixture, 1, 10);
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    expect_err(index_file_open(fixture.fs, NUMBER, epoch + 1, &file), ERR_DAMAGED);
    expect_fine(fixture.fs->ops->rename(fixture.fs, path, "0000000000000008.index"));
    expect_err(index_file_open(fixture.fs, NUMBER + 1, epoch, &file), ERR_DAMAGED);
    end(&fixture);
}

TEST(file_that_is_too_short_or_too_long_is_damaged)
{
    struct fixture fixture;
    struct index_file *file = NULL;
    begin(&fixture, 1, 10);
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    struct fs_file *bytes = NULL;
    struct fs_stat stat;
    expect_fine(fs_open(fixture.fs, path, FS_OPEN_WRITE, &bytes));
    expect_fine(bytes->ops->stat(bytes, &stat));
    const uint64_t sizes[] = {0,
                              1,
                              INDEX_BLOCK_SIZE - 1,
                              INDEX_BLOCK_SIZE,
                              stat.size - 1,
                              stat.size + 1,
                              stat.size + INDEX_BLOCK_SIZE};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        expect_fine(index_file_write(fixture.fs, &fixture.content));
        bytes = fs_close(bytes);
        expect_fine(fs_open(fixture.fs, path, FS_OPEN_WRITE, &bytes));
        expect_fine(bytes->ops->truncate(bytes, sizes[i]));
        expect_err(index_file_open(fixture.fs, NUMBER, epoch, &file), ERR_DAMAGED);
    }
    bytes = fs_close(bytes);
    end(&fixture);
}

static enum err verify_all(struct fs *fs)
{
    struct index_file *file = NULL;
    enum err err = index_file_open(fs, NUMBER, epoch, &file);
    if (err == ERR_NONE)
        err = index_file_verify(file);
    file = index_file_close(file);
    return err;
}

/* Asks for everything that stands in some section; what is answered must be right. */
static void ask(const struct fixture *fixture)
{
    struct index_file *file = NULL;
    if (index_file_open(fixture->fs, NUMBER, epoch, &file) != ERR_NONE)
        return;
    struct index_partition partition;
    struct index_extent extent;
    struct index_extent expected;
    uint32_t count;
    if (index_file_partition(file, 1, 2, &partition) == ERR_NONE &&
        index_file_extents_from(file, &partition, 0, &extent, 1, &count) == ERR_NONE) {
        expect_equal_u64(count, segment_index_extents_from(fixture->index, 5, 0, &expected, 1));
        expect_equal_span(span_of(&extent, sizeof extent), span_of(&expected, sizeof expected));
    }
    struct index_sequence sequence;
    bool is_there;
    if (index_file_sequence(file, 0, &sequence) == ERR_NONE &&
        index_file_has(file, &sequence, 17, &is_there) == ERR_NONE)
        expect(is_there == run_set_has(segment_index_runs(fixture->index, 0), 17));
    file = index_file_close(file);
}

TEST(every_flipped_byte_is_detected)
{
    struct fixture fixture;
    struct buffer bytes;
    begin(&fixture, 1, 200);
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    buffer_init(&bytes, SIZE_MAX_OF_TEST);
    expect_fine(fs_memory_read_all(fixture.fs, path, &bytes));
    for (uint64_t at = 0; at < bytes.len; at++) {
        uint8_t mask = (uint8_t)(1 + random_below(&fixture.random, 255));
        fs_memory_poke(fixture.fs, path, at, mask);
        if (verify_all(fixture.fs) != ERR_DAMAGED)
            test_fail("byte %llu with mask 0x%02x", (unsigned long long)at, mask);
        if (at % 16 == 0)
            ask(&fixture);
        fs_memory_poke(fixture.fs, path, at, mask);
    }
    expect_fine(verify_all(fixture.fs));
    buffer_done(&bytes);
    end(&fixture);
}

/* --- Failing disks, power cuts ------------------------------------------------------------------ */

TEST(failed_read_is_no_damage)
{
    struct fixture fixture;
    begin(&fixture, 1, 2000);
    struct index_file *file = write_and_open(&fixture);
    fs_memory_fail(fixture.fs, FS_MEMORY_PREAD, 3, ERR_IO);
    expect_err(index_file_verify(file), ERR_IO);
    expect_fine(index_file_verify(file));
    file = index_file_close(file);
    end(&fixture);
}

/* Fails the n-th call of writing until one attempt passes; `is_there`: over an older file. */
static void fail_every_call(bool is_there)
{
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct fixture fixture;
        begin(&fixture, 1, 2000);
        if (is_there)
            expect_fine(index_file_write(fixture.fs, &fixture.content));
        fs_memory_fail(fixture.fs, FS_MEMORY_ANY, n, ERR_IO);
        enum err err = index_file_write(fixture.fs, &fixture.content);
        has_failed = fs_memory_has_failed(fixture.fs);
        fs_memory_fail(fixture.fs, FS_MEMORY_ANY, 0, ERR_NONE);
        expect_err(err, has_failed ? ERR_IO : ERR_NONE);
        expect(!exists(fixture.fs, draft));
        err = verify_all(fixture.fs);
        if (is_there || err != ERR_NOT_FOUND)
            expect_fine(err);
        expect_fine(index_file_write(fixture.fs, &fixture.content));
        expect_fine(verify_all(fixture.fs));
        end(&fixture);
        expect(n < 1000);
    }
}

TEST(failed_call_leaves_no_half_file)
{
    fail_every_call(false);
}

TEST(failed_call_leaves_the_older_file)
{
    fail_every_call(true);
}

TEST(full_disk_leaves_no_half_file_and_writing_is_tried_again)
{
    struct fixture fixture;
    begin(&fixture, 1, 2000);
    fs_memory_limit(fixture.fs, 100000);
    expect_err(index_file_write(fixture.fs, &fixture.content), ERR_NO_SPACE);
    expect(!exists(fixture.fs, draft));
    expect(!exists(fixture.fs, path));
    fs_memory_limit(fixture.fs, UINT64_MAX);
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    expect_fine(verify_all(fixture.fs));
    end(&fixture);
}

TEST(rest_of_an_earlier_attempt_does_no_harm)
{
    struct fixture fixture;
    static const uint8_t rest[300000] = {1};
    struct fs_file *file = NULL;
    begin(&fixture, 1, 10);
    expect_fine(fs_open(fixture.fs, draft, FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(fs_pwrite(file, span_of(rest, sizeof rest), 0));
    file = fs_close(file);
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    expect_fine(verify_all(fixture.fs));
    end(&fixture);
}

/* After a power cut at any point the old file is there, whole, or the new one; at the end the new one for certain. */
TEST(power_cut_leaves_a_whole_file)
{
    struct fixture fixture;
    begin(&fixture, 1, 2000);
    fixture.content.end = END - 8;
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    uint64_t before = fs_memory_operations(fixture.fs);
    fixture.content.end = END;
    expect_fine(index_file_write(fixture.fs, &fixture.content));
    uint64_t after = fs_memory_operations(fixture.fs);
    for (uint64_t operation = before; operation <= after; operation++)
        for (enum fs_memory_mode mode = 0; mode < FS_MEMORY_MODE_COUNT; mode++) {
            struct fs *fs = fs_memory_crash(fixture.fs, operation, mode, &fixture.random);
            struct index_file *file = NULL;
            expect_fine(index_file_open(fs, NUMBER, epoch, &file));
            expect_fine(index_file_verify(file));
            uint64_t found = index_file_end(file);
            expect(found == END || (operation < after && found == END - 8));
            file = index_file_close(file);
            fs = fs_memory_free(fs);
        }
    end(&fixture);
}

TEST_MAIN(file_answers_like_the_index_it_was_written_from,
          what_is_not_in_the_file_is_not_found,
          empty_segment_has_an_index_of_one_block,
          index_of_another_life_is_damaged,
          file_that_is_too_short_or_too_long_is_damaged,
          every_flipped_byte_is_detected,
          failed_read_is_no_damage,
          failed_call_leaves_no_half_file,
          failed_call_leaves_the_older_file,
          full_disk_leaves_no_half_file_and_writing_is_tried_again,
          rest_of_an_earlier_attempt_does_no_harm,
          power_cut_leaves_a_whole_file)

/* Commit groups written page by page, and read again by the scan of a segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/writer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal/segment_scan.h"
#include "support/fs_memory.h"
#include "support/test.h"

enum { SIZE = 256 * 1024, FRAME_MAX = 6000 };

struct fixture {
    struct fs *fs;
    struct fs_file *file;
    struct clock_fake clock;
    struct random random;
    struct segment_header header;
    struct writer writer;
    uint8_t bytes[FRAME_MAX];
    /* What a scan found: */
    uint64_t frames;
    uint64_t damaged;
    struct segment_damage damage;
};

static void begin(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.fs = fs_memory_new()};
    random_seed(&fixture->random, seed);
    clock_fake_init(&fixture->clock, 1000);
    expect_fine(fs_open(fixture->fs, "s", FS_OPEN_WRITE | FS_OPEN_CREATE, &fixture->file));
    uint8_t *old = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        old[i] = (uint8_t)random_u64(&fixture->random); /* an earlier life */
    expect_fine(fs_pwrite(fixture->file, span_of(old, SIZE), 0));
    expect_fine(fs_fdatasync(fixture->file));
    free(old);
    fixture->header = (struct segment_header){
        .number = 1, .epoch = random_u64(&fixture->random), .first_lsn = 1, .incarnation = 1, .size = SIZE};
    expect_fine(writer_init(&fixture->writer, &fixture->clock.clock));
    fixture->writer.incarnation = 1;
    fixture->writer.lsn = 1;
    writer_begin_segment(&fixture->writer, fixture->file, &fixture->header);
}

static void finish(struct fixture *fixture)
{
    writer_done(&fixture->writer);
    fixture->file = fs_close(fixture->file);
    fixture->fs = fs_memory_free(fixture->fs);
}

/* A frame of that length; large ones go out from the caller's own bytes. */
static void put_frame(struct fixture *fixture, size_t len)
{
    memset(fixture->bytes, 0, sizeof fixture->bytes);
    memset(fixture->bytes + FRAME_HEADER_SIZE, 0x5a, len - FRAME_HEADER_SIZE);
    writer_frame(&fixture->writer, fixture->bytes, FRAME_TOPIC, 0, len);
    (void)writer_put(&fixture->writer, fixture->bytes, frame_padded(len));
}

static void write_group(struct fixture *fixture, size_t len)
{
    writer_group_begin(&fixture->writer);
    if (len > 0)
        put_frame(fixture, len);
    expect_fine(writer_write(&fixture->writer, 5));
    expect_fine(writer_sync(&fixture->writer));
}

static enum err on_set(void *owner, const struct scan_set *set)
{
    struct fixture *fixture = owner;
    struct span bytes = set->bytes;
    uint64_t position = set->position;
    struct frame frame;
    while (scan_set_next(&bytes, &position, &frame))
        fixture->frames++;
    return ERR_NONE;
}

static void on_damage(void *owner, const struct segment_damage *damage)
{
    struct fixture *fixture = owner;
    fixture->damaged++;
    fixture->damage = *damage;
}

static struct segment_scan scan(struct fixture *fixture)
{
    struct segment_scan scan = {.file = fixture->file,
                                .header = &fixture->header,
                                .on_set = on_set,
                                .on_damage = on_damage,
                                .owner = fixture};
    fixture->frames = fixture->damaged = 0;
    expect_fine(segment_scan_run(&scan));
    return scan;
}

TEST(groups_of_any_length_follow_one_another_without_a_hole)
{
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    struct fixture fixture;
    print_message("seed %llu\n", (unsigned long long)seed);
    begin(&fixture, seed);
    uint64_t frames = 0;
    while (writer_has_room(&fixture.writer, FRAME_MAX + FRAME_GROUP_SIZE, 0)) {
        size_t len = FRAME_HEADER_SIZE + random_below(&fixture.random, FRAME_MAX - FRAME_HEADER_SIZE);
        write_group(&fixture, random_below(&fixture.random, 5) == 0 ? 0 : len);
        frames = fixture.writer.lsn - 1;
        if (random_below(&fixture.random, 8) == 0) {
            struct segment_scan found = scan(&fixture);
            expect_equal_u64(fixture.frames, frames);
            expect_equal_u64(found.end, fixture.writer.position);
            expect_equal_u64(found.lsn, fixture.writer.lsn);
        }
    }
    struct segment_scan found = scan(&fixture);
    expect_equal_u64(fixture.frames, frames);
    expect_equal_u64(fixture.damaged, 0);
    expect_equal_u64(found.torn_to > found.end ? found.torn_to - found.end : 0, 0);
    finish(&fixture);
}

TEST(a_bad_frame_in_the_last_group_is_a_torn_tail_and_below_a_later_group_damage)
{
    struct fixture fixture;
    begin(&fixture, 1);
    write_group(&fixture, 500);
    uint64_t second = fixture.writer.position;
    write_group(&fixture, 700);
    fs_memory_poke(fixture.fs, "s", second + FRAME_GROUP_SIZE + 100, 1);
    struct segment_scan found = scan(&fixture);
    expect_equal_u64(found.end, second + FRAME_GROUP_SIZE);
    expect(found.torn_to > found.end);
    expect_equal_u64(fixture.damaged, 0);
    uint64_t end = fixture.writer.position;
    write_group(&fixture, 0); /* its write mends the page, which it repeats from memory */
    (void)scan(&fixture);
    expect_equal_u64(fixture.damaged, 0);
    fs_memory_poke(fixture.fs, "s", second + FRAME_GROUP_SIZE + 100, 1);
    found = scan(&fixture);
    expect_equal_u64(fixture.damaged, 1);
    expect_equal_u64(fixture.damage.from, second + FRAME_GROUP_SIZE);
    expect_equal_u64(fixture.damage.to, end);
    expect_equal_u64(fixture.damage.first_lsn, 4);
    expect_equal_u64(fixture.damage.last_lsn, 4);
    expect_equal_u64(found.end, fixture.writer.position);
    finish(&fixture);
}

TEST(frames_of_an_earlier_incarnation_behind_the_end_never_come_back)
{
    struct fixture fixture;
    begin(&fixture, 2);
    write_group(&fixture, 500);
    struct writer at_cut = fixture.writer;
    uint8_t page[SEGMENT_PAGE];
    size_t len;
    expect_fine(
        fs_pread(fixture.file, page, sizeof page, at_cut.position / SEGMENT_PAGE * SEGMENT_PAGE, &len));
    write_group(&fixture, 700);
    write_group(&fixture, 800);
    /* As if the second had been torn at its front: a new incarnation writes the same lengths again. */
    writer_resume(&fixture.writer, fixture.file, &fixture.header, at_cut.position, page);
    fixture.writer.lsn = at_cut.lsn;
    fixture.writer.incarnation = 2;
    write_group(&fixture, 700);
    struct segment_scan found = scan(&fixture);
    expect_equal_u64(fixture.frames, 4);
    expect_equal_u64(found.end, fixture.writer.position);
    expect_equal_u64(found.incarnation, 2);
    expect_equal_u64(fixture.damaged, 0);
    finish(&fixture);
}

TEST(a_segment_has_begun_when_its_checkpoint_is_whole_or_a_later_group_says_so)
{
    struct fixture fixture;
    bool has_begun;
    begin(&fixture, 3);
    writer_group_begin(&fixture.writer);
    memset(fixture.bytes, 0, sizeof fixture.bytes);
    writer_frame(&fixture.writer, fixture.bytes, FRAME_CHECKPOINT, 0, 600);
    (void)writer_put(&fixture.writer, fixture.bytes, 600);
    expect_fine(writer_write(&fixture.writer, 5));
    expect_fine(segment_scan_has_begun(fixture.file, &fixture.header, SEGMENT_HEADER_WHOLE, &has_begun));
    expect(has_begun);
    expect_fine(segment_scan_has_begun(fixture.file, &fixture.header, SEGMENT_HEADER_DAMAGED, &has_begun));
    expect(!has_begun);
    fs_memory_poke(fixture.fs, "s", SEGMENT_HEADER_SIZE + 300, 1);
    expect_fine(segment_scan_has_begun(fixture.file, &fixture.header, SEGMENT_HEADER_WHOLE, &has_begun));
    expect(!has_begun);
    expect_fine(writer_sync(&fixture.writer));
    write_group(&fixture, 0);
    expect_fine(segment_scan_has_begun(fixture.file, &fixture.header, SEGMENT_HEADER_DAMAGED, &has_begun));
    expect(has_begun);
    finish(&fixture);
}

TEST_MAIN(groups_of_any_length_follow_one_another_without_a_hole,
          a_bad_frame_in_the_last_group_is_a_torn_tail_and_below_a_later_group_damage,
          frames_of_an_earlier_incarnation_behind_the_end_never_come_back,
          a_segment_has_begun_when_its_checkpoint_is_whole_or_a_later_group_says_so)

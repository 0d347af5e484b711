/* Tests that every whole line of a file is read once, whatever happens to the file, over a file system in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/log_tail.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "support/fs_memory.h"
#include "support/test.h"

struct fixture {
    struct fs *fs;
    struct log_tail *tail;
    int64_t now_ns;
    struct buffer lines; /* that were read */
    unsigned cut;
};

static void begin_tail(struct fixture *fixture)
{
    fixture->tail = malloc(sizeof *fixture->tail);
    check(fixture->tail != NULL);
    log_tail_init(fixture->tail, fixture->fs, "log");
}

static void end_tail(struct fixture *fixture)
{
    log_tail_done(fixture->tail);
    free(fixture->tail);
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.fs = fs_memory_new(), .now_ns = 5 * CLOCK_NS_PER_S};
    buffer_init(&fixture->lines, 64 * 1024 * 1024);
    begin_tail(fixture);
}

static void end(struct fixture *fixture)
{
    end_tail(fixture);
    buffer_done(&fixture->lines);
    fixture->fs = fs_memory_free(fixture->fs);
}

/* --- What the others do ------------------------------------------------------------------------- */

static void append_bytes(struct fixture *fixture, const char *name, struct span bytes)
{
    struct fs_file *file = NULL;
    struct fs_stat stat;
    expect_fine(fs_open(fixture->fs, name, FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(file->ops->stat(file, &stat));
    expect_fine(fs_pwrite(file, bytes, stat.size));
    file = fs_close(file);
}

static void append(struct fixture *fixture, const char *name, const char *text)
{
    append_bytes(fixture, name, span_from_text(text));
}

static void truncate_log(struct fixture *fixture)
{
    struct fs_file *file = NULL;
    expect_fine(fs_open(fixture->fs, "log", FS_OPEN_WRITE, &file));
    expect_fine(file->ops->truncate(file, 0));
    file = fs_close(file);
}

static void rename_log(struct fixture *fixture, const char *to)
{
    expect_fine(fixture->fs->ops->rename(fixture->fs, "log", to));
}

/* --- What the reader does ----------------------------------------------------------------------- */

static enum log_tail_change look(struct fixture *fixture)
{
    enum log_tail_change change;
    expect_fine(log_tail_look(fixture->tail, fixture->now_ns, false, &change));
    return change;
}

/* Reads all there is, taking a line, or all, at a time. */
static void read_all(struct fixture *fixture, bool one_by_one)
{
    struct log_tail_lines lines;
    for (;;) {
        enum err err = log_tail_read(fixture->tail, &lines);
        if (err == ERR_AGAIN)
            continue;
        expect_fine(err);
        if (lines.bytes.len == 0 && !lines.goes_on)
            return;
        size_t len = lines.bytes.len;
        if (one_by_one && !lines.is_cut && len > 0)
            len = span_find(lines.bytes, '\n') + 1;
        expect_fine(buffer_append(&fixture->lines, span_of(lines.bytes.data, len)));
        fixture->cut += lines.is_cut;
        if (len > 0)
            log_tail_take(fixture->tail, len);
    }
}

static void expect_read(struct fixture *fixture, const char *expected)
{
    buffer_clear(&fixture->lines);
    for (unsigned i = 0; i < 4; i++) { /* one look sees one change */
        (void)look(fixture);
        read_all(fixture, true);
    }
    expect_span_is(buffer_span(&fixture->lines), expected);
}

static void restart(struct fixture *fixture, bool expected)
{
    struct log_tail_position position = log_tail_position(fixture->tail);
    end_tail(fixture);
    begin_tail(fixture);
    expect(log_tail_restore(fixture->tail, &position) == expected);
}

/* --- Tests -------------------------------------------------------------------------------------- */

TEST(lines_are_read_from_the_start_and_only_whole_ones)
{
    struct fixture fixture;
    begin(&fixture);
    expect_read(&fixture, "");
    append(&fixture, "log", "1|a\n2|b\n3|");
    expect(look(&fixture) == LOG_TAIL_BEGUN);
    expect_read(&fixture, "1|a\n2|b\n");
    expect_equal_u64(log_tail_behind(fixture.tail), 2);
    append(&fixture, "log", "c\n\n");
    expect_read(&fixture, "3|c\n\n");
    expect_read(&fixture, "");
    end(&fixture);
}

TEST(file_that_is_renamed_is_read_to_its_end_first)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    expect_read(&fixture, "1\n");
    append(&fixture, "log", "2\n");
    rename_log(&fixture, "log.1");
    append(&fixture, "log", "4\n");
    append(&fixture, "log.1", "3\n");
    expect(look(&fixture) == LOG_TAIL_SAME); /* not before the rest is read */
    expect_read(&fixture, "2\n3\n4\n");
    append(&fixture, "log.1", "late\n");
    append(&fixture, "log", "5\n");
    expect_read(&fixture, "late\n5\n");
    fixture.now_ns += 11 * CLOCK_NS_PER_S;
    expect_read(&fixture, "");
    append(&fixture, "log.1", "too late\n");
    append(&fixture, "log", "6\n");
    expect_read(&fixture, "6\n");
    end(&fixture);
}

TEST(torn_line_at_the_end_of_a_renamed_file_holds_up_nothing_and_counts_when_it_ends)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n2|to");
    expect_read(&fixture, "1\n");
    rename_log(&fixture, "log.1");
    append(&fixture, "log", "3\n");
    expect_read(&fixture, "3\n");
    append(&fixture, "log.1", "rn\n");
    expect_read(&fixture, "2|torn\n");
    end(&fixture);
}

TEST(file_that_is_removed_is_read_on_until_another_one_comes)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    expect(look(&fixture) == LOG_TAIL_BEGUN);
    append(&fixture, "log", "2\n");
    expect_fine(fixture.fs->ops->unlink(fixture.fs, "log"));
    expect_read(&fixture, "1\n2\n");
    append(&fixture, "log", "3\n");
    expect_read(&fixture, "3\n");
    end(&fixture);
}

TEST(file_that_is_truncated_is_read_from_its_start)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "100\n200\n");
    expect_read(&fixture, "100\n200\n");
    truncate_log(&fixture);
    expect_read(&fixture, "");
    append(&fixture, "log", "300\n");
    expect_read(&fixture, "300\n");
    truncate_log(&fixture);
    append(&fixture, "log", "400\n500\n600\n700\n800\n"); /* longer than what was there */
    expect_read(&fixture, "400\n500\n600\n700\n800\n");
    end(&fixture);
}

/* In between two looks: no piece of a line may pass for a line. */
TEST(bytes_behind_the_place_are_not_believed_when_the_beginning_is_another)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1000\n");
    expect_read(&fixture, "1000\n");
    truncate_log(&fixture);
    append(&fixture, "log", "2|longer\n17\n");
    buffer_clear(&fixture.lines);
    read_all(&fixture, false);
    expect_equal_u64(fixture.lines.len, 0);
    expect(look(&fixture) == LOG_TAIL_RESTARTED);
    expect_read(&fixture, "2|longer\n17\n");
    end(&fixture);
}

TEST(restart_goes_on_where_it_was)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n2\n3");
    expect_read(&fixture, "1\n2\n");
    restart(&fixture, true);
    append(&fixture, "log", "0\n4\n");
    expect_read(&fixture, "30\n4\n");
    end(&fixture);
}

TEST(restart_finds_the_file_under_its_new_name)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n2\n");
    expect_read(&fixture, "1\n2\n");
    append(&fixture, "log", "3\n");
    append(&fixture, "log.0", "another\n");
    rename_log(&fixture, "log.1");
    append(&fixture, "log", "4\n");
    restart(&fixture, true);
    expect_read(&fixture, "3\n4\n");
    end(&fixture);
}

TEST(restart_after_a_rotation_goes_on_in_the_old_file_while_it_is_watched)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    expect_read(&fixture, "1\n");
    rename_log(&fixture, "log.1");
    append(&fixture, "log", "2\n");
    expect_read(&fixture, "2\n");
    append(&fixture, "log.1", "late\n");
    restart(&fixture, true);
    expect_read(&fixture, "late\n2\n"); /* again: saying it twice does no harm */
    end(&fixture);
}

TEST(file_that_got_another_name_is_read_on_until_there_is_a_next_one)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    expect_read(&fixture, "1\n");
    rename_log(&fixture, "log.1");
    restart(&fixture, true);
    fixture.now_ns += 3600 * CLOCK_NS_PER_S;
    expect_read(&fixture, "");
    append(&fixture, "log.1", "2\n");
    expect_read(&fixture, "2\n");
    restart(&fixture, true);
    append(&fixture, "log", "3\n");
    expect_read(&fixture, "3\n");
    end(&fixture);
}

TEST(restart_begins_with_the_file_when_the_old_one_is_gone_or_another)
{
    struct fixture fixture;
    begin(&fixture);
    append(&fixture, "log", "1\n2\n");
    expect_read(&fixture, "1\n2\n");
    expect_fine(fixture.fs->ops->unlink(fixture.fs, "log"));
    append(&fixture, "log", "3\n");
    restart(&fixture, false);
    expect_read(&fixture, "3\n");
    truncate_log(&fixture);
    append(&fixture, "log", "4\n5\n6\n");
    restart(&fixture, false);
    expect_read(&fixture, "4\n5\n6\n");
    end(&fixture);
}

TEST(line_longer_than_a_chunk_is_given_by_its_beginning_once_it_ends)
{
    enum { LEN = 3 * LOG_TAIL_CHUNK_SIZE + 77 };
    static char line[LEN + 1];
    struct fixture fixture;
    begin(&fixture);
    memset(line, 'x', LEN);
    line[0] = '9';
    line[1] = '|';
    append(&fixture, "log", "1\n");
    append(&fixture, "log", line);
    expect_read(&fixture, "1\n");
    expect_equal_u64(log_tail_position(fixture.tail).offset, 2);
    append(&fixture, "log", "\n2\n");
    buffer_clear(&fixture.lines);
    read_all(&fixture, false);
    expect_equal_u64(fixture.cut, 1);
    expect(span_starts_with(buffer_span(&fixture.lines), "9|xxx"));
    expect_equal_u64(fixture.lines.len, LOG_TAIL_CUT_SIZE + 2);
    expect_span_is(span_after(buffer_span(&fixture.lines), LOG_TAIL_CUT_SIZE), "2\n");
    end(&fixture);
}

TEST(file_on_a_cold_disk_is_asked_for_first_and_waited_for_then)
{
    struct fixture fixture;
    struct log_tail_lines lines;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    (void)look(&fixture);
    fs_memory_set_cold(fixture.fs, true);
    expect_err(log_tail_read(fixture.tail, &lines), ERR_AGAIN);
    expect_fine(log_tail_read(fixture.tail, &lines));
    expect_span_is(lines.bytes, "1\n");
    end(&fixture);
}

TEST(file_that_cannot_be_read_is_told_and_read_later)
{
    struct fixture fixture;
    struct log_tail_lines lines;
    enum log_tail_change change;
    begin(&fixture);
    append(&fixture, "log", "1\n");
    fs_memory_fail(fixture.fs, FS_MEMORY_OPEN, 1, ERR_ACCESS);
    expect_err(log_tail_look(fixture.tail, 0, false, &change), ERR_ACCESS);
    (void)look(&fixture);
    fs_memory_fail(fixture.fs, FS_MEMORY_PREAD, 1, ERR_IO);
    expect_err(log_tail_read(fixture.tail, &lines), ERR_IO);
    expect_read(&fixture, "1\n");
    end(&fixture);
}

/* --- By chance ---------------------------------------------------------------------------------- */

/* Every line that was written is read, in order; a restart may repeat those since the last rotation. */
static void expect_all_lines(struct fixture *fixture, unsigned written)
{
    struct span rest = buffer_span(&fixture->lines);
    static uint8_t seen[100000];
    memset(seen, 0, sizeof seen);
    while (rest.len > 0) {
        uint64_t number;
        size_t end = span_find(rest, '\n');
        expect(span_to_u64(span_of(rest.data, end), &number) && number < written);
        seen[number] = 1;
        rest = span_after(rest, end + 1);
    }
    for (unsigned i = 0; i < written; i++)
        if (!seen[i])
            test_fail("line %u of %u was not read", i, written);
}

static unsigned write_piece(struct fixture *fixture, struct random *random, unsigned next)
{
    unsigned count = 1 + (unsigned)random_below(random, 50);
    char line[16];
    for (unsigned i = 0; i < count; i++) {
        int len = snprintf(line, sizeof line, "%u\n", next + i);
        size_t first = (size_t)random_below(random, (uint64_t)len);
        append_bytes(fixture, "log", span_of(line, first));
        if (random_below(random, 8) == 0) {
            (void)look(fixture);
            read_all(fixture, false);
        }
        append_bytes(fixture, "log", span_of(line + first, (size_t)len - first));
    }
    return next + count;
}

static void do_something(struct fixture *fixture, struct random *random, unsigned *rotations)
{
    char name[24];
    switch (random_below(random, 6)) {
    case 0:
        (void)snprintf(name, sizeof name, "log.%u", (*rotations)++);
        rename_log(fixture, name);
        append(fixture, "log", "");
        break;
    case 1:
        (void)look(fixture); /* who copies and truncates loses what nobody has read */
        read_all(fixture, false);
        (void)look(fixture);
        read_all(fixture, false);
        truncate_log(fixture);
        break;
    case 2: restart(fixture, true); break;
    case 3: fixture->now_ns += (int64_t)random_below(random, 20) * CLOCK_NS_PER_S; break;
    default: break;
    }
    (void)look(fixture);
    read_all(fixture, random_below(random, 2) == 0);
    (void)look(fixture);
    read_all(fixture, false);
}

TEST(every_line_is_read_whatever_happens_in_between)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct fixture fixture;
        struct random random;
        unsigned written = 0;
        unsigned rotations = 0;
        random_seed(&random, seed);
        begin(&fixture);
        for (unsigned i = 0; i < 30; i++) {
            written = write_piece(&fixture, &random, written);
            (void)look(&fixture);
            read_all(&fixture, false);
            do_something(&fixture, &random, &rotations);
        }
        expect_all_lines(&fixture, written);
        end(&fixture);
    }
}

TEST_MAIN(lines_are_read_from_the_start_and_only_whole_ones,
          file_that_is_renamed_is_read_to_its_end_first,
          torn_line_at_the_end_of_a_renamed_file_holds_up_nothing_and_counts_when_it_ends,
          file_that_is_removed_is_read_on_until_another_one_comes,
          file_that_is_truncated_is_read_from_its_start,
          bytes_behind_the_place_are_not_believed_when_the_beginning_is_another,
          restart_goes_on_where_it_was,
          restart_finds_the_file_under_its_new_name,
          restart_after_a_rotation_goes_on_in_the_old_file_while_it_is_watched,
          file_that_got_another_name_is_read_on_until_there_is_a_next_one,
          restart_begins_with_the_file_when_the_old_one_is_gone_or_another,
          line_longer_than_a_chunk_is_given_by_its_beginning_once_it_ends,
          file_on_a_cold_disk_is_asked_for_first_and_waited_for_then,
          file_that_cannot_be_read_is_told_and_read_later,
          every_line_is_read_whatever_happens_in_between)

/* Tests of files as a target, on a file system in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/target_file.h"

#include <stdio.h>

#include "support/background_stepped.h"
#include "support/fs_memory.h"
#include "support/test.h"
#include "wire/gzip.h"

struct place {
    struct fs *fs;
    struct background_stepped background;
    struct mailbox mailbox;
    struct target *target;
    struct target_batch *batch;
    struct target_result result;
    unsigned results;
};

static void on_wake(void *owner)
{
    (void)owner;
}

static void open_target(struct place *place, const char *name, struct log_rotation rotation)
{
    struct target_file_settings settings = {
        .directory = "out", .name = name, .rotation = rotation, .batch_bytes = 64 * 1024};
    expect_fine(target_file_new_on(&settings, place->fs, &place->background.background, &place->mailbox,
                                   &place->target));
}

static void begin(struct place *place, const char *name, struct log_rotation rotation)
{
    *place = (struct place){.fs = fs_memory_new()};
    background_stepped_init(&place->background);
    mailbox_init(&place->mailbox, on_wake, NULL);
    open_target(place, name, rotation);
}

static void settle(struct place *place)
{
    do {
        (void)mailbox_deliver(&place->mailbox);
    } while (background_stepped_step(&place->background));
}

static void end(struct place *place)
{
    if (place->target != NULL)
        place->target->ops->free(place->target);
    settle(place);
    mailbox_done(&place->mailbox);
    fs_memory_free(place->fs);
}

static void on_result(void *owner, const struct target_result *result)
{
    struct place *place = owner;
    place->result = *result;
    place->results++;
}

static enum err add(struct place *place, const char *topic_name, uint64_t seq, struct span body)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)seq);
    struct record_header header = {span_from_text("seq"), span_from_text(number), false};
    struct record record = {.offset = seq,
                            .timestamp_ms = 5,
                            .key = span_from_text("k"),
                            .value = body,
                            .headers = &header,
                            .header_count = 1};
    struct store_topic topic = {.id = (uint32_t)topic_name[0], .partitions = 1};
    (void)snprintf(topic.name, sizeof topic.name, "%s", topic_name);
    struct group_item item = {.position = {topic.id, 0, seq}, .record = &record, .seq = seq};
    return place->target->ops->add(place->batch, &topic, &item);
}

static void new_batch(struct place *place)
{
    expect_fine(place->target->ops->batch_new(place->target, &place->batch));
    place->batch->on_result = on_result;
    place->batch->owner = place;
}

static void send(struct place *place)
{
    unsigned before = place->results;
    place->target->ops->send(place->batch);
    settle(place);
    expect_equal_u64(place->results, before + 1);
}

static void send_line(struct place *place, const char *topic, uint64_t seq, const char *body)
{
    new_batch(place);
    expect_fine(add(place, topic, seq, span_from_text(body)));
    send(place);
    expect_equal_u64(place->result.verdict, TARGET_DELIVERED);
    place->batch = place->target->ops->batch_free(place->batch);
}

static void expect_file(struct place *place, const char *path, const char *text)
{
    struct buffer content;
    buffer_init(&content, 1 << 20);
    expect_fine(fs_memory_read_all(place->fs, path, &content));
    expect_span_is(buffer_span(&content), text);
    buffer_done(&content);
}

static void expect_absent(struct place *place, const char *path)
{
    struct buffer content;
    buffer_init(&content, 1 << 20);
    expect_err(fs_memory_read_all(place->fs, path, &content), ERR_NOT_FOUND);
    buffer_done(&content);
}

static const struct log_rotation never = {0};

TEST(lines_of_all_topics_go_into_one_file)
{
    struct place place;
    begin(&place, "append.log", never);
    send_line(&place, "a", 1, "first");
    send_line(&place, "b", 2, "second");
    expect_file(&place, "append.log", "1|k|5|first\n2|k|5|second\n");
    end(&place);
}

TEST(a_name_with_topic_makes_a_file_for_each)
{
    struct place place;
    begin(&place, "{topic}.log", never);
    new_batch(&place);
    expect_fine(add(&place, "a", 1, span_from_text("x")));
    expect_fine(add(&place, "b", 2, span_from_text("y")));
    expect_fine(add(&place, "a", 3, span_from_text("z")));
    send(&place);
    place.batch = place.target->ops->batch_free(place.batch);
    expect_file(&place, "a.log", "1|k|5|x\n3|k|5|z\n");
    expect_file(&place, "b.log", "2|k|5|y\n");
    end(&place);
}

TEST(a_delivered_line_survives_a_power_cut)
{
    struct place place;
    begin(&place, "append.log", never);
    send_line(&place, "a", 1, "first");
    struct random random;
    random_seed(&random, 1);
    struct fs *after = fs_memory_crash(place.fs, fs_memory_operations(place.fs), FS_MEMORY_DROPPED, &random);
    struct buffer content;
    buffer_init(&content, 1024);
    expect_fine(fs_memory_read_all(after, "append.log", &content));
    expect_span_is(buffer_span(&content), "1|k|5|first\n");
    buffer_done(&content);
    fs_memory_free(after);
    end(&place);
}

TEST(a_torn_last_line_is_cut_before_lines_are_added)
{
    struct place place;
    begin(&place, "append.log", never);
    struct fs_file *file;
    expect_fine(fs_open(place.fs, "append.log", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(fs_pwrite(file, span_from_text("1|k|5|first\n2|k|5|sec"), 0));
    fs_close(file);
    send_line(&place, "a", 2, "second");
    expect_file(&place, "append.log", "1|k|5|first\n2|k|5|second\n");
    end(&place);
}

/* Every call of a batch over two files fails once; the next try must leave each line there once. */
TEST(a_failed_batch_is_written_over_and_not_doubled)
{
    for (uint64_t n = 1;; n++) {
        struct place place;
        begin(&place, "{topic}.log", never);
        send_line(&place, "a", 1, "before");
        new_batch(&place);
        expect_fine(add(&place, "a", 2, span_from_text("one")));
        expect_fine(add(&place, "b", 3, span_from_text("two")));
        fs_memory_fail(place.fs, FS_MEMORY_ANY, n, ERR_NO_SPACE);
        send(&place);
        bool has_failed = fs_memory_has_failed(place.fs);
        fs_memory_fail(place.fs, FS_MEMORY_ANY, 0, ERR_NONE);
        if (place.result.verdict != TARGET_DELIVERED) {
            expect_equal_u64(place.result.verdict, TARGET_DOWN);
            expect(strlen(place.result.why.text) > 0);
            send(&place);
        }
        expect_equal_u64(place.result.verdict, TARGET_DELIVERED);
        place.batch = place.target->ops->batch_free(place.batch);
        expect_file(&place, "a.log", "1|k|5|before\n2|k|5|one\n");
        expect_file(&place, "b.log", "3|k|5|two\n");
        end(&place);
        if (!has_failed)
            return;
    }
}

TEST(a_full_file_is_rotated_and_only_so_many_are_kept)
{
    struct place place;
    begin(&place, "append.log", (struct log_rotation){.size = 10, .keep = 2});
    send_line(&place, "a", 1, "aaaa");
    send_line(&place, "a", 2, "bbbb");
    send_line(&place, "a", 3, "cccc");
    send_line(&place, "a", 4, "dddd");
    expect_file(&place, "append.log", "4|k|5|dddd\n");
    expect_file(&place, "append.log.1", "3|k|5|cccc\n");
    expect_file(&place, "append.log.2", "2|k|5|bbbb\n");
    expect_absent(&place, "append.log.3");
    end(&place);
}

/* The same bytes as gzip makes of the text at once: pieces leave no trace in so short a file. */
static void expect_gzip(struct place *place, const char *path, const char *text)
{
    struct buffer found;
    struct buffer expected;
    struct gzip *gzip;
    buffer_init(&found, 1 << 20);
    buffer_init(&expected, 1 << 20);
    expect_fine(fs_memory_read_all(place->fs, path, &found));
    expect_fine(gzip_new(&gzip));
    expect_fine(gzip_add(gzip, span_from_text(text), true, &expected));
    expect_equal_span(buffer_span(&found), buffer_span(&expected));
    gzip_free(gzip);
    buffer_done(&expected);
    buffer_done(&found);
}

TEST(rotated_files_are_compressed_and_go_on_moving)
{
    struct place place;
    begin(&place, "append.log", (struct log_rotation){.size = 10, .keep = 2, .compress = true});
    send_line(&place, "a", 1, "aaaa");
    send_line(&place, "a", 2, "bbbb");
    expect_gzip(&place, "append.log.1.gz", "1|k|5|aaaa\n");
    expect_absent(&place, "append.log.1");
    send_line(&place, "a", 3, "cccc");
    send_line(&place, "a", 4, "dddd");
    expect_gzip(&place, "append.log.1.gz", "3|k|5|cccc\n");
    expect_gzip(&place, "append.log.2.gz", "2|k|5|bbbb\n");
    expect_absent(&place, "append.log.3.gz");
    expect_absent(&place, "append.log.1.gz.tmp");
    end(&place);
}

TEST(what_an_earlier_life_left_uncompressed_is_compressed)
{
    struct place place;
    begin(&place, "append.log", (struct log_rotation){.size = 1000, .keep = 2, .compress = true});
    struct fs_file *file;
    expect_fine(fs_open(place.fs, "append.log.2", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(fs_pwrite(file, span_from_text("old\n"), 0));
    fs_close(file);
    send_line(&place, "a", 1, "aaaa");
    expect_gzip(&place, "append.log.2.gz", "old\n");
    end(&place);
}

TEST(a_file_that_somebody_removed_or_truncated_goes_on)
{
    struct place place;
    begin(&place, "append.log", never);
    send_line(&place, "a", 1, "aaaa");
    expect_fine(place.fs->ops->unlink(place.fs, "append.log"));
    send_line(&place, "a", 2, "bbbb");
    expect_file(&place, "append.log", "2|k|5|bbbb\n");
    struct fs_file *file;
    expect_fine(fs_open(place.fs, "append.log", FS_OPEN_WRITE, &file));
    expect_fine(file->ops->truncate(file, 0));
    fs_close(file);
    send_line(&place, "a", 3, "cccc");
    expect_file(&place, "append.log", "3|k|5|cccc\n");
    end(&place);
}

TEST(a_batch_takes_no_more_than_its_bytes_but_always_one_line)
{
    static uint8_t body[100 * 1024];
    memset(body, 'x', sizeof body);
    struct place place;
    begin(&place, "append.log", never);
    new_batch(&place);
    expect_fine(add(&place, "a", 1, span_of(body, sizeof body)));
    expect_err(add(&place, "a", 2, span_from_text("y")), ERR_FULL);
    send(&place);
    place.batch = place.target->ops->batch_free(place.batch);
    end(&place);
}

TEST(names_that_could_leave_the_directory_are_refused)
{
    struct why why;
    expect_fine(target_file_check_name("append.log", &why));
    expect_fine(target_file_check_name("{topic}.log", &why));
    const char *const bad[] = {"", ".", "..", "a/b", "../x", "{partition}.log", "{topic}{topic}", "{topic"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_err(target_file_check_name(bad[i], &why), ERR_BAD_NAME);
}

TEST_MAIN(lines_of_all_topics_go_into_one_file,
          a_name_with_topic_makes_a_file_for_each,
          a_delivered_line_survives_a_power_cut,
          a_torn_last_line_is_cut_before_lines_are_added,
          a_failed_batch_is_written_over_and_not_doubled,
          a_full_file_is_rotated_and_only_so_many_are_kept,
          rotated_files_are_compressed_and_go_on_moving,
          what_an_earlier_life_left_uncompressed_is_compressed,
          a_file_that_somebody_removed_or_truncated_goes_on,
          a_batch_takes_no_more_than_its_bytes_but_always_one_line,
          names_that_could_leave_the_directory_are_refused)

/* Tests of the load generator's lines: what it sends is what it claims to have sent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_lines.h"

#include "cli/bench_marks.h"
#include "support/test.h"

static const struct bench_shape plain_shape = {
    .fields = "key|timestamp|seq|body", .size = 100, .keys = 37, .topics = 1};

static struct bench_lines lines_of(struct bench_shape shape, uint32_t count)
{
    struct bench_lines lines;
    struct random random;
    struct why why;
    random_seed(&random, 1);
    expect_fine(bench_lines_init(&lines, &shape, count, &random, &why));
    return lines;
}

/* The field of that place in the line of that number. */
static struct span field(struct span block, size_t size, size_t line, unsigned place)
{
    struct span rest = span_of(block.data + line * size, size);
    for (; place > 0; place--)
        rest = span_after(rest, span_find(rest, '|') + 1);
    return span_of(rest.data, span_find(rest, '|'));
}

TEST(every_line_has_the_size_asked_for_and_one_end)
{
    struct bench_lines lines = lines_of(plain_shape, 64);
    struct span block = bench_lines_number(&lines, 0, 64, BENCH_SEQ_FIRST);
    expect_equal_u64(block.len, 6400);
    for (size_t i = 0; i < 64; i++)
        expect_equal_u64(span_find(span_of(block.data + i * 100, 100), '\n'), 99);
    bench_lines_done(&lines);
}

TEST(numbers_carry_over_nines)
{
    struct bench_lines lines = lines_of(plain_shape, 64);
    struct span block = bench_lines_number(&lines, 10, 3, 1999999998);
    expect_span_is(field(block, 100, 0, 2), "1999999998");
    expect_span_is(field(block, 100, 1, 2), "1999999999");
    expect_span_is(field(block, 100, 2, 2), "2000000000");
    bench_lines_done(&lines);
}

TEST(keys_come_in_turn)
{
    struct bench_lines lines = lines_of(plain_shape, 64);
    struct span block = bench_lines_number(&lines, 0, 64, BENCH_SEQ_FIRST);
    expect_span_is(field(block, 100, 0, 0), "key-000000");
    expect_span_is(field(block, 100, 36, 0), "key-000036");
    expect_span_is(field(block, 100, 37, 0), "key-000000");
    bench_lines_done(&lines);
}

TEST(topics_are_all_met)
{
    struct bench_shape shape = {.fields = "topic|seq|body", .size = 100, .keys = 0, .topics = 4};
    struct bench_lines lines = lines_of(shape, 256);
    struct span block = bench_lines_number(&lines, 0, 256, BENCH_SEQ_FIRST);
    unsigned met = 0;
    for (size_t i = 0; i < 256; i++)
        met |= 1U << (field(block, 100, i, 0).data[7] - '0');
    expect_equal_u64(met, 15);
    bench_lines_done(&lines);
}

TEST(line_that_cannot_be_made_is_refused)
{
    struct bench_lines lines;
    struct why why;
    struct bench_shape shapes[] = {
        {.fields = "key|timestamp|body", .size = 100, .keys = 37, .topics = 1},
        {.fields = "seq|body|key", .size = 100, .keys = 37, .topics = 1},
        {.fields = "seq|colour|body", .size = 100, .keys = 37, .topics = 1},
        {.fields = "key|timestamp|seq|body", .size = 37, .keys = 37, .topics = 1},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        expect_err(bench_lines_init(&lines, &shapes[i], 8, NULL, &why), ERR_BAD_INPUT);
}

TEST(latency_is_taken_once_for_each_mark_that_is_answered)
{
    static struct bench_marks marks;
    static struct histogram latency;
    histogram_init(&latency);
    bench_marks_add(&marks, 10, 100);
    bench_marks_add(&marks, 20, 200);
    bench_marks_settle(&marks, 9, 300, &latency);
    expect_equal_u64(latency.count, 0);
    bench_marks_settle(&marks, 15, 350, &latency);
    expect_equal_u64(latency.count, 1);
    expect_equal_u64(latency.max, 250);
    bench_marks_settle(&marks, 20, 201, &latency);
    expect_equal_u64(latency.count, 2);
    expect_equal_u64(latency.min, 1);
}

TEST_MAIN(every_line_has_the_size_asked_for_and_one_end,
          numbers_carry_over_nines,
          keys_come_in_turn,
          topics_are_all_met,
          line_that_cannot_be_made_is_refused,
          latency_is_taken_once_for_each_mark_that_is_answered)

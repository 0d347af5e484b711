/* Tests of the order in which lines settle. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/settle_queue.h"

#include "support/test.h"

static void append(struct settle_queue *queue, uint32_t lines, uint64_t last_seq)
{
    expect_fine(settle_queue_reserve(queue));
    settle_queue_append(queue, lines, last_seq);
}

static void refuse(struct settle_queue *queue, enum line_error error)
{
    expect_fine(settle_queue_reserve(queue));
    settle_queue_refuse(queue, error);
}

static void expect_next(struct settle_queue *queue, enum line_error error, uint64_t line, uint64_t seq)
{
    struct settlement settlement;
    expect(settle_queue_next(queue, &settlement));
    expect(settlement.error == error);
    expect_equal_u64(settlement.line, line);
    expect_equal_u64(settlement.seq, seq);
}

TEST(completed_appends_are_acknowledged_together_and_refusals_wait_for_them)
{
    struct settle_queue queue;
    struct settlement settlement;
    settle_queue_init(&queue);
    append(&queue, 3, 30);
    append(&queue, 2, 0);
    refuse(&queue, LINE_ERROR_BAD_SEQ);
    append(&queue, 1, 60);
    expect_equal_u64(settle_queue_open(&queue), 7);
    expect(!settle_queue_next(&queue, &settlement));
    settle_queue_complete(&queue);
    settle_queue_complete(&queue);
    expect_next(&queue, LINE_ERROR_NONE, 5, 30);
    expect_next(&queue, LINE_ERROR_BAD_SEQ, 6, 30);
    expect(!settle_queue_next(&queue, &settlement));
    expect_equal_u64(settle_queue_open(&queue), 1);
    settle_queue_complete(&queue);
    expect_next(&queue, LINE_ERROR_NONE, 7, 60);
    settle_queue_done(&queue);
}

TEST(a_ring_that_grows_keeps_its_order)
{
    struct settle_queue queue;
    settle_queue_init(&queue);
    uint64_t line = 0;
    for (uint64_t round = 1; round <= 40; round++) {
        for (uint64_t i = 0; i < round; i++)
            refuse(&queue, LINE_ERROR_EMPTY);
        for (uint64_t i = 0; i < round; i++)
            expect_next(&queue, LINE_ERROR_EMPTY, ++line, 0);
    }
    settle_queue_done(&queue);
}

TEST_MAIN(completed_appends_are_acknowledged_together_and_refusals_wait_for_them,
          a_ring_that_grows_keeps_its_order)

/* Tests that the stream of the tests keeps the promises of a stream. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/stream_memory.h"

#include "support/test.h"

struct fixture {
    struct loop_simulated simulated;
    struct stream_memory *memory;
    struct buffer got;
    bool stops_after_bytes;
    unsigned ended;
    unsigned drained;
    unsigned closed;
    enum err close_err;
};

static bool on_bytes(void *owner, struct span bytes)
{
    struct fixture *fixture = owner;
    expect_fine(buffer_append(&fixture->got, bytes));
    return !fixture->stops_after_bytes;
}

static void on_end(void *owner)
{
    ((struct fixture *)owner)->ended++;
}

static void on_drained(void *owner)
{
    ((struct fixture *)owner)->drained++;
}

static void on_closed(void *owner, enum err err)
{
    struct fixture *fixture = owner;
    fixture->closed++;
    fixture->close_err = err;
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    *fixture = (struct fixture){.closed = 0};
    loop_simulated_init(&fixture->simulated, seed);
    buffer_init(&fixture->got, 4 * 1024 * 1024);
    fixture->memory = stream_memory_new(&fixture->simulated);
    fixture->memory->stream.events = &events;
    fixture->memory->stream.owner = fixture;
}

static void end(struct fixture *fixture)
{
    expect_equal_u64(fixture->closed, 1);
    stream_memory_free(fixture->memory);
    buffer_done(&fixture->got);
    loop_simulated_done(&fixture->simulated);
}

TEST(bytes_come_in_pieces_and_the_end_behind_them)
{
    struct fixture fixture;
    begin(&fixture, 1);
    fixture.memory->chunk_max = 3;
    stream_memory_send_text(fixture.memory, "one two three");
    stream_memory_end(fixture.memory);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.got.len, 0);
    stream_resume(&fixture.memory->stream);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(buffer_span(&fixture.got), "one two three");
    expect_equal_u64(fixture.ended, 1);
    expect_fine(stream_write(&fixture.memory->stream, span_from_text("answer")));
    stream_close(&fixture.memory->stream, true);
    loop_simulated_settle(&fixture.simulated);
    expect_span_is(stream_memory_received(fixture.memory), "answer");
    end(&fixture);
}

TEST(stalled_peer_makes_writes_busy_until_it_reads_again)
{
    static uint8_t block[STREAM_WRITE_QUEUE_MAX];
    struct fixture fixture;
    begin(&fixture, 2);
    stream_memory_stall(fixture.memory, true);
    expect_fine(stream_write(&fixture.memory->stream, span_of(block, sizeof(block))));
    expect_err(stream_write(&fixture.memory->stream, span_of(block, 1)), ERR_BUSY);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.drained, 0);
    stream_memory_stall(fixture.memory, false);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.drained, 1);
    expect_equal_u64(stream_memory_received(fixture.memory).len, sizeof(block) + 1);
    stream_close(&fixture.memory->stream, false);
    loop_simulated_settle(&fixture.simulated);
    end(&fixture);
}

TEST(writer_that_does_not_heed_busy_is_cut)
{
    static uint8_t block[STREAM_WRITE_QUEUE_MAX];
    struct fixture fixture;
    begin(&fixture, 3);
    stream_memory_stall(fixture.memory, true);
    enum err err = ERR_NONE;
    for (int i = 0; i < 5; i++)
        err = stream_write(&fixture.memory->stream, span_of(block, sizeof(block)));
    expect_err(err, ERR_CLOSED);
    loop_simulated_settle(&fixture.simulated);
    expect_err(fixture.close_err, ERR_TOO_LARGE);
    end(&fixture);
}

TEST(cut_peer_ends_with_closed)
{
    struct fixture fixture;
    begin(&fixture, 4);
    stream_memory_cut(fixture.memory);
    expect_err(stream_write(&fixture.memory->stream, span_from_text("x")), ERR_CLOSED);
    loop_simulated_settle(&fixture.simulated);
    expect_err(fixture.close_err, ERR_CLOSED);
    end(&fixture);
}

TEST_MAIN(bytes_come_in_pieces_and_the_end_behind_them,
          stalled_peer_makes_writes_busy_until_it_reads_again,
          writer_that_does_not_heed_busy_is_cut,
          cut_peer_ends_with_closed)

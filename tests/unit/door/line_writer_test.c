/* Tests the writer of lines over a stream in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_writer.h"

#include <stdlib.h>

#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"

struct fixture {
    struct loop_simulated simulated;
    struct stream_memory *peer;
    struct line_writer writer;
    unsigned rooms; /* how often there was room again */
};

static bool on_bytes(void *owner, struct span bytes)
{
    (void)owner;
    (void)bytes;
    return true;
}

static void on_end(void *owner)
{
    (void)owner;
}

static void on_drained(void *owner)
{
    struct fixture *fixture = owner;
    fixture->rooms += line_writer_resume(&fixture->writer) == ERR_NONE;
}

static void on_closed(void *owner, enum err err)
{
    (void)owner;
    (void)err;
}

static void begin(struct fixture *fixture, uint64_t seed)
{
    static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};
    *fixture = (struct fixture){.rooms = 0};
    loop_simulated_init(&fixture->simulated, seed);
    fixture->peer = stream_memory_new(&fixture->simulated);
    fixture->peer->stream.events = &events;
    fixture->peer->stream.owner = fixture;
    line_writer_init(&fixture->writer, &fixture->peer->stream);
}

static void end(struct fixture *fixture)
{
    line_writer_done(&fixture->writer);
    stream_close(&fixture->peer->stream, false);
    loop_simulated_settle(&fixture->simulated);
    stream_memory_free(fixture->peer);
    expect_equal_u64(fixture->simulated.loop.queued_bytes, 0);
    loop_simulated_done(&fixture->simulated);
}

/* So many bytes that differ from place to place. */
static struct span long_line(size_t len)
{
    uint8_t *line = malloc(len);
    if (line == NULL)
        test_fail("no memory");
    for (size_t i = 0; i < len; i++)
        line[i] = (uint8_t)('a' + i % 23);
    line[len - 1] = '\n';
    return span_of(line, len);
}

TEST(line_of_any_length_arrives_whole_however_the_peer_reads)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct fixture fixture;
        begin(&fixture, seed);
        struct span line = long_line(3 * 1024 * 1024);
        stream_memory_stall(fixture.peer, seed % 2 == 0);
        expect_err(line_writer_write(&fixture.writer, line), ERR_BUSY);
        expect_equal_u64(line_writer_room(&fixture.writer), 0);
        for (unsigned i = 0; i < seed; i++)
            loop_simulated_turn(&fixture.simulated);
        stream_memory_stall(fixture.peer, false);
        loop_simulated_settle(&fixture.simulated);
        expect_equal_span(stream_memory_received(fixture.peer), line);
        expect_equal_u64(fixture.rooms, 1);
        expect(line_writer_room(&fixture.writer) > 0);
        free((void *)(uintptr_t)line.data);
        end(&fixture);
    }
}

TEST(answer_while_a_line_is_held_comes_behind_it)
{
    struct fixture fixture;
    begin(&fixture, 1);
    struct span line = long_line(1024 * 1024);
    stream_memory_stall(fixture.peer, true);
    expect_err(line_writer_write(&fixture.writer, line), ERR_BUSY);
    expect_err(line_writer_write(&fixture.writer, span_from_text("ERR\n")), ERR_BUSY);
    stream_memory_stall(fixture.peer, false);
    loop_simulated_settle(&fixture.simulated);
    struct span received = stream_memory_received(fixture.peer);
    expect_equal_u64(received.len, line.len + 4);
    expect_span_is(span_after(received, line.len), "ERR\n");
    free((void *)(uintptr_t)line.data);
    end(&fixture);
}

TEST(what_is_held_counts_in_the_loop_and_ends_with_it)
{
    struct fixture fixture;
    begin(&fixture, 2);
    struct loop *loop = &fixture.simulated.loop;
    struct span line = long_line(1024 * 1024);
    stream_memory_stall(fixture.peer, true);
    expect_err(line_writer_write(&fixture.writer, line), ERR_BUSY);
    expect(loop->queued_bytes >= fixture.writer.held.len);
    expect(fixture.writer.held.len > 0);
    line_writer_done(&fixture.writer);
    expect_equal_u64(fixture.writer.held.len, 0);
    free((void *)(uintptr_t)line.data);
    end(&fixture);
}

TEST(under_pressure_pieces_are_small_and_nothing_more_is_held)
{
    struct fixture fixture;
    begin(&fixture, 3);
    struct loop *loop = &fixture.simulated.loop;
    struct span line = long_line(1024 * 1024);
    expect_equal_u64(line_writer_room(&fixture.writer), LINE_WRITER_PIECE);
    loop->queued_bytes += LINE_WRITER_PRESSURE + 1;
    expect_equal_u64(line_writer_room(&fixture.writer), LINE_WRITER_PIECE_PRESSED);
    loop->queued_bytes += LINE_WRITER_HELD_MAX;
    stream_memory_stall(fixture.peer, true);
    expect_err(line_writer_write(&fixture.writer, line), ERR_TOO_MANY);
    expect_equal_u64(fixture.writer.held.len, 0);
    loop->queued_bytes -= LINE_WRITER_PRESSURE + 1 + LINE_WRITER_HELD_MAX;
    free((void *)(uintptr_t)line.data);
    end(&fixture);
}

TEST_MAIN(line_of_any_length_arrives_whole_however_the_peer_reads,
          answer_while_a_line_is_held_comes_behind_it,
          what_is_held_counts_in_the_loop_and_ends_with_it,
          under_pressure_pieces_are_small_and_nothing_more_is_held)

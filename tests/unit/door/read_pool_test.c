/* Tests how readers share their buffers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/read_pool.h"

#include "support/loop_simulated.h"
#include "support/test.h"

struct reader {
    struct read_seat seat;
    unsigned turns;
    unsigned taken;
};

struct fixture {
    struct loop_simulated simulated;
    struct read_pool pool;
    struct reader readers[READ_POOL_SEATS + 3];
};

static void on_turn(struct read_seat *seat)
{
    LIST_OWNER(seat, struct reader, seat)->turns++;
}

static void on_taken(struct read_seat *seat)
{
    expect_not_null(seat->buffer);
    LIST_OWNER(seat, struct reader, seat)->taken++;
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.pool.loop = NULL};
    loop_simulated_init(&fixture->simulated, 1);
    read_pool_init(&fixture->pool, &fixture->simulated.loop);
    for (unsigned i = 0; i < READ_POOL_SEATS + 3; i++)
        read_seat_init(&fixture->readers[i].seat, on_turn, on_taken);
}

static void end(struct fixture *fixture)
{
    for (unsigned i = 0; i < READ_POOL_SEATS + 3; i++)
        read_pool_leave(&fixture->pool, &fixture->readers[i].seat);
    read_pool_done(&fixture->pool);
    loop_simulated_done(&fixture->simulated);
}

static enum err take(struct fixture *fixture, unsigned reader)
{
    return read_pool_take(&fixture->pool, &fixture->readers[reader].seat);
}

static void fill(struct fixture *fixture)
{
    for (unsigned i = 0; i < READ_POOL_SEATS; i++)
        expect_fine(take(fixture, i));
}

TEST(so_many_sit_and_the_next_ones_wait_in_line)
{
    struct fixture fixture;
    begin(&fixture);
    fill(&fixture);
    expect_err(take(&fixture, READ_POOL_SEATS), ERR_PENDING);
    expect_err(take(&fixture, READ_POOL_SEATS + 1), ERR_PENDING);
    expect(read_pool_is_wanted(&fixture.pool));
    read_pool_leave(&fixture.pool, &fixture.readers[3].seat);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.readers[READ_POOL_SEATS].turns, 1);
    expect_not_null(fixture.readers[READ_POOL_SEATS].seat.buffer);
    expect_equal_u64(fixture.readers[READ_POOL_SEATS + 1].turns, 0);
    end(&fixture);
}

TEST(who_left_comes_behind_those_who_wait)
{
    struct fixture fixture;
    begin(&fixture);
    fill(&fixture);
    expect_err(take(&fixture, READ_POOL_SEATS), ERR_PENDING);
    read_pool_leave(&fixture.pool, &fixture.readers[0].seat);
    expect_err(take(&fixture, 0), ERR_PENDING);
    loop_simulated_settle(&fixture.simulated);
    expect_not_null(fixture.readers[READ_POOL_SEATS].seat.buffer);
    expect_null(fixture.readers[0].seat.buffer);
    end(&fixture);
}

TEST(buffer_of_an_idle_reader_is_taken_for_one_that_needs_it)
{
    struct fixture fixture;
    begin(&fixture);
    fill(&fixture);
    read_pool_set_idle(&fixture.pool, &fixture.readers[5].seat, true);
    expect_fine(take(&fixture, READ_POOL_SEATS));
    expect_equal_u64(fixture.readers[5].taken, 1);
    expect_null(fixture.readers[5].seat.buffer);
    expect_err(take(&fixture, READ_POOL_SEATS + 1), ERR_PENDING);
    read_pool_set_idle(&fixture.pool, &fixture.readers[6].seat, true);
    loop_simulated_settle(&fixture.simulated);
    expect_equal_u64(fixture.readers[6].taken, 1);
    expect_equal_u64(fixture.readers[READ_POOL_SEATS + 1].turns, 1);
    end(&fixture);
}

TEST(larger_buffer_is_the_readers_own)
{
    struct fixture fixture;
    begin(&fixture);
    expect_fine(take(&fixture, 0));
    expect_fine(read_pool_enlarge(&fixture.pool, &fixture.readers[0].seat, 3 * READ_POOL_SIZE));
    expect_equal_u64(fixture.readers[0].seat.size, 3 * READ_POOL_SIZE);
    read_pool_leave(&fixture.pool, &fixture.readers[0].seat);
    expect_equal_u64(fixture.pool.spare_count, 0);
    expect_fine(take(&fixture, 1));
    expect_equal_u64(fixture.readers[1].seat.size, READ_POOL_SIZE);
    read_pool_leave(&fixture.pool, &fixture.readers[1].seat);
    expect_equal_u64(fixture.pool.spare_count, 1);
    end(&fixture);
}

TEST_MAIN(so_many_sit_and_the_next_ones_wait_in_line,
          who_left_comes_behind_those_who_wait,
          buffer_of_an_idle_reader_is_taken_for_one_that_needs_it,
          larger_buffer_is_the_readers_own)

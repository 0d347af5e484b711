/* Tests streams over real sockets: the test holds the other end of a pair. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop_uv.h"
#include "support/test.h"

enum { CONNECTIONS = 2, PATIENCE_MS = 10000, BLOCK = 1024 * 1024 };

struct connection {
    struct fixture *fixture;
    struct stream *stream; /* NULL when gone */
    int peer;              /* the test's end */
    size_t received;
    size_t received_max; /* pauses there */
    unsigned reads;
    unsigned ended;
    unsigned drained;
    unsigned closed;
    enum err close_err;
    uint8_t last;
};

struct fixture {
    struct loop *loop;
    struct connection connections[CONNECTIONS];
    bool (*holds)(const struct fixture *fixture);
    struct loop_task each_turn;
    struct timer guard;
    unsigned reads_in_turn_max;
};

static bool on_bytes(void *owner, struct span bytes)
{
    struct connection *connection = owner;
    struct fixture *fixture = connection->fixture;
    connection->received += bytes.len;
    connection->last = bytes.data[bytes.len - 1];
    connection->reads++;
    if (fixture->loop->reads_in_turn > fixture->reads_in_turn_max)
        fixture->reads_in_turn_max = fixture->loop->reads_in_turn;
    return connection->received < connection->received_max;
}

static void on_end(void *owner)
{
    ((struct connection *)owner)->ended++;
}

static void on_drained(void *owner)
{
    ((struct connection *)owner)->drained++;
}

static void on_closed(void *owner, enum err err)
{
    struct connection *connection = owner;
    connection->closed++;
    connection->close_err = err;
    connection->stream = NULL;
}

static const struct stream_events events = {on_bytes, on_end, on_drained, on_closed};

static void look_each_turn(struct loop_task *task)
{
    struct fixture *fixture = LIST_OWNER(task, struct fixture, each_turn);
    if (fixture->holds(fixture))
        loop_uv_stop(fixture->loop);
    else
        loop_at_end_of_turn(fixture->loop, task);
}

static void on_guard_due(struct timer *guard)
{
    (void)guard;
    test_fail("what the test waits for does not come");
}

static void run_until(struct fixture *fixture, bool (*holds)(const struct fixture *fixture))
{
    fixture->holds = holds;
    loop_at_end_of_turn(fixture->loop, &fixture->each_turn);
    timer_start(&fixture->guard, PATIENCE_MS * CLOCK_NS_PER_MS);
    loop_uv_run(fixture->loop);
    timer_stop(&fixture->guard);
}

static void connect_pair(struct fixture *fixture, struct connection *connection)
{
    int pair[2];
    expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    *connection = (struct connection){.fixture = fixture, .peer = pair[1], .received_max = SIZE_MAX};
    expect_fine(stream_socket_new(fixture->loop, pair[0], "pair", &connection->stream));
    connection->stream->events = &events;
    connection->stream->owner = connection;
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.loop = NULL};
    expect_fine(loop_uv_new(&fixture->loop));
    loop_task_init(&fixture->each_turn, look_each_turn);
    timer_init(&fixture->guard, fixture->loop, on_guard_due);
    for (size_t i = 0; i < CONNECTIONS; i++)
        connect_pair(fixture, &fixture->connections[i]);
}

static bool all_are_closed(const struct fixture *fixture)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (fixture->connections[i].stream != NULL)
            return false;
    return true;
}

static void end(struct fixture *fixture)
{
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (fixture->connections[i].stream != NULL)
            stream_close(fixture->connections[i].stream, false);
    run_until(fixture, all_are_closed);
    expect_equal_u64(fixture->loop->queued_bytes, 0);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        expect_equal_u64(fixture->connections[i].closed, 1);
        if (fixture->connections[i].peer >= 0)
            close(fixture->connections[i].peer);
    }
    expect_null(loop_uv_free(fixture->loop));
}

static void send_all(struct connection *connection, const void *bytes, size_t len)
{
    expect(send(connection->peer, bytes, len, MSG_NOSIGNAL) == (ssize_t)len);
}

/* What waits at the test's end is read away; its length. */
static size_t read_away(struct connection *connection)
{
    static uint8_t bytes[BLOCK];
    size_t len = 0;
    for (ssize_t got; (got = recv(connection->peer, bytes, sizeof(bytes), 0)) > 0;)
        len += (size_t)got;
    return len;
}

static bool first_has_ended(const struct fixture *fixture)
{
    return fixture->connections[0].ended > 0;
}

TEST(half_closed_peer_gets_the_answer_and_the_close_behind_it)
{
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    stream_resume(first->stream);
    send_all(first, "question", 8);
    expect(shutdown(first->peer, SHUT_WR) == 0);
    run_until(&fixture, first_has_ended);
    expect_equal_u64(first->received, 8);
    expect_fine(stream_write(first->stream, span_from_text("answer")));
    stream_close(first->stream, true);
    expect_err(stream_write(first->stream, span_from_text("late")), ERR_CLOSED);
    end(&fixture);
    expect_equal_u64(first->ended, 1);
    expect_err(first->close_err, ERR_NONE);
}

static bool first_has_bytes(const struct fixture *fixture)
{
    return fixture->connections[0].received > 0;
}

static bool second_has_bytes(const struct fixture *fixture)
{
    return fixture->connections[1].received > 0;
}

static bool first_is_closed(const struct fixture *fixture)
{
    return fixture->connections[0].closed == 1;
}

TEST(half_closed_peer_that_goes_is_noticed_without_a_write)
{
    struct fixture fixture;
    begin(&fixture);
    struct connection *connection = &fixture.connections[0];
    stream_resume(connection->stream);
    expect(shutdown(connection->peer, SHUT_WR) == 0);
    run_until(&fixture, first_has_ended);
    expect_equal_u64(connection->closed, 0);
    close(connection->peer);
    connection->peer = -1;
    run_until(&fixture, first_is_closed);
    expect_err(connection->close_err, ERR_CLOSED);
    end(&fixture);
}

TEST(paused_stream_reads_nothing_until_it_is_resumed)
{
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    send_all(first, "1", 1);
    send_all(&fixture.connections[1], "1", 1);
    stream_resume(fixture.connections[1].stream);
    run_until(&fixture, second_has_bytes);
    expect_equal_u64(first->received, 0);
    first->received_max = 1; /* on_bytes says stop */
    stream_resume(first->stream);
    run_until(&fixture, first_has_bytes);
    send_all(first, "2", 1);
    fixture.connections[1].received = 0;
    send_all(&fixture.connections[1], "2", 1);
    run_until(&fixture, second_has_bytes);
    expect_equal_u64(first->received, 1);
    end(&fixture);
}

/* Refills the first peer's socket after each turn, as a sender does that is faster than we are. */
static bool flood_goes_on_until_second_has_bytes(const struct fixture *fixture)
{
    static const uint8_t block[BLOCK];
    const struct connection *first = &fixture->connections[0];
    while (send(first->peer, block, sizeof(block), MSG_NOSIGNAL) > 0)
        continue;
    return fixture->connections[1].received > 0;
}

TEST(flooding_peer_is_read_once_a_turn_so_that_others_come_next)
{
    struct fixture fixture;
    begin(&fixture);
    const int size = 4 * LOOP_READ_SIZE;
    for (size_t i = 0; i < CONNECTIONS; i++) {
        expect(setsockopt(fixture.connections[i].peer, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ==
                   0 ||
               errno == EPERM);
        stream_resume(fixture.connections[i].stream);
    }
    flood_goes_on_until_second_has_bytes(&fixture);
    send_all(&fixture.connections[1], "slow", 4);
    run_until(&fixture, flood_goes_on_until_second_has_bytes);
    expect(fixture.connections[0].reads <= 2);
    expect(fixture.reads_in_turn_max <= 2);
    end(&fixture);
}

static bool first_is_drained(const struct fixture *fixture)
{
    read_away((struct connection *)(uintptr_t)&fixture->connections[0]);
    return fixture->connections[0].drained > 0;
}

TEST(peer_that_does_not_read_makes_writes_busy_until_it_reads_again)
{
    static const uint8_t block[STREAM_WRITE_QUEUE_MAX / 4];
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    enum err err = ERR_NONE;
    for (int i = 0; i < 1000 && err == ERR_NONE; i++)
        err = stream_write(first->stream, span_of(block, sizeof(block)));
    expect_err(err, ERR_BUSY);
    expect(fixture.loop->queued_bytes > STREAM_WRITE_QUEUE_MAX);
    run_until(&fixture, first_is_drained);
    expect_equal_u64(first->drained, 1);
    end(&fixture);
}

TEST(writer_that_does_not_heed_busy_is_cut)
{
    static const uint8_t block[STREAM_WRITE_QUEUE_MAX / 4];
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    enum err err = ERR_NONE;
    for (int i = 0; i < 1000 && err != ERR_CLOSED; i++)
        err = stream_write(first->stream, span_of(block, sizeof(block)));
    expect_err(err, ERR_CLOSED);
    expect_equal_u64(first->closed, 0); /* never from inside a call */
    run_until(&fixture, first_is_closed);
    expect_err(first->close_err, ERR_TOO_LARGE);
    end(&fixture);
}

static bool first_closed_while_peer_reads(const struct fixture *fixture)
{
    struct connection *first = (struct connection *)(uintptr_t)&fixture->connections[0];
    first->reads += (unsigned)read_away(first);
    return first->closed > 0;
}

TEST(close_after_writes_delivers_what_is_queued_though_bytes_still_come)
{
    static const uint8_t block[STREAM_WRITE_QUEUE_MAX];
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    size_t written = 0;
    for (enum err err = ERR_NONE; err == ERR_NONE; written += sizeof(block))
        err = stream_write(first->stream, span_of(block, sizeof(block)));
    send_all(first, "unread", 6);
    stream_close(first->stream, true);
    run_until(&fixture, first_closed_while_peer_reads);
    expect_err(first->close_err, ERR_NONE);
    expect_equal_u64(first->reads, written);
    expect_equal_u64(first->received, 0);
    end(&fixture);
}

TEST(bytes_before_a_reset_are_still_read)
{
    struct fixture fixture;
    begin(&fixture);
    struct connection *first = &fixture.connections[0];
    stream_resume(first->stream);
    /* Unread bytes at the peer's end turn its close into a reset. */
    expect_fine(stream_write(first->stream, span_from_text("never read")));
    send_all(first, "last words", 10);
    close(first->peer);
    first->peer = -1;
    run_until(&fixture, first_is_closed);
    expect_equal_u64(first->received, 10);
    expect_err(first->close_err, ERR_CLOSED);
    end(&fixture);
}

TEST_MAIN(half_closed_peer_gets_the_answer_and_the_close_behind_it,
          half_closed_peer_that_goes_is_noticed_without_a_write,
          paused_stream_reads_nothing_until_it_is_resumed,
          flooding_peer_is_read_once_a_turn_so_that_others_come_next,
          peer_that_does_not_read_makes_writes_busy_until_it_reads_again,
          writer_that_does_not_heed_busy_is_cut,
          close_after_writes_delivers_what_is_queued_though_bytes_still_come,
          bytes_before_a_reset_are_still_read)

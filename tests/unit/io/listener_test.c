/* Tests listening and accepting with real sockets on loopback. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/loop_uv.h"
#include "support/test.h"

enum { STREAMS_MAX = 8, PATIENCE_MS = 10000 };

struct fixture {
    struct loop *loop;
    struct listen_socket socket;
    struct listener *listener;
    struct stream *streams[STREAMS_MAX];
    unsigned accepted;
    unsigned closed;
    unsigned starved;
    unsigned accepted_wanted;
    rlim_t descriptors_max;
    struct timer guard;
    char directory[64];
    char path[96];
};

static bool on_bytes(void *owner, struct span bytes)
{
    (void)owner;
    (void)bytes;
    return true;
}

static void on_nothing(void *owner)
{
    (void)owner;
}

static void on_closed(void *owner, enum err err)
{
    struct fixture *fixture = owner;
    (void)err;
    if (++fixture->closed == fixture->accepted)
        loop_uv_stop(fixture->loop);
}

static void on_accepted(void *owner, struct stream *stream)
{
    static const struct stream_events events = {on_bytes, on_nothing, on_nothing, on_closed};
    struct fixture *fixture = owner;
    check(fixture->accepted < STREAMS_MAX);
    fixture->streams[fixture->accepted++] = stream;
    stream->events = &events;
    stream->owner = fixture;
    if (fixture->accepted == fixture->accepted_wanted)
        loop_uv_stop(fixture->loop);
}

static void allow_descriptors(rlim_t count)
{
    struct rlimit limit;
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void on_starved(void *owner, enum err err)
{
    struct fixture *fixture = owner;
    expect_err(err, ERR_SYSTEM);
    if (++fixture->starved == 2)
        allow_descriptors(fixture->descriptors_max);
}

static const struct listener_events listener_events = {on_accepted, on_starved, NULL};

static void on_guard_due(struct timer *guard)
{
    (void)guard;
    test_fail("what the test waits for does not come");
}

static void run(struct fixture *fixture)
{
    timer_start(&fixture->guard, PATIENCE_MS * CLOCK_NS_PER_MS);
    loop_uv_run(fixture->loop);
    timer_stop(&fixture->guard);
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.socket = {.fd = -1}};
    expect_fine(loop_uv_new(&fixture->loop));
    timer_init(&fixture->guard, fixture->loop, on_guard_due);
    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/listener_test_XXXXXX");
    expect_not_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->directory);
}

static void listen_on(struct fixture *fixture, const char *address)
{
    struct why why = {""};
    enum err err = listen_socket_open(&fixture->socket, address, &why);
    if (err != ERR_NONE)
        test_fail("%s", why.text);
    expect_fine(listener_new(fixture->loop, &fixture->socket, &listener_events, fixture, &fixture->listener));
}

static void end(struct fixture *fixture)
{
    for (unsigned i = 0; i < fixture->accepted; i++)
        stream_close(fixture->streams[i], false);
    if (fixture->accepted > 0)
        run(fixture);
    fixture->listener = listener_close(fixture->listener);
    listen_socket_close(&fixture->socket);
    expect_null(loop_uv_free(fixture->loop));
    expect(access(fixture->path, F_OK) != 0);
    expect(rmdir(fixture->directory) == 0);
}

static int connect_to_port(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

static int connect_to_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

TEST(port_zero_gives_a_port_that_can_be_connected_to)
{
    struct fixture fixture;
    begin(&fixture);
    listen_on(&fixture, "127.0.0.1:0");
    expect(fixture.socket.port != 0);
    expect(fixture.socket.is_loopback);
    int fd = connect_to_port(fixture.socket.port);
    fixture.accepted_wanted = 1;
    run(&fixture);
    expect(strncmp(fixture.streams[0]->peer, "127.0.0.1:", 10) == 0);
    close(fd);
    end(&fixture);
}

TEST(port_in_use_is_refused_with_its_address)
{
    struct fixture fixture;
    begin(&fixture);
    listen_on(&fixture, "127.0.0.1:0");
    char address[32];
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)fixture.socket.port);
    struct listen_socket second;
    struct why why = {""};
    expect_err(listen_socket_open(&second, address, &why), ERR_IN_USE);
    expect_not_null(strstr(why.text, address));
    end(&fixture);
}

TEST(addresses_that_are_none_are_refused)
{
    static const char *const addresses[] = {"",           ":",     "127.0.0.1",
                                            "127.0.0.1:", ":5673", "127.0.0.1:notaport"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct listen_socket socket;
        struct why why = {""};
        expect_err(listen_socket_open(&socket, addresses[i], &why), ERR_BAD_INPUT);
        expect(why.text[0] != '\0');
    }
}

TEST(address_of_every_interface_is_not_loopback)
{
    struct listen_socket socket;
    expect_fine(listen_socket_open(&socket, "0.0.0.0:0", NULL));
    expect(!socket.is_loopback);
    listen_socket_close(&socket);
}

TEST(unix_socket_is_for_its_user_alone)
{
    struct fixture fixture;
    begin(&fixture);
    mode_t mask = umask(0);
    listen_on(&fixture, fixture.path);
    umask(mask);
    struct stat status;
    expect(stat(fixture.path, &status) == 0);
    expect_equal_u64(status.st_mode & 07777, 0600);
    int fd = connect_to_path(fixture.path);
    fixture.accepted_wanted = 1;
    run(&fixture);
    expect_equal_text(fixture.streams[0]->peer, "unix");
    close(fd);
    end(&fixture);
}

TEST(unix_socket_of_a_dead_process_is_replaced_and_of_a_living_one_not)
{
    struct fixture fixture;
    begin(&fixture);
    struct listen_socket dead;
    expect_fine(listen_socket_open(&dead, fixture.path, NULL));
    dead.path[0] = '\0'; /* a killed process removes nothing */
    listen_socket_close(&dead);
    listen_on(&fixture, fixture.path);
    struct listen_socket second;
    struct why why;
    expect_err(listen_socket_open(&second, fixture.path, &why), ERR_IN_USE);
    int fd = connect_to_path(fixture.path);
    fixture.accepted_wanted = 1;
    run(&fixture);
    close(fd);
    end(&fixture);
}

TEST(file_in_the_place_of_a_unix_socket_is_left_alone)
{
    struct fixture fixture;
    begin(&fixture);
    int fd = open(fixture.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    struct why why;
    expect_err(listen_socket_open(&fixture.socket, fixture.path, &why), ERR_EXISTS);
    expect(unlink(fixture.path) == 0);
    end(&fixture);
}

/* The connection waits in the kernel's queue, and is accepted when a descriptor is free again. */
TEST(lack_of_descriptors_delays_a_connection_and_does_not_lose_it)
{
    struct fixture fixture;
    begin(&fixture);
    listen_on(&fixture, "127.0.0.1:0");
    int fd = connect_to_port(fixture.socket.port);
    struct rlimit limit;
    expect(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    fixture.descriptors_max = limit.rlim_cur;
    int highest = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    close(highest);
    allow_descriptors((rlim_t)highest);
    fixture.accepted_wanted = 1;
    run(&fixture);
    expect_equal_u64(fixture.starved, 2);
    expect_equal_u64(fixture.accepted, 1);
    close(fd);
    end(&fixture);
}

TEST(paused_listener_leaves_connections_waiting)
{
    struct fixture fixture;
    begin(&fixture);
    listen_on(&fixture, "127.0.0.1:0");
    struct listener *other = NULL;
    struct fixture other_fixture = {.loop = fixture.loop, .accepted_wanted = 1};
    expect_fine(listener_new(fixture.loop, &fixture.socket, &listener_events, &other_fixture, &other));
    listener_pause(fixture.listener);
    int fd = connect_to_port(fixture.socket.port);
    run(&fixture); /* until the other listener on the same socket has it */
    expect_equal_u64(other_fixture.accepted, 1);
    expect_equal_u64(fixture.accepted, 0);
    listener_close(other);
    listener_resume(fixture.listener);
    int second = connect_to_port(fixture.socket.port);
    fixture.accepted_wanted = 1;
    run(&fixture);
    expect_equal_u64(fixture.accepted, 1);
    stream_close(other_fixture.streams[0], false);
    run(&fixture);
    close(fd);
    close(second);
    end(&fixture);
}

TEST_MAIN(port_zero_gives_a_port_that_can_be_connected_to,
          port_in_use_is_refused_with_its_address,
          addresses_that_are_none_are_refused,
          address_of_every_interface_is_not_loopback,
          unix_socket_is_for_its_user_alone,
          unix_socket_of_a_dead_process_is_replaced_and_of_a_living_one_not,
          file_in_the_place_of_a_unix_socket_is_left_alone,
          lack_of_descriptors_delays_a_connection_and_does_not_lose_it,
          paused_listener_leaves_connections_waiting)

/* Subscribers on one poll. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_subscribe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { INPUT_SIZE = 512 * 1024, LOOK_EVERY_MS = 20, NAME_SIZE = 256 };

static const int64_t sync_limit_ns = 60 * CLOCK_NS_PER_S;

struct bench_subscribe {
    const struct bench_subscribe_settings *settings;
    struct bench_end end;
    struct bench_result *result;
    struct bench_subscriber *subscribers;
    struct pollfd *polls;
    uint32_t count;
    uint32_t closed; /* by the door, behind the last outcome */
    int64_t started_ns;
    bool is_ending;
    uint8_t input[INPUT_SIZE];
};

static enum err open_one(struct bench_subscribe *bench, uint32_t group, struct why *why)
{
    const struct bench_subscribe_settings *settings = bench->settings;
    struct bench_subscriber *subscriber = &bench->subscribers[bench->count];
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%s-%u", settings->group != NULL ? settings->group : "", group);
    enum err err =
        bench_subscriber_open(subscriber, &settings->subscriber, settings->group != NULL ? name : NULL, why);
    bench->polls[bench->count++] = (struct pollfd){.fd = subscriber->socket.fd, .events = POLLIN};
    return err;
}

static enum err open_all(struct bench_subscribe *bench, struct why *why)
{
    const struct bench_subscribe_settings *settings = bench->settings;
    uint32_t groups = settings->group != NULL ? settings->groups : 1;
    if (groups * settings->connections > BENCH_SUBSCRIBERS_MAX)
        return why_set(why, ERR_BAD_INPUT, "at most %d subscribers", (int)BENCH_SUBSCRIBERS_MAX);
    bench->subscribers = calloc(groups * settings->connections, sizeof *bench->subscribers);
    bench->polls = calloc(groups * settings->connections, sizeof *bench->polls);
    enum err err = bench->subscribers == NULL || bench->polls == NULL ? ERR_MEMORY : ERR_NONE;
    for (uint32_t i = 0; i < groups * settings->connections && err == ERR_NONE; i++)
        err = open_one(bench, i % groups, why);
    return err;
}

static enum err
receive_once(struct bench_subscribe *bench, struct bench_subscriber *subscriber, struct why *why)
{
    uint64_t before = subscriber->lines;
    size_t len = 0;
    enum err err = bench_subscriber_receive(subscriber, bench->input, INPUT_SIZE, &len, why);
    if (err == ERR_NONE && !bench->is_ending)
        bench_result_add(bench->result, clock_now_ns(clock_linux()) - bench->started_ns,
                         subscriber->lines - before, len);
    return err;
}

/* One read each time, so that all have their turn; what TLS has received already the socket does not tell. */
static enum err receive(struct bench_subscribe *bench, struct bench_subscriber *subscriber, struct why *why)
{
    enum err err;
    do {
        err = receive_once(bench, subscriber, why);
    } while (err == ERR_NONE && subscriber->socket.tls != NULL);
    if ((err == ERR_NONE || err == ERR_AGAIN) && subscriber->is_member && !bench->is_ending)
        err = bench_subscriber_push(subscriber);
    return err == ERR_AGAIN ? ERR_NONE : err;
}

static void note_closed(struct bench_subscribe *bench, struct pollfd *poll)
{
    poll->fd = -1;
    bench->closed++;
    bench->result->took_ns = clock_now_ns(clock_linux()) - bench->started_ns;
}

static enum err take_event(struct bench_subscribe *bench, uint32_t i, struct why *why)
{
    struct bench_subscriber *subscriber = &bench->subscribers[i];
    struct pollfd *poll = &bench->polls[i];
    enum err err = ERR_NONE;
    if (poll->revents & POLLOUT)
        err = bench_subscriber_push(subscriber);
    if ((err == ERR_NONE || err == ERR_AGAIN) && (poll->revents & ~POLLOUT))
        err = receive(bench, subscriber, why);
    poll->events = (short)(POLLIN | (subscriber->output.len > 0 ? POLLOUT : 0));
    if (err == ERR_CLOSED && bench->is_ending) {
        note_closed(bench, poll);
        return ERR_NONE;
    }
    if (err == ERR_CLOSED)
        return why_set(why, err, "the door closed the connection");
    return err == ERR_AGAIN ? ERR_NONE : err;
}

static enum err take_events(struct bench_subscribe *bench, struct why *why)
{
    int count = poll(bench->polls, bench->count, LOOK_EVERY_MS);
    enum err err = count < 0 && errno != EINTR ? ERR_SYSTEM : ERR_NONE;
    for (uint32_t i = 0; i < bench->count && err == ERR_NONE && count > 0; i++)
        if (bench->polls[i].fd >= 0 && bench->polls[i].revents != 0)
            err = take_event(bench, i, why);
    return err;
}

/* Members say that they have finished once all that they are done with is said. */
static enum err finish_all(struct bench_subscribe *bench, struct why *why)
{
    int64_t limit_ns = clock_now_ns(clock_linux()) + sync_limit_ns;
    enum err err = ERR_NONE;
    bench->is_ending = true;
    for (uint32_t i = 0; i < bench->count; i++) {
        while ((err = bench_subscriber_push(&bench->subscribers[i])) == ERR_AGAIN &&
               clock_now_ns(clock_linux()) < limit_ns)
            err = take_events(bench, why);
        if (err != ERR_NONE)
            return err;
        bench_subscriber_finish(&bench->subscribers[i]);
    }
    while (err == ERR_NONE && bench->closed < bench->count && clock_now_ns(clock_linux()) < limit_ns)
        err = take_events(bench, why);
    if (err == ERR_NONE && bench->closed < bench->count)
        err = why_set(why, ERR_TIMED_OUT, "outcomes were not synced within a minute");
    return err;
}

static enum err run(struct bench_subscribe *bench, struct why *why)
{
    enum err err = ERR_NONE;
    bench->started_ns = clock_now_ns(clock_linux());
    while (err == ERR_NONE &&
           !bench_end_is_reached(&bench->end, clock_now_ns(clock_linux()), bench->result->count))
        err = take_events(bench, why);
    if (err == ERR_NONE && bench->settings->group != NULL)
        err = finish_all(bench, why);
    return err;
}

enum err bench_subscribe_run(const struct bench_subscribe_settings *settings,
                             struct bench_result *result,
                             struct why *why)
{
    struct bench_subscribe *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        return ERR_MEMORY;
    bench->settings = settings;
    bench->end = settings->end;
    bench->result = result;
    int64_t cpu_ns = bench_cpu_ns();
    enum err err = open_all(bench, why);
    if (err == ERR_NONE)
        err = run(bench, why);
    result->cpu_ns = bench_cpu_ns() - cpu_ns;
    for (uint32_t i = 0; i < bench->count; i++)
        bench_subscriber_close(&bench->subscribers[i]);
    free(bench->subscribers);
    free(bench->polls);
    free(bench);
    return err;
}
